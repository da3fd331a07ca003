"""Count facts: pieces, and the ideal seconds that the products made stand for.

Ideal seconds have bounds for two causes. A product that changed between two readings, or was not
known, leaves the ideal cycle open; all, good and rejected units then vary alike. What registers
leave open that began anew, showed what they cannot have shown, or were not read together is added.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from kpi.calendar import PLANNED, Calendar
from kpi.facts.basis import (
    Floats,
    Ints,
    Readings,
    Window,
    mark_excluded,
    mark_flags,
    spread,
)
from kpi.facts.doubt import Path, Sum, openings
from kpi.facts.products import cycles_of
from kpi.facts.regions import common_span
from kpi.formulas.counters import Increments

_ROLES = ("total_count", "good_count", "reject_count", "rework_count")
_PARTS = ("total", "good", "lost")
_NAMES = (
    *("total", "good", "reject"),
    *(f"ideal_{part}{side}_s" for part in _PARTS for side in ("", "_low", "_high")),
)


def count_facts(
    readings: Readings, calendar: Calendar, window: Window, flags: Ints
) -> dict[str, Floats]:
    """Return pieces, ideal seconds with bounds, and planned seconds that no count spans.

    Only time in which every register of the asset counted is counted: a reject register that fell
    silent does not make all pieces good.
    """
    roles = counted_roles(readings)
    if not roles:
        nothing = {name: np.full(window.hours, np.nan) for name in _NAMES}
        return nothing | {"uncounted_s": np.zeros(window.hours)}
    found = {role: readings.register(role) for role in roles}
    counted = {role: each for role, each in found.items() if each is not None}
    span_us = common_span(list(counted.values()))
    quantities = {
        role: _quantity(readings, role, each, window, span_us, flags)
        for role, each in counted.items()
    }
    return _split(quantities, span_us, window) | {
        "uncounted_s": _uncounted(span_us, calendar, window)
    }


def counted_roles(readings: Readings) -> list[str]:
    """Return the roles that total and good follow from.

    Rejects and rework count only where good does not, and rework only beside rejects: alone it
    says nothing of scrap.
    """
    has = [role for role in _ROLES if readings.plan.tag(role) is not None]
    if has[:2] == ["total_count", "good_count"]:
        return has[:2]
    if "reject_count" not in has:
        has = [role for role in has if role != "rework_count"]
    return has if has and has[0] != "reject_count" else []


@dataclass(frozen=True, slots=True)
class _Quantity:
    """Pieces of a register by hour, ideal seconds with bounds of the product, and its path."""

    amount: Floats
    ideal: Floats
    ideal_low: Floats
    ideal_high: Floats
    path: Path | None


def _quantity(
    readings: Readings,
    role: str,
    found: Increments,
    window: Window,
    span_us: tuple[int, int],
    flags: Ints,
) -> _Quantity:
    tag = readings.plan.tag(role)
    assert tag is not None
    cycle = cycles_of(readings, found)
    pieces = spread(found, window, span_us)
    mark_flags(flags, found, cycle.low < cycle.high, pieces, tag)
    mark_excluded(flags, found, window)
    index, hour = pieces.index, pieces.hour
    amount = found.increase[index] * pieces.share
    return _Quantity(
        amount=window.total(hour, amount),
        ideal=window.total(hour, amount * cycle.point[index]),
        ideal_low=window.total(hour, amount * cycle.low[index]),
        ideal_high=window.total(hour, amount * cycle.high[index]),
        path=Path.of(found, found.increase * cycle.point) if len(found.start_us) else None,
    )


def _sums(roles: Mapping[str, object]) -> dict[str, Sum]:
    """Return of which registers all, good and lost units are the sum or the difference."""
    total, good = "total_count", "good_count"
    rejects = dict.fromkeys((role for role in roles if role not in (total, good)), 1)
    taken = dict.fromkeys(rejects, -1)
    if total in roles and good in roles:
        return {"total": {total: 1}, "good": {good: 1}, "lost": {total: 1, good: -1}}
    if total in roles:
        return {"total": {total: 1}, "good": {total: 1, **taken}, "lost": rejects}
    return {"total": {good: 1, **rejects}, "good": {good: 1}, "lost": rejects}


def _split(
    quantities: dict[str, _Quantity], span_us: tuple[int, int], window: Window
) -> dict[str, Floats]:
    """Return total, good and lost units from the registers that count."""
    sums = _sums(quantities)
    paths = {role: each.path for role, each in quantities.items() if each.path is not None}
    opened = openings(paths, sums, span_us, window)
    lead = next(iter(quantities.values()))

    def added(part: str, name: str) -> Floats:
        zero = np.zeros(window.hours)
        each = sums[part].items()
        return sum((sign * getattr(quantities[role], name) for role, sign in each), zero)

    found = {part: added(part, "amount") for part in ("total", "good")}
    found["reject"] = found["total"] - found["good"]
    for part in _PARTS:
        point = added(part, "ideal")
        low, high = _scaled(lead, point)
        found[f"ideal_{part}_s"] = point
        found[f"ideal_{part}_low_s"] = low - opened[part].less
        found[f"ideal_{part}_high_s"] = high + opened[part].more
    return found


def _scaled(lead: _Quantity, ideal: Floats) -> tuple[Floats, Floats]:
    """Vary ideal seconds as far as the product made leaves open, in the proportion of the lead."""
    ones, some = np.ones(len(ideal)), lead.ideal > 0
    low = ideal * np.divide(lead.ideal_low, lead.ideal, out=ones.copy(), where=some)
    high = ideal * np.divide(lead.ideal_high, lead.ideal, out=ones, where=some)
    return np.minimum(low, high), np.maximum(low, high)


def _uncounted(span_us: tuple[int, int], calendar: Calendar, window: Window) -> Floats:
    """Return the planned seconds by hour outside the time that is counted."""
    at = window.cuts(calendar.at_us, np.array(span_us, np.int64))
    seconds = np.diff(np.append(at, window.end_us)) / 1e6
    kind = calendar.kind[np.searchsorted(calendar.at_us, at, side="right") - 1]
    outside = (at < span_us[0]) | (at >= span_us[1])
    return window.total(window.hour_of(at), seconds * (kind == PLANNED) * outside)
