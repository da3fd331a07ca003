"""On-time delivery of order lines."""

from dataclasses import replace
from datetime import date

import pytest

from kpi.errors import NotComputable
from kpi.formulas.delivery import OrderLine, on_time

MAY = (date(2024, 5, 1), date(2024, 6, 1))
DUE = date(2024, 5, 10)
GOOD = OrderLine("1", 100, DUE, ((date(2024, 5, 9), 100),))
OPEN = OrderLine("2", 100, DUE)


def test_published_infor_rate() -> None:
    """Infor: 10 lines due, 6 shipped in full by the date, 60 %."""
    partial = replace(GOOD, shipments=((date(2024, 5, 8), 60),))
    late = replace(GOOD, shipments=((date(2024, 5, 9), 50), (date(2024, 5, 12), 50)))
    found = on_time([GOOD] * 6 + [partial, partial, late, OPEN], MAY)
    assert (found.due, found.on_time) == (10, 0.6)


def test_the_first_confirmed_date_counts_and_no_later_promise() -> None:
    late = replace(
        GOOD,
        confirmed=(date(2024, 5, 8), date(2024, 5, 20)),
    )
    assert on_time([GOOD, late], MAY).on_time == 0.5
    held = replace(late, confirmed=(date(2024, 5, 9), date(2024, 5, 3)))
    assert on_time([held], MAY).on_time == 1


def test_partial_shipments_add_up_and_the_day_itself_is_in_time() -> None:
    split = replace(GOOD, shipments=((date(2024, 5, 2), 40), (DUE, 60)))
    assert on_time([split], MAY).on_time == 1


def test_only_lines_due_in_the_period_count() -> None:
    first, last = replace(OPEN, due=MAY[0]), replace(OPEN, due=date(2024, 5, 31))
    outside = replace(OPEN, due=MAY[1])
    moved_out = replace(OPEN, confirmed=(date(2024, 6, 2),))
    promised_here = replace(GOOD, due=date(2024, 6, 3), confirmed=(DUE,))
    found = on_time([first, last, outside, moved_out, promised_here], MAY)
    assert found.due == 3
    assert found.on_time == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    "lines",
    [[], [replace(OPEN, due=MAY[1])], [replace(GOOD, quantity=0)], [replace(GOOD, due=None)]],
    ids=["none", "due later", "no quantity", "no date"],
)
def test_refuses(lines: list[OrderLine]) -> None:
    with pytest.raises(NotComputable):
        on_time(lines, MAY)


def test_an_empty_period_is_refused() -> None:
    with pytest.raises(NotComputable, match="period"):
        on_time([GOOD], (MAY[1], MAY[0]))
