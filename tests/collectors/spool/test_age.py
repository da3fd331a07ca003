"""What is too old, while somebody sets the clock."""

from pathlib import Path

import pytest

from collectors.spool.age import AgeClock
from collectors.spool.bounds import Bounds
from collectors.spool.spool import Spool
from tests.collectors.spool.held import IDS, count, make_outbox, put, rows_of, samples

SECOND = 1_000_000
HOUR = 3600 * SECOND
DAY = 24 * HOUR
YEARS = 3650 * DAY
START = 1_772_323_200 * SECOND


class Clocks:
    """A wall clock that can be set, and one that cannot."""

    def __init__(self, max_age_s: float = 3600) -> None:
        self.wall_us, self.steady_us = START, 77 * SECOND
        self.age = AgeClock(max_age_s, lambda: self.wall_us, lambda: self.steady_us)

    def pass_by(self, us: int, step_us: int = 0) -> int:
        """Let time pass, set the wall clock at its end, and return what is too old then."""
        self.wall_us += us + step_us
        self.steady_us += us
        return self.age.too_old_us()


def test_without_a_step_the_wall_clock_tells() -> None:
    clocks = Clocks()
    assert clocks.pass_by(0) == START - HOUR
    assert clocks.pass_by(2 * HOUR) == START + HOUR


@pytest.mark.parametrize("step_us", [YEARS, -YEARS])
def test_a_step_makes_nothing_old_that_is_not(step_us: int) -> None:
    clocks = Clocks()
    for _ in range(60):
        assert clocks.pass_by(60 * SECOND) <= START
    before = clocks.pass_by(0, step_us)
    assert before <= START + min(step_us, 0)
    assert clocks.pass_by(30 * 60 * SECOND) <= START + HOUR


def test_a_step_ahead_is_believed_once_all_from_before_is_old() -> None:
    clocks = Clocks()
    clocks.pass_by(0, YEARS)
    assert clocks.pass_by(HOUR) < START + HOUR
    assert clocks.pass_by(SECOND) == START + YEARS + SECOND


def test_a_clock_that_is_set_to_and_fro_counts_by_its_least() -> None:
    clocks = Clocks()
    for step_us in (YEARS, -YEARS, -DAY, YEARS, DAY, -YEARS):
        clocks.pass_by(SECOND, step_us)
    assert clocks.pass_by(0) == START - DAY + 6 * SECOND - HOUR


def test_a_clock_that_leaps_ahead_for_a_moment_costs_nothing_that_waits(path: Path) -> None:
    clocks = Clocks(86_400)
    spool = Spool(path, Bounds(max_bytes=10_000_000, max_age_s=86_400), clocks.age)
    outbox = make_outbox(path)
    outbox.learn_tags(IDS)
    for us, step_us in ((0, 0), (60 * SECOND, YEARS), (60 * SECOND, -YEARS)):
        clocks.pass_by(us, step_us)
        delivery = samples("A", (clocks.wall_us, 1.0))
        delivery.arrived_us = clocks.wall_us
        put(spool, delivery)
    assert count(path, "dropped_rows") == 0
    clocks.pass_by(2 * DAY)
    put(spool, samples("B", (5, 1.0)))
    assert count(path, "dropped_rows") == 1
    assert len(rows_of(outbox.cut(10, None))) == 4
    outbox.close()
    spool.close()
