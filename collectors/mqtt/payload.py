"""Single things of a JSON message: the document, a number, a time. Pure; raises NotDecoded."""

import json
import re
from typing import Any
from zoneinfo import ZoneInfo

from collectors import documents
from collectors.documents import NotDecoded, kind_of, moment, refuse_unstorable
from collectors.mqtt.plan import Reading
from collectors.sample import time_is_plausible, to_us
from collectors.states import folded

_MOST_DEPTH = 100
_FACTORS = {"s": 1_000_000, "ms": 1000, "us": 1}
_NUMBER = re.compile(r"\s*[+-]?\d{1,30}(?:\.\d{1,30})?(?:[eE][+-]?\d{1,2})?\s*", re.ASCII)


def parse(payload: bytes, *, whole: bool) -> Any:
    """Return the JSON document of a message; raises NotDecoded.

    whole asks that all of it fit into a database, as a record must. Where only values are taken
    out, NaN and numbers beyond all floats stand for one bad value and do not cost the others.
    """
    try:
        text = payload.decode("utf-8")
        document = _DECODER.decode(text)
    except UnicodeDecodeError as error:
        raise NotDecoded("the payload is not UTF-8") from error
    except (ValueError, RecursionError) as error:
        raise NotDecoded(f"the payload is not JSON: {error}") from error
    if whole:
        _refuse_too_deep(document)
        return documents.parse_text(text)
    # Escapes can spell what JSON may hold and a database may not.
    if "\\u" in text:
        refuse_unstorable(document)
    return document


def number(raw: Any, reading: Reading, path: str) -> float | None:
    """Return the number that a value stands for, None for null.

    A text is a number only where the file says so: a serial number is no measurement.
    """
    if raw is None:
        return None
    if reading.codes is not None:
        return _code(raw, reading.codes, path)
    if reading.parse and isinstance(raw, str):
        if not _NUMBER.fullmatch(raw):
            raise NotDecoded(f"{path} is no number: {json.dumps(raw[:40])}")
        return float(raw)
    if not isinstance(raw, int | float):
        raise NotDecoded(f"{path} is {kind_of(raw)}, not a number or boolean")
    return raw


def time_us(raw: Any, unit: str, path: str, zone: ZoneInfo) -> int:
    """Return a time in µs since 1970 UTC; unit is iso, or that of a number: s, ms or us."""
    if unit == "iso":
        ts_us = to_us(moment(raw, zone))
    elif isinstance(raw, bool) or not isinstance(raw, int | float):
        raise NotDecoded(f"{path} is {kind_of(raw)}, not a number of {unit} since 1970")
    else:
        try:
            ts_us = round(raw * _FACTORS[unit])
        except (OverflowError, ValueError) as error:
            raise NotDecoded(f"{path} is no time") from error
    if not time_is_plausible(ts_us):
        raise NotDecoded(f"{path} lies outside the years 1970 to 2200")
    return ts_us


def _code(raw: Any, codes: dict[str, int], path: str) -> float:
    if not isinstance(raw, str):
        raise NotDecoded(f"{path} is {kind_of(raw)}, not the name of a state")
    if folded(raw) not in codes:
        raise NotDecoded(f"{path}: the state {json.dumps(raw[:40])} is not among its states")
    return codes[folded(raw)]


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"{json.dumps(twice[:40])} stands twice in one object")
    return found


def _refuse_too_deep(document: Any) -> None:
    level = [document]
    for _ in range(_MOST_DEPTH):
        level = [
            part
            for thing in level
            if isinstance(thing, dict | list)
            for part in (thing.values() if isinstance(thing, dict) else thing)
        ]
        if not level:
            return
    raise NotDecoded(f"the payload is nested deeper than {_MOST_DEPTH} levels")


_DECODER = json.JSONDecoder(object_pairs_hook=_object)
