"""Business records against their schemas: accepted with key and time, or refused by field.

A record is kept as its system sent it. What is refused names every field that is wrong and says
what would be right, so that the people of that system can mend it.
"""

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import ValidationError

from collectors.documents import NotDecoded, at_path, kind_of, moment, refuse_unstorable
from collectors.sample import time_is_plausible, to_us
from store.canonical import Record
from store.record_kinds import RecordKind, record_kind, unknown_kind

_MOST_FAULTS = 20
# An index entry of the database holds no key that is much longer.
_LONGEST_KEY = 200
_LONGEST_SHOWN = 60
# Beyond lies no quantity, no amount and no number of a document.
_MOST_NUMBER = 1e30
_MONTH = re.compile(r"\d{4}-\d{2}")

_TYPES = {
    "string": "a text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "null",
}
_PATTERNS = {
    r"^[0-9]+(\.[0-9]+)?$": "a number that is not less than 0",
    r"^-?[0-9]+(\.[0-9]+)?$": "a number",
    r"^[0-9]+$": "a whole number that is not less than 0",
    r"^[0-9]{4}-(0[1-9]|1[0-2])$": "a month such as 2026-03",
}
_FORMATS = {
    "date": "a date such as 2026-03-31",
    "date-time": "a time such as 2026-03-31T08:00:00+08:00",
}


@dataclass(frozen=True, slots=True)
class FieldFault:
    """What is wrong with one field: its dotted path, empty for the whole record, and why."""

    path: str
    reason: str

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}" if self.path else self.reason


class NotAccepted(NotDecoded):
    """A record does not fit the schema of its kind; every field that is wrong is named."""

    def __init__(self, kind: str, faults: Iterable[FieldFault]) -> None:
        self.kind = kind
        self.faults = tuple(faults)
        super().__init__(f"{kind}: {'; '.join(str(fault) for fault in self.faults)}")


def to_record(
    kind: str, document: Any, zone: ZoneInfo, key: str | None = None, at: str | None = None
) -> Record:
    """Return the record version that a document is; raises NotAccepted.

    Times without an offset are in the zone. key and at are paths that a rule gives in place of
    the schema's own.
    """
    known = record_kind(kind)
    if known is None:
        raise NotAccepted(kind, [FieldFault("", unknown_kind(kind))])
    faults = list(_faults(known, document, zone))
    if faults:
        raise NotAccepted(kind, _once(faults))
    try:
        name = _key(document, known.key if key is None else (key,))
        when = _business_time(document, known.at if at is None else (at,), zone)
    except NotDecoded as error:
        raise NotAccepted(kind, [FieldFault("", str(error))]) from error
    return Record(kind, name, when, document)


def _faults(kind: RecordKind, document: Any, zone: ZoneInfo) -> Iterator[FieldFault]:
    if not isinstance(document, dict):
        yield FieldFault("", f"the payload is {kind_of(document)}, not an object")
        return
    try:
        refuse_unstorable(document)
    except NotDecoded as error:
        yield FieldFault("", str(error))
        return
    yield from _too_large(document)
    found = list(_validator(kind.name).iter_errors(document))
    for each in found:
        yield from _told(each)
    if not found:
        yield from _out_of_order(kind.order, document, zone)


def _too_large(value: Any, path: str = "") -> Iterator[FieldFault]:
    """Name numbers that no quantity is, which tables and text may hold where JSON does not.

    Its depth is bounded by the parser of the document.
    """
    if isinstance(value, dict):
        for name, each in value.items():
            yield from _too_large(each, f"{path}.{name}".lstrip("."))
    elif isinstance(value, list):
        for place, each in enumerate(value):
            yield from _too_large(each, f"{path}.{place}".lstrip("."))
    elif isinstance(value, int | float) and not abs(value) <= _MOST_NUMBER:
        yield FieldFault(
            path, f"{_shown(value)} is no number from {-_MOST_NUMBER:g} to {_MOST_NUMBER:g}"
        )


def _once(faults: Sequence[FieldFault]) -> list[FieldFault]:
    return list(dict.fromkeys(faults))[:_MOST_FAULTS]


@cache
def _validator(name: str) -> Draft202012Validator:
    kind = record_kind(name)
    assert kind is not None
    return Draft202012Validator(kind.schema, format_checker=_formats())


