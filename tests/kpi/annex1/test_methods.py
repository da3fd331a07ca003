"""Each method proves, does not prove, and says why it cannot tell."""

from datetime import date
from typing import Any

import pytest

from kpi.annex1 import Stop, claims, rules
from kpi.annex1.assess import METHODS, SOURCES
from kpi.annex1.basis import Coal
from store.records import StoredRecord
from tests.kpi.annex1.footprints import (
    CHINA,
    MACHINE,
    answer,
    at,
    process,
    rec,
    state_tag,
    working,
)
from tests.kpi.builders import asset
from tests.kpi.evidence import Facts, metered

Given = dict[str, Any]


def rows(kind: str, *records: StoredRecord) -> Given:
    """Records of one kind."""
    return {"records": {kind: records}}


def many(count: int, **body: Any) -> list[StoredRecord]:
    """So many records of 5 March with one body."""
    return [rec(f"K{number}", "03-05 08:00", **body) for number in range(count)]


def share(kind: str, good: int, bad: int, field: str, yes: Any, no: Any, **body: Any) -> Given:
    """Records of which some have one value of a field and some another."""
    found = [*many(good, **{field: yes}, **body), *many(bad, **{field: no}, **body)]
    return rows(kind, *(StoredRecord(f"K{n}", 1, r.at, r.body) for n, r in enumerate(found)))


def alarm(key: str, when: str, category: str, **body: Any) -> StoredRecord:
    """An alarm of the machine, raised by itself unless said otherwise."""
    return rec(key, when, **{"asset": "M01", "category": category, "raised_by": "device", **body})


def operation(key: str, start: str, end: str, revision: int = 1, **body: Any) -> StoredRecord:
    """A planned operation of the machine, made by a system unless said otherwise."""
    given = {"resource": "M01", "origin": "auto", "ends_at": at(end).isoformat()}
    return rec(key, start, revision, **(given | body))


def job(key: str, start: str, hours: int = 1, **body: Any) -> StoredRecord:
    """A job of the machine that ended."""
    begin = at(start)
    end = begin.replace(hour=begin.hour + hours)
    times = {"started_at": begin.isoformat(), "ended_at": end.isoformat()}
    return rec(key, start, **({"asset": "M01", "state": "finished"} | times | body))


STOPS = {
    "stops": [
        Stop("M01", at(f"03-{day:02} 08:00"), at(f"03-{day:02} 08:20")) for day in range(10, 15)
    ]
}
FAULTS = [alarm(f"A{day}", f"03-{day} 08:01", "fault") for day in range(10, 15)]
REPAIRS = [
    rec(f"R{day}", f"03-{day} 09:00", asset="M01", type="repair", state="done")
    for day in range(10, 15)
]
MONTHLY = ("01-10 08:00", "02-10 08:00", "03-10 08:00")
LOTS = [rec(f"L{n}", "03-05 08:00", lot=f"L{n}", operation="final") for n in range(40)]
MATERIAL = [rec(f"G{n}", "03-04 08:00", lot=f"L{n}", component_lot="C1") for n in range(40)]
MAKING = [job(f"J{n}", "03-04 08:00", lot=f"L{n}") for n in range(40)]
# Twenty-nine even values and one far out.
VALUES = [
    rec(
        f"V{n}",
        f"03-{n + 2:02} 08:00",
        lot=f"V{n}",
        asset="M01",
        operation="final",
        measurements=[{"characteristic": "d", "value": 10 + n % 2 + (20 if n == 20 else 0)}],
    )
    for n in range(29)
]
EVEN = [each for each in VALUES if each.key != "V20"]
METERS = [
    asset(1, "meter", code="E0", carrier="electricity", unit="kWh", level=1),
    asset(2, "meter", code="E1", carrier="electricity", unit="kWh", level=2),
]
ORDERS = [rec("S1", "03-20 00:00", line="S1")]
PLANS = [operation("W1:1", "03-05 08:00", "03-05 10:00", order_line="S1", work_order="W1")]
JOBS = [job("J1", "03-05 09:00", work_order="W1", operation="1")]
IN = [rec("T1", "03-05 12:00", direction="in", work_order="W1")]
CHAIN = {"order_line": ORDERS, "plan_operation": PLANS, "job": JOBS, "stock_move": IN}


