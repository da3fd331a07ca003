"""Time in states: holds, carries, unknown time."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpi.errors import NotComputable
from kpi.formulas.states import UNKNOWN, intervals, state_time


def test_states_are_weighted_by_time_and_not_by_rows() -> None:
    """Three of five rows run, but only 3 of 203 seconds."""
    samples = [(0, "RUN"), (1, "RUN"), (2, "RUN"), (3, "STOP"), (103, "STOP")]
    assert state_time(samples, (0, 203)) == {"RUN": 3, "STOP": 200, "UNKNOWN": 0}


def test_the_last_sample_before_the_window_is_carried_in() -> None:
    found = state_time([(100, "STOP")], (0, 200), max_hold_s=180, previous=(-50, "RUN"))
    assert found == {"RUN": 100, "STOP": 100, "UNKNOWN": 0}


def test_a_state_speaks_for_the_hold_and_then_nobody_knows() -> None:
    found = state_time([(0, "RUN"), (1000, "STOP")], (0, 1500), max_hold_s=300)
    assert found == {"RUN": 300, "STOP": 300, "UNKNOWN": 900}


def test_the_carried_state_may_have_run_out() -> None:
    found = state_time([(100, "RUN")], (0, 200), max_hold_s=180, previous=(-150, "STOP"))
    assert found == {"STOP": 30, "RUN": 100, "UNKNOWN": 70}


def test_without_samples_all_is_unknown() -> None:
    assert state_time([], (0, 60)) == {"UNKNOWN": 60}


def test_before_the_first_sample_all_is_unknown() -> None:
    assert state_time([(40, "RUN")], (0, 60)) == {"RUN": 20, "UNKNOWN": 40}


def test_an_unavailable_agent_is_unknown_and_not_stopped() -> None:
    """MTConnect reports UNAVAILABLE where the agent does not know."""
    samples = [(0, "RUN"), (10, "UNAVAILABLE"), (30, "RUN"), (35, None)]
    assert state_time(samples, (0, 60)) == {"RUN": 15, "UNKNOWN": 45}


def test_samples_outside_the_window_only_carry() -> None:
    samples = [(-20, "STOP"), (-10, "RUN"), (70, "STOP")]
    assert state_time(samples, (0, 60)) == {"STOP": 0, "RUN": 60, "UNKNOWN": 0}


def test_order_of_arrival_does_not_matter() -> None:
    samples = [(900, "RUN"), (0, "RUN"), (600, "STOP")]
    assert state_time(samples, (0, 1800)) == {"RUN": 1500, "STOP": 300, "UNKNOWN": 0}


def test_of_two_states_at_one_time_the_later_row_holds() -> None:
    assert state_time([(0, "STOP"), (0, "RUN")], (0, 60))["RUN"] == 60


@pytest.mark.parametrize("window", [(60, 60), (60, 0)])
def test_an_empty_window_is_refused(window: tuple[float, float]) -> None:
    with pytest.raises(NotComputable, match="empty"):
        state_time([(0, "RUN")], window)


def test_a_hold_must_be_positive() -> None:
    with pytest.raises(NotComputable, match="hold"):
        state_time([(0, "RUN")], (0, 60), max_hold_s=0)


samples_strategy = st.lists(
    st.tuples(st.integers(-2000, 4000), st.sampled_from(["RUN", "STOP", "SETUP", None])),
    max_size=30,
)


@given(samples_strategy, st.integers(1, 2000), st.none() | st.integers(1, 500))
def test_seconds_sum_to_the_window(
    samples: list[tuple[int, str | None]], length: int, hold: int | None
) -> None:
    found = state_time(samples, (0, length), max_hold_s=hold)
    assert sum(found.values()) == pytest.approx(length)


@given(samples_strategy, st.none() | st.integers(1, 500), st.integers(-500, 0))
def test_intervals_fill_the_window_without_gap(
    samples: list[tuple[int, str | None]], hold: int | None, carried: int
) -> None:
    times = np.array(sorted(t for t, _ in samples if t > carried), dtype=np.int64)
    found = intervals(
        times,
        np.arange(len(times)),
        start_us=0,
        end_us=3000,
        max_hold_us=hold,
        previous=(carried, 99),
    )
    assert found.start_us[0] == 0
    assert found.end_us[-1] == 3000
    assert np.array_equal(found.end_us[:-1], found.start_us[1:])
    assert np.all(found.end_us > found.start_us)
    if hold is not None:
        known = found.state != UNKNOWN
        assert np.all((found.end_us - found.start_us)[known] <= hold)
