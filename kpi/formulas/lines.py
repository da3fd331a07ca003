"""OEE of a serial line: what leaves it, against what its bottleneck could have made.

References
----------
[1] ISO 22400-2:2014, KPI "OEE index", which is defined for a work unit; a work centre whose units
    pass one machine after the other makes no more than its slowest one.
[2] fabrico.io, OEE of a line: the mean of the stations' OEE says something of machines that work
    side by side only.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from kpi.errors import NotComputable
from kpi.formulas.checks import at_most, non_negative, positive
from kpi.reasons import because


@dataclass(frozen=True)
class Share:
    """A ratio [1] with its bounds."""

    low: float
    point: float
    high: float


def bottleneck(cycles: Mapping[int, Mapping[int, float]], products: set[int]) -> int:
    """Machine with the largest ideal cycle, the mean over the products made on the line.

    Parameters
    ----------
    cycles : machine → product → planned run time per unit [time/unit]
    products : the products that leave the line

    Returns
    -------
    int : the machine; of equal ones that with the smallest number

    Raises NotComputable where a machine has no ideal cycle of a product.

    References: [1].
    """
    if not cycles or not products:
        raise NotComputable(because("line_without_cycle"))
    means = {
        machine: sum(_cycle(known, product) for product in products) / len(products)
        for machine, known in cycles.items()
    }
    return min(means, key=lambda machine: (-means[machine], machine))


def _cycle(known: Mapping[int, float], product: int) -> float:
    if product not in known:
        raise NotComputable(because("no_cycle_of_product", product=product))
    return positive("ideal cycle", known[product])


def line_oee(
    planned: float,
    uncounted: float,
    ideal_good: Share,
    last: Mapping[int, float],
    slowest: Mapping[int, float],
) -> Share:
    """OEE of a serial line: Σ(good units leaving it · ideal cycle of the bottleneck) / PBT.

    The last machine gives good units as ideal time at its own cycles. Its products may compare
    differently with the bottleneck's; which of them were made the sums do not say, so that the
    smallest and the largest ratio of the two cycles bound the result and their mean is the point.

    Parameters
    ----------
    planned : planned busy time of the bottleneck [time]
    uncounted : planned time in which nobody counted what left the line [time]
    ideal_good : Σ PRU · GQ at the last machine [time]
    last, slowest : product → ideal cycle of the last machine and of the bottleneck [time/unit]

    Returns
    -------
    Share : OEE [1]

    Raises NotComputable where nothing was planned or counted, or a cycle is not known.

    References: [1], [2].
    """
    planned = positive("planned time of the line", planned)
    uncounted = non_negative("uncounted time", uncounted)
    at_most("uncounted time", uncounted, "planned time", planned)
    counted = positive("counted time of the line", planned - uncounted)
    ratios = [_cycle(slowest, product) / _cycle(last, product) for product in last]
    if not ratios:
        raise NotComputable(because("last_machine_without_cycle"))
    return Share(
        low=ideal_good.low * min(ratios) / planned,
        point=ideal_good.point * (sum(ratios) / len(ratios)) / counted,
        high=(ideal_good.high * max(ratios) + uncounted) / planned,
    )