def coal(*points: float | None) -> Given:
    """The standard coal of the last months."""
    months = [date(2026, 4 - len(points) + n, 1) for n in range(len(points))]
    return {
        "coal": {
            month: Coal(n, point, "GB/T 2589-2020")
            for n, (month, point) in enumerate(zip(months, points, strict=True))
        }
    }


def month_facts(day: dict[str, float]) -> Facts:
    """Facts of a meter over thirty days."""
    return dict.fromkeys(working(), day)


PROVEN: dict[str, Given] = {
    "EV-CONN": {},
    "EV-STATE": {"tags": [state_tag()]},
    "EV-PARAM": {"tags": [process(2), process(3)], "shares": {"T2": 0.9, "T3": 1.0}},
    "EV-SENSE": {"tags": [process(2), process(3, "mm/s")], "shares": {"T2": 0.5, "T3": 1.0}},
    "EV-WARN": rows(
        "alarm",
        *(alarm(f"A{n}", m, "schedule", raised_by="system") for n, m in enumerate(MONTHLY)),
    ),
    "EV-ALARM": STOPS | rows("alarm", *FAULTS[1:]),
    "EV-PREDICT": rows(
        "alarm", alarm("P1", "02-05 08:00", "prediction"), alarm("F1", "02-20 08:00", "fault")
    ),
    "EV-HEAL": rows("alarm", alarm("F1", "02-20 08:00", "fault", cleared_by="auto")),
    "EV-MAINT": STOPS | rows("maintenance", *REPAIRS[1:]),
    "EV-AUTO": rows(
        "job", job("J1", "03-05 08:00", 8, mode="auto"), job("J2", "03-06 08:00", 2, mode="manual")
    ),
    "EV-RECIPE": {
        "records": {
            "job": [job("J1", "03-05 08:00", program="P", program_version="2")],
            "recipe_download": [rec("D1", "03-05 07:59", asset="M01", program="P", version="2")],
        }
    },
    "EV-FLOW": {"records": CHAIN},
    "EV-BUS": {"records": CHAIN},
    "EV-SCHED": rows(
        "plan_operation",
        operation("W1:1", "03-05 08:00", "03-05 10:00", 2),
        *(operation(f"W{n}:1", "03-06 08:00", "03-06 09:00") for n in range(2, 5)),
        operation("W5:1", "03-07 08:00", "03-07 09:00", origin="manual"),
    ),
    "EV-CAP": rows(
        "plan_operation",
        operation("W1:1", "03-05 08:00", "03-05 10:00"),
        operation("W2:1", "03-05 10:00", "03-05 12:00"),
        operation("W3:1", "03-05 08:00", "03-05 12:00", resource="M02", capacity=2),
        operation("W4:1", "03-05 09:00", "03-05 10:00", resource="M02", capacity=2),
    ),
    "EV-CODE": share("job", 98, 2, "asset", "M01", "M99"),
    "EV-CRM": rows(
        "order_line", *(rec(f"S{n}", m, channel="线上商城") for n, m in enumerate(MONTHLY))
    ),
    "EV-QINT": share("inspection", 9, 1, "origin", "device", "manual"),
    "EV-SPC": {"records": {"inspection": VALUES, "alarm": [alarm("Q1", "03-22 20:00", "quality")]}},
    "EV-TRACE": {"records": {"inspection": LOTS, "lot_genealogy": MATERIAL, "job": MAKING}},
    "EV-WMS": share("stock_move", 9, 1, "identified_by", "rfid", "manual"),
    "EV-AGV": share("stock_move", 8, 2, "dispatched_by", "auto", "manual", vehicle="AGV1"),
    "EV-METER": {
        "assets": METERS,
        "facts": {1: month_facts(metered(100)), 2: month_facts(metered(95))},
    },
    "EV-TCE": coal(410.0, 380.0, 420.0),
    "EV-CLEAN": rows(
        "energy_invoice", *(rec(f"E{n}", m, green_quantity="5") for n, m in enumerate(MONTHLY))
    ),
}
NOT_PROVEN: dict[str, Given] = {
    "EV-CONN": {"facts": {1: working(known_s=0.89 * 86_400)}},
    "EV-STATE": {"tags": [state_tag()], "facts": {1: working(unknown_s=0.06 * 86_400)}},
    "EV-PARAM": {"tags": [process(2), process(3)], "shares": {"T2": 0.89, "T3": 1.0}},
    "EV-SENSE": {"tags": [process(2), process(3, "mm/s")], "shares": {"T2": 0.5, "T3": 0.0}},
    "EV-WARN": rows(
        "alarm",
        alarm("A1", "01-10 08:00", "schedule"),
        alarm("A2", "02-10 08:00", "schedule", raised_by="person"),
        alarm("A3", "03-10 08:00", "schedule"),
    ),
    "EV-ALARM": STOPS | rows("alarm", *FAULTS[2:]),
    "EV-PREDICT": rows(
        "alarm", alarm("P1", "02-05 08:00", "prediction"), alarm("F1", "02-04 08:00", "fault")
    ),
    "EV-HEAL": rows("alarm", alarm("F1", "02-20 08:00", "fault", cleared_by="person")),
    "EV-MAINT": STOPS | rows("maintenance", *REPAIRS[2:]),
    "EV-AUTO": rows(
        "job", job("J1", "03-05 08:00", 7, mode="auto"), job("J2", "03-06 08:00", 2, mode="manual")
    ),
    "EV-RECIPE": {
        "records": {
            "job": [job("J1", "03-05 08:00", program="P", program_version="2")],
            "recipe_download": [rec("D1", "03-05 07:59", asset="M01", program="P", version="1")],
        }
    },
    "EV-FLOW": {"records": CHAIN | {"order_line": [rec("S2", "03-20 00:00", line="S2")]}},
    "EV-BUS": {"records": {"order_line": ORDERS, "plan_operation": PLANS}},
    "EV-SCHED": rows("plan_operation", operation("W1:1", "03-05 08:00", "03-05 10:00")),
    "EV-CAP": rows(
        "plan_operation",
        operation("W1:1", "03-05 08:00", "03-05 10:00"),
        operation("W2:1", "03-05 09:59", "03-05 12:00"),
    ),
    "EV-CODE": share("job", 97, 3, "asset", "M01", "M99"),
    "EV-CRM": rows("order_line", rec("S1", "03-10 08:00", channel="online")),
    "EV-QINT": share("inspection", 8, 1, "origin", "device", "manual"),
    "EV-SPC": {"records": {"inspection": VALUES, "alarm": [alarm("Q1", "03-23 08:01", "quality")]}},
    "EV-TRACE": {"records": {"inspection": LOTS, "lot_genealogy": MATERIAL[:20], "job": MAKING}},
    "EV-WMS": share("stock_move", 8, 1, "identified_by", "barcode", None),
    "EV-AGV": share("stock_move", 7, 2, "dispatched_by", "auto", None, vehicle="AGV1"),
    "EV-METER": {
        "assets": METERS,
        "facts": {1: month_facts(metered(100)), 2: month_facts(metered(94))},
    },
    "EV-TCE": coal(410.0, None, 420.0),
    "EV-CLEAN": rows("energy_invoice", rec("E1", "03-10 08:00", green_quantity=5)),
}
# What is missing, and what the refusal says of it.
NOT_COMPUTABLE: dict[str, tuple[Given, str]] = {
    "EV-CONN": ({"facts": {1: working(date(2026, 3, 20))}}, "12 production days, not 20"),
    "EV-STATE": ({}, "no key equipment has a tag for its state"),
    "EV-PARAM": ({}, "declares no process parameter"),
    "EV-SENSE": ({"assets": [asset(1)]}, "names no line"),
    "EV-WARN": ({}, "no record of the kind alarm"),
    "EV-ALARM": ({"stops": []}, "no unplanned stop"),
    "EV-PREDICT": ({}, "no record of the kind alarm"),
    "EV-HEAL": (rows("alarm", *FAULTS), "says how it was cleared"),
    "EV-MAINT": (rows("maintenance", *REPAIRS), "no machine has a tag for its state"),
    "EV-AUTO": (rows("job", job("J1", "03-05 08:00")), "says how it was controlled"),
    "EV-RECIPE": (rows("job", *JOBS), "no record of the kind recipe_download"),
    "EV-FLOW": ({}, "no document in the window names one"),
    "EV-BUS": (rows("job", job("J1", "03-05 08:00")), "no document in the window names one"),
    "EV-SCHED": ({}, "no record of the kind plan_operation"),
    "EV-CAP": ({}, "no record of the kind plan_operation"),
    "EV-CODE": ({}, "names a machine"),
    "EV-CRM": (rows("order_line", *ORDERS), "names its channel"),
    "EV-QINT": (rows("inspection", *LOTS), "where its result came from"),
    "EV-SPC": (rows("inspection", *EVEN), "no value left its limits"),
    "EV-TRACE": (rows("inspection", *LOTS), "what went into a lot"),
    "EV-WMS": ({}, "no record of the kind stock_move"),
    "EV-AGV": (rows("stock_move", *IN), "names the vehicle"),
    "EV-METER": ({"assets": METERS[:1]}, "no carrier has meters"),
    "EV-TCE": ({}, "no standard coal was formed"),
    "EV-CLEAN": ({}, "no record of the kind energy_invoice"),
}


