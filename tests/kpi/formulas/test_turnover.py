"""Inventory turnover."""

import pytest

from kpi.errors import NotComputable
from kpi.formulas.turnover import turnover


def test_published_turnover() -> None:
    """Cost 600 000 over a mean stock of 125 000: 4.8 turns, 480 %, 76.04 days."""
    found = turnover(600_000, [100_000, 150_000], 365)
    assert (found.turns, found.percent) == (4.8, 480)
    assert found.days == pytest.approx(76.04, abs=5e-3)


def test_emptying_the_store_on_the_last_day_gains_little() -> None:
    """Twelve balances of 100 and one of 20: 12.75 turns, where opening and closing give 20."""
    assert turnover(1200, [100] * 12 + [20]).turns == pytest.approx(1200 / (1220 / 13))
    assert turnover(1200, [100, 20]).turns == 20


def test_nothing_sold_has_no_days() -> None:
    found = turnover(0, [100])
    assert (found.turns, found.days) == (0, None)


@pytest.mark.parametrize(
    ("cogs", "balances", "days"),
    [(100, [], 365), (100, [0, 0], 365), (100, [50, -1], 365), (-1, [50], 365), (100, [50], 0)],
)
def test_refuses(cogs: float, balances: list[float], days: float) -> None:
    with pytest.raises(NotComputable):
        turnover(cogs, balances, days)
