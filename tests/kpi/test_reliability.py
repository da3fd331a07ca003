"""Failures from state intervals: five minutes of planned time, unbroken, seen whole or not."""

from collections.abc import Sequence

import pytest

from kpi.calendar import Calendar
from kpi.reliability import Watched, together, watched
from tests.kpi.builders import (
    ALWAYS,
    IDLE,
    PLANNED_DOWN,
    RUN,
    STATE,
    STOPPED,
    TOTAL,
    Row,
    asset_plan,
    planned,
    rows,
    steady,
    tag,
    window,
)

_PLAN = asset_plan(tag(STATE))


def _seen(states: Sequence[Row], hours: int = 4, calendar: Calendar = ALWAYS) -> Watched:
    found = watched(_PLAN, rows({STATE: states}), calendar, window(0, hours))
    assert found is not None
    return found


def _states(*spans: tuple[int, float, float]) -> list[Row]:
    """Return (state, first minute, minute after the last) with a row every five minutes."""
    return [row for state, first, last in spans for row in steady(state, first, last - 0.1, 5)]


def test_stops_of_five_minutes_are_failures_and_shorter_ones_are_not() -> None:
    found = _seen(
        _states((RUN, 0, 60), (STOPPED, 60, 90), (RUN, 90, 120), (STOPPED, 120, 124),
                (RUN, 124, 240))
    )  # fmt: skip
    assert found.failures == 1
    assert found.restored_s == pytest.approx((1800,))
    assert found.run_s == pytest.approx((60 + 30 + 116) * 60)
    assert together([found]).mtbf_s == pytest.approx(206 * 60)


def test_a_stop_that_calls_itself_planned_but_was_not_filed_goes_on_as_one_failure() -> None:
    found = _seen(_states((RUN, 0, 60), (STOPPED, 60, 75), (PLANNED_DOWN, 75, 90), (IDLE, 90, 240)))
    assert (found.failures, found.restored_s) == (1, (1800.0,))


def test_the_night_between_two_shifts_neither_ends_nor_lengthens_a_failure() -> None:
    shifts = planned((0, 60), (180, 240))
    found = _seen(_states((RUN, 0, 50), (STOPPED, 50, 190), (RUN, 190, 240)), calendar=shifts)
    assert (found.failures, found.restored_s) == (1, (1200.0,))
    # Nobody need hear of the machine at night.
    silent = _seen(_states((RUN, 0, 50), (STOPPED, 50, 61), (STOPPED, 180, 190), (RUN, 190, 240)),
                   calendar=shifts)  # fmt: skip
    assert (silent.failures, silent.restored_s) == (1, (1200.0,))


def test_what_the_window_or_unknown_time_cuts_off_was_not_seen_whole() -> None:
    found = _seen(_states((STOPPED, 0, 30), (RUN, 30, 60), (STOPPED, 60, 70), (RUN, 180, 240)))
    assert (found.failures, found.restored_s) == (2, ())
    assert found.known == pytest.approx((65 + 45 + 60) / 240), "the last state holds 45 minutes"
    assert (
        together([found]).mttr_reason
        == "the state is known in 70.8% of planned time, less than 75 %"
    )


def test_a_machine_without_state_makes_all_unknown() -> None:
    assert watched(asset_plan(tag(TOTAL)), rows({TOTAL: [(0, 1)]}), ALWAYS, window(0, 1)) is None
    known = _seen(_states((RUN, 0, 60), (STOPPED, 60, 90), (RUN, 90, 240)))
    assert together([known, None]).mtbf_reason == "a machine has no tag for its state"
    assert together([known, known]).failures == 2


def test_without_planned_time_there_is_no_mtbf() -> None:
    found = _seen(_states((RUN, 0, 240)), calendar=planned((300, 400)))
    assert together([found]).mtbf_reason == "no busy time was planned in the period"