def test_each_method_is_tried_in_each_way() -> None:
    assert PROVEN.keys() == NOT_PROVEN.keys() == NOT_COMPUTABLE.keys() == METHODS.keys()


@pytest.mark.parametrize("name", PROVEN)
def test_proven(name: str) -> None:
    found = answer(name, **PROVEN[name])
    assert (found.verdict, found.reason) == ("proven", None)
    assert found.numbers
    assert found.links


@pytest.mark.parametrize("name", NOT_PROVEN)
def test_not_proven(name: str) -> None:
    found = answer(name, **NOT_PROVEN[name])
    assert (found.verdict, found.reason) == ("not_proven", None)
    assert found.numbers


@pytest.mark.parametrize("name", NOT_COMPUTABLE)
def test_not_computable(name: str) -> None:
    given, reason = NOT_COMPUTABLE[name]
    found = answer(name, **given)
    assert found.verdict == "not_computable"
    assert reason in (found.reason or "")


@pytest.mark.parametrize("name", [rule.method for rule in rules().values() if rule.unsupported])
def test_what_no_data_support_asks_for_a_person(name: str) -> None:
    found = answer(name)
    assert found.verdict == "not_computable"
    assert (found.reason or "").endswith("a person has to look")


def test_each_method_of_a_claim_has_a_function_or_says_why_not() -> None:
    named = {method for claim in claims() for method in claim.methods}
    without = {name for name in named if name not in METHODS and not rules()[name].unsupported}
    assert without == {SOURCES}
    assert {rule.method for rule in rules().values()} == named


