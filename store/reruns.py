"""Re-runs of disputed periods: waiting, taken by one worker, made, or given up with why."""

from datetime import datetime, timedelta

from store.db import Connection, transaction
from store.disputes import Dispute
from store.queries import query


def to_make(conn: Connection) -> list[int]:
    """Return the open disputes whose re-run was asked for and not made, given up or not."""
    with transaction(conn):
        return [row[0] for row in conn.execute(query("reruns_to_make"))]


def take(conn: Connection, lost_after: timedelta) -> tuple[int, int] | None:
    """Take the dispute that waits longest and say which attempt this is; None for none."""
    with transaction(conn):
        row = conn.execute(query("take_rerun"), {"lost_after": lost_after}).fetchone()
    return None if row is None else (row[0], row[1])


def fail(
    conn: Connection, dispute_id: int, attempt: int, error: str, wait: timedelta | None
) -> bool:
    """Keep why an attempt failed; without a wait it is given up. False for an older attempt."""
    values = {"dispute_id": dispute_id, "attempt": attempt, "error": error, "wait": wait}
    with transaction(conn):
        return conn.execute(query("fail_rerun"), values).rowcount > 0


def keep(conn: Connection, dispute_id: int, figure_id: int, at: datetime) -> None:
    """Say which figure a re-run found."""
    with transaction(conn):
        values = {"dispute_id": dispute_id, "figure_id": figure_id, "at": at}
        conn.execute(query("keep_rerun"), values)


def mark_months(conn: Connection, found: Dispute) -> int:
    """Have every month of a disputed period formed again; return how many there are."""
    values = {
        "factory_id": found.factory_id,
        "first": found.period_start,
        "end": found.period_end,
    }
    with transaction(conn):
        return conn.execute(query("mark_formed_months_between"), values).rowcount
