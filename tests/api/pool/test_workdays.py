"""Working days and terms, over holidays, worked Saturdays and years without a calendar."""

from datetime import UTC, date, datetime

import pytest

from api.pool.workdays import (
    Count,
    Day,
    Term,
    add_months,
    add_workdays,
    ends_at,
    is_workday,
    last_day,
    today,
    workdays_between,
)


def test_a_worked_saturday_counts_and_a_holiday_does_not() -> None:
    assert is_workday(date(2026, 10, 10)) == (True, False), "a Saturday that is worked for a bridge"
    assert is_workday(date(2026, 10, 1)) == (False, False)
    assert is_workday(date(2026, 11, 23)) == (True, False)


def test_the_spring_festival_lies_between() -> None:
    assert add_workdays(date(2026, 2, 13), 1) == Day(date(2026, 2, 14))
    assert add_workdays(date(2026, 2, 14), 1) == Day(date(2026, 2, 24))


def test_a_year_without_a_calendar_is_estimated_and_says_so() -> None:
    assert is_workday(date(2027, 10, 1)) == (True, True), "a Friday, though a holiday in truth"
    assert is_workday(date(2027, 10, 2)) == (False, True)
    assert add_workdays(date(2026, 12, 30), 1) == Day(date(2026, 12, 31))
    assert add_workdays(date(2026, 12, 30), 2) == Day(date(2027, 1, 1), estimated=True)
    assert workdays_between(date(2026, 12, 28), date(2027, 1, 4)) == Count(5, estimated=True)


def test_the_first_day_does_not_count() -> None:
    assert add_workdays(date(2026, 11, 23), 0) == Day(date(2026, 11, 23))
    assert add_workdays(date(2026, 11, 23), 5) == Day(date(2026, 11, 30))
    assert workdays_between(date(2026, 11, 23), date(2026, 11, 30)) == Count(5)
    assert workdays_between(date(2026, 11, 30), date(2026, 11, 23)) == Count(0)


@pytest.mark.parametrize("count", [-1, 40_001])
def test_what_cannot_be_counted_is_refused(count: int) -> None:
    with pytest.raises(ValueError, match="cannot be counted"):
        add_workdays(date(2026, 1, 1), count)


@pytest.mark.parametrize(
    ("start", "term", "end"),
    [
        (date(2026, 11, 23), Term(30, "d"), date(2026, 12, 23)),
        (date(2026, 11, 23), Term(3, "workday"), date(2026, 11, 26)),
        (date(2026, 11, 30), Term(3, "month"), date(2027, 2, 28)),
        (date(2024, 2, 29), Term(1, "year"), date(2025, 2, 28)),
    ],
)
def test_a_term_ends_on_its_last_day(start: date, term: Term, end: date) -> None:
    assert last_day(start, term).on == end


def test_months_go_back_too() -> None:
    assert add_months(date(2026, 3, 31), -1) == date(2026, 2, 28)
    assert add_months(date(2026, 1, 15), -1) == date(2025, 12, 15)


def test_a_day_ends_at_midnight_in_the_city() -> None:
    assert ends_at(date(2026, 11, 23)) == datetime(2026, 11, 23, 16, tzinfo=UTC)
    assert today(datetime(2026, 11, 23, 15, 59, tzinfo=UTC)) == date(2026, 11, 23)
    assert today(datetime(2026, 11, 23, 16, tzinfo=UTC)) == date(2026, 11, 24)
