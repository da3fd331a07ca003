"""Machine states by name: schemes of the standards, and tables of a gateway file's own.

A state is matched by its name, never by its number: two specifications number the same PackML
states differently. Which bucket of time a state falls into is a proposal for the monitoring plan.
"""

import csv
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from collectors.config.tables import not_allowed

# The scheme whose state is made of two names.
COMBINED = "machinery"
_JOINT = "+"

_TABLE = Path(__file__).with_name("states.csv")

States = str | Mapping[str, int]


class State(NamedTuple):
    """A row of the table: a name of a state in a scheme, its stored code, its bucket of time."""

    scheme: str
    name: str
    code: int
    bucket: str
    note: str


@cache
def table() -> tuple[State, ...]:
    """Return the states of all schemes, in the order of the table."""
    with _TABLE.open(encoding="utf-8", newline="") as file:
        return tuple(
            State(row["scheme"], row["name"], int(row["code"]), row["bucket"], row["note"])
            for row in csv.DictReader(file)
        )


def schemes() -> tuple[str, ...]:
    """Return the names of the schemes."""
    return tuple(dict.fromkeys(state.scheme for state in table()))


def codes(states: States) -> dict[str, int]:
    """Return the code of each name, folded, of a scheme or of a table in the gateway file."""
    if isinstance(states, str):
        return {folded(state.name): state.code for state in table() if state.scheme == states}
    return {folded(name): code for name, code in states.items()}


def folded(name: str) -> str:
    """Return a name without the differences of case, space, underscore and hyphen."""
    return "".join(c for c in name.casefold() if c not in " _-\t\u00a0")


def combined(item_state: str, operation_mode: str) -> str:
    """Return the name of two names in the combined scheme."""
    return f"{item_state}{_JOINT}{operation_mode}"


def bucket_map(scheme: str) -> dict[str, str]:
    """Return code → bucket of a scheme, as state_maps of a monitoring plan has it."""
    return {str(state.code): state.bucket for state in table() if state.scheme == scheme}


def judge(raw: Any) -> str | None:
    """Judge the key `states` of a gateway file: the name of a scheme, or a table of names."""
    if isinstance(raw, str):
        known = schemes()
        return None if raw in known else not_allowed(raw, known)
    if not isinstance(raw, Mapping) or not raw:
        return 'must be a scheme in quotes or a table such as { "RUN" = 1, "STOP" = 2 }'
    if any(isinstance(code, bool) or not isinstance(code, int) for code in raw.values()):
        return "must give each name a whole number"
    if len({folded(name) for name in raw}) < len(raw):
        return "has names that differ only in case, spaces, underscores or hyphens"
    return None
