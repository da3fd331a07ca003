"""What single fields of a monitoring plan may hold; a fault is said in words."""

import sys
from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from store.errors import PlanRefused

FIRST_YEAR, LAST_YEAR = 1970, 2200

Check = Callable[[Any], str | None]
"""Returns what is wrong with a value, to follow the field's name, or None."""


def text(value: Any) -> str | None:
    """Accept a text with something in it."""
    fits = isinstance(value, str) and value.strip() and "\x00" not in value
    return None if fits and _is_unicode(value) else "must be a text"


def _is_unicode(value: str) -> bool:
    """Tell whether a text can be stored; JSON may hold halves of characters."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def region(value: Any) -> str | None:
    """Accept the six digits of an administrative region."""
    fits = isinstance(value, str) and len(value) == 6 and value.isascii() and value.isdecimal()
    return None if fits else "must be the six digits of a region, such as 320612"


def flag(value: Any) -> str | None:
    """Accept true and false."""
    return None if isinstance(value, bool) else "must be true or false"


def number(value: Any) -> str | None:
    """Accept any finite number."""
    fits = isinstance(value, int | float) and not isinstance(value, bool)
    # A whole number of JSON may be larger than any float.
    fits = fits and abs(value) <= sys.float_info.max
    return None if fits else "must be a number"


def positive(value: Any) -> str | None:
    """Accept a finite number above 0."""
    return number(value) or (None if value > 0 else "must be above 0")


def not_negative(value: Any) -> str | None:
    """Accept a finite number from 0 on."""
    return number(value) or (None if value >= 0 else "must not be below 0")


def between(least: float, most: float) -> Check:
    """Accept a finite number in [least, most]."""

    def check(value: Any) -> str | None:
        fits = number(value) is None and least <= value <= most
        return None if fits else f"must be a number from {least:g} to {most:g}"

    return check


def whole(least: int, most: int) -> Check:
    """Accept a whole number in [least, most]."""

    def check(value: Any) -> str | None:
        fits = isinstance(value, int) and not isinstance(value, bool) and least <= value <= most
        return None if fits else f"must be a whole number from {least} to {most}"

    return check


def one_of(*words: str) -> Check:
    """Accept one of some words."""

    def check(value: Any) -> str | None:
        return None if value in words else f"must be one of {', '.join(words)}"

    return check


def optional(check: Check) -> Check:
    """Accept also null and an absent field."""

    def check_given(value: Any) -> str | None:
        return None if value is None else check(value)

    return check_given


def day(value: Any) -> str | None:
    """Accept a date such as 2025-11-01."""
    words = "must be a date such as 2025-11-01"
    fault = _parsed(date.fromisoformat, value, words)
    # Python reads more forms of ISO 8601 than the database does.
    return fault or (None if date.fromisoformat(value).isoformat() == value else words)


def first_of_month(value: Any) -> str | None:
    """Accept a date on which a month begins."""
    fault = day(value)
    return fault or (None if value.endswith("-01") else "must be the first of a month")


def clock(value: Any) -> str | None:
    """Accept a time of day such as 08:00."""
    words = "must be a time of day such as 08:00"
    fault = _parsed(time.fromisoformat, value, words)
    if fault:
        return fault
    read = time.fromisoformat(value).isoformat()
    return None if value in (read, read[: len("08:00")]) else words


def moment(value: Any) -> str | None:
    """Accept a time with an offset."""
    words = "must be a time with an offset such as 2025-03-01T08:00:00+08:00"
    fault = _parsed(datetime.fromisoformat, value, words)
    if fault or not datetime.fromisoformat(value).tzinfo:
        return words
    fits = FIRST_YEAR <= datetime.fromisoformat(value).year <= LAST_YEAR
    return None if fits else f"must lie in the years {FIRST_YEAR} to {LAST_YEAR}"


def period(value: Any) -> str | None:
    """Accept two dates, the second after the first."""
    if not isinstance(value, list | tuple) or len(value) != 2:
        return "must be two dates, from and up to"
    fault = day(value[0]) or day(value[1])
    return fault or (None if value[0] < value[1] else "must end after it begins")


def timezone(value: Any) -> str | None:
    """Accept a name of the IANA time zone database."""
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, TypeError, OSError):
        return "must be a time zone such as Asia/Shanghai"
    return None


def _parsed(parse: Callable[[str], Any], value: Any, words: str) -> str | None:
    try:
        parse(value)
    except (ValueError, TypeError):
        return words
    return None


def check_fields(place: str, given: Any, fields: Mapping[str, Check]) -> None:
    """Raise PlanRefused for a field that is absent, unknown or wrong; the place comes first."""
    if not isinstance(given, Mapping):
        raise PlanRefused(f"{place} must be an object with the fields {', '.join(fields)}")
    if unknown := [name for name in given if name not in fields]:
        raise PlanRefused(f"{place}: {unknown[0]} is not known; known are {', '.join(fields)}")
    for name, check in fields.items():
        if name not in given and check(None) is not None:
            raise PlanRefused(f"{place}: {name} is missing")
        if (fault := check(given.get(name))) is not None:
            raise PlanRefused(f"{place}: {name} is {given.get(name)!r} but {fault}")
