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
#
# A machine sends its state when it changes, and once more a heartbeat later (polls make that up to
# a quarter late); its registers are read on the quarter hour. Any of these rows may be lost. One
# loss leaves no trace at all and is the only one kept out here: that of a row between two rows
# which did arrive no further apart than a row is due, of which nothing tells that there was more.

_HEARTBEAT, _DUE = 15.0, 18.75
_END = 240
_QUARTERS = _END // _STEP
_KPIS = ("oee", "availability", "performance", "quality")


@dataclass(frozen=True)
class Shift:
    """What a machine really did in four hours: its states by minute, and pieces by quarter."""

    states: tuple[int, ...]
    made: tuple[int, ...]
    rejected: tuple[int, ...]
    # How late each heartbeat may come [min].
    late: float

    @property
    def truth(self) -> dict[str, float]:
        """What the figures would be if nothing were lost."""
        planned_s, run_s = 60.0 * _END, 60.0 * self.states[:_END].count(RUN)
        total_s, bad_s = sum(self.made) * _CYCLE_S, sum(self.rejected) * _CYCLE_S
        return {
            "oee": (total_s - bad_s) / planned_s,
            "availability": run_s / planned_s,
            "performance": total_s / run_s,
            "quality": 1 - bad_s / total_s,
        }

    @property
    def sent(self) -> list[Row]:
        """The rows of the state: each change, and heartbeats counted from the row before."""
        changes = [
            at for at in range(1, len(self.states)) if self.states[at] != self.states[at - 1]
        ]
        found: list[Row] = [(0.0, self.states[0])]
        while found[-1][0] < _END:
            beat = found[-1][0] + _HEARTBEAT + self.late
            at = min([beat, *(each for each in changes if each > found[-1][0])])
            found.append((float(at), self.states[int(at)]))
        return found

    def arrived(self, kept: "Kept") -> "Kept":
        """Return what arrived, with the losses undone that leave no trace."""
        sent = self.sent
        numbers = sorted(number for number in kept.states if number < len(sent))
        unseen = [
            between
            for one, other in pairwise(numbers)
            if sent[other][0] - sent[one][0] <= _DUE
            for between in range(one, other)
        ]
        return Kept(frozenset([*numbers, *unseen]), kept.counts)

    def rows(self, kept: "Kept") -> Mapping[int, list[Row]]:
        """Return the rows that are kept."""
        at = sorted(kept.counts)
        return {
            STATE: [row for number, row in enumerate(self.sent) if number in kept.states],
            TOTAL: [(_STEP * number, sum(self.made[:number])) for number in at],
            REJECT: [(_STEP * number, sum(self.rejected[:number])) for number in at],
        }


@dataclass(frozen=True)
class Kept:
    """Which rows arrived: numbers of rows of the state, and quarters of the registers."""

    states: frozenset[int]
    counts: frozenset[int]

    def __or__(self, other: "Kept") -> "Kept":
        return Kept(self.states | other.states, self.counts | other.counts)


_EVERYTHING = Kept(frozenset(range(1000)), frozenset(range(_QUARTERS + 1)))


@st.composite
def _shift(draw: st.DrawFn) -> Shift:
    """Return a shift that ran and made something, no quarter faster than ideal."""
    changes = draw(st.dictionaries(st.integers(1, 260), _TRUE_STATE, max_size=12))
    now, states = draw(_TRUE_STATE), []
    for minute in range(280):
        now = changes.get(minute, now)
        states.append(now)
    made = draw(st.lists(st.integers(0, 15), min_size=_QUARTERS, max_size=_QUARTERS))
    assume(sum(made) > 0 and RUN in states[:_END])
    late = draw(st.sampled_from([0.0, 0.2, 3.7]))
    return Shift(tuple(states), tuple(made), tuple(draw(st.integers(0, n)) for n in made), late)


_TRUE_STATE = st.sampled_from([RUN, RUN, IDLE, SETUP, STOPPED])


