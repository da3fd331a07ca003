"""Reading what lies under a figure: ledger, rows as they were signed, facts, record versions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from psycopg.types.json import Jsonb

from store.canonical import Rows
from store.db import Connection, reading, transaction
from store.errors import Refused
from store.facts import FACT_COLUMNS, Columns
from store.formed import Figure, figure_of
from store.pgcopy import PG_EPOCH_US, decode
from store.queries import query

_ROW_LAYOUT = {"batch_id": "i8", "tag_id": "i4", "ts": "i8", "value": "f8", "status": "i4"}
_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """A batch as the ledger has it; before is the hash of the gateway's batch before it, if any."""

    batch_id: int
    gateway: str
    seq: int
    config_version: str
    imported: bool
    row_count: int
    record_count: int
    first_ts: datetime | None
    last_ts: datetime | None
    sha256: bytes
    prev_sha256: bytes
    signature: bytes
    received_at: datetime
    collected_from: datetime | None
    collected_to: datetime | None
    absorbed: int
    before: bytes | None

    @property
    def name(self) -> str:
        """Return how messages call the batch."""
        return f"batch {self.seq} of {self.gateway}"


@dataclass(frozen=True, slots=True)
class Enrolment:
    """A key of a gateway, who enrolled it and when."""

    public_key: bytes
    actor: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Keys:
    """The key that a gateway holds now, and its enrolments, oldest first."""

    current: bytes
    revoked_at: datetime | None
    enrolments: tuple[Enrolment, ...]


@dataclass(frozen=True, slots=True)
class RecordVersion:
    """A version of a business record, with the batch that brought it."""

    kind: str
    key: str
    version: int
    at: datetime
    body: Any
    batch_id: int
    gateway: str
    seq: int
    received_at: datetime


@dataclass(frozen=True, slots=True)
class BatchRecord:
    """A version of a record as its batch brought it."""

    kind: str
    key: str
    version: int
    at: datetime
    body: Any


def figure(conn: Connection, figure_id: int) -> tuple[str, Figure]:
    """Return a figure with the code of its factory; raises Refused where there is none."""
    with transaction(conn):
        row = conn.execute(query("figure_by_id"), {"figure_id": figure_id}).fetchone()
        if row is None:
            raise Refused(f"there is no figure {figure_id}; `millpond kpi figures` lists them")
        found = figure_of(row)
        key = {"factory_id": found.factory_id}
        code = conn.execute(query("factory_code"), key).fetchone()
    assert code is not None
    return str(code[0]), found


def figures(conn: Connection, factory_id: int) -> list[Figure]:
    """Return all figures of a factory with all their revisions, oldest first."""
    with transaction(conn):
        rows = conn.execute(query("figures_of_factory"), {"factory_id": factory_id})
        return [figure_of(row) for row in rows]


def ledger(
    conn: Connection,
    factory_id: int,
    batch_ids: Sequence[int] | None = None,
    *,
    after: int = 0,
    most: int | None = None,
) -> list[LedgerRow]:
    """Return a factory's batches in the order in which they came: all, or those numbered.

    `after` is the number of the last batch of the page before, `most` the length of a page.
    """
    numbers = None if batch_ids is None else list(batch_ids)
    values = {"factory_id": factory_id, "batch_ids": numbers, "after": after, "most": most}
    with transaction(conn):
        return [
            LedgerRow(*(_plain(each) for each in row))
            for row in conn.execute(query("provenance_ledger"), values)
        ]


def _plain(value: Any) -> Any:
    return bytes(value) if isinstance(value, memoryview) else value


def count_batches(conn: Connection, factory_id: int) -> int:
    """Return how many batches a factory has sent."""
    with transaction(conn):
        row = conn.execute(query("count_batches"), {"factory_id": factory_id}).fetchone()
    assert row is not None
    return int(row[0])


def keys(conn: Connection, factory_id: int) -> dict[str, Keys]:
    """Return the keys of a factory's gateways by their code."""
    found: dict[str, Keys] = {}
    with transaction(conn):
        for code, current, revoked_at, enrolled, actor, at in conn.execute(
            query("gateway_keys"), {"factory_id": factory_id}
        ):
            known = found[code].enrolments if code in found else ()
            new = () if enrolled is None else (Enrolment(bytes.fromhex(enrolled), actor, at),)
            found[code] = Keys(bytes(current), revoked_at, known + new)
    return found


def rows_by_batch(
    conn: Connection, asset_ids: Sequence[int], start: datetime, end: datetime
) -> dict[int, tuple[int, int]]:
    """Return how many rows of some assets in [start, end) each batch brought, by its number.

    The second number is how many of them the ledger does not account for.
    """
    values = {"asset_ids": list(asset_ids), "start": start, "end": end}
    with transaction(conn):
        rows = conn.execute(query("rows_by_batch"), values)
        return {batch_id: (count, astray) for batch_id, count, astray in rows}


