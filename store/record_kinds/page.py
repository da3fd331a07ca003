"""The kinds of business records as tables for people: the document holds what is made here."""

from collections.abc import Iterator, Mapping
from typing import Any

from store.record_kinds import RecordKind, all_kinds

_TYPES = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true/false",
    "array": "list",
    "object": "object",
}
_FORMATS = {"date": "date", "date-time": "time"}


def markdown() -> str:
    """Return every kind with its key, its business time and a table of its fields."""
    return "\n".join(line for kind in all_kinds() for line in _kind(kind)).rstrip()


def _kind(kind: RecordKind) -> Iterator[str]:
    yield f"### `{kind.name}` {kind.title_zh}"
    yield ""
    yield kind.description
    yield ""
    key = " and ".join(f"`{path}`" for path in kind.key)
    yield f"Key: {key}. Business time: {_first_of(kind.at)}."
    for first, second in kind.order:
        yield f"`{second}` may not lie before `{first}`."
    yield ""
    yield "| field | 中文 | type | must | meaning |"
    yield "|---|---|---|---|---|"
    yield from _rows(kind.schema, "")
    yield ""


def _first_of(paths: tuple[str, ...]) -> str:
    shown = [f"`{path}`" for path in paths]
    return shown[0] if len(shown) == 1 else f"the first that is filled of {', '.join(shown)}"


def _rows(schema: Mapping[str, Any], path: str) -> Iterator[str]:
    for name, about in schema.get("properties", {}).items():
        must = "yes" if name in schema.get("required", ()) else ""
        cells = (f"`{path}{name}`", about["title"], _type(about), must, about["description"])
        yield f"| {' | '.join(cells)} |"
        yield from _rows(about.get("items", {}), f"{path}{name}[].")


def _type(about: Mapping[str, Any]) -> str:
    if "enum" in about:
        return ", ".join(f"`{word}`" for word in about["enum"] if word is not None)
    if "format" in about:
        return _FORMATS[about["format"]]
    types = [about["type"]] if isinstance(about["type"], str) else about["type"]
    if "number" in types or ("integer" in types and "pattern" in about):
        shown = "number" if "number" in types else "whole number"
        return f"{shown}, at least {about['minimum']}" if "minimum" in about else shown
    return " or ".join(_TYPES[one] for one in types if one != "null")
