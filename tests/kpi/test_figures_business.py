"""Defect rate, on-time delivery and turnover from records as the systems send them."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from kpi.figures import Estimate, Evidence, Period
from kpi.figures.business import defects, deliveries, stock
from kpi.figures.records import counting_days, local_day
from store.records import StoredRecord
from tests.kpi.builders import LINK, asset, monitoring_plan, tag
from tests.kpi.evidence import MARCH, Facts, bounds, each_day, evidence, one, record

DAY = date(2026, 3, 10)
OPEN_MARCH = Period("month", date(2026, 3, 1), date(2026, 4, 1), is_open=True)
SYSTEMS = monitoring_plan(
    assets=[asset(1, "system"), asset(2, "system")],
    tags=[tag(LINK, asset_id=1), tag(20, role="link", asset_id=2)],
)
HEARD = each_day(date(2026, 2, 1), date(2026, 4, 1), known_s=86_400)


def lot(day: date = DAY, key: str = "L1", **fields: Any) -> StoredRecord:
    """A finally inspected lot of 100 with 4 scrapped and 6 reworked."""
    body = {"operation": "final", "total": 100, "passed_first": 90, "scrap": 4, "rework": 6}
    return record(key, day, {**body, **fields})


def order(
    due: str | None = "2026-03-10",
    confirmed: Any = (),
    shipments: Any = (),
    key: str = "SO-1",
    **fields: Any,
) -> StoredRecord:
    """An order line of 100 pieces."""
    body = {
        "line": key,
        "quantity": 100,
        "due": due,
        "confirmed": confirmed,
        "shipments": shipments,
    }
    at = date.fromisoformat(due) if due else DAY
    return record(key, at, {**body, **fields})


def known(heard: dict[int, Facts] | None = None, **records: list[StoredRecord]) -> Evidence:
    """Evidence with records and, by default, two systems heard of all the time."""
    return evidence(SYSTEMS, {1: HEARD, 2: HEARD} if heard is None else heard, records=records)


def rate(found: list[Estimate]) -> tuple[float, float, float]:
    """The bounds of the only estimate."""
    assert len(found) == 1
    return bounds(found[0])


def test_scrapped_and_reworked_units_are_defective() -> None:
    found = known(inspection=[lot(), lot(key="L2", total=300, passed_first=300, scrap=0, rework=0)])
    assert rate(defects(found, MARCH)) == pytest.approx((0.025, 0.025, 0.025))


def test_only_the_last_inspection_of_the_month_counts() -> None:
    others = [
        lot(key="L2", operation="turning", scrap=50, passed_first=44),
        lot(date(2026, 2, 28), "L3", scrap=50, passed_first=44),
        lot(date(2026, 4, 1), "L4", scrap=50, passed_first=44),
    ]
    assert rate(defects(known(inspection=[lot(), *others]), MARCH))[1] == pytest.approx(0.1)


def test_units_without_disposition_are_refused() -> None:
    found = defects(known(inspection=[lot(passed_first=80)]), MARCH)[0]
    assert found.point is None
    assert found.reason == "100 units have 90 dispositions; every unit needs exactly one"


def test_without_any_lot_there_is_no_rate() -> None:
    found = defects(known(), MARCH)[0]
    assert (found.point, found.coverage) == (None, 1)


def test_while_a_system_was_silent_as_many_units_may_be_missing() -> None:
    heard = {1: HEARD, 2: each_day(date(2026, 3, 1), date(2026, 3, 26), known_s=86_400)}
    found = defects(known(heard, inspection=[lot()]), MARCH)
    assert found[0].coverage == pytest.approx(25 / 31)
    missing = 100 * 6 / 25
    assert rate(found) == pytest.approx(
        (10 / (100 + missing), 0.1, (10 + missing) / (100 + missing))
    )


@pytest.mark.parametrize(
    "plan",
    [
        monitoring_plan(),
        monitoring_plan(assets=[asset(1, "system")]),
        monitoring_plan(assets=[asset(1, "machine")], tags=[tag(LINK)]),
    ],
    ids=["no system", "a system without link", "no system has the link"],
)
def test_without_a_link_nobody_can_tell_whether_records_are_missing(plan: Any) -> None:
    found = evidence(plan, records={"inspection": [lot()], "order_line": [order()]})
    assert found.link_coverage(MARCH.start, MARCH.end) == 0
    assert defects(found, MARCH)[0].coverage == 0
    assert rate(deliveries(found, MARCH)) == (0, 0, 1)


def test_an_open_month_is_covered_up_to_the_last_full_hour() -> None:
    until = datetime.fromisoformat("2026-03-11T06:00:00+08:00")
    heard = dict(each_day(date(2026, 3, 1), date(2026, 3, 11), known_s=86_400))
    heard[date(2026, 3, 11)] = {"known_s": 6 * 3600}
    found = evidence(SYSTEMS, {1: heard, 2: heard}, until=until)
    assert found.link_coverage(MARCH.start, MARCH.end) == 1


@pytest.mark.parametrize(
    ("line", "on_time"),
    [
        (order(shipments=[("2026-03-10", 100)]), 1),
        (order(shipments=[("2026-03-02", 60), ("2026-03-10", 40)]), 1),
        (order(shipments=[("2026-03-02", 60), ("2026-03-11", 40)]), 0),
        (order(shipments=[("2026-03-10", 99)]), 0),
        (order(), 0),
        (order(confirmed=["2026-03-12"], shipments=[("2026-03-12", 100)]), 1),
        (order(confirmed=["2026-03-12", "2026-03-20"], shipments=[("2026-03-20", 100)]), 0),
        (order("2026-04-20", confirmed=["2026-03-12"], shipments=[("2026-03-12", 100)]), 1),
        (order(confirmed=None, shipments=None), 0),
        (order(quantity="100", shipments=[("2026-03-10", "100")]), 1),
    ],
    ids=[
        *("on the day", "in two parts", "second part late", "one piece short", "still open"),
        *("as confirmed", "as promised again", "confirmed early", "nothing listed", "as text"),
    ],
)
def test_a_line_is_on_time_when_it_was_shipped_in_full_by_the_first_confirmed_day(
    line: StoredRecord, on_time: int
) -> None:
    on_due_day = order(key="SO-2", shipments=[("2026-03-10", 100)])
    found = deliveries(known(order_line=[line, on_due_day]), MARCH)
    assert found[0].inputs["lines_due"] == 2
    assert found[0].inputs["on_time"] == 1 + on_time
    assert rate(found)[1] == (1 + on_time) / 2


def test_a_line_belongs_to_the_month_of_its_first_confirmed_day() -> None:
    lines = [
        order("2026-03-10", confirmed=["2026-04-02"], shipments=[("2026-04-02", 100)]),
        order("2026-03-10", key="SO-2"),
    ]
    assert deliveries(known(order_line=lines), MARCH)[0].inputs["lines_due"] == 1


def test_in_an_open_month_only_days_that_ended_count() -> None:
    until = datetime.fromisoformat("2026-03-11T06:00:00+08:00")
    lines = [
        order("2026-03-10", shipments=[("2026-03-10", 100)]),
        order("2026-03-11", key="due today"),
        order("2026-03-25", key="due later"),
    ]
    found = evidence(SYSTEMS, {1: HEARD, 2: HEARD}, until=until, records={"order_line": lines})
    assert rate(deliveries(found, OPEN_MARCH))[1] == 1
    first_day = datetime.fromisoformat("2026-03-01T06:00:00+08:00")
    early = evidence(SYSTEMS, {}, until=first_day, records={"order_line": lines})
    assert "no order line was due" in str(deliveries(early, OPEN_MARCH)[0].reason)


def test_a_cancelled_line_is_not_due_and_is_counted_beside_the_rate() -> None:
    lines = [order(), order(key="C", quantity=0, shipments=[])]
    found = deliveries(known(order_line=lines), MARCH)[0]
    assert (found.point, found.coverage) == (0, 1)
    assert (found.inputs["lines_due"], found.inputs["cancelled"]) == (1, 1)


def test_where_all_lines_were_cancelled_there_is_no_rate() -> None:
    found = deliveries(known(order_line=[order(quantity=0, shipments=[])]), MARCH)[0]
    assert found.point is None
    assert found.inputs["cancelled"] == 1


def test_a_shipment_of_nothing_is_no_fault() -> None:
    shipments = [("2026-03-08", 0), ("2026-03-09", 100)]
    found = deliveries(known(order_line=[order(shipments=shipments)]), MARCH)[0]
    assert (found.point, found.coverage) == (1, 1)


def test_without_a_line_due_there_is_no_rate() -> None:
    found = deliveries(known(order_line=[order("2026-04-01")]), MARCH)[0]
    assert (found.point, found.coverage) == (None, 1)


BROKEN_LINES: list[tuple[Any, str]] = [
    ({"line": "X", "due": "2026-03-10"}, "quantity is missing"),
    ({"line": "X", "due": "2026-03-10", "quantity": "many"}, "quantity is missing or not a number"),
    ({"line": "X", "due": "2026-03-10", "quantity": -1}, "quantity is negative"),
    ({"line": "X", "due": "2026-03-10", "quantity": 10**400}, "quantity is not finite"),
    ({"line": "X", "quantity": 5}, "neither a due nor a confirmed date"),
    ({"line": "X", "quantity": 5, "due": "next week"}, "due is no date ('next week')"),
    ({"line": "X", "quantity": 5, "due": 20260310}, "due is no date (20260310)"),
    ({"quantity": 5, "due": "2026-03-10", "confirmed": "2026-03-12"}, "confirmed is no list"),
    ({"quantity": 5, "due": "2026-03-10", "confirmed": [None]}, "confirmed is no date (None)"),
    ({"quantity": 5, "due": "2026-03-10", "shipments": [5]}, "a shipment is no pair"),
    ({"quantity": 5, "due": "2026-03-10", "shipments": [["2026-03-09"]]}, "a shipment is no pair"),
    (
        {"quantity": 5, "due": "2026-03-10", "shipments": [["2026-03-09", -5]]},
        "shipped quantity is negative",
    ),
    (["quantity", 5], "the body is no object"),
]


@pytest.mark.parametrize(("body", "reason"), BROKEN_LINES, ids=[each[1] for each in BROKEN_LINES])
def test_a_line_that_cannot_be_read_is_set_aside_and_opens_the_bounds(
    body: Any, reason: str
) -> None:
    good = [order(key=f"SO-{n}", shipments=[("2026-03-10", 100)]) for n in range(4)]
    found = deliveries(known(order_line=[*good, record("X", DAY, body)]), MARCH)
    assert rate(found) == pytest.approx((0.8, 1, 1))
    assert found[0].coverage == pytest.approx(0.8)
    assert found[0].inputs["set_aside"] == 1
    assert found[0].inputs["because"][0].startswith(f"X: {reason}")


BROKEN_LOTS: list[tuple[dict[str, Any], str]] = [
    ({"total": None}, "total is missing"),
    ({"passed_first": "x"}, "passed_first is missing or not a number"),
    ({"scrap": -1}, "scrap is negative"),
    ({"rework": float("nan")}, "rework is not finite"),
    ({"operation": None}, "operation is missing"),
]


@pytest.mark.parametrize(("fields", "reason"), BROKEN_LOTS, ids=[each[1] for each in BROKEN_LOTS])
def test_a_lot_that_cannot_be_read_is_set_aside_and_opens_the_bounds(
    fields: dict[str, Any], reason: str
) -> None:
    lots = [*(lot(key=f"L{number}") for number in range(9)), lot(key="X", **fields)]
    found = defects(known(inspection=lots), MARCH)
    assert rate(found) == pytest.approx((0.09, 0.1, 0.19))
    assert found[0].inputs["because"][0].startswith(f"X: {reason}")


def test_a_broken_record_of_another_month_does_not_matter() -> None:
    broken = record("X", date(2026, 2, 10), {"operation": "final"})
    found = defects(known(inspection=[lot(), broken]), MARCH)
    assert rate(found) == pytest.approx((0.1, 0.1, 0.1))
    assert "set_aside" not in found[0].inputs


def test_when_no_record_can_be_read_there_is_no_rate() -> None:
    found = deliveries(known(order_line=[record("X", DAY, {})]), MARCH)[0]
    assert (found.point, found.coverage) == (None, 0)
    assert found.inputs["set_aside"] == 1


def balances(day: date, raw: float, wip: float, finished: float) -> list[StoredRecord]:
    """The three balances of a month's end."""
    values = {"raw": raw, "wip": wip, "finished": finished}
    return [
        record(f"{day}:{name}", day, {"day": f"{day}", "category": name, "value_yuan": value})
        for name, value in values.items()
    ]


