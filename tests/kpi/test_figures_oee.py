"""OEE and its factors from day sums: one division, bounds, and refusals in words."""

from dataclasses import replace
from datetime import date

import pytest

from kpi.figures import Evidence, figure
from kpi.figures.equipment import oee
from kpi.reasons import said
from store.registry import MonitoringPlan
from tests.kpi.builders import GOOD, REJECT, STATE, TOTAL, asset, monitoring_plan, tag
from tests.kpi.evidence import (
    AFTER_MARCH,
    MARCH,
    YEAR,
    Facts,
    bounds,
    each_day,
    evidence,
    march,
    one,
    produced,
)

DAY_S = 36_000.0


def machines(count: int = 1, resolution: float = 0.0) -> MonitoringPlan:
    """A plan with machines that form OEE; product 1 takes 60 s everywhere."""
    tags = [
        tag(10 * number + each, role=role, asset_id=number, resolution=resolution)
        for number in range(1, count + 1)
        for each, role in ((STATE, "state"), (TOTAL, "total_count"), (REJECT, "reject_count"))
    ]
    return monitoring_plan(
        assets=[asset(number, in_oee=True) for number in range(1, count + 1)],
        tags=tags,
        cycles={number: {1: 60.0} for number in range(1, count + 1)},
    )


def test_oee_is_the_ratio_of_sums_and_not_the_mean_of_ratios() -> None:
    facts = {
        1: {march(2)[0]: produced(DAY_S, 30_000, 29_000, 28_800)},  # OEE 0.80
        2: {march(2)[0]: produced(3 * DAY_S, 60_000, 54_000, 48_600)},  # OEE 0.45
    }
    found = oee(evidence(machines(2), facts), MARCH)
    assert bounds(one(found, "oee")) == pytest.approx((77_400 / 144_000,) * 3)
    assert bounds(one(found, "availability"))[1] == pytest.approx(90_000 / 144_000)
    assert bounds(one(found, "performance"))[1] == pytest.approx(83_000 / 90_000)
    assert bounds(one(found, "quality"))[1] == pytest.approx(77_400 / 83_000)
    assert one(found, "oee").coverage == 1


def test_days_of_a_month_are_added_up_too() -> None:
    facts = {
        1: {
            date(2026, 3, 1): produced(DAY_S, 18_000, 18_000, 18_000),
            date(2026, 3, 31): produced(DAY_S / 2, 18_000, 18_000, 18_000),
            date(2026, 2, 28): produced(DAY_S, 1, 1, 1),
            date(2026, 4, 1): produced(DAY_S, 1, 1, 1),
        }
    }
    assert bounds(one(oee(evidence(machines(), facts), MARCH), "oee"))[1] == pytest.approx(2 / 3)


def test_missing_facts_widen_the_bounds_because_planned_time_comes_from_the_calendar() -> None:
    planned = {1: dict.fromkeys(march(*range(1, 11)), DAY_S)}
    facts = {1: dict.fromkeys(march(*range(1, 10)), produced(DAY_S, 27_000, 26_000, 25_000))}
    found = oee(evidence(machines(), facts, planned=planned), MARCH)
    low, point, high = bounds(one(found, "oee"))
    assert one(found, "oee").coverage == pytest.approx(0.9)
    assert low == pytest.approx(9 * 25_000 / (10 * DAY_S)), "nothing was made on the missing day"
    assert point == pytest.approx(25_000 / DAY_S)
    assert high == pytest.approx((9 * 25_000 + DAY_S) / (10 * DAY_S)), "or as much as is possible"
    low, point, high = bounds(one(found, "availability"))
    assert (low, point, high) == pytest.approx((0.675, 0.75, 0.775))


def test_unknown_time_is_neither_run_nor_stop() -> None:
    known = produced(DAY_S, 20_000, 18_000, 18_000)
    facts = {1: {march(2)[0]: known | {"stop_s": 12_400, "unknown_s": 3_600}}}
    found = oee(evidence(machines(), facts), MARCH)
    assert bounds(one(found, "availability")) == pytest.approx(
        (20_000 / DAY_S, 20_000 / 32_400, 23_600 / DAY_S)
    )
    # The counts are bridged by the registers: OEE itself is exact.
    assert bounds(one(found, "oee")) == pytest.approx((0.5, 0.5, 0.5))
    assert one(found, "oee").coverage == pytest.approx(0.9)