def batch_rows(conn: Connection, factory_id: int, batches: Sequence[LedgerRow]) -> dict[int, Rows]:
    """Return the rows of some batches as far as they are stored, ordered by (tag_id, ts).

    Rows that were moved to a tag of another factory are not among them.
    """
    times = [at for each in batches for at in (each.first_ts, each.last_ts) if at is not None]
    if not times:
        return {}
    ids = [each.batch_id for each in batches]
    values = {
        "factory_id": factory_id,
        "batch_ids": ids,
        "start": min(times),
        "end": max(times),
    }
    with transaction(conn), conn.cursor().copy(query("copy_batch_rows"), values) as copy:
        found = decode(b"".join(copy), _ROW_LAYOUT)
    numbers, first = np.unique(found["batch_id"], return_index=True)
    edges = np.append(first, len(found["batch_id"]))
    return {
        int(number): _rows(found, slice(edges[place], edges[place + 1]))
        for place, number in enumerate(numbers.tolist())
    }


def _rows(found: Columns, part: slice) -> Rows:
    return Rows(
        found["tag_id"][part],
        found["ts"][part] + PG_EPOCH_US,
        found["value"][part],
        found["status"][part],
    )


def signed_records(conn: Connection, batch_ids: Sequence[int]) -> dict[int, bytes]:
    """Return the records of some batches as they were signed, as canonical bytes."""
    values = {"batch_ids": list(batch_ids)}
    with transaction(conn):
        rows = conn.execute(query("list_signed_records"), values)
        return {batch_id: bytes(content) for batch_id, content in rows}


def records_of(conn: Connection, batch_ids: Sequence[int]) -> dict[int, list[BatchRecord]]:
    """Return the record versions that some batches brought."""
    found: dict[int, list[BatchRecord]] = {}
    with transaction(conn):
        for row in conn.execute(query("records_of_batches"), {"batch_ids": list(batch_ids)}):
            found.setdefault(row[0], []).append(BatchRecord(*row[1:]))
    return found


def records_gone(
    conn: Connection, factory_id: int, records: Sequence[tuple[str, str, Any]]
) -> list[tuple[str, str]]:
    """Return kind and key of those (kind, key, body) that no stored version says."""
    values = {"factory_id": factory_id, "records": Jsonb([list(each) for each in records])}
    with transaction(conn):
        return [(kind, key) for kind, key in conn.execute(query("records_gone"), values)]


def record_versions(
    conn: Connection, factory_id: int, kinds: Sequence[str], start: datetime, end: datetime
) -> list[RecordVersion]:
    """Return all versions of some kinds whose business time lies in [start, end)."""
    values = {"factory_id": factory_id, "kinds": list(kinds), "start": start, "end": end}
    with transaction(conn):
        return [RecordVersion(*row) for row in conn.execute(query("record_versions"), values)]


def stored_facts(conn: Connection, asset_id: int, start: datetime, end: datetime) -> Columns:
    """Return the facts of an asset in [start, end): hour_us and the columns of FACT_COLUMNS."""
    values = {"asset_id": asset_id, "start": start, "end": end}
    layout = {"hour_us": "i8", **FACT_COLUMNS}
    with reading(), conn.cursor().copy(query("copy_stored_facts"), values) as copy:
        found = decode(b"".join(copy), layout)
    found["hour_us"] += PG_EPOCH_US
    return found


def waiting_hours(conn: Connection, asset_id: int, before: datetime) -> list[datetime]:
    """Return the hours of an asset before a time that wait for the fact job, ascending."""
    values = {"asset_id": asset_id, "before": before}
    with reading():
        marks = conn.execute(query("waiting_hours"), values).fetchall()
    found = {hour + number * _HOUR for hour, hours in marks for number in range(hours)}
    return sorted(hour for hour in found if hour < before)


def waits_for_figures(conn: Connection, factory_id: int, before: datetime) -> bool:
    """Tell whether something of a factory, in hours before a time, waits for the jobs."""
    values = {"factory_id": factory_id, "before": before}
    with transaction(conn):
        row = conn.execute(query("waits_for_figures"), values).fetchone()
    return row is not None and bool(row[0])


def known_until(conn: Connection, factory_id: int) -> datetime | None:
    """Return up to when a factory has rows or facts; None where it has none."""
    with transaction(conn):
        row = conn.execute(query("known_until"), {"factory_id": factory_id}).fetchone()
    assert row is not None
    known: datetime | None = row[0]
    return known