def cost(month: str, amount_yuan: float) -> StoredRecord:
    """The cost of goods sold of a month."""
    return record(month, DAY, {"month": month, "amount_yuan": amount_yuan})


MARCH_STOCK = [*balances(date(2026, 2, 28), 40, 20, 60), *balances(date(2026, 3, 31), 80, 50, 50)]


def test_a_month_takes_both_its_balances_and_counts_its_cost_twelve_times() -> None:
    found = known(stock_balance=MARCH_STOCK, cogs=[cost("2026-03", 75)])
    assert rate(stock(found, MARCH)) == pytest.approx((6, 6, 6))  # 75 x 12 over (120 + 180) / 2


def test_a_year_takes_thirteen_balances_and_adds_its_costs() -> None:
    firsts = [date(2025, 4, 1)]
    while len(firsts) < 13:
        firsts.append((firsts[-1] + timedelta(days=31)).replace(day=1))
    stocks = [
        each
        for number, first in enumerate(firsts)
        for each in balances(first - timedelta(days=1), 100, 0, 130 if number == 0 else 0)
    ]
    costs = [cost(f"{first:%Y-%m}", 55) for first in firsts[:12]]
    year = Period("rolling12", firsts[0], firsts[12])
    found = known(stock_balance=stocks, cogs=costs)
    assert rate(stock(found, year))[1] == pytest.approx(660 / 110)
    fewer = stock(known(stock_balance=stocks, cogs=costs[1:]), year)[0]
    assert fewer.reason == "missing: the cost of goods sold in 2025-04"
    assert fewer.coverage == pytest.approx(24 / 25)


