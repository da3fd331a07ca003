"""Loading a plan: whole, again, and never in part."""

import json
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from typing import Any

import pytest

import store
from collectors.config.fields import UNITS
from store import batches, plan_schema, plans, registry
from store.errors import PlanRefused, Refused, UnknownFactory
from store.plan_checks import check_plan
from store.units import TAG_UNITS
from tests.store.samples import START, Gateway, count, enrol, one_row, sample_plan, with_plan

Plan = dict[str, Any]

_TABLES = (
    "registry.factory", "registry.enterprise", "registry.asset", "registry.tag",
    "registry.state_map", "registry.ideal_cycle", "registry.meter", "registry.energy_factor",
    "registry.shift", "registry.holiday", "registry.planned_stop", "pool.promise",
    "pool.self_report",
)  # fmt: skip


def contents(db: store.Connection) -> dict[str, int]:
    return {table: count(db, table) for table in _TABLES}


def loaded(db: store.Connection, code: str = "sample") -> registry.MonitoringPlan:
    return registry.monitoring_plan(db, registry.factory_by_code(db, code))


def test_a_plan_is_read_as_it_was_loaded(db: store.Connection) -> None:
    plan = sample_plan()
    meter: Plan = {"code": "EM01", "name_zh": "总电表", "name_en": "Main meter", "kind": "meter"}
    meter["meter"] = {"carrier": "electricity", "unit": "kWh", "level": 1}
    energy: Plan = {
        "role": "energy",
        "unit": "kWh",
        "heartbeat_s": 900,
        "modulus": 2**32,
        "ratio": 0.1,
    }
    energy |= {"name": "EM01.energy", "max_rate_per_s": 1.5, "resolution": 0.5}
    plan["assets"].append(meter | {"tags": [energy]})
    factory_id = plans.load_plan(db, json.loads(json.dumps(plan)))
    found = loaded(db)
    assert found.factory == registry.Factory(
        factory_id, "sample", "示例工厂", "Sample plant", "示例企业 sample", "Sample enterprise",
        "320613", "崇川区", "Chongchuan", "discrete", "Asia/Shanghai",
        date(2024, 11, 1), date(2025, 11, 1), date(2025, 11, 1),
    )  # fmt: skip
    assets = {asset.code: asset for asset in found.assets}
    assert sorted(assets) == ["EM01", "M01", "M02"]
    assert (assets["M01"].in_oee, assets["M01"].key_equipment) == (True, True)
    assert (assets["EM01"].in_oee, assets["EM01"].key_equipment) == (False, False)
    assert (assets["EM01"].carrier, assets["EM01"].unit, assets["EM01"].level) == (
        "electricity", "kWh", 1
    )  # fmt: skip
    tag = next(tag for tag in found.tags if tag.name == "EM01.energy")
    assert (tag.asset_id, tag.role, tag.unit, tag.heartbeat_s) == (
        assets["EM01"].asset_id, "energy", "kWh", 900
    )  # fmt: skip
    assert (tag.modulus, tag.max_rate_per_s, tag.ratio, tag.resolution, tag.state_map) == (
        2**32, 1.5, 0.1, 0.5, None
    )  # fmt: skip
    assert found.state_maps == {"cnc": {0: "idle", 1: "run", 2: "setup", 3: "stop"}}
    assert found.ideal_cycle_s == {assets[code].asset_id: {1: 84.0} for code in ("M01", "M02")}
    assert found.shifts == (
        registry.Shift(1, "早班", time(8), 28800),
        registry.Shift(1, "夜班", time(20), 43200),
    )
    assert found.holidays == {date(2025, 10, 1)}
    assert found.planned_stops == (
        registry.PlannedStop(
            assets["M01"].asset_id,
            datetime(2026, 3, 2, 0, tzinfo=UTC),
            datetime(2026, 3, 2, 2, tzinfo=UTC),
        ),
    )
    assert found.energy_factors == (registry.EnergyFactor("natural_gas", 1.2143, "sample"),)


def test_fields_that_may_be_absent(db: store.Connection) -> None:
    plan = sample_plan()
    needed = ("factory", "enterprise", "assets", "shifts", "state_maps")
    plans.load_plan(db, {name: plan[name] for name in needed})
    found = loaded(db)
    assert (found.holidays, found.planned_stops, found.energy_factors) == (frozenset(), (), ())
    assert {tag.ratio for tag in found.tags} == {1.0}
    assert {tag.resolution for tag in found.tags} == {0.0}


