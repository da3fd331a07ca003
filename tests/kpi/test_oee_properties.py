"""What holds of OEE for every plant and every loss of data, not only for those thought of."""

from collections.abc import Sequence
from datetime import date

import numpy as np
import oee as independent
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kpi.calendar import Calendar
from kpi.figures import Estimate, Period
from kpi.figures.equipment import oee
from kpi.formulas.oee import OeePart, from_sums, oee_rollup
from tests.kpi.builders import (
    GOOD,
    IDLE,
    REJECT,
    RUN,
    SETUP,
    STATE,
    STOPPED,
    TOTAL,
    Row,
    asset_plan,
    facts,
    planned,
    tag,
)
from tests.kpi.evidence import bounds, evidence, one, produced
from tests.kpi.lossy import EVERYTHING, QUARTERS, Kept, Register, Shift, kept_rows, shifts, verified
from tests.kpi.test_figures_oee import machines

_DAY = date(2026, 3, 2)
_PERIOD = Period("month", _DAY, date(2026, 3, 3))
_ROUNDING = 1e-9


# The identity.


@st.composite
def _machine_days(draw: st.DrawFn) -> dict[str, float]:
    """Return a machine's day on which everything is known: performance up to 150 %."""
    planned_s = draw(st.floats(3_600, 86_400))
    run_s = planned_s * draw(st.floats(0.01, 1))
    total_s = run_s * draw(st.floats(0.01, 1.5))
    return produced(planned_s, run_s, total_s, total_s * draw(st.floats(0, 1)))


@given(st.lists(_machine_days(), min_size=1, max_size=4))
def test_availability_performance_and_quality_multiply_to_the_identity(
    days: list[dict[str, float]],
) -> None:
    by_machine = {number: {_DAY: sums} for number, sums in enumerate(days, 1)}
    found = oee(evidence(machines(len(days)), by_machine), _PERIOD)
    good = sum(sums["ideal_good_s"] for sums in days)
    identity = good / sum(sums["planned_s"] for sums in days)
    low, point, high = bounds(one(found, "oee"))
    assert (low, point, high) == pytest.approx((identity,) * 3)
    product = 1.0
    for factor in ("availability", "performance", "quality"):
        product *= bounds(one(found, factor))[1]
    assert product == pytest.approx(identity)


# The hour.

_SPANS = st.lists(st.integers(0, 24), min_size=2, max_size=8, unique=True).map(sorted)


def _shifts(edges: Sequence[int]) -> Calendar:
    pairs = zip(edges[::2], edges[1::2], strict=False)
    return planned(*((20.0 * begin, 20.0 * end) for begin, end in pairs))


_STATE = st.sampled_from([IDLE, RUN, SETUP, STOPPED, 99, None])
_STATES = st.lists(
    st.tuples(st.integers(-60, 500), _STATE), max_size=25, unique_by=lambda row: row[0]
)


@given(_STATES, _SPANS)
def test_the_facts_of_an_hour_sum_to_its_seconds(states: list[Row], edges: list[int]) -> None:
    found = facts(asset_plan(tag(STATE)), {STATE: states}, hours=8, calendar=_shifts(edges))
    whole = found["planned_s"] + found["planned_down_s"] + found["off_s"]
    assert whole.tolist() == pytest.approx([3600.0] * 8)
    names = ("run_s", "setup_s", "stop_s", "idle_s", "unknown_s")
    in_state = np.sum([found[name] for name in names], axis=0)
    assert in_state.tolist() == pytest.approx(found["planned_s"].tolist())


# Lost data.

_KPIS = ("oee", "availability", "performance", "quality")


def _steady(states: tuple[int, ...]) -> Shift:
    """Return a shift that made ten pieces each quarter, one of them a reject."""
    registers = {TOTAL: Register((10,) * QUARTERS), REJECT: Register((1,) * QUARTERS)}
    return Shift(states, registers)


def _limits(found: list[Estimate], kpi: str) -> tuple[float, float]:
    """Return low and high; what is refused may be anything."""
    estimate = one(found, kpi)
    if estimate.low is None or estimate.high is None:
        return float("-inf"), float("inf")
    return estimate.low - _ROUNDING, estimate.high + _ROUNDING


@given(shifts(), kept_rows())
@settings(max_examples=150)
def test_bounds_hold_the_truth_whatever_was_lost(shift: Shift, kept: Kept) -> None:
    found = verified(shift, shift.arrived(kept))
    for kpi, truth in shift.truth.items():
        low, high = _limits(found, kpi)
        assert low <= truth <= high, kpi


@given(shifts(), kept_rows(), kept_rows())
@settings(max_examples=150)
def test_bounds_of_more_complete_data_lie_inside_those_of_less(
    shift: Shift, kept: Kept, more: Kept
) -> None:
    less = shift.arrived(kept)
    wide, narrow = verified(shift, less), verified(shift, shift.arrived(less | more))
    for kpi in _KPIS:
        low, high = _limits(wide, kpi)
        inner = one(narrow, kpi)
        if inner.low is not None and inner.high is not None:
            assert low <= inner.low + _ROUNDING, kpi
            assert inner.high - _ROUNDING <= high, kpi


