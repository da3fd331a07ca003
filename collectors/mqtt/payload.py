"""JSON messages to samples and records. Pure; what does not fit raises NotDecoded."""

import json
import math
from datetime import date, datetime, time
from typing import Any, NoReturn
from zoneinfo import ZoneInfo

from collectors import status
from collectors.mqtt.settings import MqttRecord, MqttTag
from collectors.sample import Sample, bad, measured, to_us
from store.canonical import Record

_KINDS: dict[type[Any], str] = {
    dict: "an object",
    list: "a list",
    str: "a text",
    bool: "a boolean",
    type(None): "null",
}


class NotDecoded(Exception):
    """A message does not hold what the gateway file says; see the reason."""


def parse(payload: bytes) -> Any:
    """Return the JSON document of a message; raises NotDecoded for what a database cannot hold."""
    try:
        text = payload.decode("utf-8")
        document = json.loads(text, parse_constant=_refuse_constant, parse_float=_finite)
    except UnicodeDecodeError as error:
        raise NotDecoded("the payload is not UTF-8") from error
    except (ValueError, RecursionError) as error:
        raise NotDecoded(f"the payload is not JSON: {error}") from error
    # Escapes can spell what JSON may hold and jsonb may not: the zero character, half a pair.
    if "\\u" in text:
        _refuse_unstorable(document)
    return document


def sample(tag: MqttTag, document: Any, received_us: int, zone: ZoneInfo) -> Sample:
    """Return the sample that a message holds for a tag; null becomes BadNoData.

    Without a path to a time the sample carries the time at which the message was received.
    """
    ts_us = received_us if tag.ts is None else to_us(moment(at_path(document, tag.ts), zone))
    value = document if tag.value is None else at_path(document, tag.value)
    if value is None:
        return bad(tag.tag, ts_us, status.BAD_NO_DATA)
    if not isinstance(value, int | float):
        raise NotDecoded(f"{tag.value or 'the payload'} is {_kind(value)}, not a number or boolean")
    try:
        return measured(tag.tag, ts_us, float(value))
    except OverflowError as error:
        raise NotDecoded(f"{tag.value or 'the payload'} is too large a number") from error


def record(rule: MqttRecord, document: Any, zone: ZoneInfo) -> Record:
    """Return the record version that a message holds."""
    if not isinstance(document, dict):
        raise NotDecoded(f"the payload is {_kind(document)}, not an object")
    key = at_path(document, rule.key)
    if isinstance(key, bool) or not isinstance(key, str | int) or key == "":
        raise NotDecoded(f"{rule.key} is {_kind(key)}, not a key (a text or a whole number)")
    return Record(rule.kind, str(key), moment(at_path(document, rule.at), zone), document)


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
        raise NotDecoded(f"a time is {_kind(text)}, not an ISO 8601 text")
    try:
        found = datetime.fromisoformat(text)
        if "T" not in text and " " not in text:
            found = datetime.combine(date.fromisoformat(text), time())
        aware = found if found.tzinfo is not None else found.replace(tzinfo=zone)
        # The offset is fixed here: what is hashed must read the same after the spool.
        return datetime.fromisoformat(aware.isoformat())
    except (ValueError, OverflowError) as error:
        raise NotDecoded(f'"{text}" is not an ISO 8601 date or time') from error


def _finite(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else _refuse_constant(text)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number that can be stored")


def _refuse_unstorable(document: Any) -> None:
    """Walk the document once; its depth is bounded by the parser."""
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


def _kind(value: Any) -> str:
    return _KINDS.get(type(value), "a number")
