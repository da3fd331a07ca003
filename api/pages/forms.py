"""What forms say: numbers as people write them, and the version that a form rests on."""

from api.pool.errors import Declined
from api.pool.lifecycle import Name
from api.pool.refused import refused

_MOST_DIGITS = 9


def number(text: str | None, name: Name) -> float | None:
    """Return a number as people write it, such as 1,200 or 79.5%; None for a blank.

    Raises Declined, naming what was asked, for anything else.
    """
    if text is None or not text.strip():
        return None
    try:
        return float(text.replace(",", "").replace("，", "").strip().removesuffix("%"))
    except ValueError:
        raise refused("no_number", Declined, item=name, text=text) from None


def version(text: str | None) -> int:
    """Return the version that a form rests on; 0, which nothing has, for nonsense."""
    is_number = text is not None and text.isascii() and text.isdigit()
    return int(text) if text and is_number and len(text) <= _MOST_DIGITS else 0
