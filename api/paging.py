"""Lists in parts: one row more than is shown tells whether there is another part."""

from collections.abc import Callable, Sequence
from typing import TypeVar

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
