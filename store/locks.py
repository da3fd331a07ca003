"""Settled periods: their figures stay; what later data would make of them stands beside."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from store.db import Connection, transaction
from store.errors import Refused
from store.formed import Pending
from store.queries import query


@dataclass(frozen=True, slots=True)
class Settled:
    """A period of one factory; local dates, half-open; kind is month or rolling12."""

    factory_id: int
    period_kind: str
    period_start: date
    period_end: date


@dataclass(frozen=True, slots=True)
class Lock:
    """Who settled a period and when; who opened it again, and why."""

    period_kind: str
    period_start: date
    period_end: date
    locked_by: str
    locked_at: datetime
    unlocked_by: str | None
    unlocked_at: datetime | None
    reason: str | None


def lock(conn: Connection, period: Settled, actor: str) -> None:
    """Settle a closed period; raises Refused where it has no closed figure or is settled."""
    values = _values(period) | {"actor": actor}
    with transaction(conn):
        conn.execute(query("lock_factory"), values)
        row = conn.execute(query("closed_figures_of_period"), values).fetchone()
        if row is None or row[0] == 0:
            raise Refused(
                f"{_named(period)} has no closed figure yet: run `millpond kpi refresh` after its "
                "end, then lock it"
            )
        if conn.execute(query("insert_lock"), values).fetchone() is None:
            raise Refused(f"{_named(period)} is locked already")


def unlock(conn: Connection, period: Settled, actor: str, reason: str) -> None:
    """Open a settled period and have its figures formed again; raises Refused."""
    if not reason.strip():
        raise Refused("a locked period is opened only with a reason; say why")
    values = _values(period) | {"actor": actor, "reason": reason.strip(), "kpi": None}
    with transaction(conn):
        conn.execute(query("lock_factory"), values)
        if conn.execute(query("end_lock"), values).fetchone() is None:
            raise Refused(f"{_named(period)} is not locked")
        conn.execute(query("delete_pending"), values)
        conn.execute(query("mark_month_of_period"), values)


def locks(conn: Connection, factory_id: int, *, ended_too: bool = False) -> list[Lock]:
    """Return the locks of a factory that hold, or all there ever were."""
    values = {"factory_id": factory_id, "ended_too": ended_too}
    with transaction(conn):
        return [Lock(*row) for row in conn.execute(query("list_locks"), values)]


def pending(conn: Connection, factory_id: int) -> list[Pending]:
    """Return what the settled figures of a factory would be by now, where that differs."""
    with transaction(conn):
        rows = conn.execute(query("list_pending"), {"factory_id": factory_id})
        return [Pending(*row) for row in rows]


def held(
    conn: Connection, factory_id: int, starts: Mapping[str, Collection[date]]
) -> set[tuple[str, date]]:
    """Return which of a factory's periods are settled, given as first days by kind."""
    found = set()
    with transaction(conn):
        for kind, days in starts.items():
            values = {"factory_id": factory_id, "period_kind": kind, "starts": sorted(days)}
            rows = conn.execute(query("held_locks"), values).fetchall()
            found |= {(kind, start) for (start,) in rows}
    return found


def stand_beside(
    conn: Connection, differing: Sequence[Mapping[str, Any]], same: Sequence[Mapping[str, Any]]
) -> None:
    """Keep what settled figures would be by now, and forget it where they are right again."""
    for name, rows in (("upsert_pending", differing), ("delete_pending", same)):
        if rows:
            conn.cursor().executemany(query(name), rows)


def _values(period: Settled) -> dict[str, Any]:
    return {
        "factory_id": period.factory_id,
        "period_kind": period.period_kind,
        "period_start": period.period_start,
        "period_end": period.period_end,
    }


def _named(period: Settled) -> str:
    return f"the {period.period_kind} from {period.period_start} to {period.period_end}"
