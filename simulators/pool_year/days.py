"""Days of the city: working days and months, counted here by the simulator's own code."""

from datetime import date, timedelta

import chinese_calendar

DAY = timedelta(days=1)
NIGHT, BY_DAY = 0, 1

# A night's run comes before what people do on the same date.
Moment = tuple[date, int]


def is_worked(day: date) -> bool:
    """Tell whether a day is worked; years without a known calendar count Monday to Friday."""
    try:
        return bool(chinese_calendar.is_workday(day))
    except NotImplementedError:
        return day.weekday() < 5


def workdays_on(day: date, count: int) -> date:
    """Return the count-th working day after a day."""
    while count:
        day += DAY
        count -= is_worked(day)
    return day


def months_on(day: date, count: int) -> date:
    """Return the same day of the month some months later; days up to the 28th only."""
    whole = day.year * 12 + day.month - 1 + count
    return date(whole // 12, whole % 12 + 1, day.day)