def test_doubtful_states_open_availability_and_performance_and_nothing_else() -> None:
    known = produced(DAY_S, 20_000, 18_000, 18_000)
    facts = {1: {march(2)[0]: known | {"run_doubt_s": 2_000.0, "rest_doubt_s": 4_000.0}}}
    found = oee(evidence(machines(), facts), MARCH)
    assert bounds(one(found, "availability")) == pytest.approx(
        (18_000 / DAY_S, 20_000 / DAY_S, 24_000 / DAY_S)
    )
    assert bounds(one(found, "performance")) == pytest.approx((18 / 24, 18 / 20, 18 / 18))
    assert bounds(one(found, "oee")) == pytest.approx((0.5, 0.5, 0.5))
    assert bounds(one(found, "quality")) == pytest.approx((1, 1, 1))
    assert one(found, "oee").coverage == 1


def test_uncounted_time_opens_oee_and_leaves_availability() -> None:
    facts = {1: {march(2)[0]: produced(DAY_S, 18_000, 16_200, 16_200) | {"uncounted_s": 3_600}}}
    found = oee(evidence(machines(), facts), MARCH)
    assert bounds(one(found, "oee")) == pytest.approx((0.45, 0.5, 0.55))
    assert bounds(one(found, "availability")) == pytest.approx((0.5, 0.5, 0.5))
    assert bounds(one(found, "performance")) == pytest.approx((0.9, 1.0, 1.1))


def test_what_one_machine_lacks_adds_to_what_another_lacks() -> None:
    facts = {
        1: {march(2)[0]: produced(DAY_S, 9_000, 9_000, 9_000) | {"unknown_s": 3_600}},
        2: {march(2)[0]: produced(DAY_S, 9_000, 9_000, 9_000) | {"uncounted_s": 3_600}},
    }
    assert one(oee(evidence(machines(2), facts), MARCH), "oee").coverage == pytest.approx(0.9)


def test_facts_of_one_machine_do_not_stand_for_another_that_has_none() -> None:
    planned = {1: {march(2)[0]: DAY_S / 2}, 2: {march(2)[0]: DAY_S / 2}}
    facts = {1: {march(2)[0]: produced(DAY_S, 9_000, 9_000, 9_000)}, 2: {}}
    found = oee(evidence(machines(2), facts, planned=planned), MARCH)
    assert one(found, "oee").coverage == pytest.approx(0.5)


def test_performance_above_one_is_shown_and_not_capped() -> None:
    facts = {1: {march(2)[0]: produced(DAY_S, 18_000, 21_600, 21_600)}}
    found = oee(evidence(machines(), facts), MARCH)
    assert bounds(one(found, "performance"))[1] == pytest.approx(1.2)
    assert bounds(one(found, "oee"))[1] == pytest.approx(0.6)


def test_the_product_that_is_open_opens_oee_but_not_quality() -> None:
    sums = produced(DAY_S, 18_000, 10_000, 9_000) | {
        "ideal_total_low_s": 8_000,
        "ideal_good_low_s": 7_200,
        "ideal_total_high_s": 12_000,
        "ideal_good_high_s": 10_800,
        "ideal_lost_low_s": 800,
        "ideal_lost_high_s": 1_200,
    }
    found = oee(evidence(machines(), {1: {march(2)[0]: sums}}), MARCH)
    assert bounds(one(found, "oee")) == pytest.approx((0.2, 0.25, 0.3))
    low, point, high = bounds(one(found, "quality"))
    assert point == pytest.approx(0.9)
    assert low == pytest.approx(7_200 / (7_200 + 1_200))
    assert high == pytest.approx(10_800 / (10_800 + 800))


def test_rejects_that_were_not_seen_lower_quality() -> None:
    sums = produced(DAY_S, 18_000, 10_000, 9_000) | {
        "ideal_good_low_s": 8_000,
        "ideal_lost_high_s": 2_000,
    }
    found = oee(evidence(machines(), {1: {march(2)[0]: sums}}), MARCH)
    assert bounds(one(found, "quality")) == pytest.approx((0.8, 0.9, 0.9))
    assert bounds(one(found, "oee")) == pytest.approx((8 / 36, 9 / 36, 9 / 36))


def test_the_least_step_of_the_registers_opens_the_bounds() -> None:
    facts = {1: {march(2)[0]: produced(DAY_S, 18_000, 18_000, 18_000)}}
    found = oee(evidence(machines(resolution=1.0), facts), MARCH)
    # Total and reject register may each err by one piece of 60 s.
    assert bounds(one(found, "oee")) == pytest.approx((17_880 / DAY_S, 0.5, 18_120 / DAY_S))


