"""Which hours a change of some rows can change.

A row speaks until the next row of its tag, at most for its hold; an interval of a register reaches
from reading to reading, so that a new row changes all hours between its neighbours; a state that
comes when it is due takes the doubt from the one before it. A tag that has no row in the span
changes nothing, however long ago it last spoke. Where registers leave something open, the readings
around it are weighed together, and all hours in which it stands change together.
"""

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from kpi.facts.basis import (
    HOUR_US,
    AssetPlan,
    Ints,
    Readings,
    Samples,
    due_us,
    hold_us,
    register,
    samples_of,
)
from kpi.facts.counts import counted_roles
from kpi.facts.regions import CONTEXT, Track, common_span, regions
from kpi.formulas.counters import LEVEL_SHIFT_SAMPLES, NONE
from store.canonical import Rows
from store.registry import Tag

# Which readings of a register count follows from those around them; with one more than a level
# shift takes, it follows in the same way whatever lies further off.
_DECIDING = LEVEL_SHIFT_SAMPLES + 1
# Beyond them lie the readings that are weighed together.
NEIGHBOURS = _DECIDING + CONTEXT

# Each turn reads further, up to the next readings that leave something open.
_MOST_TURNS = 20


def reach(plan: AssetPlan, rows: Rows, start_us: int, end_us: int) -> tuple[int, int]:
    """Return the whole hours [first, last) that the rows of [start, end) share something with [µs].

    `rows` are those of the span and, per tag, those before and after it that the store gives. The
    hours to the asset's next row on either side belong to it, so that its facts have no hole.
    """
    samples = {tag: samples_of(rows, tag.tag_id) for tag in plan.tags}
    earlier = [int(t[t < start_us][-1]) for t in _times(samples) if (t < start_us).any()]
    later = [int(t[t >= end_us][0]) for t in _times(samples) if (t >= end_us).any()]
    first = max(earlier, default=start_us)
    last = min(later, default=end_us)
    fresh = {tag.role for tag, each in samples.items() if _any_inside(each.t_us, start_us, end_us)}
    made_until = end_us
    for tag, each in samples.items():
        until = _spoken_until(tag, each.t_us, end_us)
        last = max(last, until)
        if tag.role in fresh:
            last = max(last, _compared(each, end_us))
            made_until = max(made_until, until) if tag.role == "product" else made_until
            first = min(first, _assured(tag, each.t_us, start_us))
    for tag, each in samples.items():
        if is_register(tag) and fresh & {tag.role, "product"}:
            begin, until = _counted(tag, each, start_us, made_until)
            first, last = min(first, begin), max(last, until)
    return first // HOUR_US * HOUR_US, -(-last // HOUR_US) * HOUR_US


def weighed(
    plan: AssetPlan, start_us: int, end_us: int, read: Callable[[int, int], Rows]
) -> tuple[Rows, int, int]:
    """Return the hours around [start, end) that change together with it, and their rows [µs].

    `read` gives the rows of some hours and, per tag, those before and after them.
    """
    rows = read(start_us, end_us)
    for _ in range(_MOST_TURNS):
        begin, until = _standing(Readings.of(plan, rows), start_us, end_us)
        if (begin, until) == (start_us, end_us):
            break
        start_us, end_us = begin, until
        rows = read(start_us, end_us)
    return rows, start_us, end_us


def _standing(readings: Readings, start_us: int, end_us: int) -> tuple[int, int]:
    """Return the hours in which all stands that the counts of [start, end) leave open.

    They hold all rows that it follows from, also those that no register can have shown.
    """
    roles = counted_roles(readings)
    found = [each for each in (readings.register(role) for role in roles) if each is not None]
    span_us = common_span(found)
    if span_us[0] == span_us[1]:
        return start_us, end_us
    # Where a register has fewer rows than were asked for, there are no more.
    times = [
        readings.samples[tag.tag_id].good().t_us for tag in readings.plan.tags if tag.role in roles
    ]
    ends = (
        any((t_us < start_us).sum() < NEIGHBOURS for t_us in times),
        any((t_us >= end_us).sum() < NEIGHBOURS for t_us in times),
    )
    first, last = start_us, end_us
    tracks = [Track.of(each) for each in found]
    for region in regions(tracks, span_us, ends):
        if region.start_us < end_us and start_us <= region.end_us:
            steps = [each.over(region.start_us, region.end_us) for each in tracks]
            first = min(first, *region.cuts, *(begin for begin, _ in steps))
            last = max(last, *(at_us + 1 for at_us in (*region.cuts, *(end for _, end in steps))))
    return first // HOUR_US * HOUR_US, -(-last // HOUR_US) * HOUR_US


def product_span(plan: AssetPlan, rows: Rows, start_us: int, end_us: int) -> tuple[int, int]:
    """Return the span [µs], at least [start, end), in which the product made bears on the counts.

    Pieces counted over an edge of the hours may be of what was made beyond it.
    """
    first, last = start_us, end_us
    for tag in plan.tags:
        t_us = samples_of(rows, tag.tag_id).good().t_us
        if is_register(tag) and (t_us < start_us).any() and (t_us >= start_us).any():
            first = min(first, int(t_us[0]))
        if is_register(tag) and (t_us < end_us).any() and (t_us >= end_us).any():
            last = max(last, int(t_us[-1]))
    return first, last


def _times(samples: Mapping[Tag, Samples]) -> Iterator[Ints]:
    return (each.t_us for each in samples.values())


def _any_inside(t_us: Ints, start_us: int, end_us: int) -> bool:
    first, last = np.searchsorted(t_us, [start_us, end_us])
    return bool(first < last)


def is_register(tag: Tag) -> bool:
    """Tell whether a tag counts up."""
    return tag.role == "energy" or tag.role.endswith("_count")


def _spoken_until(tag: Tag, t_us: Ints, end_us: int) -> int:
    """Return until when the last row before the end speaks."""
    at = int(np.searchsorted(t_us, end_us))
    if at == 0:
        return end_us
    following = int(t_us[at]) if at < len(t_us) else None
    until = int(t_us[at - 1]) + hold_us(tag)
    return until if following is None else min(until, following)


def _assured(tag: Tag, t_us: Ints, start_us: int) -> int:
    """Return the row before the start that a state after it may prove to hold."""
    at = int(np.searchsorted(t_us, start_us))
    if tag.role != "state" or at == 0 or int(t_us[at - 1]) < start_us - due_us(tag):
        return start_us
    return int(t_us[at - 1])


def _compared(samples: Samples, end_us: int) -> int:
    """Return the end of the next good row, which is a change or not by the row before it."""
    t_us = samples.good().t_us
    at = int(np.searchsorted(t_us, end_us))
    return int(t_us[at]) + 1 if at < len(t_us) else end_us


def _counted(tag: Tag, samples: Samples, start_us: int, end_us: int) -> tuple[int, int]:
    """Return from which to which reading the intervals of a register may have changed.

    Where a reading near by was kept out, the next ones decide about it too.
    """
    found = register(tag, samples)
    t_us = samples.good().t_us
    begin, end = (int(at) for at in np.searchsorted(t_us, [start_us, end_us]))
    if len(found.excluded_us) or (found.event != NONE).any():
        begin = max(begin - _DECIDING + 1, min(begin, 1))
        end = max(end, min(end + _DECIDING, len(t_us)) - 1)
    return (
        int(t_us[begin - 1]) if begin > 0 else start_us,
        int(t_us[end]) if end < len(t_us) else end_us,
    )
