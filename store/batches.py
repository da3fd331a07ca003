"""Accepting a batch: one transaction and one function, for every sink alike."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from psycopg.types.json import Jsonb

from store.batch_content import check_rows, content_hash, span
from store.batch_rows import insert_records, insert_rows, mark_dirty_hours
from store.canonical import FIRST_PREVIOUS, Record, Rows
from store.db import Connection, transaction
from store.errors import BadHash, BadSignature, SequenceConflict, UnknownGateway, UnknownTag
from store.pgcopy import array_literal
from store.queries import query
from store.signing import verify

_MOST_PAYLOAD = 65_536  # characters of one quarantined message


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


@dataclass(frozen=True, slots=True)
class _Entry:
    """A ledger row beside which a batch takes its place."""

    batch_id: int
    sha256: bytes
    prev_sha256: bytes


def accept(conn: Connection, batch: Batch) -> Receipt:
    """Take a batch whole or not at all, and commit.

    Raises StoreUnavailable when it should be sent again, and a Refused when it never will be
    taken; a refusal that a person must see leaves a finding.
    """
    sha256 = content_hash(batch.prev_sha256, batch.rows, batch.records)
    try:
        with transaction(conn):
            return _accept(conn, batch, sha256)
    except (SequenceConflict, BadHash, BadSignature) as refusal:
        add_finding(conn, batch.gateway, type(refusal).__name__, {"seq": batch.seq})
        raise


def _accept(conn: Connection, batch: Batch, sha256: bytes) -> Receipt:
    gateway = _lock_gateway(conn, batch.gateway)
    if sha256 != batch.sha256:
        raise BadHash(f"batch {batch.seq} of {batch.gateway}: the hash is not that of the rows")
    entries = _entries(conn, gateway, batch.seq)
    known = entries.get(batch.seq)
    if known is not None and known.sha256 == sha256:
        return Receipt(known.batch_id, "known")
    _verify(conn, gateway, batch, entries)
    batch_id = _insert_ledger(conn, gateway, batch)
    # Before the rows: the marks need no savepoint and the rows hold their locks the shortest.
    mark_dirty_hours(conn, batch.rows)
    absorbed, conflicts = insert_rows(conn, batch_id, batch.rows)
    insert_records(conn, gateway.factory_id, batch_id, batch.records)
    return Receipt(batch_id, "accepted", absorbed, conflicts)


def _lock_gateway(conn: Connection, code: str) -> _Gateway:
    row = conn.execute(query("lock_gateway"), {"gateway": code}).fetchone()
    if row is None:
        raise UnknownGateway(f"gateway {code} is not enrolled; run `millpond collector enrol`")
    gateway_id, factory_id, public_key, revoked = row
    if revoked:
        raise UnknownGateway(f"gateway {code} was revoked")
    return _Gateway(gateway_id, factory_id, bytes(public_key))


def _entries(conn: Connection, gateway: _Gateway, seq: int) -> dict[int, _Entry]:
    key = {"gateway_id": gateway.gateway_id, "seq": seq}
    rows = conn.execute(query("batches_beside"), key)
    return {row[0]: _Entry(row[1], bytes(row[2]), bytes(row[3])) for row in rows}


def _verify(
    conn: Connection, gateway: _Gateway, batch: Batch, entries: dict[int, _Entry]
) -> None:
    name = f"batch {batch.seq} of {batch.gateway}"
    if not verify(gateway.public_key, batch.sha256, batch.signature):
        raise BadSignature(f"{name} is not signed with the key that is enrolled")
    if batch.seq in entries:
        raise SequenceConflict(
            f"{name}: this sequence number was used for other content; "
            "see whether a copy of the gateway is running"
        )
    _verify_place(conn, batch, entries)
    check_rows(batch.rows, name)
    tags = {
        "tag_ids": array_literal(np.unique(batch.rows.tag_id)),
        "factory_id": gateway.factory_id,
    }
    unknown = [tag_id for (tag_id,) in conn.execute(query("unknown_tags"), tags)]
    if unknown:
        raise UnknownTag(f"{name}: tags {unknown} are not in the plan of its factory")


def _verify_place(conn: Connection, batch: Batch, entries: dict[int, _Entry]) -> None:
    before, after = entries.get(batch.seq - 1), entries.get(batch.seq + 1)
    if before is None and batch.seq > 1:
        _insert_finding(conn, batch.gateway, "SequenceGap", {"seq": batch.seq})
    else:
        expected = FIRST_PREVIOUS if before is None else before.sha256
        if batch.prev_sha256 != expected:
            raise BadHash(
                f"batch {batch.seq} of {batch.gateway} does not follow the batch before it"
            )
    if after is not None and after.prev_sha256 != batch.sha256:
        raise BadHash(f"batch {batch.seq + 1} of {batch.gateway} does not follow batch {batch.seq}")


def _insert_ledger(conn: Connection, gateway: _Gateway, batch: Batch) -> int:
    first, last = span(batch.rows)
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


def last(conn: Connection, gateway: str) -> tuple[int, bytes] | None:
    """Return the newest (seq, sha256) of a gateway, or None before its first batch."""
    with transaction(conn):
        row = conn.execute(query("last_batch"), {"gateway": gateway}).fetchone()
    return None if row is None else (row[0], bytes(row[1]))


def quarantine(conn: Connection, gateway: str, source: str, reason: str, payload: str) -> None:
    """Keep what could not be taken, with the reason, for an operator to see.

    Characters that the database cannot hold are replaced; only the beginning of a very long
    payload is kept. Raises UnknownGateway.
    """
    values = {
        "gateway": gateway,
        "source": source,
        "reason": _storable(reason),
        "payload": _storable(payload[:_MOST_PAYLOAD]),
    }
    with transaction(conn):
        if conn.execute(query("insert_quarantine"), values).rowcount == 0:
            raise UnknownGateway(f"gateway {gateway} is not enrolled")


def _storable(text: str) -> str:
    return text.encode("utf-8", "replace").decode().replace("\x00", "\ufffd")


def add_finding(conn: Connection, gateway: str, rule: str, detail: dict[str, Any]) -> None:
    """Note something about a gateway that a person must see."""
    with transaction(conn):
        _insert_finding(conn, gateway, rule, detail)


def _insert_finding(conn: Connection, gateway: str, rule: str, detail: dict[str, Any]) -> None:
    values = {"gateway": gateway, "rule": rule, "detail": Jsonb(detail)}
    conn.execute(query("insert_finding"), values)
