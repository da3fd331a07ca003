"""Orders, inspections, stock and cost of goods sold."""

import itertools
from collections import Counter
from datetime import date, datetime, timedelta

import numpy as np
import pytest
from jsonschema import Draft202012Validator

from simulators import clock
from simulators.gateway import RECORDS
from simulators.logs import Flow, Parts
from store.record_kinds import all_kinds
from tests.simulators.conftest import Past


def test_keys_and_business_times_match_the_bodies(past: Past) -> None:
    fields = {
        "order_line": ("line", "due"),
        "inspection": ("lot", "inspected_at"),
        "stock_balance": ("id", "day"),
        "cogs": ("month", "day"),
        "headcount": ("month", "day"),
        "output_value": ("month", "day"),
        "energy_invoice": ("id", "last_day"),
        "rd_project": ("project", "released_on"),
        "plan_operation": ("id", "starts_at"),
        "recipe_download": ("id", "sent_at"),
        "job": ("job", "started_at"),
        "lot_genealogy": ("id", "consumed_at"),
        "stock_move": ("move", "moved_at"),
        "alarm": ("alarm", "raised_at"),
        "maintenance": ("order", "started_at"),
    }
    assert {each["kind"] for each in past.records} == set(fields)
    for each in past.records:
        key, at = fields[each["kind"]]
        assert each["key"] == each["body"][key]
        moment = datetime.fromisoformat(each["at"])
        assert moment.tzinfo is not None
        assert each["at"].startswith(each["body"][at])


def test_lots_dispose_of_every_piece_that_the_machines_counted(past: Past) -> None:
    """Counters and inspection agree within 1 percent for every machine and year."""
    plant = past.plant
    for first, end in (plant.windows.baseline, plant.windows.after):
        window = [clock.midnight_us(clock.day_number(each)) for each in (first, end)]
        inspected: dict[str, int] = {}
        for body in past.latest("inspection"):
            assert body["total"] == body["passed_first"] + body["scrap"] + body["rework"]
            at = clock.to_us(datetime.fromisoformat(body["inspected_at"]))
            if window[0] <= at < window[1]:
                inspected[body["asset"]] = inspected.get(body["asset"], 0) + body["total"]
        for code, total in inspected.items():
            output = plant.outputs[code]
            assert isinstance(output, Parts | Flow)
            made = int(np.diff(output.total(np.array(window)))[0])
            assert total == pytest.approx(made, rel=0.005)
        assert len(inspected) == sum(each.in_oee for each in plant.scenario.equipment)


def test_lots_have_keys_of_their_own(past: Past) -> None:
    keys = [each["key"] for each in past.records if each["kind"] == "inspection"]
    assert len(keys) == len(set(keys))


def test_every_month_end_since_the_one_before_the_baseline_has_its_stock(past: Past) -> None:
    found = {(each["day"], each["category"]): each for each in past.latest("stock_balance")}
    cogs = {each["month"] for each in past.latest("cogs")}
    for months in range(-12, 13):
        last = clock.add_months(past.plant.renovation, months) - timedelta(days=1)
        for category in ("raw", "wip", "finished"):
            assert found[last.isoformat(), category]["value_yuan"] > 0
        assert f"{last:%Y-%m}" in cogs
    assert len(found) == 25 * 3


def test_versions_of_an_order_line_only_add(past: Past) -> None:
    versions: dict[str, list[dict[str, list[object]]]] = {}
    for each in past.records:
        if each["kind"] == "order_line":
            versions.setdefault(each["key"], []).append(each["body"])
    assert max(len(found) for found in versions.values()) >= 3
    for found in versions.values():
        for earlier, later in itertools.pairwise(found):
            for field in ("confirmed", "shipments"):
                assert later[field][: len(earlier[field])] == earlier[field]
            assert later != earlier


def test_shipments_never_exceed_the_order(past: Past) -> None:
    partial = promised_again = unconfirmed = overdue = 0
    as_of = clock.to_datetime(past.plant.as_of_us).date()
    for body in past.latest("order_line"):
        quantities = [quantity for _, quantity in body["shipments"]]
        assert body["quantity"] > 0
        assert all(quantity > 0 for quantity in quantities)
        assert sum(quantities) <= body["quantity"]
        partial += len(quantities) > 1
        promised_again += len(body["confirmed"]) > 1
        unconfirmed += not body["confirmed"]
        is_open = sum(quantities) < body["quantity"]
        overdue += is_open and date.fromisoformat(body["due"]) < as_of - timedelta(days=30)
    assert min(partial, promised_again, unconfirmed, overdue) > 0


