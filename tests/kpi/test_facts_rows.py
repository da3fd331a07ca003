"""Row counts, changes of value and fingerprints."""

from math import fsum

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpi.facts.rows import row_facts
from tests.kpi.builders import (
    BAD,
    ENERGY,
    POWER,
    TOTAL,
    Row,
    asset_plan,
    facts,
    rising,
    rows,
    steady,
    tag,
    window,
)

POWERED = asset_plan(tag(POWER))


def test_rows_are_counted_in_the_hour_in_which_they_lie() -> None:
    found = facts(POWERED, {POWER: [(-1, 5), (0, 5), (59.99, 5), (60, 5)]}, hours=2)
    assert found["row_count"].tolist() == [2, 1]


def test_a_constant_value_never_changes() -> None:
    assert facts(POWERED, {POWER: steady(5, -15, 60)})["changes"].tolist() == [0]


def test_a_change_is_seen_over_the_edge_of_the_window() -> None:
    found = facts(POWERED, {POWER: [(-15, 5), (0, 6), (30, 6), (60, 7)]}, hours=2)
    assert found["changes"].tolist() == [1, 1]


def test_a_value_that_comes_back_after_bad_rows_has_not_changed() -> None:
    rows_ = [(-15, 5), (0, None), (15, 5), (30, 99, BAD), (45, 5)]
    assert facts(POWERED, {POWER: rows_})["changes"].tolist() == [0]


def test_values_of_different_tags_are_not_compared() -> None:
    plan = asset_plan(tag(POWER), tag(20, role="process"))
    assert facts(plan, {POWER: [(0, 1)], 20: [(0, 2)]})["changes"].tolist() == [0]


@pytest.mark.parametrize(
    "other",
    [
        [(0, 1.0), (15, 2.0), (30, 3.5)],
        [(0, 1.0), (15, 2.0), (31, 3.0)],
        [(0, 1.0), (15, 2.0), (30, 3.0, 0x40000000)],
        [(0, 1.0), (15, 2.0), (30, None)],
        [(0, 1.0), (15, 2.0)],
        [(0, 1.0), (15, 3.0), (30, 2.0)],
        [(0, 2.0), (15, 1.0), (30, 3.0)],
    ],
    ids=["value", "time", "status", "no value", "missing", "swapped", "swapped earlier"],
)
def test_the_fingerprint_changes_with_any_row(other: list[Row]) -> None:
    first = facts(POWERED, {POWER: [(0, 1.0), (15, 2.0), (30, 3.0)]})["digest"]
    assert facts(POWERED, {POWER: other})["digest"] != first


def test_the_fingerprint_tells_tags_apart() -> None:
    plan = asset_plan(tag(POWER), tag(20, role="process"))
    assert facts(plan, {POWER: [(0, 1)]})["digest"] != facts(plan, {20: [(0, 1)]})["digest"]


@given(st.permutations(range(8)))
def test_the_fingerprint_does_not_depend_on_the_order_of_rows(order: list[int]) -> None:
    plan = asset_plan(tag(POWER), tag(20, role="process"))
    ordered = rows({POWER: rising(0, 45, 15, 1), 20: rising(5, 50, 15, 1)})
    expected = row_facts(plan, ordered, window(0, 1))["digest"]
    shuffled = ordered.take(np.array(order))
    assert row_facts(plan, shuffled, window(0, 1))["digest"] == expected


def test_sums_of_facts_do_not_depend_on_the_order_of_adding() -> None:
    plan = asset_plan(tag(TOTAL), tag(ENERGY))
    readings = rising(0, 6000, 7, 0.1)
    found = facts(plan, {TOTAL: readings, ENERGY: readings}, hours=100)
    for name in ("total", "ideal_good_s", "energy"):
        values = found[name].tolist()[:-1]
        assert sum(values) == sum(reversed(values)) == sum(sorted(values)) == fsum(values)
        assert sum(values) == pytest.approx(99 * 60 / 70 * (60 if "ideal" in name else 1))


def test_rows_of_other_assets_are_no_part_of_the_facts() -> None:
    alone = facts(POWERED, {POWER: steady(5, 0, 60)})
    beside = facts(POWERED, {POWER: steady(5, 0, 60), TOTAL: rising(0, 60, 1, 1)})
    assert {name: alone[name].tolist() for name in alone if not np.isnan(alone[name]).any()} == {
        name: beside[name].tolist() for name in beside if not np.isnan(beside[name]).any()
    }
