"""Running the jobs on a schedule."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Protocol

from apscheduler.schedulers.background import BackgroundScheduler

from kpi.jobs.annex1_job import run_evidence
from kpi.jobs.fact_job import run_facts
from kpi.jobs.figure_job import run_figures
from kpi.jobs.finding_job import run_findings
from kpi.jobs.settings import Schedule

log = logging.getLogger(__name__)


class Job(Protocol):
    """A job of the schedule; it tries what failed lately again when the schedule says so."""

    def __call__(self, url: str, now: datetime, *, patience: Schedule) -> int:
        """Run once; return how much there was to do."""


# In this order in every turn: figures, findings and evidence stand on facts.
JOBS: tuple[Job, ...] = (run_facts, run_figures, run_findings, run_evidence)


class Refresher:
    """Brings facts and figures up to date; says a failure once and a recovery once."""

    def __init__(self, url: str, schedule: Schedule | None = None) -> None:
        self._url = url
        self._schedule = schedule or Schedule()
        self._failing = False

    def refresh(self) -> None:
        """Run each job; one that fails stops no other and is tried again at a later turn."""
        now = datetime.now(UTC)
        errors = [self._failure(job, now) for job in JOBS]
        error = next((each for each in errors if each is not None), None)
        if error is None and self._failing:
            log.info("figures are brought up to date again")
        if error is not None and not self._failing:
            log.warning("figures are not all brought up to date: %s", error)
        self._failing = error is not None

    def _failure(self, job: Job, now: datetime) -> Exception | None:
        try:
            job(self._url, now, patience=self._schedule)
        except Exception as error:  # a fault of ours must not keep the other jobs from running
            return error
        return None


@contextmanager
def scheduled(
    url: str, every_s: int | None = None, schedule: Schedule | None = None
) -> Iterator[Refresher]:
    """Run the jobs on a schedule while the block lasts, never two turns at once."""
    schedule = schedule or Schedule()
    refresher = Refresher(url, schedule)
    scheduler = BackgroundScheduler(timezone=UTC)
    scheduler.add_job(
        refresher.refresh,
        "interval",
        seconds=every_s or schedule.every_s,
        max_instances=1,
        coalesce=True,
    )
    scheduler.start()
    try:
        yield refresher
    finally:
        scheduler.shutdown(wait=True)
