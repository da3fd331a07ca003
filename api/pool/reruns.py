"""Running a disputed period again: at once as a piece of work, by night, or by hand.

The facts and figures of the period are formed anew from the raw rows; what comes out stands beside
the disputed figure, which stays as it was.
"""

import logging
import sys
from datetime import UTC, datetime, timedelta

from api.pool import disputes
from api.pool.dispute_table import FINAL, table
from api.pool.disputes import Given
from api.pool.errors import NotPossible
from api.pool.refused import refused
from api.worker import Limits, Taken, process
from kpi.jobs.basis import last_full_hour
from kpi.jobs.fact_job import recompute_asset_on
from kpi.jobs.figure_job import refresh_factory
from kpi.jobs.recompute import mark_range
from store import Connection, events, facts, reruns, transaction
from store import disputes as stored
from store.acting import SYSTEM
from store.audit import note
from store.disputes import Dispute
from store.figures import PeriodKind
from store.registry import Factory, factory_by_code

log = logging.getLogger(__name__)


class Reruns:
    """Re-runs that wait to be made."""

    module = "api.pool.reruns"
    limits = Limits(seconds=1800.0)

    def prepare(self, conn: Connection) -> None:
        """Do nothing: who disputes a figure asks for its re-run."""

    def take(self, conn: Connection, lost_after: timedelta) -> Taken | None:
        """Take the re-run that waits longest."""
        found = reruns.take(conn, lost_after)
        return None if found is None else Taken(*found)

    def fail(self, conn: Connection, taken: Taken, error: str, wait: timedelta | None) -> None:
        """Keep why it failed; what is given up is told as an event."""
        with transaction(conn):
            if not reruns.fail(conn, taken.number, taken.attempt, error, wait) or wait is not None:
                return
            found = disputes.of(conn, taken.number)
            told = {"dispute_id": found.dispute_id, "kpi": found.kpi,
                    "period_start": found.period_start.isoformat(), "error": error}  # fmt: skip
            events.happened(
                conn, SYSTEM, found.factory_id, "dispute_rerun_failed", told, datetime.now(UTC)
            )
            note(
                conn, SYSTEM, "dispute_rerun_failed", kind="dispute", key=found.dispute_id,
                factory_id=found.factory_id, after=told,
            )  # fmt: skip


RERUNS = Reruns()


def make_all(conn: Connection, *, now: datetime) -> dict[int, str]:
    """Make every re-run that was asked for, given up or not; return by dispute what failed."""
    failed = {}
    for number in reruns.to_make(conn):
        try:
            make(conn, number, now=now)
        except Exception as error:  # one dispute's fault keeps no other from being run again
            log.warning("the re-run of dispute %s failed: %s", number, error)
            failed[number] = str(error) or type(error).__name__
    return failed


def make(conn: Connection, dispute_id: int, *, now: datetime) -> Dispute:
    """Run a disputed period again and keep what comes out; raises NotFound or NotPossible.

    `conn` sees all and is in no transaction. Raises StoreUnavailable where another worker has
    the factory for long.
    """
    found = disputes.of(conn, dispute_id)
    if found.state in FINAL:
        raise refused("dispute_over", NotPossible)
    _form(conn, factory_by_code(conn, found.factory), found, now)
    with transaction(conn):
        stored.lock(conn, dispute_id)
        found = disputes.of(conn, dispute_id)
        if found.state in FINAL:
            return found
        kind: PeriodKind = "rolling12" if found.period_kind == "rolling12" else "month"
        newest = disputes.newest_figure(conn, found.factory_id, found.kpi, kind, found.period_start)
        old, new = found.figure.point, newest.point
        said = {
            "figure_id": newest.figure_id,
            "revision": newest.revision,
            "before": old,
            "after": new,
            "difference": None if new is None or old is None else new - old,
        }
        reruns.keep(conn, dispute_id, newest.figure_id, now)
        step = table().steps["rerun"].transition
        return disputes.take(conn, SYSTEM, found, step, Given("rerun"), said, now)


def _form(conn: Connection, factory: Factory, found: Dispute, now: datetime) -> None:
    mark_range(conn, [factory], found.period_start, found.period_end, now)
    before = last_full_hour(now)
    for asset_id in facts.dirty_assets(conn, before, factory.factory_id):
        recompute_asset_on(conn, asset_id, before)
    if reruns.mark_months(conn, found):
        refresh_factory(conn, factory, now, waits=True)


def _work(conn: Connection, number: int, attempt: int) -> None:
    make(conn, number, now=datetime.now(UTC))


if __name__ == "__main__":
    sys.exit(process(_work))
