"""What registers say of each other: tariffs against their total, sub-meters against the entry.

References
----------
[1] GB 17167-2006, entry meters, sub-unit meters and equipment meters.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from kpi.energy.amounts import Amount
from kpi.formulas.checks import ratio


@dataclass(frozen=True, slots=True)
class TariffCheck:
    """A total against the sum of its tariffs; gap = sum - total [unit]."""

    total: float
    tariffs: float
    gap: float
    agrees: bool


def tariff_check(total: Amount, tariffs: Sequence[Amount]) -> TariffCheck:
    """Compare a total with its tariffs; they agree where their bounds meet.

    Where they do not, one of the registers is wrong and nobody can say which: the quantity lies
    between the two.
    """
    added = sum(tariffs, Amount())
    return TariffCheck(
        total=total.point,
        tariffs=added.point,
        gap=added.point - total.point,
        agrees=_meet(total, added),
    )


@dataclass(frozen=True, slots=True)
class TreeCheck:
    """What sub-meters explain of the entry: a share [1]; impossible where they show more."""

    explained: float | None
    possible: bool


def tree_check(entry: Amount, below: Sequence[Amount]) -> TreeCheck:
    """Compare entry meters with the meters of one level below, which explain and never add."""
    added = sum(below, Amount())
    return TreeCheck(ratio(added.point, entry.point), added.low <= entry.high)


def _meet(one: Amount, other: Amount) -> bool:
    # Sums of floats differ in their last digits.
    slack = 1e-9 * max(abs(one.high), abs(other.high), 1.0)
    return one.low <= other.high + slack and other.low <= one.high + slack
