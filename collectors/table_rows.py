"""Cells of a table to the fields of a record, typed as the schema of its kind says. Pure.

A cell that cannot be what the schema wants stays the text that it was, so that the refusal
shows it as the file has it.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from collectors.documents import NotDecoded, parse_text
from store.record_kinds import record_kind

_GROUPED = re.compile(r"-?\d{1,3}(,\d{3})+(\.\d+)?")
_PLAIN = re.compile(r"-?\d+(\.\d+)?([eE][-+]?\d+)?")
_WHOLE = re.compile(r"-?\d+")
_BOOLEANS = {
    **dict.fromkeys(("true", "yes", "1", "是"), True),
    **dict.fromkeys(("false", "no", "0", "否"), False),
}


@dataclass(frozen=True, slots=True)
class Writing:
    """How a table writes what it holds; formats are those of strptime, ISO 8601 without.

    Times without an offset are in the zone.
    """

    zone: ZoneInfo
    date_format: str | None = None
    time_format: str | None = None
    decimal_comma: bool = False
    missing: Sequence[str] = ("",)


def document(
    kind: str, cells: Mapping[str, Any], columns: Mapping[str, str], writing: Writing
) -> dict[str, Any]:
    """Return the record that a row is; columns say which column holds which field.

    Without columns each column is the field of its own name. A missing cell leaves its field out.
    """
    known = record_kind(kind)
    fields = known.schema["properties"] if known is not None else {}
    pairs = columns or {name: name for name in cells}
    found = {}
    for field, column in pairs.items():
        value = typed(fields.get(field, {}), cells.get(column), writing)
        if value is not None:
            found[field] = value
    return found


def typed(wanted: Mapping[str, Any], cell: Any, writing: Writing) -> Any:
    """Return a cell as its schema wants it, None where it holds nothing."""
    if isinstance(cell, datetime | date):
        return _moment(wanted, cell)
    if isinstance(cell, float) and cell.is_integer() and "integer" in _types(wanted):
        return int(cell)
    if not isinstance(cell, str):
        return cell
    text = cell.strip()
    if text in writing.missing:
        return None
    return _from_text(wanted, text, writing)


def number(text: str, *, decimal_comma: bool = False) -> float | int | None:
    """Return the number that a text writes, with or without grouped thousands; None if none."""
    if decimal_comma:
        text = text.replace(".", "").replace(",", ".")
    elif _GROUPED.fullmatch(text):
        text = text.replace(",", "")
    if not _PLAIN.fullmatch(text):
        return None
    return int(text) if _WHOLE.fullmatch(text) and len(text) < 300 else float(text)


def _types(wanted: Mapping[str, Any]) -> Sequence[str]:
    types = wanted.get("type", ())
    return (types,) if isinstance(types, str) else types


def _from_text(wanted: Mapping[str, Any], text: str, writing: Writing) -> Any:
    types = _types(wanted)
    if "array" in types or "object" in types:
        return _compound(wanted, text, writing)
    if "boolean" in types:
        return _BOOLEANS.get(text.lower(), text)
    # What may be a text of any letters is one, even where it looks like a number: a serial number
    # with leading zeros is no quantity.
    if "number" in types or ("integer" in types and "pattern" in wanted):
        found = number(text, decimal_comma=writing.decimal_comma)
        return text if found is None else found
    if wanted.get("format") == "date" and writing.date_format:
        found_at = formatted(text, writing.date_format, writing.zone)
        return found_at.date().isoformat() if found_at else text
    if wanted.get("format") == "date-time" and writing.time_format:
        found_at = formatted(text, writing.time_format, writing.zone)
        return found_at.isoformat() if found_at else text
    return text


def formatted(text: str, pattern: str, zone: ZoneInfo) -> datetime | None:
    """Return the aware time that a text writes in a pattern of strptime; None if it does not."""
    try:
        if "%z" in pattern:
            return datetime.strptime(text, pattern).astimezone(zone)
        return fixed(datetime.strptime(text, pattern).replace(tzinfo=zone))
    except (ValueError, OverflowError):
        return None


def fixed(aware: datetime) -> datetime:
    """Return an aware time with its offset as a number, since what is hashed must stay as it is."""
    return datetime.fromisoformat(aware.isoformat())


def _compound(wanted: Mapping[str, Any], text: str, writing: Writing) -> Any:
    """Return a JSON text as it reads, else a list of what semicolons part."""
    if text[0] in "[{":
        try:
            return parse_text(text)
        except NotDecoded:
            return text
    item = wanted.get("items", {})
    return [typed(item, part, writing) for part in text.split(";") if part.strip()]


def _moment(wanted: Mapping[str, Any], cell: datetime | date) -> str:
    """Return what a spreadsheet holds as a date the way the schema writes it."""
    whole = cell if isinstance(cell, datetime) else datetime.combine(cell, time())
    if wanted.get("format") == "date":
        return whole.date().isoformat()
    if "pattern" in wanted and wanted["pattern"].startswith("^[0-9]{4}-"):
        return f"{whole:%Y-%m}"
    return whole.isoformat()


def shown(cells: Mapping[str, Any]) -> str:
    """Return a row as a text to keep for a person."""
    return json.dumps(cells, ensure_ascii=False, default=str)
