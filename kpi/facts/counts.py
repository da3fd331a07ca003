"""Count facts: pieces, and the ideal seconds that the products made stand for.

Ideal seconds have bounds for four causes. A product that changed between two readings, or was
not known, leaves the ideal cycle open; good and total then vary alike. What a register counted
before a reset is not known; it is at most what ideal speed gives in that time. Across a value that
the register cannot have shown, it may be off by as much as it counted there.

Where one register begins or falls silent between two readings of another, what that one gained up
to then is not known; it may be any part of what it gained between them that ideal speed allows,
and that leaves no fewer good units, nor rejects, than there were at an earlier reading.
"""

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from kpi.calendar import PLANNED, Calendar
from kpi.facts.basis import (
    HOUR_US,
    Floats,
    Ints,
    Readings,
    Window,
    mark_excluded,
    mark_flags,
    spread,
)
from kpi.facts.products import cycles_of
from kpi.formulas.counters import LEVEL_SHIFT, RESET, SPIKE, Increments

_ROLES = ("total_count", "good_count", "reject_count", "rework_count")
_NAMES = (
    "total",
    "good",
    "reject",
    "ideal_total_s",
    "ideal_total_low_s",
    "ideal_total_high_s",
    "ideal_good_s",
    "ideal_good_low_s",
    "ideal_good_high_s",
)


def count_facts(
    readings: Readings, calendar: Calendar, window: Window, flags: Ints
) -> dict[str, Floats]:
    """Return pieces, ideal seconds with bounds, and planned seconds that no count spans.

    Only time in which every register of the asset counted is counted: a reject register that fell
    silent does not make all pieces good.
    """
    roles = _registers(readings)
    if not roles:
        nothing = {name: np.full(window.hours, np.nan) for name in _NAMES}
        return nothing | {"uncounted_s": np.zeros(window.hours)}
    found = {role: readings.register(role) for role in roles}
    counted = {role: each for role, each in found.items() if each is not None}
    span_us = _common_span(list(counted.values()))
    quantities = {
        role: _quantity(readings, role, each, window, span_us, flags)
        for role, each in counted.items()
    }
    return _split(quantities, span_us, window) | {
        "uncounted_s": _uncounted(span_us, calendar, window)
    }


def _registers(readings: Readings) -> list[str]:
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


def _common_span(registers: list[Increments]) -> tuple[int, int]:
    """Return the time that the intervals of all registers fill, empty where they fill none."""
    if any(len(each.start_us) == 0 for each in registers):
        return 0, 0
    first = max(int(each.start_us[0]) for each in registers)
    return first, max(min(int(each.end_us[-1]) for each in registers), first)


@dataclass(frozen=True, slots=True)
class _Open:
    """By how many ideal seconds less and more than its point a quantity may be, by hour."""

    less: Floats
    more: Floats

    def __add__(self, other: "_Open") -> "_Open":
        return _Open(self.less + other.less, self.more + other.more)

    def closed(self, by_s: Floats) -> "_Open":
        """Return it with so much less missing."""
        return _Open(self.less - by_s, self.more)

    @property
    def turned(self) -> "_Open":
        """What it opens in a quantity that it is taken off."""
        return _Open(self.more, self.less)


@dataclass(frozen=True, slots=True)
class _Quantity:
    """Pieces by hour, their ideal seconds with bounds, and what is open besides the product.

    `seen` is open for resets and impossible values; `cut` where another register begins or falls
    silent between two readings of this one.
    """

    amount: Floats
    ideal: Floats
    ideal_low: Floats
    ideal_high: Floats
    seen: _Open
    cut: _Open
    count: tuple["_Count", ...]

    def __add__(self, other: "_Quantity") -> "_Quantity":
        """Return both together, as of scrap and rework, neither of which is good."""
        names = [each.name for each in fields(self)]
        return _Quantity(*(getattr(self, name) + getattr(other, name) for name in names))


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
    lasts_s = (found.end_us - found.start_us) / 1e6
    # What was not seen before a reset, and what was counted across impossible values.
    unseen_s = np.where(np.isin(found.event, (RESET, LEVEL_SHIFT)), lasts_s, 0.0)
    doubt_s = found.increase * cycle.point * (found.event == SPIKE)
    least_s = found.increase * cycle.low - doubt_s
    most_s = found.increase * cycle.high + unseen_s + doubt_s
    return _Quantity(
        amount=window.total(hour, amount),
        ideal=window.total(hour, amount * cycle.point[index]),
        ideal_low=window.total(hour, amount * cycle.low[index]),
        ideal_high=window.total(hour, amount * cycle.high[index]),
        seen=_Open(
            window.total(hour, doubt_s[index] * pieces.share),
            window.total(hour, (unseen_s + doubt_s)[index] * pieces.share),
        ),
        cut=_cut(found, np.maximum(least_s, 0.0), most_s, span_us, window),
        count=(_Count.of(found, least_s, most_s),),
    )


