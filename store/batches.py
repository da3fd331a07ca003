"""Accepting a batch: one transaction and one function, for every sink alike."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from psycopg.types.json import Jsonb

from store.batch_content import check_records, check_rows, content_hash, signed_records, span
from store.batch_rows import dirty_marks, insert_records, insert_rows
from store.canonical import FIRST_PREVIOUS, Record, Rows
from store.db import Connection, reading, transaction
from store.errors import (
    BadHash,
    BadSignature,
    GatewayRevoked,
    SequenceConflict,
    UnknownGateway,
    UnknownTag,
)
from store.queries import query
from store.signing import verify

_MOST_PAYLOAD = 65_536  # characters of one quarantined message


@dataclass(frozen=True, slots=True)
class Batch:
    """What a gateway sends at once: rows ordered by unique (tag_id, ts), and records.

    collected_from and collected_to (aware) say when the gateway received the content.
    """

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
    collected_from: datetime | None = None
    collected_to: datetime | None = None

    @property
    def name(self) -> str:
        """Return how messages call the batch."""
        return f"batch {self.seq} of {self.gateway}"


@dataclass(frozen=True, slots=True)
class Receipt:
    """The acknowledgement: known means that this very batch was accepted before."""

    batch_id: int
    outcome: Literal["accepted", "known"]
    absorbed: int = 0
    conflicts: int = 0


@dataclass(frozen=True, slots=True)
class _Gateway:
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
    check_rows(batch.rows, batch.name)
    check_records(batch.records, batch.name)
    try:
        with transaction(conn):
            return _accept(conn, batch)
    except (SequenceConflict, BadHash, BadSignature) as refusal:
        add_finding(conn, batch.gateway, type(refusal).__name__, {"seq": batch.seq})
        raise


def _accept(conn: Connection, batch: Batch) -> Receipt:
    # One turn with the server: what it enters is verified before anything can be committed.
    with conn.pipeline():
        key = {"gateway": batch.gateway, "seq": batch.seq}
        locked = conn.execute(query("lock_gateway"), key)
        beside = conn.execute(query("batches_beside"), key)
        entered = conn.execute(query("enter_batch"), _ledger_values(batch))
        conn.execute(query("before_rows"))
        signed = signed_records(batch.records)
        sha256 = content_hash(batch.prev_sha256, batch.rows, signed)
    gateway = _gateway(batch, locked.fetchone())
    if sha256 != batch.sha256:
        raise BadHash(f"{batch.name}: the hash is not that of the rows")
    entries = {row[0]: _Entry(row[1], bytes(row[2]), bytes(row[3])) for row in beside}
    known = entries.get(batch.seq)
    if known is not None and known.sha256 == sha256:
        return Receipt(known.batch_id, "known")
    _verify(gateway, batch, entries)
    batch_id = _batch_id(batch, entered.fetchone())
    if batch.seq > 1 and batch.seq - 1 not in entries:
        _insert_finding(conn, batch.gateway, "SequenceGap", {"seq": batch.seq})
        _mark_gap(conn, batch.gateway, batch.seq)
    if batch.seq + 1 in entries:
        _mark_gap(conn, batch.gateway, batch.seq + 1)
    absorbed, conflicts = insert_rows(conn, batch_id, batch.rows)
    insert_records(conn, gateway.factory_id, batch_id, batch.records, signed)
    return Receipt(batch_id, "accepted", absorbed, conflicts)


def _mark_gap(conn: Connection, gateway: str, seq: int) -> None:
    """Mark the hours before a batch whose predecessor is missing, or was until now."""
    conn.execute(query("mark_gap"), {"gateway": gateway, "seq": seq})


def missing(conn: Connection, asset_id: int) -> list[tuple[datetime, datetime]]:
    """Return the times of which batches are missing that may have told an asset's state.

    Those of the gateway that brought the state before them, from the batch before to the one after.
    """
    with reading():
        rows = conn.execute(query("missing_batches"), {"asset_id": asset_id}).fetchall()
    return [(start, end) for start, end in rows]


def _ledger_values(batch: Batch) -> dict[str, Any]:
    first, last = span(batch.rows)
    return {
        "gateway": batch.gateway,
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
        "collected_from": batch.collected_from,
        "collected_to": batch.collected_to,
        **dirty_marks(batch.rows),
    }


def _gateway(batch: Batch, row: tuple[Any, ...] | None) -> _Gateway:
    if row is None:
        raise UnknownGateway(
            f"gateway {batch.gateway} is not enrolled; run `millpond collector enrol`"
        )
    factory_id, public_key, revoked = row
    if revoked:
        raise GatewayRevoked(f"gateway {batch.gateway} was revoked; ask the city why")
    return _Gateway(factory_id, bytes(public_key))


def _verify(gateway: _Gateway, batch: Batch, entries: dict[int, _Entry]) -> None:
    if not verify(gateway.public_key, batch.sha256, batch.signature):
        raise BadSignature(f"{batch.name} is not signed with the key that is enrolled")
    if batch.seq in entries:
        raise SequenceConflict(
            f"{batch.name}: this sequence number was used for other content; "
            "see whether a copy of the gateway is running"
        )
    before, after = entries.get(batch.seq - 1), entries.get(batch.seq + 1)
    expected = FIRST_PREVIOUS if batch.seq == 1 else before and before.sha256
    if expected is not None and batch.prev_sha256 != expected:
        raise BadHash(f"{batch.name} does not follow the batch before it")
    if after is not None and after.prev_sha256 != batch.sha256:
        raise BadHash(f"{batch.name}: the batch after it, which is stored, does not follow it")


def _batch_id(batch: Batch, row: tuple[Any, ...] | None) -> int:
    assert row is not None
    batch_id, unknown_tags = row
    if unknown_tags:
        raise UnknownTag(f"{batch.name}: tags {unknown_tags} are not in the plan of its factory")
    return int(batch_id)


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
