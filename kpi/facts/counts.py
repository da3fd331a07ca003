"""Count facts: pieces, and the ideal seconds that the products made stand for."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from kpi.calendar import PLANNED, Calendar
from kpi.facts.basis import (
    HOUR_US,
    AssetPlan,
    Floats,
    Ints,
    Samples,
    Window,
    by_hour,
    mark_flags,
    register,
    spread,
)
from kpi.formulas.counters import RESET, Increments
from kpi.formulas.states import UNKNOWN, intervals


def count_facts(
    plan: AssetPlan,
    samples: Mapping[str, Samples],
    calendar: Calendar,
    window: Window,
    flags: Ints,
) -> dict[str, Floats]:
    """Return pieces, ideal seconds with bounds, and planned seconds that no count spans."""
    role = next((name for name in ("total_count", "good_count") if name in samples), None)
    if role is None:
        return _no_counts(window)
    total = _quantity(plan, samples, role, window, flags)
    reject = _quantity(plan, samples, "reject_count", window, flags)
    if "good_count" in samples and role == "total_count":
        good = _quantity(plan, samples, "good_count", window, flags)
        made, lost = total.amount, total.amount - good.amount
        ideal_good = good.ideal
    else:
        made, lost = total.amount, reject.amount
        ideal_good = total.ideal - reject.ideal
    # An uncertain product mix scales good and total alike.
    low = np.divide(total.ideal_low, total.ideal, out=np.ones(window.hours), where=total.ideal > 0)
    high = np.divide(
        total.ideal_high, total.ideal, out=np.ones(window.hours), where=total.ideal > 0
    )
    extra = np.where(total.ideal > 0, 0.0, total.ideal_high)
    return {
        "total": made,
        "good": made - lost,
        "reject": lost,
        "ideal_total_s": total.ideal,
        "ideal_total_low_s": total.ideal_low,
        "ideal_total_high_s": total.ideal_high,
        "ideal_good_s": ideal_good,
        "ideal_good_low_s": ideal_good * low,
        "ideal_good_high_s": ideal_good * high + extra,
        "uncounted_s": _uncounted(samples[role].good(), calendar, window),
    }


_COUNTS = ["total", "good", "reject", "ideal_total_s", "ideal_total_low_s", "ideal_total_high_s"]
_GOODS = ["ideal_good_s", "ideal_good_low_s", "ideal_good_high_s"]


def _no_counts(window: Window) -> dict[str, Floats]:
    found = {name: np.full(window.hours, np.nan) for name in (*_COUNTS, *_GOODS)}
    return found | {"uncounted_s": np.zeros(window.hours)}


@dataclass(frozen=True, slots=True)
class _Quantity:
    """Pieces by hour, and their ideal seconds with bounds."""

    amount: Floats
    ideal: Floats
    ideal_low: Floats
    ideal_high: Floats


def _quantity(
    plan: AssetPlan,
    samples: Mapping[str, Samples],
    role: str,
    window: Window,
    flags: Ints,
) -> _Quantity:
    if role not in samples:
        return _Quantity(*(np.zeros(window.hours) for _ in range(4)))
    found = register(plan, samples, role)
    point, low, high = _cycles(plan, samples, found, window)
    lasts_s = (found.end_us - found.start_us) / 1e6
    unseen_s = np.where(found.event == RESET, lasts_s, 0.0)
    index, hour, share = spread(found.start_us, found.end_us, window)
    mark_flags(flags, found, point, low, high, (index, hour), plan.hold_us(role))
    pieces = found.increase[index] * share

    return _Quantity(
        amount=by_hour(hour, pieces, window),
        ideal=by_hour(hour, pieces * point[index], window),
        ideal_low=by_hour(hour, pieces * low[index], window),
        ideal_high=by_hour(hour, pieces * high[index] + unseen_s[index] * share, window),
    )


def _cycles(
    plan: AssetPlan, samples: Mapping[str, Samples], found: Increments, window: Window
) -> tuple[Floats, Floats, Floats]:
    """Return the ideal cycle of each interval with bounds [s/unit]."""
    count = len(found.start_us)
    known = np.array(sorted(plan.cycles.values()))
    if len(known) == 0 or count == 0:
        return np.zeros(count), np.zeros(count), np.zeros(count)
    if len(known) == 1 or "product" not in samples:
        point = np.full(count, known.mean())
        return point, np.full(count, known[0]), np.full(count, known[-1])
    start, cycle = _cycle_steps(plan, samples, int(found.start_us[0]), int(found.end_us[-1]))
    begin = np.searchsorted(start, found.start_us, side="right") - 1
    end = np.searchsorted(start, found.end_us, side="left") - 1
    point = cycle[begin].copy()
    low, high = point.copy(), point.copy()
    # Rare: the product changed between two readings, or was not known for a while.
    for i in np.flatnonzero((begin != end) | np.isnan(point)):
        seen = cycle[begin[i] : end[i] + 1]
        named = seen[~np.isnan(seen)]
        options = known if len(named) < len(seen) else named
        point[i] = named.mean() if len(named) else known.mean()
        low[i], high[i] = options.min(), options.max()
    return point, low, high


def _cycle_steps(
    plan: AssetPlan, samples: Mapping[str, Samples], start_us: int, end_us: int
) -> tuple[Ints, Floats]:
    """Return the ideal cycle as a step function; NaN where the product is not known."""
    product = samples["product"]
    codes = np.where(np.isnan(product.value), UNKNOWN, product.value).astype(np.int64)
    steps = intervals(
        product.t_us, codes, start_us=start_us, end_us=end_us, max_hold_us=plan.hold_us("product")
    )
    changed = np.ones(len(steps.state), np.bool_)
    changed[1:] = np.diff(steps.state) != 0
    state = steps.state[changed]
    cycle = np.full(len(state), np.nan)
    for number, seconds in plan.cycles.items():
        cycle[state == number] = seconds
    return steps.start_us[changed], cycle


def _uncounted(good: Samples, calendar: Calendar, window: Window) -> Floats:
    """Return the planned seconds by hour outside the span of the count samples."""
    first = int(good.t_us[0]) if len(good.t_us) > 1 else window.end_us
    last = int(good.t_us[-1]) if len(good.t_us) > 1 else window.end_us
    edges = np.arange(window.start_us, window.end_us, HOUR_US)
    at = np.unique(np.concatenate([edges, calendar.at_us, np.array([first, last], np.int64)]))
    at = at[(at >= window.start_us) & (at < window.end_us)]
    seconds = np.diff(np.append(at, window.end_us)) / 1e6
    kind = calendar.kind[np.searchsorted(calendar.at_us, at, side="right") - 1]
    outside = (at < first) | (at >= last)
    return window.total(window.hour_of(at), seconds * (kind == PLANNED) * outside)
