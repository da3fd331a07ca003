"""One batch as the body of a request: what travels between a gateway and the city.

Four bytes `MPB1`, the length of the header (4 bytes, big-endian), the header as JSON, then the
parts one behind the other: the columns of the rows, and the records as JSON, each compressed. The
header holds the fields of the batch, how many rows there are, and how long the parts are. What
comes in is bounded before it is unpacked, since it comes from outside.
"""

import json
from datetime import datetime
from typing import Any, NoReturn, get_type_hints

from store.batches import Batch
from store.canonical import Record
from store.errors import WireRefused, WireUnknown
from store.wire_columns import COLUMNS, deflate, inflate, pack_rows, unpack_rows

MEDIA_TYPE = "application/vnd.millpond.batch"
MOST_BYTES = 16 * 1024 * 1024
MOST_ROWS = 200_000
MOST_RECORDS = 100_000
MOST_RECORD_BYTES = 64 * 1024 * 1024

_MAGIC = b"MPB1"
_FAMILY = _MAGIC[:3]
_MOST_HEADER = 16_384
_MOST_TEXT = 200
_LAST_SEQ = 2**63 - 1
_HASHES = {"sha256": 32, "prev_sha256": 32, "signature": 64}
_HINTS = {
    name: hint for name, hint in get_type_hints(Batch).items() if name not in ("rows", "records")
}
_REQUIRED = {"gateway", "seq", "config_version", *_HASHES}


def encode(batch: Batch) -> bytes:
    """Return a batch as bytes; raises ValueError for records that have no JSON form."""
    text = json.dumps(
        [[one.kind, one.key, one.at.isoformat(), one.body] for one in batch.records],
        ensure_ascii=False,
        separators=(",", ":"),
        allow_nan=False,
    ).encode()
    parts = [*pack_rows(batch.rows), deflate(text)]
    header = {
        "batch": {name: _plain(getattr(batch, name)) for name in _HINTS},
        "rows": len(batch.rows),
        "records": len(batch.records),
        "records_bytes": len(text),
        "parts": [len(part) for part in parts],
    }
    head = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    return b"".join((_MAGIC, len(head).to_bytes(4, "big"), head, *parts))


def decode(data: bytes) -> Batch:
    """Return the batch that bytes hold; raises WireRefused. Its hash is not looked at here."""
    header, rest = _header(data)
    rows = _count(header, "rows", MOST_ROWS)
    records = _count(header, "records", MOST_RECORDS)
    text_bytes = _count(header, "records_bytes", MOST_RECORD_BYTES)
    *columns, text = _parts(header.get("parts"), rest)
    return Batch(
        rows=unpack_rows(columns, rows),
        records=_records(inflate(text, text_bytes), records),
        **_fields(header.get("batch")),
    )


def _header(data: bytes) -> tuple[dict[str, Any], bytes]:
    if data[:4] != _MAGIC:
        if data[:3] == _FAMILY:
            raise WireUnknown("the batch was written by another version of Millpond; update both")
        raise WireRefused("this is no batch")
    end = 8 + int.from_bytes(data[4:8], "big")
    if end > min(len(data), _MOST_HEADER):
        raise WireRefused("the batch ends within its header, or its header is too long")
    header = _json(data[8:end], "the header")
    if not isinstance(header, dict):
        raise WireRefused("the header is no JSON object")
    return header, data[end:]


def _parts(sizes: object, data: bytes) -> list[bytes]:
    if (
        not isinstance(sizes, list)
        or len(sizes) != len(COLUMNS) + 1
        or not all(isinstance(size, int) and size >= 0 for size in sizes)
        or sum(sizes) != len(data)
    ):
        raise WireRefused("the batch does not have the parts that its header names; it was cut off")
    ends = [sum(sizes[: index + 1]) for index in range(len(sizes))]
    return [data[end - size : end] for end, size in zip(ends, sizes, strict=True)]


def _count(header: dict[str, Any], name: str, most: int) -> int:
    number = header.get(name)
    if type(number) is not int or not 0 <= number <= most:
        raise WireRefused(f"{name} must be a whole number from 0 to {most}")
    return number


def _fields(raw: object) -> dict[str, Any]:
    if not isinstance(raw, dict):
        raise WireRefused("the header lacks the fields of the batch")
    if unknown := sorted(raw.keys() - _HINTS.keys()):
        raise WireUnknown(f"the field {unknown[0]} is not known here; update this side of Millpond")
    if missing := sorted(_REQUIRED - raw.keys()):
        raise WireUnknown(f"the field {missing[0]} is missing")
    found = {name: _typed(name, value) for name, value in raw.items()}
    if not 0 < found["seq"] <= _LAST_SEQ:
        raise WireRefused("seq must be a number above 0")
    return found


def _typed(name: str, value: Any) -> Any:
    """Return one field as the type that Batch gives it."""
    hint = _HINTS[name]
    if name in _HASHES:
        return _hash(name, value)
    if value is None and hint not in (str, int, bool):
        return None
    if hint == datetime | None:
        return _moment(name, value)
    wanted: Any = (int, float) if hint == float | None else hint
    is_right = isinstance(value, wanted) and (hint is bool or not isinstance(value, bool))
    if not is_right or (isinstance(value, str) and not 0 < len(value) <= _MOST_TEXT):
        raise WireRefused(f"the field {name} holds something else than it should")
    return value


def _hash(name: str, value: Any) -> bytes:
    try:
        found = bytes.fromhex(value)
    except (TypeError, ValueError) as error:
        raise WireRefused(f"the field {name} is not hexadecimal") from error
    if len(found) != _HASHES[name]:
        raise WireRefused(f"the field {name} must have {_HASHES[name]} bytes")
    return found


def _moment(name: str, value: Any) -> datetime:
    try:
        found = datetime.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise WireRefused(f"the field {name} is no time") from error
    if found.tzinfo is None:
        raise WireRefused(f"the field {name} has no offset from UTC")
    return found


def _records(text: bytes, count: int) -> tuple[Record, ...]:
    found = _json(text, "the records")
    if not isinstance(found, list) or len(found) != count:
        raise WireRefused(f"the records are not the {count} that were announced")
    return tuple(_record(one) for one in found)


def _record(raw: object) -> Record:
    match raw:
        case [str(kind), str(key), str(at), dict(body)]:
            return Record(kind, key, _moment("at", at), body)
    raise WireRefused("a record is not [kind, key, time, body]")


def _json(data: bytes, what: str) -> Any:
    try:
        return json.loads(data, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise WireRefused(f"{what} cannot be read: {error}") from error


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number in JSON")


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    return value.isoformat() if isinstance(value, datetime) else value
