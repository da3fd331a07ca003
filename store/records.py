"""Business records and the marks that they leave for the figure job."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from store.db import Connection, transaction
from store.queries import query


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """The newest version of a business record."""

    key: str
    version: int
    at: datetime
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class DirtyRecord:
    """A new version of a record, or the one that it replaces; their months have to be found."""

    kind: str
    at: datetime
    body: dict[str, Any]


def latest(
    conn: Connection, factory_id: int, kind: str, start: datetime, end: datetime
) -> list[StoredRecord]:
    """Return each record of a kind whose newest version has its business time in [start, end)."""
    values = {"factory_id": factory_id, "kind": kind, "start": start, "end": end}
    with transaction(conn):
        return [StoredRecord(*row) for row in conn.execute(query("latest_records"), values)]


def counting(
    conn: Connection,
    factory_id: int,
    kind: str,
    times: tuple[datetime, datetime],
    days: tuple[date, date],
) -> list[StoredRecord]:
    """Return each record of a kind whose newest version may count for local days [first, end).

    `times` are the start and the end of these days. Few others come along; none that counts is
    missing, wherever its own time lies.
    """
    values = {
        "factory_id": factory_id,
        "kind": kind,
        "start": times[0],
        "end": times[1],
        "first_day": days[0].isoformat(),
        "end_day": days[1].isoformat(),
    }
    with transaction(conn):
        return [StoredRecord(*row) for row in conn.execute(query("counting_records"), values)]


def dirty_factories(conn: Connection) -> list[int]:
    """Return the factories whose figures or verdicts have to be formed again."""
    with transaction(conn):
        return [row[0] for row in conn.execute(query("dirty_factories"))]


def lock_factory(conn: Connection, factory_id: int) -> None:
    """Take the factory for this transaction; StoreUnavailable when another has it for a minute."""
    conn.execute(query("lock_factory"), {"factory_id": factory_id})


def try_lock_factory(conn: Connection, factory_id: int) -> bool:
    """Take the factory for this transaction; False when another worker has it."""
    row = conn.execute(query("try_lock_factory"), {"factory_id": factory_id}).fetchone()
    return row is not None and bool(row[0])


def take_dirty(conn: Connection, factory_id: int) -> tuple[list[DirtyRecord], list[date]]:
    """Take the marks of a factory inside the caller's transaction: new records and months."""
    key = {"factory_id": factory_id}
    records = [DirtyRecord(*row) for row in conn.execute(query("take_dirty_records"), key)]
    months = sorted({month for (month,) in conn.execute(query("take_dirty_months"), key)})
    return records, months
