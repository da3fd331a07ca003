"""A plan that says other things marks what it touches, from the date on that it touches it."""

from collections.abc import Callable
from copy import deepcopy
from datetime import date
from typing import Any

import pytest

import store
from store import figures, locks, plans
from tests.kpi.plant import Plant, china, heard, lot, machine_day, sample_plan

PlanDict = dict[str, Any]
Change = Callable[[PlanDict], object]

FIRST, LAST = "2026-01-05", "2026-03-20"
MONTHS = [date(2026, 1, 1), date(2026, 2, 1), date(2026, 3, 1)]
IN_APRIL = china("2026-04-02 09:20")
STOP = {
    "asset": "M01",
    "starts_at": "2026-02-10T08:30:00+08:00",
    "ends_at": "2026-02-10T11:30:00+08:00",
    "reason": "保养",
    "filed_at": "2026-02-01T08:00:00+08:00",
}
DECLARED = {
    "kpi": "headcount",
    "since": "2026-02-15",
    "value": 30,
    "basis": "documented",
    "document": "社保清单",
}
EXCHANGE = {
    "at": "2026-03-05T09:00:00+08:00",
    "old_final": 90.0,
    "new_initial": 0.0,
    "ratio": 1.0,
    "document": "换表记录",
}
REPORT = {
    "kpi": "oee",
    "period": ["2026-01-01", "2027-01-01"],
    "value": 0.7,
    "reported_at": "2027-01-02T09:00:00+08:00",
}


def dated_plan() -> PlanDict:
    """Return the plan that is loaded first."""
    plan = sample_plan()
    plan["assets"][0]["line"] = plan["assets"][1]["line"] = "L1"
    return plan


@pytest.fixture
def loaded(db: store.Connection, database_url: str) -> Plant:
    """A factory with two rows of each tag and figures of three months, and nothing dirty."""
    plant = Plant.load(db, database_url, dated_plan())
    times = [(china(f"{FIRST} 09:20"), 1.0), (china(f"{LAST} 17:40"), 1.0)]
    plant.send(dict.fromkeys(plant.gateway.tags, times))
    for month in MONTHS:
        db.execute(
            "INSERT INTO kpi.figure (factory_id, kpi, period_kind, period_start, period_end,"
            " revision, unit, coverage, grade, reason, method_version, coefficient_version, inputs,"
            " inputs_sha256) VALUES (%s, 'oee', 'month', %s, %s, 1, '1', 0, 'D', 'x', 'm', 'c',"
            " '{}', '')",
            (plant.factory_id, month, date(2026, month.month + 1, 1)),
        )
    db.execute("TRUNCATE kpi.dirty_hour, kpi.dirty_month, kpi.finding_mark, kpi.verdict_mark")
    return plant


def marked(plant: Plant) -> dict[str, Any]:
    """Return all marks: hours as (asset, first local hour, how many), months, verdicts."""
    hours = [(code, f"{at:%m-%d %H}", n) for (code, at), n in plant.dirty().items()]
    months = plant.conn.execute("SELECT DISTINCT month FROM kpi.dirty_month ORDER BY 1")
    verdicts = plant.conn.execute("SELECT count(*) FROM kpi.verdict_mark").fetchone()
    found: dict[str, Any] = {"hours": sorted(hours), "months": [each for (each,) in months]}
    return found | {"verdicts": verdicts != (0,)}


def whole(*codes: str) -> list[tuple[str, str, int]]:
    """Return the mark of all hours between the first and the last row of some assets."""
    # 74 days and nine hours, both ends counted.
    return [(code, "01-05 09", 74 * 24 + 9) for code in codes]


def machine(plan: PlanDict, **fields: Any) -> None:
    """Change fields of the first machine."""
    plan["assets"][0].update(fields)


def tag(plan: PlanDict, **fields: Any) -> None:
    """Change fields of the first machine's register of pieces."""
    plan["assets"][0]["tags"][1].update(fields)