@cache
def _formats() -> FormatChecker:
    checker = FormatChecker(formats=())

    @checker.checks("date", raises=ValueError)
    def _is_date(given: object) -> bool:
        return not isinstance(given, str) or bool(date.fromisoformat(given))

    @checker.checks("date-time", raises=ValueError)
    def _is_time(given: object) -> bool:
        return not isinstance(given, str) or bool(datetime.fromisoformat(given))

    return checker


def _told(error: ValidationError) -> Iterator[FieldFault]:
    """Say in plain words what a validator found."""
    path = ".".join(str(part) for part in error.absolute_path)
    given: Any = error.instance
    wanted: Any = error.validator_value
    match error.validator:
        case "required":
            missing = [name for name in wanted if name not in given]
            yield from (FieldFault(f"{path}.{name}".strip("."), "is missing") for name in missing)
        case "anyOf":
            names = [name for option in wanted for name in option["required"]]
            yield FieldFault(path, f"one of {', '.join(names)} must be given")
        case "type":
            schema: Any = error.schema
            told = _types(wanted, is_number="pattern" in schema)
            yield FieldFault(path, f"is {_shown(given)}, it must be {told}")
        case "minimum":
            yield FieldFault(path, f"{_shown(given)} is less than {wanted}")
        case "minLength":
            yield FieldFault(path, "must not be empty")
        case "minItems":
            yield FieldFault(path, f"must have {wanted} entries")
        case "enum":
            yield FieldFault(path, _not_among(given, wanted))
        case "pattern":
            yield FieldFault(path, f"{_shown(given)} is not {_PATTERNS[wanted]}")
        case "format":
            yield FieldFault(path, f"{_shown(given)} is not {_FORMATS[wanted]}")
        case _:
            yield FieldFault(path, error.message)


def _types(wanted: str | Sequence[str], *, is_number: bool) -> str:
    names = [wanted] if isinstance(wanted, str) else wanted
    if is_number and len(names) > 1:
        # It may come as a text of digits; that is not worth saying.
        names = [name for name in names if name != "string"]
    return " or ".join(_TYPES[name] for name in names if name != "null")


def _not_among(given: Any, wanted: Sequence[Any]) -> str:
    words = [str(word) for word in wanted if word is not None]
    close = difflib.get_close_matches(str(given).lower(), words, n=1)
    hint = f'; did you mean "{close[0]}"?' if close else ""
    return f"{_shown(given)} is not allowed{hint} (allowed: {', '.join(words)})"


def _shown(given: Any) -> str:
    if isinstance(given, bool):
        return str(given).lower()
    if isinstance(given, int | float):
        return str(given)[:_LONGEST_SHOWN]
    if isinstance(given, str):
        cut = given if len(given) <= _LONGEST_SHOWN else f"{given[:_LONGEST_SHOWN]}…"
        return f'"{cut}"'
    return kind_of(given)


def _out_of_order(
    pairs: Iterable[tuple[str, str]], document: Mapping[str, Any], zone: ZoneInfo
) -> Iterator[FieldFault]:
    for first, second in pairs:
        before, after = document.get(first), document.get(second)
        if before and after and moment(after, zone) < moment(before, zone):
            yield FieldFault(second, f"{_shown(after)} lies before {first} ({_shown(before)})")


def _key(document: Any, paths: Sequence[str]) -> str:
    parts = []
    for path in paths:
        part = at_path(document, path)
        if isinstance(part, bool) or not isinstance(part, str | int) or part == "":
            raise NotDecoded(f"{path} is {kind_of(part)}, not a key (a text or a whole number)")
        parts.append(str(part))
    key = ":".join(parts)
    if len(key) > _LONGEST_KEY:
        raise NotDecoded(f"{', '.join(paths)}: a key has at most {_LONGEST_KEY} characters")
    return key


def _business_time(document: Any, paths: Sequence[str], zone: ZoneInfo) -> datetime:
    for path in paths:
        try:
            given = at_path(document, path)
        except NotDecoded:
            if len(paths) == 1:
                raise
            continue
        if given is None and len(paths) > 1:
            continue
        if isinstance(given, str) and _MONTH.fullmatch(given):
            given = f"{given}-01"
        found = moment(given, zone)
        if not time_is_plausible(to_us(found)):
            raise NotDecoded(f"{path} lies outside the years 1970 to 2200")
        return found
    raise NotDecoded(f"there is neither {' nor '.join(paths)} in the payload")