def test_what_was_sent_before_the_origin_comes_first(past: Past) -> None:
    plant = past.plant
    sent = [event.sent_us for event in plant.events if event.sent_us < plant.as_of_us]
    assert sent == sorted(sent)
    assert sent[0] < plant.origin_us
    assert len(past.records) == len(sent)


def test_records_keep_the_published_schema_of_their_kind(past: Past) -> None:
    kinds = {each.name: each for each in all_kinds()}
    checks = {name: Draft202012Validator(kind.schema) for name, kind in kinds.items()}
    seen: Counter[str] = Counter()
    for each in reversed(past.records):
        kind, body = kinds[each["kind"]], each["body"]
        seen[kind.name] += 1
        if seen[kind.name] <= 40:
            checks[kind.name].validate(body)
            natural = ":".join(str(body[name]) for name in kind.key)
            assert each["key"] in (natural, body.get("lot"))
            for first, second in kind.order:
                if first in body and second in body:
                    assert body[first] <= body[second]
    assert set(seen) == {kind for _, kind, _, _ in RECORDS}


def test_material_taken_agrees_with_what_was_made_of_it(past: Past) -> None:
    """Within a percent by month, as a bill of material foresees it."""
    per_unit = {
        (product, each.code): amount
        for each in past.plant.scenario.systems.material
        for product, amount in each.per_unit.items()
    }
    needed: dict[tuple[str, str], float] = {}
    for job in past.latest("job"):
        for (product, material), amount in per_unit.items():
            if job["product"] == product and job["state"] == "finished":
                made = job["quantity_good"] + job["quantity_scrap"]
                at = (job["started_at"][:7], material)
                needed[at] = needed.get(at, 0.0) + made * amount
    taken: dict[tuple[str, str], float] = {}
    for move in past.latest("stock_move"):
        if move["direction"] == "out" and "work_order" in move:
            at = (move["moved_at"][:7], move["material"])
            taken[at] = taken.get(at, 0.0) + move["quantity"]
    assert len(taken) == 4 * len(past.plant.scenario.systems.material)
    for at, quantity in taken.items():
        assert quantity == pytest.approx(needed[at], rel=0.01)


def test_the_store_holds_what_was_made_and_not_shipped(past: Past) -> None:
    counted = [each for each in past.latest("stock_balance") if "quantity" in each]
    assert len(counted) == 4
    assert {each["category"] for each in counted} == {"finished"}
    assert all(each["quantity"] > 0 for each in counted)


def test_every_long_stop_has_its_alarm_and_its_repair(past: Past) -> None:
    alarms = {each["alarm"]: each for each in past.latest("alarm") if each["category"] == "fault"}
    repairs = {each["alarm"] for each in past.latest("maintenance") if each["type"] == "repair"}
    assert len(alarms) > 100
    ended = {name for name, each in alarms.items() if "cleared_at" in each}
    assert ended == repairs
    assert len(alarms) - len(ended) <= len(past.plant.scenario.equipment)


def test_the_plan_of_a_machine_has_one_operation_at_a_time(past: Past) -> None:
    by_machine: dict[str, list[tuple[str, str]]] = {}
    for each in past.latest("plan_operation"):
        by_machine.setdefault(each["resource"], []).append((each["starts_at"], each["ends_at"]))
    for operations in by_machine.values():
        operations.sort()
        for (_, ends), (starts, _) in itertools.pairwise(operations):
            assert starts >= ends


def test_an_invoice_bills_what_the_entry_meter_counted(past: Past) -> None:
    plant = past.plant
    for invoice in plant.scenario.books.invoice:
        bills = [e for e in past.latest("energy_invoice") if e["meter"] == invoice.meter]
        assert len(bills) >= 23
        ts, _ = past.rows(f"{invoice.meter}.energy")
        assert len(ts)
        for bill in bills:
            days = bill["first_day"], bill["last_day"]
            first, last = (clock.day_number(date.fromisoformat(each)) for each in days)
            edges = np.array([clock.midnight_us(first), clock.midnight_us(last + 1)])
            flowed = float(np.diff(plant.feeds[invoice.meter].total(edges))[0])
            assert bill["quantity"] == pytest.approx(flowed, abs=0.1)
