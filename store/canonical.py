"""The canonical bytes of a batch and its place in the gateway's hash chain.

Rows come first, ordered by (tag_id, ts), each 24 bytes big-endian: tag int32, ts int64 in
microseconds since 1970 UTC, value float64, status int32. A row without a value carries the
quiet NaN 0x7FF8000000000000. Records follow, ordered by (kind, key), each as a 4-byte length
and the canonical JSON of [kind, key, time in UTC, body].
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import numpy.typing as npt

FIRST_PREVIOUS = bytes(32)

_JSON = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))
_ROW = np.dtype([("tag", ">i4"), ("ts", ">i8"), ("value", ">f8"), ("status", ">i4")])


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Measurement rows as columns of one length; value NaN means that there is none."""

    tag_id: npt.NDArray[np.int32]
    ts_us: npt.NDArray[np.int64]
    value: npt.NDArray[np.float64]
    status: npt.NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.tag_id)

    def take(self, index: npt.NDArray[Any]) -> "Rows":
        """Return the rows that an index or a mask picks."""
        return Rows(self.tag_id[index], self.ts_us[index], self.value[index], self.status[index])

    @staticmethod
    def empty() -> "Rows":
        """Return no rows."""
        return Rows(
            np.empty(0, np.int32), np.empty(0, np.int64), np.empty(0), np.empty(0, np.int32)
        )


@dataclass(frozen=True, slots=True)
class Record:
    """One version of a business record as the factory's system sent it; raises ValueError."""

    kind: str
    key: str
    at: datetime
    body: dict[str, Any]

    def __post_init__(self) -> None:
        if self.at.tzinfo is None:
            raise ValueError(f"the time of {self.kind} {self.key} must be aware")


def unique_sorted(rows: Rows) -> tuple[Rows, Rows]:
    """Return the rows ordered with unique keys, and those left over for a later batch.

    Of rows with one (tag, ts) the first given stays; equal ones are dropped, different ones
    are left over, so that the database sees and lists the conflict.
    """
    order = np.lexsort((rows.ts_us, rows.tag_id))
    ordered = rows.take(order)
    if len(rows) == 0:
        return ordered, ordered
    again = np.zeros(len(rows), dtype=bool)
    again[1:] = (np.diff(ordered.tag_id) == 0) & (np.diff(ordered.ts_us) == 0)
    if not again.any():
        return ordered, Rows.empty()
    first = np.maximum.accumulate(np.where(again, 0, np.arange(len(rows))))
    kept = ordered.take(first)
    differs = again & ~(
        (ordered.status == kept.status)
        & np.isclose(ordered.value, kept.value, rtol=0, atol=0, equal_nan=True)
    )
    return ordered.take(~again), ordered.take(differs)


def canonical_bytes(rows: Rows, records: Iterable[Record] = ()) -> bytes:
    """Return the bytes that a batch's hash covers; rows must be ordered by (tag_id, ts)."""
    packed = np.empty(len(rows), _ROW)
    packed["tag"] = rows.tag_id
    packed["ts"] = rows.ts_us
    packed["value"] = np.where(np.isnan(rows.value), np.nan, rows.value)
    packed["status"] = rows.status
    return packed.tobytes() + records_bytes(records)


def records_bytes(records: Iterable[Record]) -> bytes:
    """Return the part of a batch's canonical bytes that is of its records."""
    return b"".join(_record_bytes(record) for record in _ordered(records))


def chain_hash(previous: bytes, data: bytes) -> bytes:
    """Return SHA-256 over the previous batch's hash and this batch's canonical bytes."""
    return hashlib.sha256(previous + data).digest()


def _ordered(records: Iterable[Record]) -> list[Record]:
    # A later version of one record keeps its place behind the earlier one: the sort is stable.
    return sorted(records, key=lambda record: (record.kind, record.key))


def _record_bytes(record: Record) -> bytes:
    # In UTC: the database keeps the moment, not the offset that the system wrote it with.
    at = record.at.astimezone(UTC).isoformat()
    data = _JSON.encode([record.kind, record.key, at, record.body]).encode()
    return len(data).to_bytes(4, "big") + data