def test_loading_again_changes_nothing(db: store.Connection) -> None:
    first = with_plan(db)
    before, plan_before = contents(db), loaded(db)
    assert with_plan(db) == first
    assert (contents(db), loaded(db)) == (before, plan_before)


def test_a_changed_plan_keeps_the_numbers(db: store.Connection, gateway: Gateway) -> None:
    batches.accept(db, gateway.batch(one_row(gateway.tags["M01.total"], START, 1)))
    before = loaded(db)
    plan = sample_plan(machines=3)
    plan["factory"]["name_en"] = "Renamed"
    plan["assets"][0]["tags"][1]["heartbeat_s"] = 60
    plan["assets"][0]["ideal_cycles"] = []
    plan["shifts"].pop()
    plan["promises"] = []
    plans.load_plan(db, plan)
    after = loaded(db)
    assert after.factory.factory_id == before.factory.factory_id
    assert after.factory.name_en == "Renamed"
    assert {a.code: a.asset_id for a in before.assets}.items() <= {
        a.code: a.asset_id for a in after.assets
    }.items()
    assert registry.gateway_tags(db, gateway.code).items() > gateway.tags.items()
    (total,) = [tag for tag in after.tags if tag.name == "M01.total"]
    assert total.heartbeat_s == 60
    assert len(after.ideal_cycle_s) == 2
    assert len(after.shifts) == 1
    assert count(db, "pool.promise") == 0


def test_factories_do_not_touch_each_other(db: store.Connection) -> None:
    with_plan(db, "one")
    before = loaded(db, "one")
    with_plan(db, "two", machines=1)
    assert loaded(db, "one") == before
    assert [factory.code for factory in registry.factories(db)] == ["one", "two"]


def test_a_stop_filed_late_is_kept_but_does_not_count(db: store.Connection) -> None:
    plan = sample_plan()
    stop = plan["planned_stops"][0]
    late = stop | {"filed_at": stop["starts_at"], "asset": None}
    early = stop | {"filed_at": "2026-03-02T07:59:59+08:00", "asset": None, "reason": "all"}
    plan["planned_stops"] = [late, early]
    plans.load_plan(db, plan)
    assert count(db, "registry.planned_stop") == 2
    assert [planned.asset_id for planned in loaded(db).planned_stops] == [None]


def test_stops_of_different_assets_and_stops_that_meet_do_not_overlap() -> None:
    plan = sample_plan()
    stop = plan["planned_stops"][0]
    after = {"starts_at": stop["ends_at"], "ends_at": "2026-03-02T11:00:00+08:00"}
    plan["planned_stops"] = [stop, stop | {"asset": "M02"}, stop | after | {"asset": None}]
    check_plan(plan)


def test_every_unit_that_a_gateway_may_show_may_stand_in_a_plan() -> None:
    assert set(UNITS) <= set(TAG_UNITS)


def _without(name: str) -> Callable[[Plan], Any]:
    return lambda plan: plan.pop(name)


def _in_factory(**changed: Any) -> Callable[[Plan], Any]:
    return lambda plan: plan["factory"].update(changed)


def _in_asset(**changed: Any) -> Callable[[Plan], Any]:
    return lambda plan: plan["assets"][1].update(changed)


def _in_tag(number: int = 1, **changed: Any) -> Callable[[Plan], Any]:
    return lambda plan: plan["assets"][1]["tags"][number].update(changed)


def _in_list(name: str, **changed: Any) -> Callable[[Plan], Any]:
    return lambda plan: plan[name][0].update(changed)


def _twice(name: str) -> Callable[[Plan], Any]:
    return lambda plan: plan[name].append(plan[name][0])


