"""What the jobs share."""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor, as_completed
from datetime import UTC, datetime
from typing import Any

from kpi.errors import JobFailed
from store.errors import StoreUnavailable

_TIMEOUT_S = 3600.0

# What is being done, how many are done, of how many.
Progress = Callable[[str, int, int], None]


def last_full_hour(now: datetime) -> datetime:
    """Return the start of the hour that is still running; facts exist before it."""
    return now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def run_each(
    work: Mapping[str, Callable[[], Any]], pool: Executor | None, done: Callable[[int], Any]
) -> None:
    """Run each piece of work, here or in a pool, and tell how many are done.

    A piece that fails leaves its marks and stops no other; raises JobFailed at the end. Without a
    database no piece can succeed: StoreUnavailable goes on at once.
    """
    failed: dict[str, Exception] = {}
    for number, (name, result) in enumerate(_results(work, pool), 1):
        try:
            result()
        except StoreUnavailable:
            raise
        except Exception as error:
            failed[name] = error
        done(number)
    for name, first in failed.items():
        raise JobFailed(f"{len(failed)} of {len(work)} failed; {name}: {first}") from first


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
