"""The keys of a gateway file as a table for people: what the documents print is made here."""

import types
from collections.abc import Iterator
from dataclasses import MISSING, Field, dataclass, fields
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from collectors.config.schema import (
    SOURCES,
    GatewayTable,
    MetricsTable,
    SinkTable,
    SpoolTable,
)
from collectors.config.tables import not_allowed
from collectors.errors import UnknownKind
from collectors.history.settings import HistoryFile

_TYPES: dict[object, str] = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "true/false",
    list[str]: "list of texts",
}
_SOURCE = "source"


@dataclass(frozen=True, slots=True)
class Key:
    """One key: the table it stands in, its type, its default ("" where it must be given)."""

    table: str
    name: str
    type: str
    default: str
    about: str


def keys(kind: str) -> list[Key]:
    """Return the keys of a kind of source, or with "gateway" those of the tables around them.

    With "history" they are those of the mapping file of an import. Raises UnknownKind for any
    other word.
    """
    if kind in SOURCES:
        return list(_keys(SOURCES[kind], f"[[{_SOURCE}]]"))
    if kind == "history":
        return list(_keys(HistoryFile, "[[file]]"))
    if kind != "gateway":
        raise UnknownKind(f'"{kind}" {not_allowed(kind, ["gateway", "history", *SOURCES])}')
    tops = {
        "[gateway]": GatewayTable,
        "[spool]": SpoolTable,
        "[sink]": SinkTable,
        "[metrics]": MetricsTable,
    }
    return [key for name, table in tops.items() for key in _keys(table, name)]


def markdown(found: list[Key]) -> str:
    """Return keys as the table that stands in a document."""
    lines = ["| table | key | type | default | meaning |", "|---|---|---|---|---|"]
    before = None
    for key in found:
        table = "" if key.table == before else f"`{key.table}`"
        before = key.table
        default = f"`{key.default}`" if key.default else ""
        lines.append(f"| {table} | `{key.name}` | {key.type} | {default} | {key.about} |")
    return "\n".join(lines)


def _keys(table: type, name: str) -> Iterator[Key]:
    hints = get_type_hints(table)
    below = []
    for spec in fields(table):
        if "table" in spec.metadata:
            sub = f"{name.strip('[]')}.{spec.metadata['table']}"
            below.append((get_args(hints[spec.name])[0], f"[[{sub}]]"))
        else:
            about = str(spec.metadata.get("about", ""))
            yield Key(name, spec.name, _type(spec, hints[spec.name]), _default(spec), about)
    for sub_table, sub_name in below:
        yield from _keys(sub_table, sub_name)


def _type(spec: "Field[Any]", hint: Any) -> str:
    words = spec.metadata.get("choices") or (get_args(hint) if get_origin(hint) is Literal else ())
    if words and len(words) <= 10:
        return ", ".join(f"`{word}`" for word in words)
    if get_origin(hint) in (Union, types.UnionType):
        hint = next(option for option in get_args(hint) if option is not type(None))
        return _type(spec, hint)
    if get_origin(hint) is Literal:
        return "word"
    shown = _TYPES.get(hint, "table")
    low, high = spec.metadata.get("at_least"), spec.metadata.get("at_most")
    return shown if low is None or high is None else f"{shown} {_number(low)} … {_number(high)}"


def _default(spec: "Field[Any]") -> str:
    if spec.default is MISSING or spec.default is None:
        return ""
    if isinstance(spec.default, bool):
        return str(spec.default).lower()
    return _number(spec.default) if isinstance(spec.default, int | float) else str(spec.default)


def _number(value: float) -> str:
    return f"{value:g}" if abs(value) < 1e6 else f"{value:.0f}"