EVERYTHING = whole("EM01", "ERP", "M01", "M02")
# What changes, and the hours, the months and whether the verdicts that it touches.
CHANGES: dict[str, tuple[Change, list[Any], list[date], bool]] = {
    "ideal cycle": (
        lambda p: p["assets"][0]["ideal_cycles"][0].update(cycle_s=55.0),
        *(whole("M01"), MONTHS, False),
    ),
    "meter multiplier": (
        lambda p: p["assets"][2]["tags"][0].update(ratio=80.0), whole("EM01"), [], False,
    ),
    "modulus": (lambda p: tag(p, modulus=65536), whole("M01"), [], False),
    "state map": (lambda p: p["state_maps"]["cnc"].update({"2": "stop"}),
                  whole("M01", "M02"), [], False),
    "shifts": (lambda p: p["shifts"][0].update(duration_s=36_000), EVERYTHING, MONTHS, False),
    "planned stop": (lambda p: p.update(planned_stops=[STOP]), [], [MONTHS[1]], False),
    "stop filed too late": (
        lambda p: p.update(planned_stops=[STOP | {"filed_at": "2026-02-11T08:00:00+08:00"}]),
        *([], [], False),
    ),
    "holiday": (lambda p: p.update(holidays=[{"day": "2026-01-05", "name": "休"}]),
                [(code, "01-05 09", 1) for code in ("EM01", "ERP", "M01", "M02")],
                MONTHS[:1], False),
    "holiday at a month's end": (
        lambda p: p.update(holidays=[{"day": "2026-01-31", "name": "休"}]), [], MONTHS[:2], False,
    ),
    "in_oee": (lambda p: machine(p, in_oee=False), [], MONTHS, False),
    "key equipment": (lambda p: machine(p, key_equipment=False), [], MONTHS, False),
    "address": (lambda p: machine(p, limits={"address": "192.0.2.7"}), [], MONTHS, False),
    "serial": (lambda p: machine(p, serial="SN-other"), [], MONTHS, False),
    "retrofit": (
        lambda p: machine(p, retrofitted_on="2026-02-03", retrofit_document="验收单"),
        *([], MONTHS[1:], False),
    ),
    "line": (lambda p: p.update(lines=[{"code": "L1", "last": "M02"}]), [], MONTHS, False),
    "declaration": (lambda p: p.update(declarations=[DECLARED]), [], MONTHS[1:], False),
    "energy factor": (
        lambda p: p.update(energy_factors=[
            {"carrier": "electricity", "kgce_per_unit": 0.13, "source": "示例证书"}]),
        *([], MONTHS, False),
    ),
    "energy factor of some months": (
        lambda p: p.update(energy_factors=[
            {"carrier": "electricity", "kgce_per_unit": 0.13, "source": "示例证书",
             "valid_from": "2026-02-01"}]),
        *([], MONTHS[1:], False),
    ),
    "fuel in stock": (
        lambda p: p.update(energy_stocks=[
            {"carrier": "electricity", "day": "2026-03-01", "quantity": 8, "source": "储能盘点"}]),
        *([], MONTHS[1:], False),  # it ends February
    ),
    "meter exchange": (
        lambda p: p["assets"][2]["meter"].update(exchanges=[EXCHANGE]),
        *(whole("EM01"), MONTHS[2:], False),
    ),
    "electricity by year": (
        lambda p: p.update(electricity_equivalent="by_year"), [], MONTHS, False,
    ),
    "promise": (lambda p: p["promises"][0].update(expected=0.05), [], [], True),
    "report": (lambda p: p.update(self_reports=[REPORT]), [], [], True),
    "renovation": (lambda p: p["factory"].update(renovated_on="2026-02-01"), [], MONTHS, True),
    "zone": (lambda p: p["factory"].update(timezone="Asia/Tokyo"), EVERYTHING, MONTHS, False),
    "name": (lambda p: machine(p, name_zh="示例新名"), [], [], False),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_a_changed_plan_marks_what_it_touches_and_no_more(loaded: Plant, name: str) -> None:
    change, hours, months, verdicts = CHANGES[name]
    plan = dated_plan()
    change(plan)
    plans.load_plan(loaded.conn, plan)
    assert marked(loaded) == {"hours": hours, "months": months, "verdicts": verdicts}
    loaded.conn.execute("TRUNCATE kpi.dirty_hour, kpi.dirty_month, kpi.verdict_mark")
    plans.load_plan(loaded.conn, deepcopy(plan))
    nothing = {"hours": [], "months": [], "verdicts": False}
    assert marked(loaded) == nothing, "the same plan again"


def test_a_planned_stop_marks_its_hours_that_were_formed(loaded: Plant) -> None:
    loaded.send({"M01.state": [(china(f"2026-02-10 {hour}:10"), 1.0) for hour in range(10, 16)]})
    loaded.conn.execute("TRUNCATE kpi.dirty_hour")
    plans.load_plan(loaded.conn, dated_plan() | {"planned_stops": [STOP]})
    assert marked(loaded)["hours"] == [("M01", "02-10 10", 2)]


@pytest.mark.parametrize(
    "change",
    [
        lambda plan: plan.update(bills=[{"product": "1", "material": "钢", "per_unit": 2.0}]),
        lambda plan: machine(plan, limits={"rated_kw": 30.0}),
    ],
    ids=["bill", "nameplate"],
)
def test_another_bill_or_nameplate_has_the_checks_made_again_and_no_figure(
    loaded: Plant, change: Change
) -> None:
    loaded.conn.execute(
        "INSERT INTO kpi.finding (factory_id, period_start, period_end, rule, rule_version,"
        " severity, subject, unit, message, shown, shown_count, checked_until)"
        " VALUES (%s, '2026-02-01', '2026-03-01', 'Q01', '1', 'not_applicable', 'x', '', 'm',"
        " '[]', 0, now())",
        (loaded.factory_id,),
    )
    plan = dated_plan()
    change(plan)
    for expected in ([(date(2026, 2, 1),)], []):
        plans.load_plan(loaded.conn, plan)
        rows = loaded.conn.execute("DELETE FROM kpi.finding_mark RETURNING month").fetchall()
        assert rows == expected
    assert marked(loaded)["months"] == []


def test_a_corrected_cycle_makes_a_revision_and_leaves_a_settled_figure(plant: Plant) -> None:
    for code in ("M01", "M02"):
        plant.send(machine_day(code, "2026-02-02"))
        plant.send(machine_day(code, "2026-03-02"))
    plant.refresh(IN_APRIL)
    february = locks.Settled(plant.factory_id, "month", date(2026, 2, 1), date(2026, 3, 1))
    locks.lock(plant.conn, february, "officer")
    plan = sample_plan()
    plan["assets"][0]["ideal_cycles"][0]["cycle_s"] = 30.0
    plans.load_plan(plant.conn, plan)
    plant.refresh(IN_APRIL)
    settled, corrected = (_oee(plant, month) for month in MONTHS[1:])
    assert [each.revision for each in settled] == [1]
    (beside,) = [each for each in locks.pending(plant.conn, plant.factory_id) if each.kpi == "oee"]
    assert [each.revision for each in corrected] == [1, 2]
    low, high = corrected[1].inputs["ideal_good_s"], corrected[0].inputs["ideal_good_s"]
    assert low == pytest.approx(high * 0.75), "half of the cycle on one of two machines"
    assert beside.inputs["ideal_good_s"] == pytest.approx(low)


def _oee(plant: Plant, month: date) -> list[figures.Figure]:
    return figures.revisions(plant.conn, plant.factory_id, "oee", "month", month)


def test_another_promise_or_report_has_the_verdicts_given_again(plant: Plant) -> None:
    now = china("2027-01-02 09:20")
    plant.send(heard(date(2026, 1, 1), date(2027, 1, 2)))
    plant.tell(*(lot(f"2026-{month:02}-15", 7) for month in range(1, 13)))
    plant.refresh(now)
    assert _verdict(plant).fulfilment == pytest.approx(0.5)
    plan = sample_plan()
    plan["promises"][0]["expected"] = 0.05
    plans.load_plan(plant.conn, plan)
    assert plant.figures(now) == 1
    assert _verdict(plant).fulfilment == pytest.approx(0.6)
    assert _verdict(plant).consistency_verdict == "unknown"
    plan["self_reports"] = [REPORT | {"kpi": "defect_rate", "value": 0.07}]
    plans.load_plan(plant.conn, plan)
    assert plant.figures(now) == 1
    assert _verdict(plant).consistency_verdict == "same"
    assert plant.figures(now) == 0, "once is enough"


def _verdict(plant: Plant) -> figures.Verdict:
    found = figures.verdicts(plant.conn, plant.factory_id, date(2026, 1, 1))
    return next(each for each in found if each.kpi == "defect_rate")
