"""What a batch must be by itself, before anything is compared with the database."""

from datetime import UTC, datetime, timedelta

import numpy as np

from store.canonical import Record, Rows, canonical_bytes, chain_hash, records_bytes
from store.errors import Refused

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# A time that lies outside comes from a broken clock, and every month of it would be a chunk.
_END = datetime(2200, 1, 1, tzinfo=UTC)
_END_US = (_END - _EPOCH) // timedelta(microseconds=1)


def moment(ts_us: int) -> datetime:
    """Return microseconds since 1970 UTC as an aware time."""
    return _EPOCH + timedelta(microseconds=ts_us)


def span(rows: Rows) -> tuple[datetime, datetime] | tuple[None, None]:
    """Return the first and the last time of some rows, or None twice where there is no row."""
    if len(rows) == 0:
        return None, None
    return moment(int(rows.ts_us.min())), moment(int(rows.ts_us.max()))


def check_records(records: tuple[Record, ...], name: str) -> None:
    """Raise Refused unless the records of the named batch are dated as its rows must be."""
    for record in records:
        if not _EPOCH <= record.at < _END:
            raise Refused(
                f"{name}: the time of {record.kind} {record.key} is not in [1970, 2200); see the "
                "system that it comes from"
            )


def signed_records(records: tuple[Record, ...]) -> bytes:
    """Return the bytes of some records that a batch's hash covers; raises Refused."""
    try:
        return records_bytes(records)
    except (TypeError, ValueError) as error:
        raise Refused(f"the content has no canonical form: {error}") from error


def content_hash(previous: bytes, rows: Rows, signed: bytes) -> bytes:
    """Return the hash that a batch with these rows and signed records must carry."""
    return chain_hash(previous, canonical_bytes(rows) + signed)


def check_rows(rows: Rows, name: str) -> None:
    """Raise Refused unless the rows of the named batch are ordered, unique, finite and dated."""
    if len(rows) == 0:
        return
    tag_step, ts_step = np.diff(rows.tag_id), np.diff(rows.ts_us)
    if ((tag_step < 0) | ((tag_step == 0) & (ts_step <= 0))).any():
        raise Refused(f"{name}: rows are not ordered by unique (tag, time)")
    if np.isinf(rows.value).any():
        raise Refused(f"{name}: a value is infinite")
    if rows.ts_us.min() < 0 or rows.ts_us.max() >= _END_US:
        raise Refused(f"{name}: a time is not in [1970, 2200); see the clock of its source")