_FAULTS: list[tuple[Callable[[Plan], Any], str]] = [
    (_without("assets"), "the plan: assets is missing"),
    (_without("factory"), "the plan: factory is missing"),
    (_without("shifts"), "the plan: shifts is missing"),
    (lambda plan: plan.update(shift=[]), "the plan: shift is not known; known are factory, ent"),
    (lambda plan: plan.update(assets="M01"), "the plan: assets is 'M01' but must be a list"),
    (lambda plan: plan["factory"].pop("region"), "factory: region is missing"),
    (_in_factory(name_zh="\ud800"), "factory: name_zh is '\\ud800' but must be a text"),
    (_in_factory(region="Nantong"), "region is 'Nantong' but must be the six digits of a region"),
    (_in_factory(kind="mixed"), "factory: kind is 'mixed' but must be one of discrete, process"),
    (_in_factory(timezone="Asia/Nantong"), "factory: timezone is 'Asia/Nantong' but must be a"),
    (_in_factory(baseline=["2025-11-01"]), "baseline is ['2025-11-01'] but must be two dates"),
    (_in_factory(baseline=["2025-11-01", "2024-11-01"]), "but must end after it begins"),
    (_in_factory(baseline=["2025-1-1", "2025-11-01"]), "must be a date such as 2025-11-01"),
    (_in_factory(baseline=["2024-11-01", "2025-11-02"]), "baseline must end by renovated_on"),
    (_in_factory(renovated_on=None), "factory: renovated_on is None but must be a date"),
    (_in_factory(code=" "), "factory: code is ' ' but must be a text"),
    (_in_factory(code=7), "factory: code is 7 but must be a text"),
    (lambda plan: plan["enterprise"].pop("name_zh"), "enterprise: name_zh is missing"),
    (lambda plan: plan["state_maps"]["cnc"].update({"4": "running"}),
     "state_maps.cnc: state 4 is 'running' but must be one of run, setup, stop, idle"),
    (lambda plan: plan["state_maps"]["cnc"].update({"four": "run"}), "'four' must be a whole num"),
    (lambda plan: plan["state_maps"]["cnc"].update({"01": "run"}), "state_maps.cnc: 1 stands"),
    (lambda plan: plan["state_maps"].update(cnc=["idle"]), "state_maps.cnc must be an object"),
    (lambda plan: plan["state_maps"].update(spare={}), "state_maps.spare is empty; name the state"),
    (lambda plan: plan["assets"].append("M03"), "assets[2] must be an object with the fields"),
    (_in_asset(kind="machin"), "assets[1]: kind is 'machin' but must be one of machine, robot"),
    (_in_asset(in_oee="yes"), "assets[1]: in_oee is 'yes' but must be true or false"),
    (_in_asset(code="M01", tags=[]), "assets: code: M01 stands there twice"),
    (_in_asset(oee=True), "assets[1]: oee is not known; known are code, name_zh"),
    (_in_asset(meter={"carrier": "electricity", "unit": "kWh", "level": 4}),
     "asset M02, meter: level is 4 but must be a whole number from 1 to 3"),
    (_in_asset(meter={"carrier": "electricity", "level": 1}), "asset M02, meter: unit is missing"),
    (lambda plan: plan["assets"][1]["ideal_cycles"][0].update(cycle_s=0),
     "asset M02, ideal_cycles[0]: cycle_s is 0 but must be a number from 0.0001 to 604800"),
    (lambda plan: plan["assets"][1]["ideal_cycles"][0].update(cycle_s=1e6),
     "cycle_s is 1000000.0 but must be a number from 0.0001 to 604800"),
    (lambda plan: plan["assets"][1]["ideal_cycles"][0].update(cycle_s=float("nan")),
     "cycle_s is nan but must be a number"),
    (lambda plan: plan["assets"][1]["ideal_cycles"].append(plan["assets"][0]["ideal_cycles"][0]),
     "asset M02, ideal_cycles: product: 1 stands there twice"),
    (_in_tag(role="count"), "asset M02, tags[1]: role is 'count' but must be one of state, prod"),
    (_in_tag(heartbeat_s=0), "heartbeat_s is 0 but must be a whole number from 1 to"),
    (_in_tag(0, heartbeat_s=3601),
     "tag M02.state: heartbeat_s is 3601 but must be a whole number from 1 to 3600 for a state"),
    (_in_tag(heartbeat_s=True), "heartbeat_s is True but must be a whole number"),
    (_in_tag(unit="furlong"), "asset M02, tags[1]: unit is 'furlong' but must be one of 1, %,"),
    (_in_tag(modulus=10**400), "but must be a number from 1 to 1e+18"),
    (_in_tag(max_rate_per_s=0), "max_rate_per_s is 0 but must be a number from 1e-09 to 1e+18"),
    (_in_tag(2, unit="W"),
     "tag M02.power: ratio is 1 but the tag shows W and kW counts: one W is 0.001 kW"),
    (_in_tag(modulus=-1), "modulus is -1 but must be a number from 1 to 1e+18"),
    (_in_tag(ratio=0), "ratio is 0 but must be a number from 1e-06 to 1e+07"),
    (_in_tag(resolution=-0.1), "resolution is -0.1 but must be a number from 0 to 1e+18"),
    (_in_tag(heartbeat=60), "asset M02, tags[1]: heartbeat is not known; known are name, role"),
    (_in_tag(name="M01.total"), "tags: name: M01.total stands there twice"),
    (_in_tag(role="state", state_map="cnc"), "asset M02, tags: role: state stands there twice"),
    (_in_tag(0, state_map="robot"),
     "asset M02, tag M02.state: state_map 'robot' is not in state_maps, which is cnc"),
    (_in_tag(0, state_map=None), "asset M02, tag M02.state: a state needs a state_map"),
    (_without("state_maps"), "asset M01, tag M01.state: state_map 'cnc' is not in state_maps"),
    (_in_list("shifts", weekday=0), "shifts[0]: weekday is 0 but must be a whole number from 1"),
    (_in_list("shifts", starts="8 o'clock"), "shifts[0]: starts is \"8 o'clock\" but must be a ti"),
    (_in_list("shifts", starts="08"), "shifts[0]: starts is '08' but must be a time of day such"),
    (_in_list("shifts", duration_s=86401), "duration_s is 86401 but must be a whole number from"),
    (_in_list("shifts", duration_s=43201), "shifts: 早班 of weekday 1 runs into 夜班 of weekday 1"),
    (lambda plan: plan["shifts"].append(
        {"weekday": 7, "name": "夜班", "starts": "20:00", "duration_s": 43201}),
     "shifts: 夜班 of weekday 7 runs into 早班 of weekday 1"),
    (_twice("shifts"), "shifts: 1 早班 stands there twice"),
    (_twice("holidays"), "holidays: 2025-10-01 stands there twice"),
    (_in_list("holidays", day="2025-02-29"), "holidays[0]: day is '2025-02-29' but must be a dat"),
    (_twice("energy_factors"), "energy_factors: natural_gas stands there twice"),
    (_in_list("energy_factors", kgce_per_unit="1.2"), "kgce_per_unit is '1.2' but must be a numb"),
    (_in_list("planned_stops", asset="M99"), "planned_stops[0]: no asset has the code 'M99'"),
    (_in_list("planned_stops", ends_at="2026-03-02T00:00:00Z"), "planned_stops[0]: must end after"),
    (_in_list("planned_stops", filed_at="2026-03-01T08:00:00"), "must be a time with an offset"),
    (_in_list("planned_stops", filed_at="0001-01-01T08:00:00Z"),
     "filed_at is '0001-01-01T08:00:00Z' but must lie in the years 1970 to 2200"),
    (_twice("planned_stops"),
     "planned_stops[1]: starts_at is '2026-03-02T08:00:00+08:00' but must not be before "
     "2026-03-02T10:00:00+08:00, where planned_stops[0] of M01 ends"),
    (lambda plan: plan["planned_stops"].append(plan["planned_stops"][0] | {
        "asset": None, "starts_at": "2026-03-02T09:59:59+08:00",
        "ends_at": "2026-03-03T00:00:00+08:00"}),
     "planned_stops[1]: starts_at is '2026-03-02T09:59:59+08:00' but must not be before"),
    (_in_list("promises", kpi="robots", before=None, expected=-3),
     "promises[0]: expected is -3 but must be a whole number from 0 to 1000000: robots"),
    (_in_list("self_reports", kpi="networked_equipment", value=6.5),
     "self_reports[0]: value is 6.5 but must be a whole number from 0"),
    (_in_list("promises", kpi="happiness"), "promises[0]: kpi is 'happiness' but must be one of"),
    (_in_list("promises", expected=78),
     "promises[0]: expected is 78 but must be a number from 0 to 1: oee is a share, so that 0.78"),
    (_in_list("promises", before=-0.1), "before is -0.1 but must be a number from 0 to 1: oee"),
    (_in_list("promises", kpi="inventory_turnover", before=3.1, expected=480),
     "expected is 480 but must be a number from 0 to 366: inventory_turnover is turns a year, so"),
    (_in_list("self_reports", value=float("inf")), "value is inf but must be a number"),
    (_in_list("self_reports", kpi="standard_coal", value=-5),
     "value is -5 but must be a number from 0 to 1e+09: standard_coal is tce"),
    (_twice("promises"), "promises: oee stands there twice"),
    (_in_list("promises", basis="guessed"), "promises[0]: basis is 'guessed' but must be one of"),
    (_in_list("promises", expected=None), "promises[0]: expected is None but must be a number"),
    (_twice("self_reports"), "self_reports: oee"),
    (_in_list("self_reports", period=["2026-11-01", "2025-11-01"]), "must end after it begins"),
]  # fmt: skip


