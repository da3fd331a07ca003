"""Working days, terms and when they end.

A year that the State Council's calendar is not known for counts Monday to Friday as working days;
what rests on it is marked `estimated`. Dates are those of the city; a term ends at 24:00 of its
last day. "Today" is never read from the clock here.
"""

import calendar
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

import chinese_calendar

from api.formats import CITY

ZONE = ZoneInfo(CITY)

Unit = Literal["d", "workday", "month", "year"]

_DAY = timedelta(days=1)
_MOST_DAYS = 40_000


@dataclass(frozen=True, slots=True)
class Day:
    """A day that was counted to; estimated where a year without a known calendar lies in it."""

    on: date
    estimated: bool = False


@dataclass(frozen=True, slots=True)
class Count:
    """A number of working days; estimated as for Day."""

    days: int
    estimated: bool = False


@dataclass(frozen=True, slots=True)
class Term:
    """An amount of days, working days, months or years."""

    amount: int
    unit: Unit


def today(now: datetime) -> date:
    """Return the city's date at an aware time."""
    return now.astimezone(ZONE).date()


def ends_at(day: date) -> datetime:
    """Return 24:00 of a day in the city, in UTC."""
    return datetime.combine(day + _DAY, time(), ZONE).astimezone(UTC)


def is_workday(day: date) -> tuple[bool, bool]:
    """Tell whether a day is worked, and whether that is an estimate."""
    try:
        return bool(chinese_calendar.is_workday(day)), False
    except NotImplementedError:
        return day.isoweekday() <= 5, True


def add_workdays(start: date, count: int) -> Day:
    """Return the count-th working day after a day, which itself does not count."""
    if not 0 <= count <= _MOST_DAYS:
        raise ValueError(f"{count} working days cannot be counted; 0 to {_MOST_DAYS} can")
    day, estimated, left = start, False, count
    while left:
        day += _DAY
        worked, guessed = is_workday(day)
        left -= worked
        estimated |= guessed
    return Day(day, estimated)


def workdays_between(start: date, end: date) -> Count:
    """Return the working days after `start` up to and with `end`; 0 where it does not lie later."""
    found, estimated = 0, False
    for number in range(1, (end - start).days + 1):
        worked, guessed = is_workday(start + number * _DAY)
        found += worked
        estimated |= guessed
    return Count(found, estimated)


def last_day(start: date, term: Term) -> Day:
    """Return the last day of a term that begins on a day, which itself does not count."""
    if term.unit == "workday":
        return add_workdays(start, term.amount)
    if term.unit == "d":
        return Day(start + term.amount * _DAY)
    return Day(add_months(start, term.amount * (12 if term.unit == "year" else 1)))


def add_months(day: date, count: int) -> date:
    """Return the day of the month `count` months later, or the last one of a shorter month."""
    number = day.year * 12 + day.month - 1 + count
    year, month = number // 12, number % 12 + 1
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))