@dataclass(frozen=True, slots=True)
class _Count:
    """What a register had counted at each of its readings [ideal s], and which steps are exact."""

    at_us: Ints
    ideal_s: Floats
    exact: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, found: Increments, least_s: Floats, most_s: Floats) -> "_Count":
        """Return the count from the first reading on."""
        at_us = np.append(found.start_us[:1], found.end_us)
        return cls(at_us, np.append(0.0, np.cumsum(least_s)), least_s == most_s)

    def within(self, at_us: Ints) -> tuple[Floats, Floats]:
        """Return the least and the most counted by times between the first and last reading."""
        last = len(self.exact) - 1
        which = np.clip(np.searchsorted(self.at_us, at_us, side="right") - 1, 0, last)
        before_s, after_s = self.ideal_s[which], self.ideal_s[which + 1]
        since_s = (at_us - self.at_us[which]) / 1e6
        until_s = (self.at_us[which + 1] - at_us) / 1e6
        # What went faster than ideal speed is shared by time, as it is for the point.
        shared = before_s + (after_s - before_s) * since_s / (since_s + until_s)
        least = np.minimum(np.maximum(before_s, after_s - until_s), shared)
        return least, np.maximum(np.minimum(after_s, before_s + since_s), shared)


@dataclass(frozen=True, slots=True)
class _Closed:
    """By how many ideal seconds the low bounds of a difference and its registers close, by hour.

    `apart` is all by which the difference closes; `whole` is what of it the register closes by
    that the others are taken off, `taken` what the others close by.
    """

    apart: Floats
    whole: Floats
    taken: Floats


def _closed(
    whole: _Quantity, taken: _Quantity, span_us: tuple[int, int], window: Window
) -> _Closed:
    """Return how far a difference of registers cannot fall because it never falls.

    As many pieces at least remain at a cut as remained at any reading before it, and at most as
    many as at any reading after. Only readings that exact steps lead to can tell.
    """
    closed = _Closed(*(np.zeros(window.hours) for _ in fields(_Closed)))
    counts = [*whole.count, *taken.count]
    if span_us[0] == span_us[1]:
        return closed
    at_us = np.unique(np.concatenate([np.array(span_us), *(each.at_us for each in counts)]))
    at_us = at_us[(span_us[0] <= at_us) & (at_us <= span_us[1])]
    for outside_us, end in ((span_us[0] - 1, 0), (span_us[1], -1)):
        if not window.start_us <= outside_us < window.end_us:
            continue
        near_us = at_us[_exactly(counts, at_us, end)]
        least, most = whole.count[0].within(near_us)
        others = [each.within(near_us) for each in taken.count]
        low = sum((each for each, _ in others), np.zeros(len(near_us)))
        high = sum((each for _, each in others), np.zeros(len(near_us)))
        apart_s = (most - low)[0] - (most - low).min()
        if end:
            apart_s = (least - high).max() - (least - high)[-1]
        hour = (outside_us - window.start_us) // HOUR_US
        closed.apart[hour] += apart_s
        closed.whole[hour] += max(apart_s - (high - low)[end], 0.0)
        closed.taken[hour] += max(apart_s - (most - least)[end], 0.0)
    return closed


def _exactly(counts: list[_Count], at_us: Ints, end: int) -> npt.NDArray[np.bool_]:
    """Tell which times only exact steps lie between and the first (0) or last (-1) of them."""
    found = np.ones(len(at_us), np.bool_)
    for each in counts:
        begins_us, ends_us = each.at_us[:-1][~each.exact], each.at_us[1:][~each.exact]
        if end:
            found &= at_us >= ends_us[begins_us < at_us[-1]].max(initial=at_us[0])
        else:
            found &= at_us <= begins_us[ends_us > at_us[0]].min(initial=at_us[-1])
    found[end] = True
    return found


