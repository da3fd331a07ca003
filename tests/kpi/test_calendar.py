"""Planned busy time: shifts over midnight, holidays, stops, daylight saving, and its sums."""

from datetime import UTC, date, datetime, timedelta, timezone

import numpy as np
import pytest

from kpi.calendar import (
    DOWN,
    OFF,
    PLANNED,
    Calendar,
    add_months,
    asset_calendar,
    from_us,
    local_midnight,
    months,
    to_us,
)
from tests.kpi.builders import monitoring_plan, shift, stop

CHINA = timezone(timedelta(hours=8))
EVERY_DAY = range(1, 8)


def china(day: int, hour: int = 0, minute: int = 0) -> datetime:
    """A moment of March 2026 in local time; the second is a Monday."""
    return datetime(2026, 3, day, hour, minute, tzinfo=CHINA)


def hours_of(calendar: Calendar, kind: int, start: datetime, end: datetime) -> float:
    """Hours of one kind in [start, end), for a calendar that was made up to the end or beyond."""
    edges = np.array([to_us(start), to_us(end)], np.int64)
    until = max(end, from_us(int(calendar.at_us[-1])))
    before, upto = calendar.cumulative(kind, edges, until)
    return float(upto - before) / 3600


def test_a_night_shift_belongs_to_the_day_on_which_it_starts() -> None:
    night = [shift(1, "20:00", 12)]
    whole = asset_calendar(monitoring_plan(shifts=night), 1, china(2), china(4))
    assert hours_of(whole, PLANNED, china(2), china(3)) == 4
    assert hours_of(whole, PLANNED, china(3), china(4)) == 8


def test_a_holiday_takes_the_night_shift_that_starts_on_it_whole() -> None:
    nights = [shift(day, "20:00", 12) for day in EVERY_DAY]
    plan = monitoring_plan(shifts=nights, holidays=[date(2026, 3, 3)])
    found = asset_calendar(plan, 1, china(2), china(5))
    assert hours_of(found, PLANNED, china(3), china(3, 8)) == 8, "Monday's shift ends as usual"
    assert hours_of(found, PLANNED, china(3, 8), china(4, 20)) == 0
    assert hours_of(found, PLANNED, china(4, 20), china(5)) == 4


def test_a_window_that_starts_inside_a_night_shift_knows_it() -> None:
    plan = monitoring_plan(shifts=[shift(1, "20:00", 12)])
    found = asset_calendar(plan, 1, china(3, 5), china(3, 12))
    assert hours_of(found, PLANNED, china(3, 5), china(3, 12)) == 3


def test_overlapping_shifts_count_once() -> None:
    plan = monitoring_plan(shifts=[shift(1, "08:00", 8, "早班"), shift(1, "12:00", 8, "中班")])
    found = asset_calendar(plan, 1, china(2), china(3))
    assert hours_of(found, PLANNED, china(2), china(3)) == 12
    assert hours_of(found, OFF, china(2), china(3)) == 12


def test_planned_stops_leave_planned_time_and_take_no_more_than_the_shift() -> None:
    stops = [stop(china(2, 6), 4), stop(china(2, 9), 3), stop(china(2, 20), 5)]
    plan = monitoring_plan(shifts=[shift(1, "08:00", 8)], stops=stops)
    found = asset_calendar(plan, 1, china(2), china(3))
    assert hours_of(found, DOWN, china(2), china(3)) == 4, "from 08:00 to 12:00"
    assert hours_of(found, PLANNED, china(2), china(3)) == 4
    assert hours_of(found, OFF, china(2), china(3)) == 16


def test_a_stop_of_one_asset_leaves_the_others_planned() -> None:
    stops = [stop(china(2, 8), 2, asset_id=1), stop(china(2, 14), 1)]
    plan = monitoring_plan(shifts=[shift(1, "08:00", 8)], stops=stops)
    stopped, other = (asset_calendar(plan, number, china(2), china(3)) for number in (1, 2))
    assert hours_of(stopped, DOWN, china(2), china(3)) == 3
    assert hours_of(other, DOWN, china(2), china(3)) == 1


