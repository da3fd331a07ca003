"""The kinds of business records that are understood, each a JSON Schema (draft 2020-12).

Beside the standard's keywords a schema carries `x-key`, the paths whose values joined by colons
are the natural key; `x-at`, the paths of the business time, of which the first that is filled
counts; and `x-order`, pairs of times of which the second may not lie before the first.
"""

import difflib
import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

KINDS = (
    "order_line",
    "inspection",
    "stock_balance",
    "stock_move",
    "cogs",
    "plan_operation",
    "job",
    "recipe_download",
    "alarm",
    "maintenance",
    "lot_genealogy",
    "rd_project",
    "headcount",
    "energy_invoice",
    "output_value",
    "degree_days",
)


@dataclass(frozen=True, slots=True)
class RecordKind:
    """One kind with its published schema; key, at and order are paths into a record."""

    name: str
    title_zh: str
    description: str
    key: tuple[str, ...]
    at: tuple[str, ...]
    order: tuple[tuple[str, str], ...]
    schema: dict[str, Any]


@cache
def record_kind(name: str) -> RecordKind | None:
    """Return a kind by its name, None for one that does not exist; schemas are only to be read."""
    if name not in KINDS:
        return None
    schema = json.loads(schema_text(name))
    return RecordKind(
        name=name,
        title_zh=schema["title"],
        description=schema["description"],
        key=tuple(schema["x-key"]),
        at=tuple(schema["x-at"]),
        order=tuple((first, second) for first, second in schema.get("x-order", ())),
        schema=schema,
    )


def schema_text(name: str) -> str:
    """Return the schema of a kind as its file has it; the name must be one of KINDS."""
    return files(__name__).joinpath(f"{name}.json").read_text(encoding="utf-8")


def all_kinds() -> list[RecordKind]:
    """Return every kind, in the order of KINDS."""
    return [kind for name in KINDS if (kind := record_kind(name)) is not None]


def unknown_kind(name: str) -> str:
    """Return what to say of a kind that does not exist, with the one that was probably meant."""
    close = difflib.get_close_matches(name.lower(), KINDS, n=1, cutoff=0.5)
    hint = f'; did you mean "{close[0]}"?' if close else ""
    return f'there is no record kind "{name}"{hint} (there are: {", ".join(KINDS)})'