@pytest.mark.parametrize(("spoil", "words"), _FAULTS, ids=[words for _, words in _FAULTS])
def test_a_faulty_plan_is_refused_with_its_place(spoil: Callable[[Plan], Any], words: str) -> None:
    plan = sample_plan()
    check_plan(plan)
    spoil(plan)
    with pytest.raises(PlanRefused, match=re.escape(words)):
        check_plan(plan)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (_in_factory(region="999999"), "factory: no region has the code 999999"),
        (_in_tag(0, state_map="robot"), "asset M02, tag M02.state: state_map 'robot'"),
    ],
    ids=["region", "state map"],
)
def test_nothing_of_a_refused_plan_is_stored(
    db: store.Connection, spoil: Callable[[Plan], Any], words: str
) -> None:
    plan = sample_plan()
    spoil(plan)
    with pytest.raises(PlanRefused, match=re.escape(words)):
        plans.load_plan(db, plan)
    assert set(contents(db).values()) == {0}


def test_a_refused_plan_leaves_the_one_before_it(db: store.Connection) -> None:
    with_plan(db)
    before, plan_before = contents(db), loaded(db)
    plan = sample_plan()
    plan["assets"][0]["name_en"] = "Renamed"
    plan["factory"]["region"] = "999999"
    with pytest.raises(PlanRefused):
        plans.load_plan(db, plan)
    assert (contents(db), loaded(db)) == (before, plan_before)