def test_a_missing_category_is_named_and_not_taken_for_zero() -> None:
    lacking = [each for each in MARCH_STOCK if each.key != "2026-03-31:wip"]
    found = stock(known(stock_balance=lacking, cogs=[cost("2026-03", 75)]), MARCH)[0]
    assert found.point is None
    assert found.reason == "missing: the stock of wip on 2026-03-31"
    assert found.coverage == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("extra", "because"),
    [
        (
            {"day": "2026-03-31", "category": "wip", "value_yuan": 7},
            "2026-03-31:wip: given twice",
        ),
        (
            {"day": "2026-03-31", "category": "tools", "value_yuan": 7},
            "X: category 'tools' is none of raw, wip, finished",
        ),
    ],
)
def test_stock_given_twice_or_of_no_category_does_not_count(
    extra: dict[str, Any], because: str
) -> None:
    records = [*MARCH_STOCK, record("X", date(2026, 3, 31), extra)]
    found = known(stock_balance=records, cogs=[cost("2026-03", 75)])
    estimate = stock(found, MARCH)[0]
    if "twice" in because:
        assert estimate.reason == "missing: the stock of wip on 2026-03-31"
        assert estimate.inputs["because"] == [because]
    else:
        assert estimate.point == pytest.approx(6)
    assert [f"{each.key}: {each.reason}" for each in found.business.unreadable] == [because]


