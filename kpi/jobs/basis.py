"""What the jobs share."""

from collections.abc import Callable, Sequence
from concurrent.futures import Executor, as_completed
from datetime import UTC, datetime
from typing import Any

_TIMEOUT_S = 3600.0

# What is being done, how many are done, of how many.
Progress = Callable[[str, int, int], None]


def last_full_hour(now: datetime) -> datetime:
    """Return the start of the hour that is still running; facts exist before it."""
    return now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def run_each(
    work: Sequence[Callable[[], Any]], pool: Executor | None, done: Callable[[int], Any]
) -> None:
    """Run each piece of work, here or in a pool, and tell how many are done; an error goes on."""
    if pool is None:
        for number, piece in enumerate(work, 1):
            piece()
            done(number)
        return
    futures = [pool.submit(piece) for piece in work]
    for number, future in enumerate(as_completed(futures, timeout=_TIMEOUT_S), 1):
        future.result()
        done(number)
