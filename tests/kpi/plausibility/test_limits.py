"""What the plan says of nameplates decides which rules apply; a wrong plan is refused."""

from datetime import date, timedelta
from typing import Any

import pytest

import store
from kpi.jobs.finding_job import run_findings
from store import findings, plans, registry
from store.errors import PlanRefused
from store.registry import Asset
from tests.kpi.plant import Plant, china, machine_day, sample_plan

NEXT_DAY = china("2026-03-03 00:30")


def _plan(limits: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    plan = sample_plan() | fields
    plan["assets"][0]["limits"] = limits
    return plan


def _assets(db: store.Connection) -> tuple[Asset, ...]:
    (factory,) = registry.factories(db)
    return registry.monitoring_plan(db, factory).assets


def test_limits_and_bills_come_back_as_the_plan_has_them(
    db: store.Connection, database_url: str
) -> None:
    bills = [{"product": "1", "material": "S1", "per_unit": 2.5}]
    limits = {"idle_kw": 1.5, "calibrated_until": "2027-01-01", "address": "192.0.2.7"}
    plant = Plant.load(db, database_url, _plan(limits, bills=bills))
    (found,) = findings.limits(db, plant.factory_id).values()
    assert (found.idle_kw, found.working_kw) == (1.5, None)
    where = {each.code: each.address for each in _assets(db) if each.address}
    assert where == {sample_plan()["assets"][0]["code"]: "192.0.2.7"}
    assert found.calibrated_until == date(2027, 1, 1)
    assert findings.bills(db, plant.factory_id) == {("1", "S1"): 2.5}
    plans.load_plan(db, _plan())
    assert findings.limits(db, plant.factory_id) == {}
    assert {each.address for each in _assets(db)} == {None}
    assert findings.bills(db, plant.factory_id) == {}


def test_a_plan_with_a_new_limit_makes_the_rule_apply(plant: Plant) -> None:
    plant.send(machine_day("M01", "2026-03-02", per_quarter=40))
    plant.facts(NEXT_DAY)
    run_findings(plant.url, NEXT_DAY)
    assert _severities(plant) == {"not_applicable"}
    plans.load_plan(plant.conn, _plan({"min_cycle_s": 60.0}))
    run_findings(plant.url, NEXT_DAY + timedelta(hours=1))
    assert _severities(plant) == {"fail"}


def _severities(plant: Plant) -> set[str]:
    return {each.severity for each in findings.listed(plant.conn, plant.factory_id, rule="P06")}


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ({"idle_kw": -1}, "asset M01, limits: idle_kw"),
        ({"min_cycle_s": 0}, "asset M01, limits: min_cycle_s is 0 but must be a number from"),
        ({"loss_share": 0.9}, "asset M01, limits: loss_share"),
        ({"calibrated_until": "soon"}, "asset M01, limits: calibrated_until"),
        ({"colour": "red"}, "colour"),
        ({"idle_kw": 5, "working_kw": 2}, "idle_kw is 5 but must not be above working_kw"),
    ],
)
def test_a_limit_out_of_range_is_refused_with_its_place(
    db: store.Connection, limits: dict[str, Any], words: str
) -> None:
    with pytest.raises(PlanRefused) as refused:
        plans.load_plan(db, _plan(limits))
    assert words in str(refused.value)


def test_a_bill_that_stands_there_twice_is_refused(db: store.Connection) -> None:
    bill = {"product": "1", "material": "S1", "per_unit": 2.5}
    with pytest.raises(PlanRefused, match="1 S1 stands there twice"):
        plans.load_plan(db, _plan(bills=[bill, bill]))