def test_records_outside_the_window_prove_nothing() -> None:
    late = rec("K1", "04-01 00:00", identified_by="rfid")
    early = rec("K2", "03-01 23:59", identified_by="rfid")
    assert answer("EV-WMS", **rows("stock_move", late, early)).verdict == "not_computable"


def test_the_links_name_the_records_for_and_against() -> None:
    found = answer("EV-WMS", **share("stock_move", 9, 1, "identified_by", "rfid", "manual"))
    assert found.links["records"]["count"] == 9
    assert found.links["against"] == {"kind": "stock_move", "count": 1, "keys": ["K9"]}


def test_a_silent_meter_leaves_the_energy_unproven() -> None:
    facts = {1: month_facts(metered(100)), 2: month_facts(metered(100, 21))}
    found = answer("EV-METER", assets=METERS, facts=facts)
    assert found.verdict == "not_proven"
    assert found.numbers["carriers"]["electricity"]["complete"] == pytest.approx(0.875)


def test_times_without_an_offset_are_local() -> None:
    late = rec("J1", "03-05 08:00", asset="M01", mode="auto", ended_at="2026-03-05T09:00:00")
    found = answer("EV-AUTO", **rows("job", late))
    assert found.numbers["auto_s"] == 3600
    assert MACHINE.code == "M01"
    assert late.at.tzinfo == CHINA


@pytest.mark.parametrize("ended_at", ["2026-03-01T09:00:00", "2026-03-06T07:59:59"])
def test_a_job_that_ended_before_it_began_makes_no_other_more_automatic(ended_at: str) -> None:
    jobs = (
        job("J1", "03-05 08:00", 2, mode="auto"),
        job("J2", "03-06 08:00", 8, mode="manual"),
        rec("J3", "03-06 08:00", asset="M01", mode="manual", ended_at=ended_at),
    )
    found = answer("EV-AUTO", **rows("job", *jobs))
    assert (found.verdict, found.numbers["share"]) == ("not_proven", pytest.approx(0.2))
