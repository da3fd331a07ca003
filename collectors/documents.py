"""JSON documents that systems send: parsed, walked by path, their times read.

Pure; what does not fit raises NotDecoded with a reason that a person can act on.
"""

import json
import math
from datetime import date, datetime, time
from typing import Any, NoReturn
from zoneinfo import ZoneInfo

# Longer whole numbers are no quantity and no key of any system, and beyond 308 no float.
_MOST_DIGITS = 40

_KINDS: dict[type[Any], str] = {
    dict: "an object",
    list: "a list",
    str: "a text",
    bool: "a boolean",
    type(None): "null",
}


class NotDecoded(Exception):
    """What arrived does not hold what the gateway file says; see the reason."""


def parse(payload: bytes) -> Any:
    """Return the JSON document of a message; raises NotDecoded for what a database cannot hold."""
    try:
        return parse_text(payload.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise NotDecoded("the payload is not UTF-8") from error


def parse_text(text: str) -> Any:
    """Return the JSON document of a text; raises NotDecoded for what a database cannot hold."""
    try:
        document = json.loads(
            text, parse_constant=_refuse_constant, parse_float=_finite, parse_int=_not_too_long
        )
    except (ValueError, RecursionError) as error:
        raise NotDecoded(f"the payload is not JSON: {error}") from error
    # Escapes can spell what JSON may hold and jsonb may not: the zero character, half a pair.
    if "\\u" in text:
        refuse_unstorable(document)
    return document


def at_path(document: Any, path: str) -> Any:
    """Return what stands at a dotted path; numbers step into lists."""
    found = document
    for part in path.split("."):
        if isinstance(found, dict) and part in found:
            found = found[part]
        elif isinstance(found, list) and part.isdecimal() and int(part) < len(found):
            found = found[int(part)]
        else:
            raise NotDecoded(f"there is no {path} in the payload")
    return found


def moment(text: Any, zone: ZoneInfo) -> datetime:
    """Return an ISO 8601 date or time as an aware time; without an offset it is in the zone."""
    if not isinstance(text, str):
        raise NotDecoded(f"a time is {kind_of(text)}, not an ISO 8601 text")
    try:
        found = datetime.fromisoformat(text)
        if "T" not in text and " " not in text:
            found = datetime.combine(date.fromisoformat(text), time())
        aware = found if found.tzinfo is not None else found.replace(tzinfo=zone)
        # The offset is fixed here: what is hashed must read the same after the spool.
        return datetime.fromisoformat(aware.isoformat())
    except (ValueError, OverflowError) as error:
        raise NotDecoded(f'"{text}" is not an ISO 8601 date or time') from error


def refuse_unstorable(document: Any) -> None:
    """Raise NotDecoded for a text with a zero character or half a surrogate pair.

    It walks the document once; its depth is bounded by the parser.
    """
    waiting = [document]
    while waiting:
        thing = waiting.pop()
        if isinstance(thing, str):
            if "\0" in thing or any("\ud800" <= letter <= "\udfff" for letter in thing):
                raise NotDecoded("a text holds a character that cannot be stored")
        elif isinstance(thing, dict):
            waiting.extend((*thing.keys(), *thing.values()))
        elif isinstance(thing, list):
            waiting.extend(thing)


def kind_of(value: Any) -> str:
    """Return what messages call the JSON type of a value."""
    return _KINDS.get(type(value), "a number")


def _finite(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else _refuse_constant(text)


def _not_too_long(text: str) -> int:
    return int(text) if len(text) <= _MOST_DIGITS else _refuse_constant(f"{text[:12]}…")


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number that can be stored")
