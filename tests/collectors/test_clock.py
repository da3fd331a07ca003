"""Clocks that jumped are flagged, and no time is ever replaced."""

import logging
from datetime import UTC, datetime

import numpy as np
import pytest

from collectors import status
from collectors.clock import GatewayClock, SourceClock, flagged, suspect
from collectors.columns import TagTable
from collectors.inlet import Inlet
from collectors.sample import Delivery, measured, now_us, to_us

NOW_US = to_us(datetime(2026, 3, 2, 8, tzinfo=UTC))
HOUR_US = 3_600_000_000


@pytest.mark.parametrize(
    ("ts_us", "is_suspect"),
    [
        (to_us(datetime(2000, 1, 1, tzinfo=UTC)), True),
        (0, True),
        (NOW_US + HOUR_US, True),
        (NOW_US + 1_000_000, False),
        (NOW_US, False),
        (NOW_US - 400 * 24 * HOUR_US, False),
    ],
)
def test_a_time_is_suspect_where_it_cannot_be_right(ts_us: int, is_suspect: bool) -> None:
    assert suspect(np.array([ts_us]), NOW_US).tolist() == [is_suspect]


def test_a_good_row_under_suspicion_becomes_uncertain_and_a_bad_one_stays_bad() -> None:
    codes = np.array([status.GOOD, status.BAD_TIMEOUT, status.GOOD], np.int32)
    found = flagged(codes, np.array([True, True, False]))
    assert found.tolist() == [status.UNCERTAIN, status.BAD_TIMEOUT, status.GOOD]


def test_a_source_whose_clock_is_hours_off_is_said_once_and_its_recovery_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock = SourceClock("line 1")
    with caplog.at_level(logging.WARNING, "collectors.clock"):
        notes = [clock.observe(skew_s) for skew_s in (0.2, 10_920.0, 10_921.0, None, 0.1, 0.2)]
    (note,) = [note for note in notes if note is not None]
    assert "3 h 2 min behind the gateway's" in note.reason
    assert len(caplog.records) == 2
    assert not clock.is_wrong


def test_a_clock_that_is_ahead_is_said_as_such() -> None:
    note = SourceClock("line 1").observe(-600.0)
    assert note is not None
    assert "10 min 0 s ahead of" in note.reason


class Clocks:
    """A wall clock that can be set, and one that cannot."""

    def __init__(self) -> None:
        self.wall_s, self.steady_s = 1_772_000_000.0, 50.0

    def pass_by(self, seconds: float, step_s: float = 0.0) -> None:
        self.wall_s += seconds + step_s
        self.steady_s += seconds


@pytest.mark.parametrize(
    ("step_s", "said"), [(7200.0, "forward by 2 h 0 min"), (-86_400.0, "back by 1 d 0 h")]
)
def test_a_step_of_the_gateway_clock_is_told_once(step_s: float, said: str) -> None:
    clocks = Clocks()
    watch = GatewayClock(lambda: clocks.wall_s, lambda: clocks.steady_s)
    clocks.pass_by(10.0)
    assert watch.look() is None
    clocks.pass_by(1.0, step_s)
    note = watch.look()
    assert note is not None
    assert said in note.reason
    clocks.pass_by(10.0)
    assert watch.look() is None
    assert watch.steps == 1


def test_a_clock_that_is_slewed_a_little_is_no_step() -> None:
    clocks = Clocks()
    watch = GatewayClock(lambda: clocks.wall_s, lambda: clocks.steady_s)
    for _ in range(1000):
        clocks.pass_by(1.0, 0.01)
        assert watch.look() is None


def through(*deliveries: Delivery) -> Delivery:
    """Return what an inlet leaves of deliveries that came one after the other."""
    inlet = Inlet("line 1", 60.0, TagTable(["a", "b"]))
    for delivery in deliveries:
        inlet.take([delivery])
    return deliveries[-1]


def test_a_value_from_the_year_2000_keeps_its_time_and_is_flagged_never_stored_as_now() -> None:
    then = to_us(datetime(2000, 1, 1, tzinfo=UTC))
    found = through(Delivery(samples=[measured("a", then, 5.0), measured("b", now_us(), 6.0)]))
    old, new = found.all_samples()
    assert (old.ts_us, old.value, old.status) == (then, 5.0, status.UNCERTAIN)
    assert new.status == status.GOOD


def test_rows_of_a_source_that_is_hours_off_are_flagged_until_it_is_right_again() -> None:
    off = Delivery(samples=[measured("a", now_us() - 7_200_000_000, 5.0)], skew_s=7200.0)
    found = through(off)
    assert [one.status for one in found.all_samples()] == [status.UNCERTAIN]
    assert "2 h 0 min behind" in found.refused[0].reason
    right = Delivery(samples=[measured("a", now_us(), 6.0)], skew_s=0.1)
    off = Delivery(samples=[measured("a", now_us() - 7_200_000_000, 5.0)], skew_s=7200.0)
    assert [one.status for one in through(off, right).all_samples()] == [status.GOOD]


@pytest.mark.parametrize("ahead_us", [HOUR_US, 200_000 * HOUR_US])
def test_after_the_clock_was_set_back_only_changes_and_heartbeats_are_stored(
    ahead_us: int,
) -> None:
    """Beside a newest row that lies ahead every reading is late, and would be stored."""
    inlet, found = Inlet("line 1", 60.0, TagTable(["a"])), []
    start_us = now_us()
    for ts_us in (start_us + ahead_us, *(start_us + n * 1_000_000 for n in range(50))):
        delivery = Delivery(samples=[measured("a", ts_us, 5.0)])
        inlet.take([delivery])
        found += [sample.ts_us for sample in delivery.all_samples()]
    assert found == [start_us + ahead_us, start_us]


def test_a_source_that_is_always_ahead_is_stored_on_change_as_well() -> None:
    inlet, found = Inlet("line 1", 60.0, TagTable(["a"])), []
    start_us = now_us() + HOUR_US
    for n in range(50):
        delivery = Delivery(samples=[measured("a", start_us + n * 1_000_000, 5.0)])
        inlet.take([delivery])
        found += delivery.all_samples()
    assert len(found) == 1
