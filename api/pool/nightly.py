"""The night's run on its schedule, noted among the runs of the jobs."""

import logging
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, time

from apscheduler.schedulers.background import BackgroundScheduler

import store
from api.pool import night, report_opening, reruns
from api.pool.night import Night, Progress
from api.pool.workdays import ZONE
from store import Connection, job_runs

log = logging.getLogger(__name__)

NAME = "night"
AT = time(1, 30)  # in the city
_KEEP_DAYS = 90
_LATE_S = 6 * 3600  # a night that a busy server missed is made up for within so long


def once(conn: Connection, now: datetime, *, progress: Progress = lambda _: None) -> Night | None:
    """Run the night and note the run; None where another run is at it.

    Reports are opened and marked late before the rules look at them. Factories that failed are
    listed with the jobs' pieces to try again.
    """
    with job_runs.running(conn, NAME, _KEEP_DAYS) as job:
        why = _failure(conn, now)
        found = night.run(conn, now, progress=progress)
        if found is None:
            return None
        if why is not None:
            found.failures["*"] = f"reports: {why}"
        job.counts = found.counts()
        if found.failures:
            job.error = "; ".join(f"{name}: {why}" for name, why in found.failures.items())[:2000]
        _note(conn, found)
    return found


@contextmanager
def scheduled(url: str) -> Iterator[None]:
    """Run every night at 01:30 of the city while the block lasts."""
    scheduler = BackgroundScheduler(timezone=ZONE)
    scheduler.add_job(
        run_by_url, "cron", (url,), hour=AT.hour, minute=AT.minute,
        max_instances=1, coalesce=True, misfire_grace_time=_LATE_S,
    )  # fmt: skip
    scheduler.start()
    try:
        yield
    finally:
        scheduler.shutdown(wait=True)


def run_by_url(url: str) -> None:
    """Run the night of now; a failure is logged, and the next night is tried all the same."""
    try:
        with closing(store.connect(url)) as conn:
            once(conn, datetime.now(UTC))
    except Exception as error:  # a fault of ours must not keep the next night from running
        log.warning("the night's run failed: %s", error)
    try:
        with closing(store.connect(url)) as conn:
            reruns.make_all(conn, now=datetime.now(UTC))
    except Exception as error:
        log.warning("the re-runs of disputed figures failed: %s", error)


def _failure(conn: Connection, now: datetime) -> str | None:
    """Do what a day brings for the reports; return what went wrong, which stops no warning."""
    try:
        report_opening.nightly(conn, now=now)
    except Exception as error:
        log.warning("the night's reports failed: %s", error)
        return str(error) or type(error).__name__
    return None


def _note(conn: Connection, found: Night) -> None:
    failed = {f"factory {name}": why for name, why in found.failures.items()}
    old = [each.piece for each in job_runs.retries(conn) if each.name == NAME]
    job_runs.forget_failures(conn, NAME, [each for each in old if each not in failed])
    if failed:
        one_day = job_runs.Backoff(first_s=86_400.0, most_s=86_400.0)
        job_runs.note_failures(conn, NAME, failed, one_day)
