"""Working time of the two factories."""

import itertools
from datetime import date

import numpy as np

from simulators import clock, scenarios
from simulators.calendars import WorkCalendar
from simulators.clock import SECOND_US
from simulators.plant import Plant

RENOVATION = date(2025, 3, 1)


def _calendar(name: str) -> WorkCalendar:
    scenario = scenarios.load(name)
    codes = tuple(each.code for each in scenario.equipment)
    return WorkCalendar(scenario.calendar, RENOVATION, codes)


def _day(text: str) -> int:
    return clock.day_number(date.fromisoformat(text))


def test_sundays_and_closed_days_have_no_shift() -> None:
    calendar = _calendar("machining")
    days = ["2025-03-10", "2025-03-16", "2025-10-01", "2026-02-17"]
    working = calendar.working(np.array([_day(each) for each in days]))
    assert working.tolist() == [True, False, False, False]


def test_the_late_shift_ends_on_the_next_day() -> None:
    calendar = _calendar("machining")
    (_, early_end), (late_start, late_end) = calendar.shift_intervals(
        _day("2025-03-10"), _day("2025-03-11")
    )
    assert early_end == late_start
    assert late_end == clock.midnight_us(_day("2025-03-11")) + 4 * 3600 * SECOND_US


def test_continuous_operation_leaves_no_gap() -> None:
    intervals = _calendar("fibre").shift_intervals(_day("2025-03-01"), _day("2025-03-31"))
    assert all(a[1] == b[0] for a, b in itertools.pairwise(intervals))


def test_a_stop_takes_its_time_from_the_window() -> None:
    calendar = _calendar("machining")
    stop = next(each for each in calendar.stops if each.asset == "M05")
    day = clock.local_day(stop.start_us)
    for asset, opens_h in (("M05", 16.0), ("M06", 8.0)):
        windows = calendar.windows(asset, np.array([day]))
        assert windows.open_s[0] / 3600 == opens_h
        assert windows.close_s[0] / 3600 == 28.0


def test_one_stop_was_filed_only_after_it_began(machining: Plant) -> None:
    late = [each for each in machining.calendar.stops if each.filed_us >= each.start_us]
    assert [each.asset for each in late] == ["M04"]
    assert machining.renovation_us < late[0].start_us < machining.as_of_us