def test_what_may_have_rows_must_stay_in_the_plan(db: store.Connection) -> None:
    with_plan(db)
    plan = sample_plan()
    del plan["assets"][1]["tags"][2]
    with pytest.raises(PlanRefused, match=r"the plan lacks tag M02\.power, which it had before"):
        plans.load_plan(db, plan)
    with pytest.raises(PlanRefused, match=r"lacks asset M02, tag M02.*in_oee false"):
        with_plan(db, machines=1)
    assert len(loaded(db).assets) == 2


def test_two_enterprises_do_not_share_a_credit_code(db: store.Connection) -> None:
    first, second = sample_plan("one"), sample_plan("two")
    first["enterprise"]["credit_code"] = second["enterprise"]["credit_code"] = "SAMPLE-CODE"
    plans.load_plan(db, first)
    with pytest.raises(PlanRefused, match="credit_code SAMPLE-CODE has another name_zh"):
        plans.load_plan(db, second)
    # A plan that does not say the code does not take it away.
    with_plan(db, "one")
    row = db.execute("SELECT credit_code FROM registry.enterprise").fetchall()
    assert row == [("SAMPLE-CODE",)]


def test_words_are_those_of_the_database(db: store.Connection) -> None:
    rows = db.execute(
        "SELECT conrelid::regclass || '.' || a.attname, pg_get_constraintdef(c.oid) "
        "FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = conrelid AND a.attnum = conkey[1]"
        "WHERE contype = 'c' AND pg_get_constraintdef(c.oid) LIKE '%ANY%'"
    )
    allowed = {column: tuple(re.findall(r"'([a-z_]+)'::text", text)) for column, text in rows}
    for column, words in {
        "registry.factory.kind": plan_schema.FACTORY_KINDS,
        "registry.asset.kind": plan_schema.ASSET_KINDS,
        "registry.tag.role": plan_schema.ROLES,
        "registry.state_map.state": plan_schema.STATES,
        "pool.promise.before_basis": plan_schema.BASES,
    }.items():
        assert sorted(allowed[column]) == sorted(words), column


def test_enrolling_a_gateway(db: store.Connection) -> None:
    with pytest.raises(UnknownFactory, match="no factory has the code sample; load its plan"):
        enrol(db)
    with_plan(db)
    with_plan(db, "other")
    assert registry.gateway_tags(db, "gw-sample") == {}
    gateway = enrol(db)
    assert sorted(gateway.tags) == sorted(tag.name for tag in loaded(db).tags)
    with pytest.raises(Refused, match="enrolled at another factory"):
        enrol(db, "other")
    with pytest.raises(Refused, match="violates check constraint"):
        registry.register_gateway(db, "sample", "gw-short", b"too short")


def test_enrolling_again_ends_a_revocation(db: store.Connection, gateway: Gateway) -> None:
    db.execute("UPDATE registry.gateway SET revoked_at = now()")
    assert registry.gateway_tags(db, gateway.code) == {}
    again = enrol(db)
    assert again.tags == gateway.tags
    assert batches.accept(db, again.batch()).outcome == "accepted"
