"""Registers: resets, rollovers, spikes, duplicates, meter exchanges."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpi.errors import NotComputable
from kpi.formulas.counters import (
    LEVEL_SHIFT,
    NONE,
    RESET,
    SPIKE,
    Increments,
    MeterSegment,
    counter,
    increments,
    meter,
)

Samples = list[tuple[float, float]]
KWH = {"modulus": 1_000_000.0, "max_rate": 0.01}


def run(samples: Samples, *, modulus: float | None = None, rate: float | None = None) -> Increments:
    return increments(
        np.array([round(t * 1e6) for t, _ in samples], dtype=np.int64),
        np.array([v for _, v in samples], dtype=np.float64),
        modulus=modulus,
        max_rate_per_s=rate,
    )


def test_published_increase_is_not_extrapolated() -> None:
    """Prometheus discussion 11466: increase() prints 86144000 where the register moved 68915200."""
    found = counter(
        [
            (0, 23758450955264),
            (60, 23758499419136),
            (120, 23758518625280),
            (180, 23758519292928),
            (240, 23758519870464),
        ]
    )
    assert (found.increase, found.events) == (68915200, ())


def test_a_drop_is_a_reset_that_adds_the_new_value() -> None:
    found = counter([(0, 100), (60, 150), (120, 10), (180, 40)])
    assert (found.increase, found.events) == (90, ("reset",))


@pytest.mark.parametrize(
    ("samples", "modulus", "rate", "increase"),
    [
        ([(0, 999_998.0), (900, 3.0)], 1_000_000, 0.01, 5),
        ([(0, 65_530), (60, 10)], 2**16, 1, 16),
        ([(0, 2**32 - 10), (60, 20)], 2**32, 1, 30),
    ],
)
def test_a_rollover_needs_modulus_and_plausible_rate(
    samples: Samples, modulus: float, rate: float, increase: float
) -> None:
    proven = counter(samples, modulus=modulus, max_rate=rate)
    assert (proven.increase, proven.events) == (increase, ("rollover",))
    for unproven in (counter(samples), counter(samples, modulus=modulus)):
        assert (unproven.increase, unproven.events) == (samples[1][1], ("reset",))


def test_an_implausible_rollover_is_a_reset() -> None:
    """600 005 kWh within 15 minutes is impossible."""
    found = counter([(0, 400_000), (900, 5)], **KWH)
    assert (found.increase, found.events) == (5, ("reset",))


def test_the_rate_limit_itself_is_plausible() -> None:
    assert counter([(0, 0), (900, 9)], max_rate=0.01).events == ()
    assert counter([(0, 0), (900, 9.001)], max_rate=0.01).events == ("spike",)


def test_a_whole_step_shows_at_once_however_high_the_rate() -> None:
    """A piece that was finished between two rows 8.5 s apart, of a machine that needs 10 s."""
    t_us = np.array([0, 8_500_000], dtype=np.int64)
    for after, step, kept in ((6.0, 1.0, True), (7.0, 1.0, False), (6.0, 0.0, False)):
        found = increments(t_us, np.array([5.0, after]), max_rate_per_s=0.1, step=step)
        assert found.increase.tolist() == ([after - 5] if kept else [])
        assert len(found.excluded_us) == (not kept)


def test_counting_goes_on_from_the_last_good_sample_after_a_spike() -> None:
    samples: Samples = [(0, 1000), (900, 1000.5), (1800, 9000.5), (2700, 1001.5)]
    found = counter(samples, max_rate=0.01)
    assert (found.increase, found.events) == (1.5, ("spike",))
    bridged = run(samples, rate=0.01)
    assert bridged.event.tolist() == [NONE, SPIKE]
    assert bridged.excluded_us.tolist() == [1_800_000_000]
    assert bridged.start_us.tolist() == [0, 900_000_000]


def test_a_single_dropout_is_a_spike_and_no_reset() -> None:
    """The register goes on right after; from the dropped value it could not."""
    found = counter([(0, 1000), (900, 1000.5), (1800, 0), (2700, 1001.5)], max_rate=0.01)
    assert (found.increase, found.events) == (1.5, ("spike",))


def test_a_reset_to_an_impossible_value_adds_nothing() -> None:
    """From zero the register cannot have reached 5000 within 15 minutes."""
    found = counter([(0, 400_000), (900, 5_000)], **KWH)
    assert (found.increase, found.events) == (0, ("spike",))


def test_a_lasting_new_level_is_taken_over_without_counting_the_jump() -> None:
    samples: Samples = [(900 * i, 1000 + i) for i in range(4)]
    samples += [(900 * i, 8000 + i) for i in range(4, 9)]
    found = run(samples, rate=0.01)
    assert found.event.tolist() == [NONE, NONE, NONE, LEVEL_SHIFT, NONE, NONE, NONE, NONE]
    assert found.increase.tolist() == [1, 1, 1, 0, 1, 1, 1, 1]
    assert counter(samples, max_rate=0.01).events == ("spike",)


@pytest.mark.parametrize("impossible", [-1.0, 70_000.0, float("nan")])
def test_values_that_the_register_cannot_show_are_kept_out(impossible: float) -> None:
    found = run([(0, 10), (60, impossible), (120, 12)], modulus=2**16)
    assert found.increase.tolist() == [2]
    assert found.event.tolist() == [SPIKE], "what it bridges is in doubt"
    assert found.excluded_us.tolist() == [60_000_000]


def test_impossible_values_before_and_after_all_others_lie_in_no_interval() -> None:
    found = run([(0, -1.0), (60, 10), (120, 12), (180, -1.0)])
    assert found.increase.tolist() == [2]
    assert found.event.tolist() == [NONE]
    assert found.excluded_us.tolist() == [0, 180_000_000]


def test_resets_between_spikes_keep_their_places() -> None:
    samples: Samples = [(0, 5), (10, 9000), (20, 6), (30, 1), (40, 9000), (50, 3), (60, 4)]
    found = run(samples, rate=1)
    assert found.increase.tolist() == [1, 1, 2, 1]
    assert found.event.tolist() == [SPIKE, RESET, SPIKE, NONE]
    assert counter(samples, max_rate=1).events == ("spike", "reset", "spike")


def test_of_two_values_at_one_time_the_first_counts() -> None:
    found = counter([(0, 10), (60, 12), (60, 11), (120, 15)])
    assert (found.increase, found.events) == (5, ())


def test_samples_without_value_and_out_of_order_are_no_trouble() -> None:
    assert counter([(120, 15), (60, None), (0, 10), (60, 12)]).increase == 5


@pytest.mark.parametrize(
    "samples", [[], [(0, 5)], [(0, 5), (0, 5)], [(0, 5), (60, None)]], ids=repr
)
def test_an_increase_needs_two_samples(samples: list[tuple[float, float | None]]) -> None:
    with pytest.raises(NotComputable, match="two samples"):
        counter(samples)


@pytest.mark.parametrize("setting", [{"modulus": 0.0}, {"max_rate": -1.0}], ids=repr)
def test_settings_must_be_positive(setting: dict[str, float]) -> None:
    with pytest.raises(NotComputable):
        counter([(0, 1), (60, 2)], **setting)


def test_an_empty_register_has_no_intervals() -> None:
    assert run([]).increase.tolist() == []
    assert run([(0, 1)], rate=1).event.tolist() == []


rises = st.lists(st.integers(0, 1000), min_size=2, max_size=40)


@given(rises)
def test_a_rising_register_increases_by_last_minus_first(steps: list[int]) -> None:
    values = np.cumsum(steps).tolist()
    found = counter([(60 * i, v) for i, v in enumerate(values)], modulus=2**16, max_rate=1000)
    assert found.increase == values[-1] - values[0]


@given(st.lists(st.integers(0, 60_000), min_size=2, max_size=40), st.data())
def test_duplicated_rows_change_nothing(values: list[int], data: st.DataObject) -> None:
    samples = [(60.0 * i, float(v)) for i, v in enumerate(values)]
    repeated = data.draw(st.lists(st.sampled_from(samples), max_size=10))
    once = counter(samples, modulus=2**16, max_rate=100)
    assert counter(samples + repeated, modulus=2**16, max_rate=100) == once


@given(st.lists(st.integers(0, 2**16 - 1), min_size=2, max_size=60))
def test_no_increase_is_negative_or_faster_than_possible(values: list[int]) -> None:
    """Any noise: the kept intervals obey physics and chain without gap."""
    found = run([(10 * i, v) for i, v in enumerate(values)], modulus=2**16, rate=500)
    seconds = (found.end_us - found.start_us) / 1e6
    assert np.all(found.increase >= 0)
    assert np.all(found.increase <= 500 * seconds * (1 + 1e-6))
    assert np.array_equal(found.end_us[:-1], found.start_us[1:])
    assert len(found.excluded_us) + len(found.increase) + 1 == len(values)


@given(st.integers(1, 600), st.lists(st.integers(1, 200), min_size=1, max_size=30))
def test_a_rolling_register_loses_nothing(first: int, steps: list[int]) -> None:
    true = first + np.cumsum([0, *steps])
    samples = [(60 * i, float(v % 1000)) for i, v in enumerate(true.tolist())]
    found = counter(samples, modulus=1000, max_rate=4)
    assert found.increase == sum(steps)
    assert set(found.events) <= {"rollover"}


def test_a_multiplier_holds_for_its_own_segment() -> None:
    assert meter([MeterSegment(0, 12.5, 8000)]) == 100_000
    assert meter([MeterSegment(0, 100, 80), MeterSegment(100, 200, 120)]) == 20_000


def test_an_exchanged_meter_goes_on_from_its_own_first_reading() -> None:
    assert meter([MeterSegment(98_000, 98_500, 40), MeterSegment(12, 112, 40)]) == 24_000


@pytest.mark.parametrize(
    "segments",
    [[], [MeterSegment(10, 5, 1)], [MeterSegment(0, 5, 0)], [MeterSegment(-1, 5, 1)]],
    ids=repr,
)
def test_meter_refuses(segments: list[MeterSegment]) -> None:
    with pytest.raises(NotComputable):
        meter(segments)
