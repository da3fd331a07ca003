"""What holds of OEE for every plant and every loss of data, not only for those thought of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

import oee as independent
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from kpi.calendar import Calendar
from kpi.figures import Estimate, Period
from kpi.figures.equipment import oee
from kpi.formulas.oee import OeePart, from_sums, oee_rollup
from tests.kpi.builders import (
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
from tests.kpi.test_figures_oee import machines

_DAY = date(2026, 3, 2)
_PERIOD = Period("month", _DAY, date(2026, 3, 3))
_STEP = 15
_CYCLE_S = 60.0
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
    in_state = sum(found[f"{name}_s"] for name in ("run", "setup", "stop", "idle", "unknown"))
    assert in_state.tolist() == pytest.approx(found["planned_s"].tolist())


# Lost data.


@dataclass(frozen=True)
class Shift:
    """What a machine really did, quarter by quarter: pieces made and pieces rejected."""

    made: tuple[int, ...]
    rejected: tuple[int, ...]

    @property
    def oee(self) -> float:
        """Good units at their ideal cycle over the time of the shift."""
        good = sum(self.made) - sum(self.rejected)
        return good * _CYCLE_S / (len(self.made) * _STEP * 60)

    @property
    def availability(self) -> float:
        """Quarters that ran over all of them."""
        return sum(each > 0 for each in self.made) / len(self.made)

    @property
    def quality(self) -> float:
        """Good over made."""
        return 1 - sum(self.rejected) / sum(self.made)

    def rows(self, kept: frozenset[int]) -> Mapping[int, list[Row]]:
        """Return what arrived of state and registers, which were read at the quarters."""
        at = [number for number in range(len(self.made) + 1) if number in kept]
        running = [*(bool(each) for each in self.made), False]
        return {
            STATE: [(_STEP * number, RUN if running[number] else IDLE) for number in at],
            TOTAL: [(_STEP * number, sum(self.made[:number])) for number in at],
            REJECT: [(_STEP * number, sum(self.rejected[:number])) for number in at],
        }


@st.composite
def _shift(draw: st.DrawFn) -> Shift:
    """Return a shift of four hours, in which no quarter is faster than ideal."""
    made = draw(st.lists(st.integers(0, 15), min_size=16, max_size=16))
    assume(sum(made) > 0)
    return Shift(tuple(made), tuple(draw(st.integers(0, each)) for each in made))


_KEPT = st.frozensets(st.integers(0, 16))


def _verified(shift: Shift, kept: frozenset[int]) -> list[Estimate]:
    plan = asset_plan(tag(STATE), tag(TOTAL), tag(REJECT))
    found = facts(plan, shift.rows(kept), hours=4, calendar=planned((0, 240)))
    sums = {name: float(column.sum()) for name, column in found.items()}
    return oee(evidence(machines(), {1: {_DAY: sums}}), _PERIOD)


def _limits(found: list[Estimate], kpi: str) -> tuple[float, float]:
    """Return low and high; what is refused may be anything."""
    estimate = one(found, kpi)
    if estimate.low is None or estimate.high is None:
        return float("-inf"), float("inf")
    return estimate.low - _ROUNDING, estimate.high + _ROUNDING


@given(_shift(), _KEPT)
@settings(max_examples=60)
def test_bounds_hold_the_truth_whatever_was_lost(shift: Shift, kept: frozenset[int]) -> None:
    found = _verified(shift, kept)
    for kpi, truth in (("oee", shift.oee), ("quality", shift.quality)):
        low, high = _limits(found, kpi)
        assert low <= truth <= high, kpi


def _presumed(kept: frozenset[int]) -> float:
    """Return the share of the shift in which a state held although its heartbeat was missing."""
    known = [number for number in sorted(kept) if number < 16]
    gaps = [later - number for number, later in pairwise([*known, 16])]
    return sum(min(gap, 3) - 1 for gap in gaps) / 16


@given(_shift(), _KEPT)
@settings(max_examples=60)
def test_availability_misses_the_truth_by_no_more_than_what_the_hold_presumes(
    shift: Shift, kept: frozenset[int]
) -> None:
    low, high = _limits(_verified(shift, kept), "availability")
    presumed = _presumed(kept)
    assert low - presumed <= shift.availability <= high + presumed


@given(_shift(), _KEPT, _KEPT)
@settings(max_examples=60)
def test_bounds_of_more_complete_data_lie_inside_those_of_less(
    shift: Shift, kept: frozenset[int], more: frozenset[int]
) -> None:
    wide, narrow = _verified(shift, kept), _verified(shift, kept | more)
    low, high = _limits(wide, "oee")
    inner = one(narrow, "oee")
    assume(inner.low is not None and inner.high is not None)
    assert inner.low is not None
    assert inner.high is not None
    assert low <= inner.low + _ROUNDING
    assert inner.high - _ROUNDING <= high


def test_with_all_data_the_bounds_meet_at_the_truth() -> None:
    shift = Shift((10,) * 16, (1,) * 16)
    found = _verified(shift, frozenset(range(17)))
    assert bounds(one(found, "oee")) == pytest.approx((shift.oee,) * 3)
    assert bounds(one(found, "quality")) == pytest.approx((shift.quality,) * 3)


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
