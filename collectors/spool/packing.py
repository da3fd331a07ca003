"""How a batch lies in the spool: rows as canonical bytes, records as JSON, tags as pairs."""

import json
from collections.abc import Sequence
from datetime import datetime

import numpy as np
import numpy.typing as npt

from collectors.sample import from_us, now_us, to_us
from store.batches import Batch
from store.canonical import Record, Rows

Span = tuple[int, int]

_ROW = np.dtype([("tag", ">i4"), ("ts", ">i8"), ("value", ">f8"), ("status", ">i4")])
_PAIR = np.dtype([("tag_id", "<i4"), ("tag_index", "<i4")])


def unpack_rows(data: bytes) -> Rows:
    """Return the rows of canonical bytes."""
    packed = np.frombuffer(data, _ROW)
    return Rows(
        packed["tag"].astype(np.int32),
        packed["ts"].astype(np.int64),
        packed["value"].astype(np.float64),
        packed["status"].astype(np.int32),
    )


def pack_records(records: Sequence[Record]) -> str:
    """Return records as one JSON text."""
    fields = [[one.kind, one.key, one.at.isoformat(), one.body] for one in records]
    return json.dumps(fields, ensure_ascii=False)


def unpack_records(text: str) -> tuple[Record, ...]:
    """Return the records of a JSON text."""
    return tuple(
        Record(kind, key, datetime.fromisoformat(at), body)
        for kind, key, at, body in json.loads(text)
    )


def record_fields(one: Record) -> tuple[str, str, str, str]:
    """Return kind, key, time and body of a record as texts."""
    return one.kind, one.key, one.at.isoformat(), json.dumps(one.body, ensure_ascii=False)


def record_of(kind: str, key: str, at: str, body: str) -> Record:
    """Return the record that four texts stand for."""
    return Record(kind, key, datetime.fromisoformat(at), json.loads(body))


def pack_tags(rows: Rows, tag_ids: npt.NDArray[np.int32]) -> bytes:
    """Return the database's number of each tag in rows beside its index in the spool.

    tag_ids has the number by the index.
    """
    indexes = np.flatnonzero(np.isin(tag_ids, np.unique(rows.tag_id)))
    pairs = np.empty(len(indexes), _PAIR)
    pairs["tag_id"], pairs["tag_index"] = tag_ids[indexes], indexes
    return pairs.tobytes()


def indexed(rows: Rows, tags: bytes) -> Rows:
    """Return rows under the spool's indexes, by what pack_tags gave at the cut."""
    pairs = np.sort(np.frombuffer(tags, _PAIR), order="tag_id")
    places = np.searchsorted(pairs["tag_id"], rows.tag_id)
    return Rows(pairs["tag_index"][places], rows.ts_us, rows.value, rows.status)


def covering(spans: Sequence[Span]) -> Span | None:
    """Return the span that covers all, or None of none."""
    return (min(one[0] for one in spans), max(one[1] for one in spans)) if spans else None


def collected_us(batch: Batch) -> Span:
    """Return when a batch was collected in µs since 1970 UTC, or the present where it is silent."""
    now = now_us()
    return (
        now if batch.collected_from is None else to_us(batch.collected_from),
        now if batch.collected_to is None else to_us(batch.collected_to),
    )


def moment(ts_us: int | None) -> datetime | None:
    """Return µs since 1970 UTC as an aware time, and None as None."""
    return None if ts_us is None else from_us(ts_us)
