"""OEE: published examples, its identities, and what it refuses."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpi.errors import NotComputable
from kpi.formulas.oee import OeePart, from_sums, oee, oee_from_factors, oee_rollup

PART = OeePart(planned=420, run=373, ideal_cycle=1 / 60, total=19271, good=18848)

parts = st.builds(
    lambda planned, used, cycle, total, share: OeePart(
        planned, planned * used, cycle, total, int(total * share)
    ),
    st.floats(1, 1e4),
    st.floats(0.01, 1),
    st.floats(1e-3, 10),
    st.integers(1, 10**6),
    st.floats(0, 1),
)


def test_published_fast_guide_example() -> None:
    """Vorne, The Fast Guide to OEE: 88.81 % x 86.11 % x 97.80 % = 74.79 %, TEEP 65.44 %."""
    found = oee(420, 373, 1 / 60, 19271, 18848, all_time=480)
    assert found.availability == pytest.approx(0.8881, abs=5e-5)
    assert found.performance == pytest.approx(0.8611, abs=5e-5)
    assert found.quality == pytest.approx(0.9780, abs=5e-5)
    assert found.oee == pytest.approx(0.7479, abs=5e-5)
    assert found.teep == pytest.approx(0.6544, abs=5e-5)


def test_published_rollup_is_a_ratio_of_sums() -> None:
    """The README of the package oee: machines of 80 % and 45 % give 53.75 %, their mean 62.5 %."""
    found = oee_rollup([OeePart(100, 90, 1, 80, 80), OeePart(300, 150, 1, 150, 135)])
    assert found.oee == pytest.approx(0.5375)
    assert found.availability == pytest.approx(0.6)


def test_published_unlike_products_are_weighted_by_ideal_time() -> None:
    """oee.coach, calculation example 12: performance 74.1 %; adding pieces would give 79.1 %."""
    found = oee_rollup(
        [
            OeePart(500, 100, 0.001, 80000, 80000),
            OeePart(500, 100, 1, 70, 70),
            OeePart(0, 10, 0.001, 7000, 7000),
            OeePart(0, 10, 1, 6, 6),
        ]
    )
    assert found.performance == pytest.approx(0.7409, abs=5e-5)


def test_performance_is_not_capped() -> None:
    """300 units in 400 min show that an ideal cycle of 2 min is too long."""
    assert oee(480, 400, 2, 300, 300).performance == pytest.approx(1.5)


def test_nothing_produced_is_zero_oee_without_quality() -> None:
    """Quality of no units is neither 1 nor 0."""
    found = oee(480, 400, 1, 0, 0)
    assert (found.oee, found.performance, found.quality) == (0, 0, None)


def test_standing_all_day_has_no_performance() -> None:
    found = oee(480, 0, 1, 0, 0)
    assert (found.oee, found.availability, found.performance) == (0, 0, None)


def test_unknown_run_time_leaves_oee_standing() -> None:
    """Counts bridged over lost states: OEE is exact, only its split is unknown."""
    found = from_sums(planned=480, run=None, ideal_total=300, ideal_good=240)
    assert (found.availability, found.performance) == (None, None)
    assert (found.oee, found.quality) == (0.5, 0.8)


SOUND: dict[str, Any] = {
    "planned_time": 480,
    "run_time": 400,
    "ideal_cycle": 1,
    "total": 300,
    "good": 290,
}
REFUSED: list[dict[str, Any]] = [
    {"planned_time": 0},
    {"planned_time": -1},
    {"planned_time": None},
    {"planned_time": float("nan")},
    {"run_time": -1},
    {"run_time": 481},
    {"run_time": 0},
    {"ideal_cycle": 0},
    {"ideal_cycle": "1"},
    {"total": -1},
    {"total": None},
    {"good": 301},
    {"good": -1},
    {"all_time": 0},
    {"all_time": 479},
]


@pytest.mark.parametrize("wrong", REFUSED, ids=repr)
def test_refuses_what_no_machine_can_do(wrong: dict[str, Any]) -> None:
    oee(**SOUND)
    with pytest.raises(NotComputable):
        oee(**{**SOUND, **wrong})


def test_rollup_refuses_no_parts_and_impossible_parts() -> None:
    with pytest.raises(NotComputable, match="no part"):
        oee_rollup([])
    with pytest.raises(NotComputable, match="good quantity"):
        oee_rollup([PART, replace(PART, good=PART.total + 1)])
    with pytest.raises(NotComputable, match="planned time"):
        oee_rollup([replace(PART, planned=0)])
    with pytest.raises(NotComputable, match="run time"):
        oee_rollup([replace(PART, run=PART.planned + 1)])


def test_factors_multiply() -> None:
    """Nakajima's world class: 90 % x 95 % x 99.9 % = 85.4 %."""
    assert oee_from_factors(0.90, 0.95, 0.999) == pytest.approx(0.854, abs=5e-4)


@pytest.mark.parametrize("factors", [(90, 0.95, 0.99), (0.9, 0.95, 99), (0.9, -0.1, 0.9)])
def test_factors_refuse_percentages_and_negatives(factors: tuple[float, float, float]) -> None:
    with pytest.raises(NotComputable):
        oee_from_factors(*factors)


@given(parts)
def test_oee_is_the_product_of_its_factors(part: OeePart) -> None:
    found = oee_rollup([part])
    assert found.availability is not None
    assert found.performance is not None
    assert found.quality is not None
    assert found.oee == pytest.approx(found.availability * found.performance * found.quality)


@given(parts)
def test_a_rollup_of_one_part_is_that_part(part: OeePart) -> None:
    alone = oee(part.planned, part.run, part.ideal_cycle, part.total, part.good)
    assert oee_rollup([part]) == alone


@given(st.lists(parts, min_size=1, max_size=6))
def test_a_rollup_lies_between_its_parts(rows: list[OeePart]) -> None:
    each = [oee_rollup([row]).oee for row in rows]
    assert min(each) * (1 - 1e-9) <= oee_rollup(rows).oee <= max(each) * (1 + 1e-9)
