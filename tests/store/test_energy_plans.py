"""Energy in a plan: read as it was loaded, and refused at entry with what is allowed."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

import store
from store import batches, plans, registry
from store.errors import PlanRefused
from store.meters import (
    EnergyPlan,
    EnergyState,
    EnergyStock,
    Exchange,
    Meter,
    touched_since,
)
from store.plan_checks import check_plan
from tests.store.samples import enrol, rows_of, sample_plan

Plan = dict[str, Any]

EXCHANGE = {
    "at": "2026-03-01T05:30:00+00:00",
    "old_final": 120.5,
    "new_initial": 3.0,
    "ratio": 120.0,
    "document": "exchange form 7",
}


def meter(code: str, carrier: str = "electricity", unit: str = "kWh", **fields: Any) -> Plan:
    """A meter with one register."""
    energy = {"name": f"{code}.energy", "role": "energy", "unit": unit, "heartbeat_s": 900}
    return {
        "code": code,
        "name_zh": "示例表",
        "name_en": "Sample meter",
        "kind": "meter",
        "meter": {"carrier": carrier, "unit": unit, "level": 1} | fields,
        "tags": [energy],
    }


def plan_with(*meters: Plan, **fields: Any) -> Plan:
    """A plan with meters and further fields."""
    plan = sample_plan(machines=1) | fields
    plan["assets"] += meters
    return plan


def loaded(db: store.Connection, plan: Plan) -> registry.MonitoringPlan:
    """What is read after a plan was loaded."""
    plans.load_plan(db, plan)
    return registry.monitoring_plan(db, registry.factory_by_code(db, "sample"))


def test_energy_is_read_as_it_was_loaded(db: store.Connection) -> None:
    plan = plan_with(
        meter("EM01", exchanges=[EXCHANGE]),
        meter("EM02", register="tariff", above="EM01"),
        meter("EM03", origin="own_renewable"),
        meter("FM01", "diesel", "kg"),
        energy_factors=[
            {"carrier": "natural_gas", "lhv_kj_per_unit": 35_000, "source": "lab",
             "valid_from": "2025-01-01", "valid_to": "2026-01-01"},
            {"carrier": "natural_gas", "kgce_per_unit": 1.2143, "source": "supplier"},
        ],
        energy_stocks=[
            {"carrier": "diesel", "day": "2026-01-01", "quantity": 800.0, "source": "stocktaking"}
        ],
        electricity_equivalent="by_year",
    )  # fmt: skip
    found = loaded(db, plan)
    ids = {asset.code: asset.asset_id for asset in found.assets}
    assert found.energy.meter(ids["EM01"]) == Meter()
    assert found.energy.meter(ids["EM02"]) == Meter("tariff", above="EM01")
    assert found.energy.meter(ids["EM03"]) == Meter(origin="own_renewable")
    assert found.energy.stocks == (EnergyStock("diesel", date(2026, 1, 1), 800, "stocktaking"),)
    assert found.energy.equivalent == "by_year"
    tags = {tag.name: tag for tag in found.tags}
    wanted = Exchange(datetime(2026, 3, 1, 5, 30, tzinfo=UTC), 120.5, 3, 120)
    assert tags["EM01.energy"].exchanges == (wanted,)
    assert tags["EM01.energy"].largest_ratio == 120
    assert tags["EM03.energy"].exchanges == ()
    assert found.energy_factors == (
        registry.EnergyFactor(
            "natural_gas", None, "lab", 35_000, date(2025, 1, 1), date(2026, 1, 1)
        ),
        registry.EnergyFactor("natural_gas", 1.2143, "supplier"),
    )
    again = loaded(db, plan)
    assert again == found


def test_what_the_next_plan_does_not_say_is_gone(db: store.Connection) -> None:
    loaded(db, plan_with(meter("EM01", exchanges=[EXCHANGE]), electricity_equivalent="by_year"))
    found = loaded(db, plan_with(meter("EM01")))
    assert found.energy.exchanges == {}
    assert found.energy.equivalent == "fixed"


def dirty(db: store.Connection) -> list[tuple[datetime, int]]:
    """The marked hours with how many each mark covers."""
    found = db.execute("SELECT hour, hours FROM kpi.dirty_hour ORDER BY hour").fetchall()
    return [(hour, hours) for hour, hours in found]


def dated_factor(valid_from: date | None, valid_to: date | None) -> tuple[Any, ...]:
    """A stored factor of a source that has some months."""
    return "natural_gas", 1.25, "certificate", None, valid_from, valid_to


@pytest.mark.parametrize(
    ("before", "after", "since"),
    [
        ([(None, None)], [(None, date(2026, 3, 1)), (date(2026, 3, 1), None)], date(2026, 3, 1)),
        ([(None, date(2026, 5, 1))], [(None, date(2026, 4, 1))], date(2026, 4, 1)),
        ([], [(date(2026, 2, 1), None)], date(2026, 2, 1)),
        ([(None, None)], [], date(1900, 1, 1)),
    ],
    ids=["followed by another", "ends earlier", "new", "gone"],
)
def test_a_factor_touches_the_months_in_which_another_holds(
    before: list[tuple[date | None, date | None]],
    after: list[tuple[date | None, date | None]],
    since: date,
) -> None:
    states = [
        EnergyState(EnergyPlan(), tuple(dated_factor(*each) for each in factors))
        for factors in (before, after)
    ]
    assert touched_since(*states) == since


def test_an_exchange_marks_the_hours_that_it_changes_and_no_others(db: store.Connection) -> None:
    loaded(db, plan_with(meter("EM01")))
    gateway = enrol(db)
    tag_id = gateway.tags["EM01.energy"]
    batches.accept(db, gateway.batch(rows_of([tag_id], 9, step=timedelta(hours=1))))
    db.execute("TRUNCATE kpi.dirty_hour")
    plan = plan_with(meter("EM01", exchanges=[EXCHANGE]))
    loaded(db, plan)
    # From the reading at 5 o'clock, the last before the exchange, up to the last one at 8.
    assert dirty(db) == [(datetime(2026, 3, 1, 5, tzinfo=UTC), 4)]
    db.execute("TRUNCATE kpi.dirty_hour")
    loaded(db, plan)
    assert dirty(db) == []


def factor(**fields: Any) -> Plan:
    """A plan whose only factor has these fields."""
    given = {"carrier": "natural_gas", "kgce_per_unit": 1.2143, "source": "sample"} | fields
    return plan_with(energy_factors=[given])


def two_factors(*months: tuple[str | None, str | None]) -> Plan:
    """A plan with a factor of natural gas for each span of months."""
    return plan_with(
        energy_factors=[
            {"carrier": "natural_gas", "kgce_per_unit": 1.2, "source": "sample"}
            | {"valid_from": since, "valid_to": until}
            for since, until in months
        ]
    )


def exchanged(*exchanges: Plan) -> Plan:
    """A plan whose meter was exchanged."""
    return plan_with(meter("EM01", exchanges=list(exchanges)))


def without(name: str, change: Callable[[Plan], Any]) -> Plan:
    """A plan with a meter that was changed."""
    given = meter(name)
    change(given)
    return plan_with(given)


def register(code: str, carrier: str = "electricity", counts: str = "kWh", **fields: Any) -> Plan:
    """A plan with a meter whose tag was changed."""
    made = meter(code, carrier, counts)
    made["tags"][0] |= fields
    return plan_with(made)


FAULTS: list[tuple[Plan, str]] = [
    (plan_with(meter("EM01", unit="kwh")),
     "asset EM01, meter: unit is 'kwh' but must be one of kWh, MJ, m3, kg, t"),
    (plan_with(meter("EM01", "natural_gas", "kg")),
     "asset EM01, meter: unit is 'kg' but natural_gas must be in m3"),
    (without("EM01", lambda each: each["meter"].pop("carrier")),
     "asset EM01, meter: carrier is missing"),
    (plan_with(meter("EM01", "electrcity")),
     "asset EM01, meter: carrier is 'electrcity' but must have a factor in energy_factors or be "
     "one of electricity, raw_coal"),
    (plan_with(meter("EM01", "electrcity")), "did you mean electricity?"),
    (register("EM01", unit="m3"),
     "asset EM01, tag EM01.energy: unit is 'm3' but must be one of kWh, Wh, MWh, MJ, GJ, 1, count"),
    (register("EM01", unit="kvarh"), "but must be one of kWh, Wh, MWh, MJ, GJ, 1, count, pcs; "
     "reactive energy has the role process"),
    (register("EM01", unit="MWh"),
     "ratio is 1 but the tag shows MWh and kWh counts: one MWh is 1000 kWh, times CT x PT"),
    (register("GM01", "natural_gas", "m3", unit="Nm3", ratio=1),
     "one Nm3 is 1.0732 m3"),
    (register("DM01", "diesel", "kg", unit="L"),
     "tag DM01.energy: ratio is missing; it must hold the density that turns L into kg"),
    (without("EM01", lambda each: each.pop("meter")),
     "asset EM01: a meter needs meter with carrier, unit and level"),
    (without("EM01", lambda each: each.update(tags=[])),
     "asset EM01: a meter needs a tag with the role energy"),
    (plan_with(meter("EM01", register="reactive")),
     "register is 'reactive' but must be one of import, export, tariff"),
    (plan_with(meter("EM01", origin="gift")),
     "origin is 'gift' but must be one of purchased, own_renewable, own_produced"),
    (plan_with(meter("EM01", register="tariff")),
     "asset EM01, meter: a tariff needs above, the code of the total"),
    (plan_with(meter("EM01", above="EM09", level=2)),
     "asset EM01, meter: above is 'EM09' but must be the code of a meter"),
    (plan_with(meter("EM01"), meter("EM02", above="EM01")),
     "asset EM02, meter: level is 1 but must be above 1, the level of EM01"),
    (plan_with(meter("EM01"), meter("HM01", "heat", "MJ", above="EM01", level=2)),
     "asset HM01, meter: carrier is 'heat' but EM01 above it measures electricity"),
    (exchanged(EXCHANGE | {"ratio": 0}), "exchanges[0]: ratio is 0 but must be a number from"),
    (exchanged(EXCHANGE | {"old_final": -1}), "old_final is -1 but must be a number from 0"),
    (exchanged(EXCHANGE | {"at": "2026-03-01"}), "at is '2026-03-01' but must be a time with an"),
    (exchanged({k: v for k, v in EXCHANGE.items() if k != "document"}), "document is missing"),
    (exchanged(EXCHANGE, EXCHANGE), "exchanges: 2026-03-01T05:30:00+00:00 must come after"),
    (factor(kgce_per_unit=0.33),
     "energy_factors[0]: kgce_per_unit of natural_gas is 0.33 but must be from 0.66 to 1.9 per m3"),
    (factor(carrier="electricity", kgce_per_unit=4.04), "must be from 0.12 to 0.45 per kWh"),
    (factor(kgce_per_unit=None, lhv_kj_per_unit=35.0), "lhv_kj_per_unit of natural_gas is 35 but"),
    (factor(carrier="straw", kgce_per_unit=400.0), "straw is 400 but must be from 0.001 to 15"),
    (factor(lhv_kj_per_unit=35_000.0), "needs either kgce_per_unit or lhv_kj_per_unit"),
    (factor(kgce_per_unit=None), "needs either kgce_per_unit or lhv_kj_per_unit"),
    (factor(valid_from="2026-01-15"), "valid_from is '2026-01-15' but must be the first of a"),
    (factor(valid_from="2026-02-01", valid_to="2026-01-01"), "valid_to must lie after valid_from"),
    (two_factors(("2025-01-01", "2026-01-01"), ("2025-12-01", None)),
     "energy_factors: natural_gas stands there twice for the same months: "
     "from 2025-01-01 up to 2026-01-01, and from 2025-12-01 up to 9999-12-31"),
    (plan_with(energy_stocks=[
        {"carrier": "diesel", "day": "2026-01-01", "quantity": 1, "source": "sample"}]),
     "energy_stocks[0]: carrier 'diesel' has no meter in the plan"),
    (plan_with(electricity_equivalent="0.31"),
     "electricity_equivalent is '0.31' but must be one of fixed, by_year"),
]  # fmt: skip


@pytest.mark.parametrize(("plan", "words"), FAULTS, ids=[words for _, words in FAULTS])
def test_a_faulty_energy_plan_is_refused_with_what_is_allowed(plan: Plan, words: str) -> None:
    with pytest.raises(PlanRefused, match=re.escape(words)):
        check_plan(plan)


@pytest.mark.parametrize(
    "plan",
    [
        two_factors(("2025-01-01", "2026-01-01"), ("2026-01-01", None)),
        factor(carrier="straw", kgce_per_unit=0.5),
        register("EM01", unit="MWh", ratio=1000.0),
        register("EM01", unit="Wh", ratio=0.001 * 80),
        register("EM01", unit="1", ratio=0.01),
        register("GM01", "natural_gas", "m3", unit="Nm3", ratio=1.0732),
        register("DM01", "diesel", "kg", unit="L", ratio=0.84),
        register("WM01", "fresh_water", "t", unit="m3", ratio=1.0),
        plan_with(
            meter("SM01", "straw", "t"),
            energy_factors=[{"carrier": "straw", "kgce_per_unit": 0.5, "source": "laboratory"}],
        ),
        plan_with(meter("EM01"), meter("EM02", register="tariff", above="EM01")),
        plan_with(meter("EM01"), meter("EM02", level=2, above="EM01")),
        exchanged(EXCHANGE, EXCHANGE | {"at": "2026-04-01T00:00:00+08:00"}),
    ],
)
def test_what_follows_each_other_is_no_contradiction(plan: Plan) -> None:
    check_plan(plan)


def test_another_factor_marks_the_months_that_have_figures(db: store.Connection) -> None:
    factory_id = plans.load_plan(db, factor())
    db.execute(
        "INSERT INTO kpi.figure (factory_id, kpi, period_kind, period_start, period_end, revision,"
        " unit, coverage, grade, reason, method_version, coefficient_version, inputs,"
        " inputs_sha256) VALUES (%s, 'standard_coal', 'month', '2026-01-01', '2026-02-01', 1,"
        " 'tce', 0, 'D', 'x', 'm', 'c', '{}', '')",
        (factory_id,),
    )
    plans.load_plan(db, factor())
    assert db.execute("SELECT month FROM kpi.dirty_month").fetchall() == []
    plans.load_plan(db, factor(kgce_per_unit=1.25))
    assert db.execute("SELECT month FROM kpi.dirty_month").fetchall() == [(date(2026, 1, 1),)]