def _cut(
    found: Increments, least_s: Floats, most_s: Floats, span_us: tuple[int, int], window: Window
) -> _Open:
    """Return how far the shares by time are off where the counted time cuts an interval.

    Both parts gain what the interval gained together, each no more than ideal output. It stands
    in the hour outside the counted time, which whatever moves the cut works out again.
    """
    opened = _Open(np.zeros(window.hours), np.zeros(window.hours))
    if span_us[0] == span_us[1]:
        return opened
    for at_us, outside_us in ((span_us[0], span_us[0] - 1), (span_us[1], span_us[1])):
        cut = np.flatnonzero((found.start_us < at_us) & (at_us < found.end_us))
        if len(cut) == 0 or not window.start_us <= outside_us < window.end_us:
            continue
        [which], hour = cut, (outside_us - window.start_us) // HOUR_US
        parts = (at_us - found.start_us[which]) / 1e6, (found.end_us[which] - at_us) / 1e6
        inside_s, outside_s = parts if at_us == span_us[1] else parts[::-1]
        share = inside_s / (inside_s + outside_s)
        least, most = least_s[which], most_s[which]
        opened.less[hour] += max(least * share - max(least - outside_s, 0.0), 0.0)
        opened.more[hour] += max(min(most, inside_s) - most * share, 0.0)
    return opened


def _split(
    quantities: dict[str, _Quantity], span_us: tuple[int, int], window: Window
) -> dict[str, Floats]:
    """Return total, good and reject from the two of them that are counted."""
    zero = np.zeros(window.hours)
    none = _Quantity(zero, zero, zero, zero, _Open(zero, zero), _Open(zero, zero), ())
    total, good = quantities.get("total_count"), quantities.get("good_count")
    reject = quantities.get("reject_count", none) + quantities.get("rework_count", none)
    if total is None and good is not None:
        lead, made, kept = good, good.ideal + reject.ideal, good.ideal
        amounts = good.amount + reject.amount, good.amount
        seen = good.seen + reject.seen, good.seen
        cut = good.cut + reject.cut, good.cut
    elif total is not None and good is not None:
        lead, made, kept = total, total.ideal, good.ideal
        amounts = total.amount, good.amount
        seen = _apart(total.seen, good.seen), good.seen
        cut = _apart(total.cut, good.cut), good.cut
        cut = cut[0].closed(_closed(total, good, span_us, window).apart), cut[1]
    else:
        assert total is not None
        lead, made, kept = total, total.ideal, total.ideal - reject.ideal
        amounts = total.amount, total.amount - reject.amount
        seen = total.seen, total.seen + reject.seen.turned
        closed = _closed(total, reject, span_us, window)
        # Rejects are told from both low bounds: what closes the good alone closes the rejects.
        apart = np.minimum(closed.apart, closed.whole + closed.taken)
        cut = total.cut, total.cut + reject.cut.turned
        cut = cut[0].closed(closed.whole), cut[1].closed(apart)
    made_low, made_high = _scaled(lead, made)
    good_low, good_high = _scaled(lead, kept)
    made_low, made_high = _less(made_low, seen[0].less), made_high + seen[0].more
    # As much can be lost as was made at the most, and is told from made at the least.
    good_low = _less(good_low, seen[1].less, np.minimum(made_low - made_high, 0.0))
    columns = (
        *(*amounts, amounts[0] - amounts[1]),
        *(made, made_low - cut[0].less, made_high + cut[0].more),
        *(kept, good_low - cut[1].less, good_high + seen[1].more + cut[1].more),
    )
    return dict(zip(_NAMES, columns, strict=True))


def _apart(total: _Open, good: _Open) -> _Open:
    """Open the total by what is open in good too, which leaves the rejects open by both.

    Rejects are told from the low bounds of total and good, and from the high ones.
    """
    return total + good + good.turned


def _less(low: Floats, less: Floats, least: Floats | float = 0.0) -> Floats:
    """Lower a bound, not below the least: no more can be missing than there is."""
    return np.asarray(np.minimum(low, np.maximum(low - less, least)))


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
