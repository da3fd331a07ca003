"""What stands beside OEE: its relatives, the serial lines, and the key equipment it covers."""

from dataclasses import replace
from typing import Any

import pytest

from kpi.figures import Evidence
from kpi.figures.equipment import oee
from store.registry import Line, MonitoringPlan
from tests.kpi.builders import asset
from tests.kpi.evidence import MARCH, Facts, bounds, evidence, march, one, produced
from tests.kpi.test_figures_oee import DAY_S, machines

DAY = march(2)[0]


def _inputs(found: Evidence) -> dict[str, Any]:
    return dict(one(oee(found, MARCH), "oee").inputs)


def _named(found: dict[str, float]) -> tuple[float, float, float]:
    return found["low"], found["point"], found["high"]


def test_setup_is_a_loss_of_oee_and_none_of_nee() -> None:
    day = produced(DAY_S, 18_000, 16_200, 16_200) | {"setup_s": 9_000}
    found = _inputs(evidence(machines(), {1: {DAY: day}}))
    assert _named(found["nee"]) == pytest.approx((0.675,) * 3), "0.45 · 27 000 / 18 000"


def test_teep_goes_by_the_calendar_and_ooe_by_filed_stops_too() -> None:
    known = evidence(machines(), {1: {DAY: produced(DAY_S, 18_000, 16_200, 16_200)}})
    found = _inputs(replace(known, down_s={1: known.planned_s[1]}))
    assert found["calendar_s"] == 31 * 86_400
    assert _named(found["teep"]) == pytest.approx((16_200 / (31 * 86_400),) * 3)
    assert _named(found["ooe"]) == pytest.approx((16_200 / (2 * DAY_S),) * 3)


def test_unknown_state_opens_nee_around_its_point() -> None:
    day = produced(DAY_S, 18_000, 16_200, 16_200) | {
        "setup_s": 3_600, "stop_s": 10_800, "unknown_s": 3_600
    }  # fmt: skip
    low, point, high = _named(_inputs(evidence(machines(), {1: {DAY: day}}))["nee"])
    assert low == pytest.approx(0.45 * 25_200 / 21_600), "all of it was production"
    assert point == pytest.approx(0.45 * 21_600 / 18_000)
    assert high == pytest.approx(0.45 * 25_200 / 18_000), "all of it was setup"


def test_doubtful_states_open_nee_too() -> None:
    day = produced(DAY_S, 18_000, 16_200, 16_200) | {
        "setup_s": 3_600, "stop_s": 14_400, "run_doubt_s": 1_800, "rest_doubt_s": 900
    }  # fmt: skip
    low, point, high = _named(_inputs(evidence(machines(), {1: {DAY: day}}))["nee"])
    assert low == pytest.approx(0.45 * (18_900 + 2_700) / 18_900), "what is in doubt ran"
    assert point == pytest.approx(0.45 * 21_600 / 18_000)
    assert high == pytest.approx(0.45 * (16_200 + 6_300) / 16_200), "it was set up"


def _serial(slow: float = 90.0, named: int | None = None) -> MonitoringPlan:
    plan = machines(2)
    return replace(
        plan,
        ideal_cycle_s={1: {1: slow}, 2: {1: 60.0}},
        lines=(Line("L1", last_id=2, bottleneck_id=named, asset_ids=(1, 2)),),
    )


_BOTH: dict[int, Facts] = {
    1: {DAY: produced(DAY_S, 36_000, 31_500, 31_500)},
    2: {DAY: produced(DAY_S, 24_000, 18_000, 18_000)},
}


def test_a_serial_line_goes_by_what_leaves_it_at_the_bottlenecks_cycle() -> None:
    found = oee(evidence(_serial(), _BOTH), MARCH)
    (line,) = one(found, "oee").inputs["lines"]
    assert (line["line"], line["last"], line["bottleneck"]) == ("L1", "A02", "A01")
    # 300 good units leave; the bottleneck takes 90 s for each.
    assert (line["low"], line["oee"], line["high"]) == pytest.approx((0.75, 0.75, 0.75))
    assert line["coverage"] == 1
    factory = bounds(one(found, "oee"))[1]
    assert factory == pytest.approx(49_500 / 72_000), "the factory's is the sum over its machines"


def test_the_plan_may_name_the_bottleneck() -> None:
    (line,) = _inputs(evidence(_serial(named=2), _BOTH))["lines"]
    assert (line["bottleneck"], line["oee"]) == ("A02", pytest.approx(0.5))


def test_a_line_whose_cycles_do_not_reach_says_why() -> None:
    plan = replace(_serial(), ideal_cycle_s={1: {7: 90.0}, 2: {1: 60.0}})
    (line,) = _inputs(evidence(plan, _BOTH))["lines"]
    assert "no ideal cycle of product 1" in line["reason"]
    assert "oee" not in line


def test_a_line_that_was_hardly_counted_says_so() -> None:
    facts = {1: _BOTH[1], 2: {DAY: {**_BOTH[2][DAY], "uncounted_s": DAY_S / 2}}}
    (line,) = _inputs(evidence(_serial(), facts))["lines"]
    assert line["reason"] == "data cover 50.0%, less than 75 %"
    assert "oee" not in line


def test_the_share_of_key_equipment_stands_beside_oee_and_names_what_is_left_out() -> None:
    plan = machines(1)
    key = replace(plan.assets[0], key_equipment=True)
    plan = replace(plan, assets=(key, asset(2, key_equipment=True), asset(3)))
    planned = {1: {DAY: DAY_S}, 2: {DAY: 3 * DAY_S}, 3: {DAY: DAY_S}}
    facts = {1: {DAY: produced(DAY_S, 18_000, 16_200, 16_200)}}
    found = _inputs(evidence(plan, facts, planned=planned))["key_equipment"]
    assert found == {"share": 0.25, "left_out": ["A02"]}


def test_it_stands_beside_a_refusal_too_and_is_no_default_without_key_equipment() -> None:
    found = one(oee(evidence(machines(), {1: {}}), MARCH), "oee")
    assert found.reason
    assert found.inputs["key_equipment"]["share"] is None
