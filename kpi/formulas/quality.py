"""Defect rate and yields.

References
----------
[1] ISO 22400-2:2014, KPIs "Quality ratio", "Scrap ratio", "Rework ratio", "First pass yield".
[2] TeepTrak, first-time-right example: 9 reworked and 5 scrapped of 312 give 95.51 %.
[3] codingace.net, rolled throughput yield example: 0.9066 over three steps.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from kpi.errors import NotComputable
from kpi.formulas.checks import ROUNDING, at_most, non_negative, positive
from kpi.reasons import because


@dataclass(frozen=True)
class Quality:
    """Shares of the inspected quantity, all 0…1."""

    defect_rate: float
    scrap_ratio: float
    rework_ratio: float
    first_pass_yield: float


def quality(
    total: float, scrap: float, rework: float, passed_first: float | None = None
) -> Quality:
    """Defect rate 产品不良品率 on the first-pass basis, at the last inspected operation.

    A reworked unit is a defective one, even if it is good afterwards. Every unit needs a
    disposition: where passed, scrapped and reworked units do not add up to the total there is no
    rate. Without `passed_first` all other units are taken as passed.

    Parameters
    ----------
    total, scrap, rework : PQ, SQ, RQ [unit]
    passed_first : units passed at the first inspection [unit]

    Returns
    -------
    Quality : (SQ + RQ) / PQ, SQ / PQ, RQ / PQ and first pass yield [1]

    References: [1], [2].
    """
    total = positive("total quantity", total)
    scrap, rework = non_negative("scrap quantity", scrap), non_negative("rework quantity", rework)
    at_most("scrap and rework", scrap + rework, "total quantity", total)
    if passed_first is None:
        passed = max(total - scrap - rework, 0.0)
    else:
        passed = non_negative("units passed first", passed_first)
        _check_disposition(total, passed + scrap + rework)
    return Quality(
        defect_rate=(scrap + rework) / total,
        scrap_ratio=scrap / total,
        rework_ratio=rework / total,
        first_pass_yield=passed / total,
    )


def _check_disposition(total: float, disposed: float) -> None:
    if abs(total - disposed) > ROUNDING * total:
        raise NotComputable(because("units_undisposed", total=total, disposed=disposed))


def rolled_yield(steps: Iterable[Sequence[float]]) -> float:
    """Rolled throughput yield: the product of the yields of consecutive steps.

    Parameters
    ----------
    steps : [quantity in, good quantity out] of each step [unit]

    Returns
    -------
    float : yield [1]

    References: [3].
    """
    rolled, seen = 1.0, False
    for entered, good in steps:
        entered, good = positive("quantity in", entered), non_negative("good quantity", good)
        at_most("good quantity", good, "quantity in", entered)
        rolled, seen = rolled * good / entered, True
    if not seen:
        raise NotComputable(because("no_step"))
    return rolled
