"""What stands beside defect rate, delivery and turnover, and is never taken for them."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpi.errors import NotComputable
from kpi.figures.business import defects, deliveries, stock
from kpi.formulas.delivery import OrderLine, delivered, on_time
from tests.kpi.builders import LINK, asset, monitoring_plan, tag
from tests.kpi.evidence import MARCH, each_day, evidence, record
from tests.kpi.test_figures_business import known, lot, order

MAY = (date(2024, 5, 1), date(2024, 6, 1))


def _made(**fields: Any) -> dict[str, Any]:
    """The inputs of the defect rate of two lots; product 1 takes 60 s, product 2 takes 600 s."""
    plan = monitoring_plan(
        assets=[asset(1, "system"), asset(2, code="M01")],
        tags=[tag(LINK, asset_id=1)],
        cycles={2: {1: 60.0, 2: 600.0}},
    )
    heard = {1: each_day(MARCH.start, MARCH.end, known_s=86_400)}
    second = {"passed_first": 100, "scrap": 0, "rework": 0, "asset": "M01", "product": 2}
    lots = [lot(asset="M01", product=1), lot(key="L2", **{**second, **fields})]
    return dict(defects(evidence(plan, heard, records={"inspection": lots}), MARCH)[0].inputs)


def test_yield_scrap_rework_and_ppm_stand_apart() -> None:
    found = defects(known(inspection=[lot()]), MARCH)[0].inputs
    names = ("first_pass_yield", "scrap_rate", "rework_rate")
    shares = {name: found[name]["point"] for name in names}
    assert shares == {"first_pass_yield": 0.9, "scrap_rate": 0.04, "rework_rate": 0.06}
    assert found["ppm"] == pytest.approx(100_000)


def test_unlike_products_are_weighted_by_ideal_time() -> None:
    weighted = _made()["by_ideal_time"]
    # 10 of 100 pieces of 60 s are defective, and none of 100 pieces of 600 s.
    assert weighted["point"] == pytest.approx(600 / 66_000)
    assert weighted["products"] == 2
    assert _made(product="2")["by_ideal_time"] == weighted, "some systems send numbers as text"


def test_without_an_ideal_cycle_nothing_is_weighted() -> None:
    reason = _made(product=9)["by_ideal_time"]["reason"]
    assert "no ideal cycle of (asset, product) ('M01', 9)" in reason


def test_lots_that_add_up_only_together_are_refused() -> None:
    lots = [lot(passed_first=95), lot(key="L2", passed_first=85)]
    found = defects(known(inspection=lots), MARCH)[0]
    assert found.point is None
    assert "single lots miss their dispositions by 10 units" in str(found.reason)


def test_otif_judges_an_order_as_a_whole() -> None:
    good: dict[str, Any] = {"shipments": [("2026-03-10", 100)]}
    lines = [
        order(key="A-1", order="A", **good),
        order(key="A-2", order="A", shipments=[("2026-03-12", 100)]),
        order(key="B-1", order="B", **good),
        order(key="C-1", order="C"),
    ]
    found = deliveries(known(order_line=lines), MARCH)[0]
    assert found.point == 0.5
    assert found.inputs["otif"] == pytest.approx(1 / 3)
    assert found.inputs["orders"] == 3
    assert found.inputs["in_full"] == 0.75
    assert found.inputs["on_time_of_shipped"] == pytest.approx(2 / 3), "the open line is left out"


def test_lines_without_their_order_give_no_otif() -> None:
    found = deliveries(known(order_line=[order(order="A"), order(key="SO-2")]), MARCH)[0].inputs
    assert (found["otif"], found["otif_reason"]) == (None, "not every order line names its order")
    assert found["on_time_of_shipped"] is None, "nothing was shipped"


def test_variants_of_no_line_are_refused() -> None:
    with pytest.raises(NotComputable, match="no order line was due"):
        delivered([], MAY)


_LINES = st.lists(
    st.builds(
        OrderLine,
        line=st.just("1"),
        quantity=st.just(10.0),
        due=st.dates(date(2024, 4, 28), date(2024, 6, 3)),
        shipments=st.lists(
            st.tuples(st.dates(date(2024, 4, 20), date(2024, 6, 20)), st.sampled_from([4.0, 6.0])),
            max_size=3,
        ).map(tuple),
        order=st.sampled_from(["A", "B", "C"]),
    ),
    min_size=1,
)


@given(_LINES)
def test_the_rate_is_in_full_times_on_time_of_shipped(lines: list[OrderLine]) -> None:
    try:
        rate = on_time(lines, MAY).on_time
    except NotComputable:
        return
    found = delivered(lines, MAY)
    assert found.in_full * (found.on_time_of_shipped or 0.0) == pytest.approx(rate)
    assert found.otif is not None
    assert (found.otif == 1) == (rate == 1)


def test_turnover_stands_in_times_percent_and_by_category() -> None:
    balances = [
        record(
            f"{day}:{name}", day, {"day": day.isoformat(), "category": name, "value_yuan": value}
        )
        for day in (date(2026, 2, 28), date(2026, 3, 31))
        for name, value in (("raw", 50), ("wip", 0), ("finished", 100))
    ]
    cost = record("2026-03", MARCH.start, {"month": "2026-03", "amount_yuan": 75})
    found = stock(known(stock_balance=balances, cogs=[cost]), MARCH)[0]
    assert found.point == pytest.approx(6)
    assert found.inputs["percent"] == pytest.approx(600)
    assert found.inputs["by_category"] == {
        "raw": {"mean_stock_yuan": 50, "turns": 18, "percent": 1800},
        "wip": {"mean_stock_yuan": 0, "turns": None, "percent": None},
        "finished": {"mean_stock_yuan": 100, "turns": 9, "percent": 900},
    }