def test_good_may_run_ahead_of_total_within_the_bounds_only() -> None:
    ahead = {march(2)[0]: produced(DAY_S, 18_000, 17_990, 18_000)}
    found = oee(evidence(machines(resolution=1.0), {1: ahead}), MARCH)
    assert bounds(one(found, "quality"))[1] == 1
    contradiction = {march(2)[0]: produced(DAY_S, 18_000, 12_000, 18_000)}
    refused = one(oee(evidence(machines(resolution=1.0), {1: contradiction}), MARCH), "oee")
    assert refused.point is None
    assert "good quantity" in str(refused.reason)


def test_units_counted_without_run_time_are_refused() -> None:
    facts = {1: {march(2)[0]: produced(DAY_S, 0, 9_000, 9_000)}}
    refused = one(oee(evidence(machines(), facts), MARCH), "oee")
    assert "without run time" in str(refused.reason)


def test_nothing_produced_gives_no_quality_and_an_oee_of_zero() -> None:
    facts = {1: {march(2)[0]: produced(DAY_S, 18_000, 0, 0)}}
    found = oee(evidence(machines(), facts), MARCH)
    assert bounds(one(found, "oee")) == (0, 0, 0)
    assert one(found, "quality").reason == "nothing was produced in the period"


def test_nothing_planned_is_refused_with_its_reason() -> None:
    found = oee(evidence(machines(), {1: {}}), MARCH)
    assert [each.reason for each in found] == ["no busy time was planned in the period"] * 4


def test_a_month_without_any_fact_is_refused_and_not_zero() -> None:
    planned = {1: {march(2)[0]: DAY_S}}
    found = one(oee(evidence(machines(), {}, planned=planned), MARCH), "oee")
    assert (found.point, found.coverage, found.reason) == (None, 0, "no data in the period")


@pytest.mark.parametrize(
    ("roles", "cycles", "reason"),
    [
        (("total_count", "reject_count"), {1: 60.0}, "A01 has no tag for its state"),
        (("state", "reject_count"), {1: 60.0}, "A01 has no counter of its output"),
        (
            ("state", "total_count"),
            {1: 60.0},
            "A01 has a counter neither of good units nor of rejects",
        ),
        (("state", "total_count", "reject_count"), {}, "A01 has no ideal cycle"),
    ],
)
def test_a_plan_that_cannot_tell_oee_is_named(
    roles: tuple[str, ...], cycles: dict[int, float], reason: str
) -> None:
    plan = monitoring_plan(
        assets=[asset(1, in_oee=True)],
        tags=[tag(number, role=role) for number, role in enumerate(roles, 1)],
        cycles={1: cycles},
    )
    facts = {1: {march(2)[0]: produced(DAY_S, 18_000, 18_000, 18_000)}}
    assert {each.reason for each in oee(evidence(plan, facts), MARCH)} == {reason}


def test_a_good_register_alone_gives_oee_but_neither_performance_nor_quality() -> None:
    plan = machines()
    plan = replace(plan, tags=(tag(STATE), tag(GOOD)))
    facts = {1: {march(2)[0]: produced(DAY_S, 18_000, 18_000, 18_000)}}
    found = oee(evidence(plan, facts), MARCH)
    assert bounds(one(found, "oee"))[1] == 0.5
    assert bounds(one(found, "availability"))[1] == 0.5
    for name in ("performance", "quality"):
        assert one(found, name).point is None
        assert "A01 counts good units only" in str(one(found, name).reason)


def test_one_machine_that_counts_good_units_only_leaves_the_quality_of_all_unknown() -> None:
    plan = machines(2)
    tags = (*(each for each in plan.tags if each.asset_id == 1), tag(91, role="state", asset_id=2))
    plan = replace(plan, tags=(*tags, tag(92, role="good_count", asset_id=2)))
    facts = {number: {march(2)[0]: produced(DAY_S, 18_000, 9_000, 9_000)} for number in (1, 2)}
    found = oee(evidence(plan, facts), MARCH)
    assert one(found, "oee").point is not None
    assert one(found, "quality").point is None


def test_equipment_outside_the_plan_of_oee_does_not_count() -> None:
    plan = replace(machines(1), assets=(*machines(1).assets, asset(2)))
    facts = {number: {march(2)[0]: produced(DAY_S, 9_000, 9_000, 9_000)} for number in (1, 2)}
    found = one(oee(evidence(plan, facts), MARCH), "oee")
    assert found.inputs["planned_s"] == DAY_S
    none = oee(evidence(monitoring_plan(assets=[asset(2)]), facts), MARCH)
    assert none[0].reason == "no equipment is registered to form OEE"