@st.composite
def _kept(draw: st.DrawFn) -> Kept:
    """Return what arrives where single rows are lost, or many."""
    lost = draw(st.frozensets(st.integers(0, 30), max_size=draw(st.sampled_from([2, 30]))))
    unread = draw(st.frozensets(st.integers(0, _QUARTERS)))
    return Kept(_EVERYTHING.states - lost, _EVERYTHING.counts - unread)


def _verified(shift: Shift, kept: Kept) -> list[Estimate]:
    plan = asset_plan(tag(STATE), tag(TOTAL), tag(REJECT))
    found = facts(plan, shift.rows(kept), hours=4, calendar=planned((0, _END)))
    sums = {name: float(column.sum()) for name, column in found.items()}
    return oee(evidence(machines(), {1: {_DAY: sums}}), _PERIOD)


def _limits(found: list[Estimate], kpi: str) -> tuple[float, float]:
    """Return low and high; what is refused may be anything."""
    estimate = one(found, kpi)
    if estimate.low is None or estimate.high is None:
        return float("-inf"), float("inf")
    return estimate.low - _ROUNDING, estimate.high + _ROUNDING


@given(_shift(), _kept())
@settings(max_examples=150)
def test_bounds_hold_the_truth_whatever_was_lost(shift: Shift, kept: Kept) -> None:
    found = _verified(shift, shift.arrived(kept))
    for kpi, truth in shift.truth.items():
        low, high = _limits(found, kpi)
        assert low <= truth <= high, kpi


@given(_shift(), _kept(), _kept())
@settings(max_examples=100)
def test_bounds_of_more_complete_data_lie_inside_those_of_less(
    shift: Shift, kept: Kept, more: Kept
) -> None:
    less = shift.arrived(kept)
    wide, narrow = _verified(shift, less), _verified(shift, shift.arrived(less | more))
    for kpi in _KPIS:
        low, high = _limits(wide, kpi)
        inner = one(narrow, kpi)
        if inner.low is not None and inner.high is not None:
            assert low <= inner.low + _ROUNDING, kpi
            assert inner.high - _ROUNDING <= high, kpi


@given(_shift())
@settings(max_examples=60)
def test_with_all_data_the_bounds_meet_at_the_truth(shift: Shift) -> None:
    found = _verified(shift, _EVERYTHING)
    for kpi, truth in shift.truth.items():
        assert bounds(one(found, kpi)) == pytest.approx((truth,) * 3), kpi


def test_a_lost_change_within_the_hold_opens_availability_and_performance_but_not_oee() -> None:
    # It ran for the first hour and stood still from then on; the row that said so was lost.
    shift = Shift((RUN,) * 60 + (STOPPED,) * 220, (10,) * _QUARTERS, (1,) * _QUARTERS, 0.0)
    change = shift.sent.index((60.0, STOPPED))
    found = _verified(shift, Kept(_EVERYTHING.states - {change}, _EVERYTHING.counts))
    low, point, high = bounds(one(found, "availability"))
    assert (low, point, high) == pytest.approx((45 / 240, 75 / 240, 75 / 240))
    assert bounds(one(found, "oee")) == pytest.approx((shift.truth["oee"],) * 3)
    assert one(found, "oee").coverage == 1


def test_a_change_lost_between_two_rows_within_a_heartbeat_is_in_no_bound() -> None:
    # The one loss that leaves no trace: 8 minutes of standing still between run and setup.
    states = (RUN,) * 50 + (STOPPED,) * 8 + (SETUP,) * 222
    shift = Shift(states, (10,) * _QUARTERS, (1,) * _QUARTERS, 0.0)
    lost = shift.sent.index((50.0, STOPPED))
    kept = Kept(_EVERYTHING.states - {lost}, _EVERYTHING.counts)
    assert bounds(one(_verified(shift, kept), "availability")) == pytest.approx((58 / 240,) * 3)
    assert shift.arrived(kept).states >= {lost}, "kept out of the property above, and nothing else"


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