@given(shifts(resets=False))
@settings(max_examples=60)
def test_with_all_data_the_bounds_meet_at_the_truth(shift: Shift) -> None:
    found = verified(shift, EVERYTHING)
    for kpi, truth in shift.truth.items():
        assert bounds(one(found, kpi)) == pytest.approx((truth,) * 3), kpi


def test_a_lost_change_within_the_hold_opens_availability_and_performance_but_not_oee() -> None:
    # It ran for the first hour and stood still from then on; the row that said so was lost.
    shift = _steady((RUN,) * 60 + (STOPPED,) * 220)
    change = shift.sent.index((60.0, STOPPED))
    found = verified(shift, Kept(EVERYTHING.states - {change}, EVERYTHING.counts))
    low, point, high = bounds(one(found, "availability"))
    assert (low, point, high) == pytest.approx((45 / 240, 75 / 240, 75 / 240))
    assert bounds(one(found, "oee")) == pytest.approx((shift.truth["oee"],) * 3)
    assert one(found, "oee").coverage == 1


def test_a_change_lost_between_two_rows_within_a_heartbeat_is_in_no_bound() -> None:
    # The one loss of a state that leaves no trace: 8 minutes of standing still between run and
    # setup.
    shift = _steady((RUN,) * 50 + (STOPPED,) * 8 + (SETUP,) * 222)
    lost = shift.sent.index((50.0, STOPPED))
    kept = Kept(EVERYTHING.states - {lost}, EVERYTHING.counts)
    assert bounds(one(verified(shift, kept), "availability")) == pytest.approx((58 / 240,) * 3)
    assert shift.arrived(kept).states >= {lost}, "kept out of the property above, and nothing else"


def test_a_reset_that_is_passed_again_before_the_next_reading_is_in_no_bound() -> None:
    # The one loss of a register that leaves no trace: it showed 20, began anew and shows 30.
    restarts = Register((10,) * QUARTERS, resets=((2, 10),))
    shift = Shift((RUN,) * 280, {TOTAL: restarts, REJECT: Register((0,) * QUARTERS)})
    lost = frozenset([3, 4])
    kept = Kept(EVERYTHING.states, {**EVERYTHING.counts, TOTAL: EVERYTHING.counts[TOTAL] - lost})
    assert bounds(one(verified(shift, kept), "oee")) == pytest.approx((140 / 240,) * 3)
    assert shift.arrived(kept).counts[TOTAL] >= lost, "kept out of the property above"


def test_rejects_that_fall_silent_between_two_readings_of_the_total_open_what_was_good() -> None:
    # The total was read at both ends only, the rejects in the first three hours.
    shift = _steady((RUN,) * 280)
    counts = {**EVERYTHING.counts, TOTAL: frozenset([0, 16]), REJECT: frozenset(range(13))}
    low, point, high = bounds(one(verified(shift, Kept(EVERYTHING.states, counts)), "oee"))
    assert point == pytest.approx(shift.truth["oee"])
    # Of 160 pieces 100 to 160 were made by then, 12 of them rejects, and up to 60 afterwards.
    assert (low, high) == pytest.approx(((100 - 12) / 240, (160 - 12 + 60) / 240))


def test_good_units_that_were_read_cap_how_few_the_cut_total_may_be() -> None:
    # Both were read for two hours, then good alone for one more, and the total at the end.
    made, good = (15,) * 8 + (10,) * 8, (5,) * 8 + (10,) * 8
    shift = Shift((RUN,) * 280, {TOTAL: Register(made), GOOD: Register(good)})
    counts = {**EVERYTHING.counts, TOTAL: frozenset([*range(9), 16]), GOOD: frozenset(range(13))}
    _, _, high = bounds(one(verified(shift, Kept(EVERYTHING.states, counts)), "quality"))
    # All that was made from then on may be good, but the 80 rejects of before stay.
    assert high == pytest.approx((80 + 60) / (80 + 60 + 80))


# An independent implementation.


@st.composite
def _parts(draw: st.DrawFn) -> OeePart:
    """Return a part whose performance does not pass 100 %, above which the other one caps."""
    planned_s = draw(st.floats(600, 1e6))
    run_s = planned_s * draw(st.floats(0.05, 1))
    total = draw(st.integers(1, 10_000))
    cycle_s = run_s * draw(st.floats(0.01, 1)) / total
    return OeePart(planned_s, run_s, cycle_s, total, draw(st.integers(0, total)))


@given(st.lists(_parts(), min_size=1, max_size=5))
def test_the_oee_package_agrees_up_to_full_speed(parts: list[OeePart]) -> None:
    others = [
        independent.oee(
            part.planned,
            run_time=part.run,
            ideal_cycle_time=part.ideal_cycle,
            total_count=part.total,
            good_count=part.good,
            all_time=2 * part.planned,
        )
        for part in parts
    ]
    for part, other in zip(parts, others, strict=True):
        ideal = part.ideal_cycle * part.total, part.ideal_cycle * part.good
        found = from_sums(part.planned, part.run, *ideal, 2 * part.planned)
        assert (found.availability, found.performance, found.quality, found.oee, found.teep) == (
            pytest.approx(
                (other.availability, other.performance, other.quality, other.oee, other.teep)
            )
        )
    rolled, theirs = oee_rollup(parts), independent.aggregate(others)
    assert (rolled.availability, rolled.performance, rolled.quality, rolled.oee) == pytest.approx(
        (theirs.availability, theirs.performance, theirs.quality, theirs.oee)
    )
