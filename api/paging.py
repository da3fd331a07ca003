"""Lists in parts: one row more than is shown tells whether there is another part."""

import re
from collections.abc import Callable, Sequence
from datetime import date
from typing import Annotated, TypeVar

from fastapi import Query

_DATED = re.compile(r"(\d{4}-\d{2}-\d{2})_(\d{1,15})")

DatedPlace = Annotated[
    str | None,
    Query(pattern=f"^{_DATED.pattern}$", max_length=30, description="What follows: `next_after`"),
]
"""Where a list goes on that is ordered by a day and a number."""

T = TypeVar("T")
Place = TypeVar("Place")


def cut(
    found: Sequence[T], limit: int, place: Callable[[T], Place]
) -> tuple[Sequence[T], Place | None]:
    """Return the first `limit` of up to limit + 1, and the place behind which the others are.

    The place is None where there are no others.
    """
    shown = found[:limit]
    return shown, place(shown[-1]) if len(found) > limit else None


def dated_place(day: date, number: int) -> str:
    """Return where a list goes on behind a row."""
    return f"{day}_{number}"


def dated(place: str | None) -> tuple[date, int] | None:
    """Return the day and number of a place; None where it is none, such as the 31st of June."""
    named = _DATED.fullmatch(place or "")
    if named is None:
        return None
    try:
        return date.fromisoformat(named[1]), int(named[2])
    except ValueError:
        return None