def test_a_cost_that_cannot_be_read_is_missing() -> None:
    broken = [cost("2026-03", 75), record("Y", DAY, {"month": "March", "amount_yuan": 1})]
    assert stock(known(stock_balance=MARCH_STOCK, cogs=broken), MARCH)[0].point is not None
    found = stock(known(stock_balance=MARCH_STOCK, cogs=broken[1:]), MARCH)[0]
    assert found.inputs["because"] == ["Y: month is no date ('March-01')"]


def test_of_two_costs_of_one_month_neither_counts_unless_they_are_the_same() -> None:
    twice = [cost("2026-03", 75), record("Y", DAY, {"month": "2026-03", "amount_yuan": 750})]
    found = stock(known(stock_balance=MARCH_STOCK, cogs=twice), MARCH)[0]
    assert found.reason == "missing: the cost of goods sold in 2026-03"
    assert found.inputs["because"] == ["2026-03: given twice"]
    same = [twice[0], record("Y", DAY, {"month": "2026-03", "amount_yuan": 75})]
    assert stock(known(stock_balance=MARCH_STOCK, cogs=same), MARCH)[0].point == pytest.approx(6)


def test_no_stock_is_worth_less_than_nothing() -> None:
    below = [*balances(date(2026, 2, 28), 60, 40, 50), *balances(date(2026, 3, 31), 60, -40, 50)]
    found = stock(known(stock_balance=below, cogs=[cost("2026-03", 75)]), MARCH)[0]
    assert found.point is None
    assert found.reason == "missing: the stock of wip on 2026-03-31"
    (why,) = found.inputs["because"]
    assert "value_yuan is negative (-40)" in why


