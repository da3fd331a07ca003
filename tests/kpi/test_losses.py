"""The loss waterfall: exact sums, unknown time as its own loss, and refusals in words."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpi.errors import NotComputable
from kpi.losses import Step, steps, waterfall
from store.registry import MonitoringPlan
from tests.kpi.builders import asset, monitoring_plan, tag
from tests.kpi.evidence import MARCH, evidence, march, produced
from tests.kpi.test_figures_oee import DAY_S, machines

APRIL = date(2026, 4, 1)
DAY_IN_MARCH = march(2)[0]


def _adds_up(found: tuple[Step, ...]) -> None:
    """Hold each level to be exactly the one above it less the losses between them."""
    level = found[0].microseconds
    for step in found[1:]:
        if step.kind == "loss":
            level -= step.microseconds
        else:
            assert level == step.microseconds, step.name


def test_time_goes_from_the_calendar_to_good_units() -> None:
    day = produced(DAY_S, 30_000, 28_800, 27_000) | {"stop_s": 3_000, "setup_s": 3_000}
    found = waterfall(evidence(machines(), {1: {DAY_IN_MARCH: day}}), DAY_IN_MARCH, march(3)[0])
    hours = {step.name: step.hours for step in found.steps}
    assert hours == pytest.approx(
        {
            "calendar": 24,
            "off": 14,
            "planned_down": 0,
            "planned": 10,
            "setup": 3_000 / 3600,
            "stop": 3_000 / 3600,
            "idle": 0,
            "unknown": 0,
            "run": 30_000 / 3600,
            "speed": 1_200 / 3600,
            "ideal": 8,
            "quality": 0.5,
            "good": 7.5,
        }
    )
    assert found.steps[-1].share == pytest.approx(7.5 / 24)
    assert found.machines == 1
    _adds_up(found.steps)


def test_a_stop_filed_beforehand_is_a_level_of_its_own() -> None:
    known = evidence(machines(), {1: {DAY_IN_MARCH: produced(DAY_S, 30_000, 28_800, 27_000)}})
    seconds = {1: known.planned_s[1] / 10}
    found = waterfall(replace(known, down_s=seconds), DAY_IN_MARCH, march(3)[0])
    assert found.hours("planned_down") == pytest.approx(1)
    assert found.hours("off") == pytest.approx(13)


def test_hours_without_facts_are_unknown_and_not_stopped() -> None:
    planned = {1: dict.fromkeys(march(2, 3), DAY_S)}
    facts = {1: {DAY_IN_MARCH: produced(DAY_S, DAY_S, DAY_S, DAY_S)}}
    found = waterfall(evidence(machines(), facts, planned=planned), MARCH.start, APRIL)
    assert found.hours("unknown") == pytest.approx(10)
    assert found.hours("stop") == 0
    assert found.uncounted_hours == pytest.approx(10)


def test_doubtful_hours_stay_in_their_state_and_are_told_beside_it() -> None:
    day = produced(DAY_S, 18_000, 16_200, 16_200) | {"run_doubt_s": 1_800, "rest_doubt_s": 3_600}
    found = waterfall(evidence(machines(), {1: {DAY_IN_MARCH: day}}), MARCH.start, APRIL)
    assert found.hours("run") == pytest.approx(5)
    assert found.hours("stop") == pytest.approx(5)
    assert (found.doubtful_run_hours, found.doubtful_other_hours) == (0.5, 1.0)


def test_speed_beyond_the_ideal_cycle_is_a_gain_and_not_hidden() -> None:
    facts = {1: {DAY_IN_MARCH: produced(DAY_S, 18_000, 21_600, 21_600)}}
    found = waterfall(evidence(machines(), facts), MARCH.start, APRIL)
    assert found.hours("speed") == pytest.approx(-1)
    _adds_up(found.steps)


def _counting(*roles: str, count: int = 1) -> MonitoringPlan:
    """Return a plan whose first machine has such registers, and the others a total and rejects."""
    plan = machines(count)
    rest = tuple(each for each in plan.tags if each.asset_id != 1)
    tags = (tag(number, role=role) for number, role in enumerate(("state", *roles), 900))
    return replace(plan, tags=(*tags, *rest))


def test_good_units_and_rejects_without_a_total_give_the_loss_of_quality() -> None:
    facts = {1: {DAY_IN_MARCH: produced(DAY_S, 30_000, 28_800, 27_000)}}
    plan = _counting("good_count", "reject_count")
    found = waterfall(evidence(plan, facts), MARCH.start, APRIL)
    assert found.good_only == ()
    assert found.hours("quality") == pytest.approx(0.5)


def test_good_units_alone_leave_the_losses_of_speed_and_quality_unknown() -> None:
    facts = {1: {DAY_IN_MARCH: produced(DAY_S, 30_000, 27_000, 27_000)}}
    found = waterfall(evidence(_counting("good_count"), facts), MARCH.start, APRIL)
    assert found.good_only == ("A01",)
    assert (found.hours("speed"), found.hours("quality")) == (None, None)
    assert found.hours("speed_or_quality") == pytest.approx(3_000 / 3600)
    assert "ideal" not in {step.name for step in found.steps}, "nobody counted all units"
    _adds_up(found.steps)


def test_what_one_machine_leaves_undivided_is_kept_apart_from_what_others_lost() -> None:
    facts = {
        1: {DAY_IN_MARCH: produced(DAY_S, 30_000, 27_000, 27_000)},
        2: {DAY_IN_MARCH: produced(DAY_S, 30_000, 28_800, 27_000)},
    }
    found = waterfall(evidence(_counting("good_count", count=2), facts), MARCH.start, APRIL)
    assert found.good_only == ("A01",)
    hours = [found.hours(name) for name in ("speed", "speed_or_quality", "quality")]
    assert hours == pytest.approx([1_200 / 3600, 3_000 / 3600, 0.5])
    _adds_up(found.steps)


_SECONDS = st.floats(0, 1e9)


@given(st.fixed_dictionaries({
    f"{name}_s": _SECONDS
    for name in (
        *("planned", "planned_down", "run", "setup", "stop", "idle", "ideal_total", "ideal_good"),
        "undivided",
    )
}), st.floats(1, 1e10), st.lists(st.booleans(), max_size=2))  # fmt: skip
def test_losses_and_levels_add_up_exactly_whatever_the_sums(
    sums: dict[str, float], calendar_s: float, good_only: list[bool]
) -> None:
    found = steps(sums | {"calendar_s": calendar_s}, good_only)
    _adds_up(found)
    losses = sum(step.microseconds for step in found if step.kind == "loss")
    assert found[0].microseconds - losses == found[-1].microseconds


def test_without_machines_data_or_time_there_is_no_waterfall() -> None:
    with pytest.raises(NotComputable, match="no equipment is registered"):
        waterfall(evidence(monitoring_plan(assets=[asset(1)])), MARCH.start, APRIL)
    with pytest.raises(NotComputable, match="nothing was heard"):
        waterfall(evidence(machines(), {1: {}}), MARCH.start, APRIL)
    with pytest.raises(NotComputable, match="no hour of the period has ended"):
        waterfall(evidence(machines(), {1: {}}), APRIL, date(2026, 5, 1))