@pytest.mark.parametrize(
    ("gap", "low_s", "high_s"),
    [
        (("2026-03-31T18:00", "2026-04-01T02:00"), 600, 200),
        (("2026-03-31T18:30", "2026-04-01T01:30"), 600, 200),
        (("2026-02-28T18:00", "2026-03-01T02:00"), 200, 600),
        (("2026-03-31T20:00", "2026-04-01T00:00"), 0, 0),
        (("2026-04-01T00:00", "2026-04-01T04:00"), 0, 0),
        (("2026-03-10T20:00", "2026-03-11T04:00"), 0, 0),
    ],
    ids=[
        *("over its end", "hours that it only touches", "over its start"),
        *("up to its end", "after it", "over a midnight inside it"),
    ],
)
def test_a_gap_over_an_edge_of_the_month_may_lie_on_either_side(
    gap: tuple[str, str], low_s: float, high_s: float
) -> None:
    facts: dict[int, Facts] = {1: {march(30)[0]: produced(DAY_S, 18_000, 18_000, 18_000)}}
    found = oee(evidence(machines(), facts, gap=gap), MARCH)
    expected = ((18_000 - low_s) / DAY_S, 0.5, (18_000 + high_s) / DAY_S)
    assert bounds(one(found, "oee")) == pytest.approx(expected)
    assert bounds(one(found, "quality")) == pytest.approx((1, 1, 1))


def test_a_year_is_exact_over_a_gap_between_two_of_its_months() -> None:
    facts = {1: each_day(date(2025, 4, 1), date(2026, 4, 1), produced(DAY_S, 18e3, 18e3, 18e3))}
    inside = evidence(machines(), facts, gap=("2025-12-31T18:00", "2026-01-01T02:00"))
    assert bounds(one(oee(inside, YEAR), "oee")) == pytest.approx((0.5, 0.5, 0.5))
    over = evidence(machines(), facts, gap=("2026-03-31T18:00", "2026-04-01T02:00"))
    assert bounds(one(oee(over, YEAR), "oee"))[0] == pytest.approx(0.5 - 600 / (365 * DAY_S))


def test_a_gap_of_equipment_outside_oee_does_not_matter() -> None:
    plan = replace(machines(), assets=(asset(2, in_oee=True),), tags=machines(2).tags)
    plan = replace(plan, ideal_cycle_s={2: {1: 60.0}})
    facts: dict[int, Facts] = {2: {march(30)[0]: produced(DAY_S, 18_000, 18_000, 18_000)}}
    found = evidence(plan, facts, gap=("2026-03-31T18:00", "2026-04-01T02:00"))
    assert bounds(one(oee(found, MARCH), "oee")) == pytest.approx((0.5, 0.5, 0.5))


def coverage_of(found: Evidence) -> tuple[str, float | None]:
    """Grade and point of the OEE figure of March."""
    made = figure(1, MARCH, one(oee(found, MARCH), "oee"), AFTER_MARCH)
    return made.grade, made.point


@pytest.mark.parametrize(
    ("uncounted_s", "expected"),
    [
        (0.0, "A"),
        (1_800.0, "A"),  # exactly 95 %
        (1_801.0, "B"),
        (3_600.0, "B"),  # exactly 90 %
        (3_601.0, "C"),
        (9_000.0, "C"),  # exactly 75 %
        (9_001.0, "D"),
    ],
)
def test_the_grade_follows_the_coverage(uncounted_s: float, expected: str) -> None:
    sums = produced(DAY_S, 18_000, 9_000, 9_000) | {"uncounted_s": uncounted_s}
    word, point = coverage_of(evidence(machines(), {1: {march(2)[0]: sums}}))
    assert word == expected
    assert (point is None) == (expected == "D")


def test_too_little_coverage_takes_the_number_and_its_bounds_away_and_says_so() -> None:
    sums = produced(DAY_S, 18_000, 9_000, 9_000) | {"uncounted_s": 18_000.0}
    found = one(oee(evidence(machines(), {1: {march(2)[0]: sums}}), MARCH), "oee")
    made = figure(1, MARCH, found, AFTER_MARCH)
    assert (made.point, made.low, made.high) == (None, None, None)
    assert made.coverage == pytest.approx(0.5)
    assert said(made.reason, "en") == "data cover 50.0% of the period, less than 75 %"
