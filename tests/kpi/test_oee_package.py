"""The `oee` package agrees with whole factories and lines, wherever performance stays below 100 %.

It caps performance at 100 % before it adds up, so faster plants are not compared with it.
"""

from dataclasses import dataclass, replace
from datetime import date, timedelta

import oee as independent
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpi.figures import Period
from kpi.figures.equipment import oee
from store.registry import Line
from tests.kpi.evidence import Facts, bounds, evidence, one, produced
from tests.kpi.test_figures_oee import machines

_FIRST = date(2026, 3, 2)
_PERIOD = Period("month", _FIRST, _FIRST + timedelta(days=3))
_CALENDAR_S = 3 * 86_400.0


@dataclass(frozen=True)
class Day:
    """What a machine did on a day: planned and run time [s], pieces, good ones, ideal cycle [s]."""

    planned_s: float
    run_s: float
    total: int
    good: int
    cycle_s: float

    @property
    def facts(self) -> dict[str, float]:
        made, kept = self.total * self.cycle_s, self.good * self.cycle_s
        return produced(self.planned_s, self.run_s, made, kept)

    def theirs(self, all_time_s: float) -> independent.OEEResult:
        return independent.oee(
            self.planned_s,
            run_time=self.run_s,
            ideal_cycle_time=self.cycle_s,
            total_count=self.total,
            good_count=self.good,
            all_time=all_time_s,
        )


@st.composite
def _days(draw: st.DrawFn) -> Day:
    planned_s = draw(st.floats(600, 86_400))
    run_s = planned_s * draw(st.floats(0.05, 1))
    total = draw(st.integers(1, 10_000))
    cycle_s = run_s * draw(st.floats(0.01, 1)) / total
    return Day(planned_s, run_s, total, draw(st.integers(0, total)), cycle_s)


# One to four machines with one to three days each; each day may make another product.
_PLANTS = st.lists(st.lists(_days(), min_size=1, max_size=3), min_size=1, max_size=4)


@given(_PLANTS)
def test_a_factory_is_what_the_package_adds_up(plant: list[list[Day]]) -> None:
    facts: dict[int, Facts] = {
        number: {_FIRST + timedelta(days=at): day.facts for at, day in enumerate(days)}
        for number, days in enumerate(plant, 1)
    }
    found = oee(evidence(machines(len(plant)), facts), _PERIOD)
    every = [day for days in plant for day in days]
    calendar_s = len(plant) * _CALENDAR_S
    theirs = independent.aggregate([day.theirs(calendar_s / len(every)) for day in every])
    wanted = {
        "oee": theirs.oee,
        "availability": theirs.availability,
        "performance": theirs.performance,
    }
    for kpi, value in wanted.items():
        assert bounds(one(found, kpi)) == pytest.approx((value,) * 3), kpi
    assert bounds(one(found, "quality"))[1] == pytest.approx(theirs.quality)
    assert one(found, "oee").inputs["teep"]["point"] == pytest.approx(theirs.teep)


_LINES = st.tuples(_days(), st.floats(1, 5), st.floats(0.2, 1))


@given(_LINES)
def test_a_serial_line_is_the_packages_oee_of_its_bottleneck(
    drawn: tuple[Day, float, float],
) -> None:
    """All that leaves the line passed the bottleneck, whose cycle is the longest."""
    slow, faster, busy = drawn
    last = replace(
        slow,
        run_s=slow.run_s * busy,
        cycle_s=min(slow.cycle_s / faster, slow.run_s * busy / slow.total),
    )
    plan = replace(
        machines(2),
        ideal_cycle_s={1: {1: slow.cycle_s}, 2: {1: last.cycle_s}},
        lines=(Line("L1", last_id=2, bottleneck_id=1, asset_ids=(1, 2)),),
    )
    facts: dict[int, Facts] = {1: {_FIRST: slow.facts}, 2: {_FIRST: last.facts}}
    (line,) = one(oee(evidence(plan, facts), _PERIOD), "oee").inputs["lines"]
    theirs = slow.theirs(_CALENDAR_S).oee
    assert (line["low"], line["oee"], line["high"]) == pytest.approx((theirs,) * 3, abs=1e-12)
