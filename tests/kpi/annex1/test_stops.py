"""Unplanned stops from a machine's own state."""

from datetime import datetime
from typing import Any

import pytest

from kpi.annex1.stops import stops_of
from kpi.calendar import to_us
from tests.kpi.builders import (
    ALWAYS,
    IDLE,
    PLANNED_DOWN,
    RUN,
    START_US,
    STATE,
    STATES,
    STOPPED,
    planned,
    rows,
    tag,
)


def stops(*given: Any, calendar: Any = ALWAYS) -> list[tuple[float, float]]:
    """The stops of the first eight hours, in minutes from the start."""
    window = START_US, START_US + 8 * 3_600_000_000
    found = stops_of("M01", tag(STATE), STATES, rows({STATE: given}), calendar, window)
    return [(_minutes(stop.start), _minutes(stop.end)) for stop in found]


def _minutes(at: datetime) -> float:
    return (to_us(at) - START_US) / 60e6


@pytest.mark.parametrize(("minutes", "expected"), [(5, [(10, 15)]), (4.99, [])])
def test_a_stop_lasts_five_minutes(minutes: float, expected: list[tuple[float, float]]) -> None:
    assert stops((0, RUN), (10, STOPPED), (10 + minutes, RUN), (20, RUN)) == expected


def test_rows_that_say_the_same_again_make_one_stop() -> None:
    given = (0, RUN), (10, STOPPED), (12, STOPPED), (14, PLANNED_DOWN), (18, IDLE)
    assert stops(*given) == [(10, 18)]


def test_a_stop_outside_planned_time_is_none() -> None:
    given = (0, RUN), (10, STOPPED), (30, RUN), (40, STOPPED), (50, RUN)
    assert stops(*given, calendar=planned((35, 60))) == [(40, 50)]


def test_a_stop_ends_where_nobody_knows() -> None:
    assert stops((0, STOPPED), (10, None), (30, STOPPED), (36, RUN)) == [(0, 10), (30, 36)]
    assert stops((0, STOPPED)) == [(0, 45)]


def test_without_rows_there_is_no_stop() -> None:
    assert stops() == []
