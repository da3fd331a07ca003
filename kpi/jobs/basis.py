"""What the jobs share."""

from collections.abc import Callable
from datetime import UTC, datetime

# What is being done, how many are done, of how many.
Progress = Callable[[str, int, int], None]


def last_full_hour(now: datetime) -> datetime:
    """Return the start of the hour that is still running; facts exist before it."""
    return now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