def test_stock_of_nothing_is_refused() -> None:
    empty = [*balances(date(2026, 2, 28), 0, 0, 0), *balances(date(2026, 3, 31), 0, 0, 0)]
    found = one(
        stock(known(stock_balance=empty, cogs=[cost("2026-03", 75)]), MARCH), "inventory_turnover"
    )
    assert found.point is None
    assert "mean stock" in str(found.reason)


@pytest.mark.parametrize(
    ("kind", "body", "days"),
    [
        ("order_line", {"quantity": 1, "due": "2026-03-10"}, [date(2026, 3, 10)]),
        (
            "order_line",
            {"quantity": 1, "due": "2026-03-10", "confirmed": ["2026-04-02"]},
            [date(2026, 4, 2)],
        ),
        ("order_line", {"confirmed": ["soon"]}, [date(2026, 3, 31)]),
        ("order_line", ["no object"], [date(2026, 3, 31)]),
        ("stock_balance", {}, [date(2026, 3, 31), date(2026, 4, 1)]),
        ("cogs", {}, [date(2026, 3, 31)]),
        ("inspection", {}, [date(2026, 3, 31)]),
    ],
)
def test_a_record_counts_for_these_days(kind: str, body: Any, days: list[date]) -> None:
    assert counting_days(kind, date(2026, 3, 31), body) == days


_ENDLESS = "9" * 5000
_BILL = {
    "carrier": "raw_coal", "lower_heating_value_mj": 20, "quantity": 1,
    "first_day": "2026-03-01", "last_day": "2026-03-31",
}  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("headcount", {"month": "2026-03", "employees": _ENDLESS}),
        ("inspection", {"operation": "final", "total": 1, "scrap": 0, "rework": 0,
                        "passed_first": 1, "product": _ENDLESS}),
        ("energy_invoice", _BILL | {"last_day": "9999-12-31"}),
        ("energy_invoice", _BILL | {"unit": ["t"]}),
    ],
)  # fmt: skip
def test_a_record_that_no_check_foresaw_is_set_aside_and_stops_no_figure(
    kind: str, body: Any
) -> None:
    strange = record("X", DAY, body)
    records: dict[str, Any] = {kind: [strange]}
    found = known(**records).business
    assert [(each.kind, each.key, each.day) for each in found.unreadable] == [(kind, "X", DAY)]
    assert counting_days(kind, DAY, body)[0] == DAY


def test_a_record_of_the_last_day_there_is_has_a_local_day() -> None:
    last = datetime(9999, 12, 31, 20, tzinfo=UTC)
    assert local_day(last, ZoneInfo("Asia/Shanghai")) == date.max
    assert counting_days("stock_balance", date.max, {}) == [date.max]


def test_a_class_of_a_project_that_is_no_text_is_none() -> None:
    body = {"project": "P", "approved_on": "2026-01-05", "released_on": "2026-03-02"}
    found = known(rd_project=[record("P", DAY, body | {"class": ["A"]})]).business
    assert [each.product_class for each in found.projects] == [None]
