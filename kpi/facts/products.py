"""The ideal cycle that holds for the pieces of each counted interval."""

from dataclasses import dataclass

import numpy as np

from kpi.facts.basis import Floats, Ints, Readings, hold_us
from kpi.formulas.counters import Increments
from kpi.formulas.states import UNKNOWN, intervals

# A product that is named but not in the plan: its code among the plan's numbers, and its cycle.
_OTHER = -2
_UNLISTED = 0.0


@dataclass(frozen=True, slots=True)
class Cycles:
    """Ideal cycle of each interval [s/unit], with bounds where it is not certain."""

    point: Floats
    low: Floats
    high: Floats


def cycles_of(readings: Readings, found: Increments) -> Cycles:
    """Return the ideal cycle of each interval of a register.

    Where the product changed inside an interval, its pieces may be of either; where it is not
    known, of any in the plan. Nobody approved a cycle of a product that is not in the plan: its
    pieces may stand for nothing.
    """
    count = len(found.start_us)
    known = np.array(sorted(readings.plan.cycles.values()))
    if len(known) == 0 or count == 0:
        return Cycles(*(np.zeros(count) for _ in range(3)))
    any_product = Cycles(*(np.full(count, s) for s in (known.mean(), known[0], known[-1])))
    if readings.plan.tag("product") is None:
        return any_product
    start, cycle = _steps(readings, int(found.start_us[0]), int(found.end_us[-1]))
    begin = np.searchsorted(start, found.start_us, side="right") - 1
    end = np.searchsorted(start, found.end_us, side="left") - 1
    named = cycle[begin] > _UNLISTED
    point = np.where(named, cycle[begin], any_product.point)
    low = np.where(named, point, any_product.low)
    low[cycle[begin] == _UNLISTED] = 0.0
    high = np.where(named, point, any_product.high)
    # Rare: the product changed between two readings.
    for i in np.flatnonzero(begin != end):
        point[i], low[i], high[i] = _one_of(cycle[begin[i] : end[i] + 1], known)
    return Cycles(point, low, high)


def _one_of(seen: Floats, known: Floats) -> tuple[float, float, float]:
    named = seen[seen > _UNLISTED]
    options = named if len(named) == len(seen) else known
    point = named.mean() if len(named) else known.mean()
    low = 0.0 if (seen == _UNLISTED).any() else options.min()
    return float(point), float(low), float(options.max())


def _steps(readings: Readings, start_us: int, end_us: int) -> tuple[Ints, Floats]:
    """Return the ideal cycle as a step function; NaN where the product is not known."""
    tag = readings.plan.tag("product")
    assert tag is not None
    product = readings.samples[tag.tag_id]
    codes = np.where(np.isnan(product.value), UNKNOWN, _OTHER)
    for number in readings.plan.cycles:
        codes[product.value == number] = number
    found = intervals(
        product.t_us, codes, start_us=start_us, end_us=end_us, max_hold_us=hold_us(tag)
    )
    changed = np.ones(len(found.state), np.bool_)
    changed[1:] = np.diff(found.state) != 0
    state = found.state[changed]
    cycle = np.where(state == UNKNOWN, np.nan, _UNLISTED)
    for number, seconds in readings.plan.cycles.items():
        cycle[state == number] = seconds
    return found.start_us[changed], cycle
