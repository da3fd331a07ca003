"""Accepting a batch: one transaction and one function, for every sink alike."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import numpy as np
from psycopg.errors import UniqueViolation
from psycopg.types.json import Jsonb

from store.canonical import FIRST_PREVIOUS, Record, Rows, canonical_bytes, chain_hash
from store.db import Connection, transaction
from store.errors import (
    BadHash,
    BadSignature,
    Refused,
    SequenceConflict,
    UnknownGateway,
    UnknownTag,
    translated,
)
from store.pgcopy import PG_EPOCH_US, encode
from store.queries import query
from store.signing import verify

_HOUR_US = 3_600_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Batch:
    """What a gateway sends at once: rows ordered by unique (tag_id, ts), and records."""

    gateway: str
    seq: int
    config_version: str
    rows: Rows
    records: tuple[Record, ...]
    prev_sha256: bytes
    sha256: bytes
    signature: bytes
    imported: bool = False
    clock_skew_s: float | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """The acknowledgement: known means that this very batch was accepted before."""

    batch_id: int
    outcome: Literal["accepted", "known"]
    absorbed: int = 0
    conflicts: int = 0


@dataclass(frozen=True, slots=True)
class _Gateway:
    gateway_id: int
    factory_id: int
    public_key: bytes


def accept(conn: Connection, batch: Batch) -> Receipt:
    """Take a batch whole or not at all, and commit.

    Raises StoreUnavailable when it should be sent again, and a Refused when it never will be
    taken; a refusal that a person must see leaves a finding.
    """
    try:
        with transaction(conn):
            return _accept(conn, batch)
    except (SequenceConflict, BadHash, BadSignature) as refusal:
        add_finding(conn, batch.gateway, type(refusal).__name__, {"seq": batch.seq})
        raise


def _accept(conn: Connection, batch: Batch) -> Receipt:
    gateway = _lock_gateway(conn, batch.gateway)
    known = _known(conn, gateway, batch)
    if known is not None:
        return known
    _verify(conn, gateway, batch)
    batch_id = _insert_ledger(conn, gateway, batch)
    absorbed, conflicts = _insert_rows(conn, batch_id, batch.rows)
    _insert_records(conn, gateway.factory_id, batch_id, batch.records)
    _mark_dirty(conn, batch.rows)
    return Receipt(batch_id, "accepted", absorbed, conflicts)


def _lock_gateway(conn: Connection, code: str) -> _Gateway:
    row = conn.execute(query("lock_gateway"), {"gateway": code}).fetchone()
    if row is None:
        raise UnknownGateway(f"gateway {code} is not enrolled; run `millpond collector enrol`")
    gateway_id, factory_id, public_key, revoked = row
    if revoked:
        raise UnknownGateway(f"gateway {code} was revoked")
    return _Gateway(gateway_id, factory_id, bytes(public_key))


def _known(conn: Connection, gateway: _Gateway, batch: Batch) -> Receipt | None:
    found = _by_seq(conn, gateway, batch.seq)
    if found is None:
        return None
    batch_id, sha256 = found
    if sha256 != batch.sha256:
        raise SequenceConflict(
            f"gateway {batch.gateway} used sequence {batch.seq} before for other content; "
            "see whether a copy of it is running"
        )
    return Receipt(batch_id, "known")


def _by_seq(conn: Connection, gateway: _Gateway, seq: int) -> tuple[int, bytes] | None:
    key = {"gateway_id": gateway.gateway_id, "seq": seq}
    row = conn.execute(query("batch_by_seq"), key).fetchone()
    return None if row is None else (row[0], bytes(row[1]))


def _verify(conn: Connection, gateway: _Gateway, batch: Batch) -> None:
    _verify_chain(conn, gateway, batch)
    if not verify(gateway.public_key, batch.sha256, batch.signature):
        raise BadSignature(f"batch {batch.seq} is not signed with the key of {batch.gateway}")
    _verify_rows(batch)
    tags = {
        "tag_ids": np.unique(batch.rows.tag_id).tolist(),
        "factory_id": gateway.factory_id,
    }
    unknown = [tag_id for (tag_id,) in conn.execute(query("unknown_tags"), tags)]
    if unknown:
        raise UnknownTag(
            f"batch {batch.seq} of {batch.gateway}: tags {unknown} are not in the plan"
        )


def _verify_chain(conn: Connection, gateway: _Gateway, batch: Batch) -> None:
    data = canonical_bytes(batch.rows, batch.records)
    if chain_hash(batch.prev_sha256, data) != batch.sha256:
        raise BadHash(f"batch {batch.seq} of {batch.gateway}: the hash is not that of the rows")
    before = _by_seq(conn, gateway, batch.seq - 1)
    expected = FIRST_PREVIOUS if batch.seq == 1 else None if before is None else before[1]
    if expected is None:
        _insert_finding(conn, batch.gateway, "SequenceGap", {"seq": batch.seq})
    elif expected != batch.prev_sha256:
        raise BadHash(f"batch {batch.seq} of {batch.gateway} does not follow the batch before it")


def _verify_rows(batch: Batch) -> None:
    rows = batch.rows
    same = np.diff(rows.tag_id) == 0
    ordered = (np.diff(rows.tag_id) > 0) | (same & (np.diff(rows.ts_us) > 0))
    if not ordered.all():
        raise Refused(f"batch {batch.seq} of {batch.gateway}: rows are not ordered by (tag, ts)")
    if np.isinf(rows.value).any():
        raise Refused(f"batch {batch.seq} of {batch.gateway}: a value is infinite")


def _insert_ledger(conn: Connection, gateway: _Gateway, batch: Batch) -> int:
    first, last = _span(batch.rows)
    values = {
        "gateway_id": gateway.gateway_id,
        "seq": batch.seq,
        "config_version": batch.config_version,
        "imported": batch.imported,
        "row_count": len(batch.rows),
        "record_count": len(batch.records),
        "first_ts": first,
        "last_ts": last,
        "sha256": batch.sha256,
        "prev_sha256": batch.prev_sha256,
        "signature": batch.signature,
        "clock_skew_s": batch.clock_skew_s,
    }
    row = conn.execute(query("insert_batch"), values).fetchone()
    assert row is not None
    return int(row[0])


def _span(rows: Rows) -> tuple[datetime | None, datetime | None]:
    if len(rows) == 0:
        return None, None
    return _at(int(rows.ts_us.min())), _at(int(rows.ts_us.max()))


def _at(ts_us: int) -> datetime:
    return _EPOCH + timedelta(microseconds=ts_us)


def _insert_rows(conn: Connection, batch_id: int, rows: Rows) -> tuple[int, int]:
    if len(rows) == 0:
        return 0, 0
    stream = encode(
        {
            "ts": rows.ts_us - PG_EPOCH_US,
            "tag_id": rows.tag_id,
            "value": rows.value,
            "status": rows.status,
            "batch_id": np.full(len(rows), batch_id, np.int64),
        }
    )
    try:
        with conn.transaction():
            _copy(conn, "copy_measurement", stream)
    except UniqueViolation:
        return _insert_staged(conn, batch_id, rows, stream)
    return 0, 0


def _insert_staged(conn: Connection, batch_id: int, rows: Rows, stream: bytes) -> tuple[int, int]:
    first, last = _span(rows)
    conn.execute("SET LOCAL client_min_messages = warning")
    conn.execute(query("create_staging"))
    _copy(conn, "copy_staging", stream)
    inserted = conn.execute(query("insert_staged")).rowcount
    span = {"first_ts": first, "last_ts": last}
    conflicts = conn.execute(query("insert_conflicts"), span).rowcount
    absorbed = len(rows) - inserted - conflicts
    if absorbed:
        conn.execute(query("insert_absorbed"), {"batch_id": batch_id, "row_count": absorbed})
    return absorbed, conflicts


def _copy(conn: Connection, name: str, stream: bytes) -> None:
    with conn.cursor().copy(query(name)) as copy:
        copy.write(stream)


def _insert_records(
    conn: Connection, factory_id: int, batch_id: int, records: tuple[Record, ...]
) -> None:
    if not records:
        return
    values = {
        "factory_id": factory_id,
        "batch_id": batch_id,
        "kinds": [record.kind for record in records],
        "keys": [record.key for record in records],
        "ats": [record.at for record in records],
        "bodies": [Jsonb(record.body) for record in records],
    }
    conn.execute(query("insert_records"), values)


def _mark_dirty(conn: Connection, rows: Rows) -> None:
    if len(rows) == 0:
        return
    # Rows are ordered by (tag, ts): the first of each tag and hour is where either changes.
    hour = rows.ts_us // _HOUR_US
    first = np.ones(len(rows), dtype=bool)
    first[1:] = (np.diff(rows.tag_id) != 0) | (np.diff(hour) != 0)
    hours = [_at(int(value) * _HOUR_US) for value in hour[first]]
    marks = {"tag_ids": rows.tag_id[first].tolist(), "hours": hours}
    conn.execute(query("mark_dirty_hours"), marks)


def last(conn: Connection, gateway: str) -> tuple[int, bytes] | None:
    """Return the newest (seq, sha256) of a gateway, or None before its first batch."""
    with transaction(conn):
        row = conn.execute(query("last_batch"), {"gateway": gateway}).fetchone()
    return None if row is None else (row[0], bytes(row[1]))


def quarantine(conn: Connection, gateway: str, source: str, reason: str, payload: str) -> None:
    """Keep what could not be taken, with the reason, for an operator to see."""
    values = {"gateway": gateway, "source": source, "reason": reason, "payload": payload}
    with transaction(conn):
        conn.execute(query("insert_quarantine"), values)


def add_finding(conn: Connection, gateway: str, rule: str, detail: dict[str, Any]) -> None:
    """Note something about a gateway that a person must see."""
    with translated(), conn.transaction():
        _insert_finding(conn, gateway, rule, detail)


def _insert_finding(conn: Connection, gateway: str, rule: str, detail: dict[str, Any]) -> None:
    values = {"gateway": gateway, "rule": rule, "detail": Jsonb(detail)}
    conn.execute(query("insert_finding"), values)