def test_edges_are_half_open() -> None:
    plan = monitoring_plan(shifts=[shift(1, "08:00", 8)], stops=[stop(china(2, 10), 1)])
    found = asset_calendar(plan, 1, china(2), china(3))
    steps = {from_us(int(at)): int(kind) for at, kind in zip(found.at_us, found.kind, strict=True)}
    assert steps == {
        china(2): OFF,
        china(2, 8): PLANNED,
        china(2, 10): DOWN,
        china(2, 11): PLANNED,
        china(2, 16): OFF,
    }


def test_shifts_that_meet_leave_no_gap() -> None:
    plan = monitoring_plan(shifts=[shift(1, "00:00", 12, "早班"), shift(1, "12:00", 12, "晚班")])
    found = asset_calendar(plan, 1, china(2), china(3))
    assert hours_of(found, PLANNED, china(2), china(3)) == 24


def test_without_shifts_nothing_is_planned_even_during_a_stop() -> None:
    found = asset_calendar(monitoring_plan(stops=[stop(china(2, 8), 2)]), 1, china(2), china(3))
    assert hours_of(found, OFF, china(2), china(3)) == 24


def test_cumulative_seconds_grow_inside_the_kind_only_and_end_with_the_calendar() -> None:
    plan = monitoring_plan(shifts=[shift(1, "08:00", 8)])
    until = china(2, 12)
    found = asset_calendar(plan, 1, china(2), until)
    asked = [china(2), china(2, 8), china(2, 9, 30), china(2, 12), china(2, 23)]
    edges = np.array([to_us(at) for at in asked], np.int64)
    assert found.cumulative(PLANNED, edges, until).tolist() == [0, 0, 5400, 14_400, 14_400]


@pytest.mark.parametrize(
    ("day", "begins", "day_hours"),
    [
        (date(2026, 3, 28), datetime(2026, 3, 28, 7, tzinfo=UTC), 24),
        (date(2026, 3, 29), datetime(2026, 3, 29, 6, tzinfo=UTC), 23),
        (date(2026, 10, 25), datetime(2026, 10, 25, 7, tzinfo=UTC), 25),
    ],
    ids=["an ordinary day", "clocks go forward", "clocks go back"],
)
def test_daylight_saving_moves_a_shift_and_leaves_its_length(
    day: date, begins: datetime, day_hours: int
) -> None:
    shifts = [shift(weekday, "08:00", 9) for weekday in EVERY_DAY]
    plan = monitoring_plan(shifts=shifts, timezone="Europe/Berlin")
    start, end = (local_midnight(each, "Europe/Berlin") for each in (day, day + timedelta(days=1)))
    found = asset_calendar(plan, 1, start, end)
    assert hours_of(found, PLANNED, start, begins) == 0
    assert hours_of(found, PLANNED, begins, begins + timedelta(hours=9)) == 9
    assert hours_of(found, OFF, start, end) == day_hours - 9


def test_a_night_shift_lasts_as_long_in_the_night_of_the_clock_change() -> None:
    plan = monitoring_plan(shifts=[shift(6, "22:00", 8)], timezone="Europe/Berlin")
    start, end = datetime(2026, 3, 28, tzinfo=UTC), datetime(2026, 3, 30, tzinfo=UTC)
    found = asset_calendar(plan, 1, start, end)
    begins = datetime(2026, 3, 28, 21, tzinfo=UTC)
    assert hours_of(found, PLANNED, begins, begins + timedelta(hours=8)) == 8
    assert hours_of(found, PLANNED, start, end) == 8


def test_months_are_half_open_pairs_over_the_turn_of_the_year() -> None:
    assert months(date(2025, 11, 1), date(2026, 2, 1)) == [
        (date(2025, 11, 1), date(2025, 12, 1)),
        (date(2025, 12, 1), date(2026, 1, 1)),
        (date(2026, 1, 1), date(2026, 2, 1)),
    ]


def test_months_are_counted_backwards_too() -> None:
    assert add_months(date(2026, 1, 1), -1) == date(2025, 12, 1)
    assert add_months(date(2026, 1, 1), -13) == date(2024, 12, 1)
    assert add_months(date(2026, 1, 1), 11) == date(2026, 12, 1)


def test_local_midnight_is_eight_hours_before_that_of_utc() -> None:
    assert local_midnight(date(2026, 3, 2), "Asia/Shanghai") == datetime(2026, 3, 1, 16, tzinfo=UTC)
