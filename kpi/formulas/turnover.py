"""Inventory turnover.

References
----------
[1] ISO 22400-2:2014, KPI "Inventory turns": throughput over average inventory.
[2] Published example: cost 600 000 over a mean stock of 125 000 gives 4.8 turns, 76.04 days.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import fsum

from kpi.errors import NotComputable
from kpi.formulas.checks import non_negative, positive
from kpi.reasons import because


@dataclass(frozen=True)
class Turnover:
    """Turns in the period [1], the same in percent [%], and days of stock [d]."""

    turns: float
    percent: float
    days: float | None


def turnover(cogs: float, balances: Iterable[float], days: float = 365) -> Turnover:
    """Inventory turnover rate 库存周转率: cost of goods sold over the mean stock.

    The mean goes over all month-end balances given (13 for twelve months): a mean of opening and
    closing balance alone can be bettered by emptying the store on the last day. Sales are no
    substitute for cost. With no goods sold nothing turns over, and days of stock are None.

    Parameters
    ----------
    cogs : cost of goods sold over the whole period, twelve months [currency]
    balances : month-end stock of raw material, work in progress and finished goods, net of
        write-downs [currency]
    days : length of the period [d]

    Returns
    -------
    Turnover : turns [1], percent = 100 · turns [%], days = period / turns [d]

    References: [1], [2].
    """
    cost = non_negative("cost of goods sold", cogs)
    stock = [non_negative("stock balance", balance) for balance in balances]
    if not stock:
        raise NotComputable(because("no_balance"))
    turns = cost / positive("mean stock", fsum(stock) / len(stock))
    length = positive("days", days)
    return Turnover(turns=turns, percent=100 * turns, days=length / turns if turns > 0 else None)
