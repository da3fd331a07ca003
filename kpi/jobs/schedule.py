"""Running the jobs on a schedule."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from apscheduler.schedulers.background import BackgroundScheduler

from kpi.errors import KpiError
from kpi.jobs.fact_job import run_facts
from kpi.jobs.figure_job import run_figures
from store.errors import StoreError

log = logging.getLogger(__name__)


class Refresher:
    """Brings facts and figures up to date; says a failure once and a recovery once."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._failing = False

    def refresh(self) -> None:
        """Run both jobs; what fails, as without a database, is tried again at the next turn."""
        now = datetime.now(UTC)
        errors = [self._failure(job, now) for job in (run_facts, run_figures)]
        error = next((each for each in errors if each is not None), None)
        if error is None and self._failing:
            log.info("figures are brought up to date again")
        if error is not None and not self._failing:
            log.warning("figures are not all brought up to date: %s", error)
        self._failing = error is not None

    def _failure(self, job: Callable[[str, datetime], int], now: datetime) -> Exception | None:
        try:
            job(self._url, now)
        except (StoreError, KpiError) as error:
            return error
        return None


@contextmanager
def scheduled(url: str, every_s: int = 60) -> Iterator[Refresher]:
    """Run the jobs every so many seconds while the block lasts, never two at once."""
    refresher = Refresher(url)
    scheduler = BackgroundScheduler(timezone=UTC)
    scheduler.add_job(
        refresher.refresh, "interval", seconds=every_s, max_instances=1, coalesce=True
    )
    scheduler.start()
    try:
        yield refresher
    finally:
        scheduler.shutdown(wait=True)
