"""Orders, inspections, stock and cost of goods sold."""

import itertools
from datetime import date, datetime, timedelta

import numpy as np
import pytest

from simulators import clock
from simulators.logs import Flow, Parts
from tests.simulators.conftest import Past


def test_keys_and_business_times_match_the_bodies(past: Past) -> None:
    fields = {
        "order_line": ("line", "due"),
        "inspection": ("lot", "inspected_at"),
        "stock_balance": ("id", "day"),
        "cogs": ("month", "day"),
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
