"""The monitoring plan: JSON, complete, and with an honest or an overstated report."""

import json
from datetime import datetime

import pytest

from simulators.plant import Plant

ROLES = {
    "state",
    "product",
    "total_count",
    "good_count",
    "reject_count",
    "rework_count",
    "energy",
    "power",
    "process",
    "link",
}


def test_the_plan_is_json(plant: Plant) -> None:
    plan = plant.plan()
    assert json.loads(json.dumps(plan)) == plan


def test_every_tag_is_in_the_plan_once(plant: Plant) -> None:
    tags = [tag for asset in plant.plan()["assets"] for tag in asset["tags"]]
    assert sorted(tag["name"] for tag in tags) == sorted(tag.name for tag in plant.tags)
    assert {tag["role"] for tag in tags} <= ROLES
    maps = plant.plan()["state_maps"]
    assert all(tag["state_map"] in maps for tag in tags if tag["role"] == "state")


def test_the_discrete_factory_has_what_was_asked(machining: Plant) -> None:
    assets = machining.plan()["assets"]
    machines = [each for each in assets if each["kind"] == "machine"]
    robots = [each for each in assets if each["kind"] == "robot"]
    assert len(machines) == 6
    assert len(robots) == 2
    assert all(each["in_oee"] and each["key_equipment"] for each in machines)
    assert all(each["key_equipment"] and not each["in_oee"] for each in robots)
    for machine in machines:
        cycles = [each["cycle_s"] for each in machine["ideal_cycles"]]
        assert len(set(cycles)) >= 3
    serials = [each["serial"] for each in machines + robots]
    assert len(set(serials)) == 8


def test_the_process_factory_buys_three_carriers(fibre: Plant) -> None:
    plan = fibre.plan()
    entry = {
        each["meter"]["carrier"]: each["meter"]["unit"]
        for each in plan["assets"]
        if each.get("meter", {}).get("level") == 1
    }
    assert entry == {"electricity": "kWh", "natural_gas": "m3", "heat": "MJ"}
    assert [each["carrier"] for each in plan["energy_factors"]] == ["natural_gas"]


def test_windows_follow_the_time(plant: Plant) -> None:
    factory = plant.plan()["factory"]
    assert factory["baseline"] == ["2024-03-01", "2025-03-01"]
    assert factory["renovated_on"] == "2025-03-01"


def test_stops_lie_in_order_and_some_in_the_year_after(plant: Plant) -> None:
    stops = plant.plan()["planned_stops"]
    for stop in stops:
        begin, end = (datetime.fromisoformat(stop[key]) for key in ("starts_at", "ends_at"))
        assert begin < end
    assert any(stop["starts_at"] >= "2025-03-01" for stop in stops)


def test_the_honest_report_is_the_rounded_truth(fibre: Plant) -> None:
    true = fibre.truth()["after"]
    for report in fibre.plan()["self_reports"]:
        assert report["period"] == ["2025-03-01", "2026-03-01"]
        assert report["value"] == pytest.approx(true[report["kpi"]], rel=0.003)


def test_the_overstated_report_claims_oee_and_turnover_only(machining: Plant) -> None:
    true = machining.truth()["after"]
    reports = {each["kpi"]: each["value"] for each in machining.plan()["self_reports"]}
    assert 0.04 < reports["oee"] - true["oee"] < 0.06
    assert reports["inventory_turnover"] / true["inventory_turnover"] > 1.1
    for kpi in set(reports) - {"oee", "inventory_turnover"}:
        assert reports[kpi] == pytest.approx(true[kpi], rel=0.003)


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        (
            "machining",
            {
                "oee": "partly",
                "defect_rate": "over",
                "on_time_delivery": "met",
                "inventory_turnover": "partly",
                "standard_coal": "partly",
                "networked_equipment": "met",
            },
        ),
        (
            "fibre",
            {
                "oee": "met",
                "defect_rate": "over",
                "on_time_delivery": "worse",
                "inventory_turnover": "met",
                "standard_coal": "met",
                "networked_equipment": "met",
            },
        ),
    ],
)
def test_promises_are_kept_in_a_mix(
    name: str, kept: dict[str, str], request: pytest.FixtureRequest
) -> None:
    plant: Plant = request.getfixturevalue(name)
    found = {}
    for promise in plant.scenario.promise:
        true = plant.truth()["after"][promise.kpi]
        share = (true - promise.before) / (promise.expected - promise.before)
        found[promise.kpi] = (
            "worse" if share < 0 else "partly" if share < 0.9 else "met" if share < 1.2 else "over"
        )
    assert found == kept


def test_declared_baselines_are_about_what_was_measured(plant: Plant) -> None:
    for promise in plant.scenario.promise:
        true = plant.truth()["baseline"][promise.kpi]
        assert promise.before == pytest.approx(true, rel=0.04)
