"""What the jobs share."""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import BrokenExecutor, Executor, as_completed
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from typing import Any

import store
from kpi.errors import JobFailed
from kpi.jobs.settings import Schedule
from store import job_runs
from store.errors import StoreUnavailable

_TIMEOUT_S = 24 * 3600.0

# What is being done, how many are done, of how many.
Progress = Callable[[str, int, int], None]
Work = Mapping[str, Callable[[], Any]]


def last_full_hour(now: datetime) -> datetime:
    """Return the start of the hour that is still running; facts exist before it."""
    return now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def run_job(
    url: str,
    name: str,
    work: Work,
    pool: Executor | None,
    progress: Progress | None,
    patience: Schedule | None = None,
) -> None:
    """Run the pieces of a job and note how it went; with nothing to do nothing is noted.

    With patience, a piece that failed lately is left alone until its next try is due. Raises
    JobFailed at the end when a piece failed, StoreUnavailable at once.
    """
    if not work:
        return
    schedule = patience or Schedule()
    with closing(store.connect(url)) as conn:
        waiting = job_runs.waiting(conn, name) & work.keys() if patience else set()
        wanted = {piece: each for piece, each in work.items() if piece not in waiting}
        if wanted:
            with job_runs.running(conn, name, schedule.keep_runs_days) as run:
                failed = run_each(
                    wanted, pool, lambda done: progress and progress(name, done, len(wanted))
                )
                run.counts |= _counts(wanted, failed, waiting)
                _note(conn, name, wanted, failed, schedule)
                for piece, first in failed.items():
                    message = f"{len(failed)} of {len(wanted)} failed; {piece}: {first}"
                    raise JobFailed(message) from first
    if waiting:
        raise JobFailed(f"{len(waiting)} failed before and wait to be tried again")


def _counts(wanted: Work, failed: Mapping[str, Exception], waiting: set[str]) -> dict[str, int]:
    return {
        "done": len(wanted) - len(failed),
        "failed": len(failed),
        "waiting": len(waiting),
    }


def _note(
    conn: store.Connection,
    name: str,
    wanted: Work,
    failed: Mapping[str, Exception],
    schedule: Schedule,
) -> None:
    errors = {piece: f"{type(error).__name__}: {error}" for piece, error in failed.items()}
    job_runs.note_failures(conn, name, errors, schedule.backoff)
    job_runs.forget_failures(conn, name, sorted(wanted.keys() - failed.keys()))


def run_each(work: Work, pool: Executor | None, done: Callable[[int], Any]) -> dict[str, Exception]:
    """Run each piece of work, here or in a pool; return what failed, with why.

    A piece that fails leaves its marks and stops no other, nor does one that kills its worker:
    what the worker's death took along is run again, each piece alone. Without a database no piece
    can succeed: StoreUnavailable goes on at once.
    """
    failed: dict[str, Exception] = {}
    for number, (name, result) in enumerate(_results(work, pool), 1):
        if (error := _error_of(result)) is not None:
            failed[name] = error
        done(number)
    if pool is not None:
        for name in [each for each, error in failed.items() if isinstance(error, BrokenExecutor)]:
            again = pool.submit(work[name])
            error = _error_of(partial(again.result, _TIMEOUT_S))
            failed.pop(name)
            if error is not None:
                failed[name] = error
    return failed


def _error_of(result: Callable[[], Any]) -> Exception | None:
    try:
        result()
    except StoreUnavailable:
        raise
    except Exception as error:
        return error
    return None


def _results(
    work: Mapping[str, Callable[[], Any]], pool: Executor | None
) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Yield each piece's name and a call that gives its result, as the pieces end."""
    if pool is None:
        yield from work.items()
        return
    names = {pool.submit(piece): name for name, piece in work.items()}
    for future in as_completed(names, timeout=_TIMEOUT_S):
        yield names[future], future.result
