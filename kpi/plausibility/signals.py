"""Rules on the shape of signals: values that stand still, days and machines that are copies."""

from collections.abc import Iterator
from itertools import combinations

import numpy as np

from kpi.facts.basis import Floats, Ints, Samples, hold_us
from kpi.plausibility.basis import (
    DAY_US,
    QUARTER_US,
    Case,
    Measured,
    NotApplicable,
    grid,
    held,
    span,
)
from store.registry import Tag

_ANALOG = ("power", "process")
_PROFILED = ("power", "process", "energy", "total_count")
_QUARTERS = 96
_LEAST_DIFFERENT = 12
_SAME = 0.9999
_WEEK = 7 * _QUARTERS


def flatline(case: Case) -> Iterator[Measured]:
    """P08: longest time that an analogue signal of a running asset stood at one value [h].

    Zero does not count, nor does the time in which the asset did not run: where it has no state,
    the hours without a shift.
    """
    for tag, found in case.tags(*_ANALOG):
        begin, end = _longest_still(tag, found, _resting(case, tag.asset_id, found.t_us))
        shown = [span(begin, end)] if end > begin else []
        yield Measured(tag.name, (end - begin) / 3600e6, tag.asset_id, tag.tag_id, shown)


def _resting(case: Case, asset_id: int, at_us: Ints) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Tell of each time whether it lies in an hour in which an asset was to rest, or did."""
    facts = case.hours.get(asset_id)
    if facts is None:
        return np.zeros(len(at_us), np.bool_)
    awake = "planned_s" if case.tag_of(asset_id, "state") is None else "run_s"
    still = facts["hour_us"][facts[awake] <= 0]
    return np.isin(at_us // 3_600_000_000, still // 3_600_000_000)


def _longest_still(
    tag: Tag, found: Samples, resting: np.ndarray[tuple[int], np.dtype[np.bool_]]
) -> tuple[int, int]:
    value = np.where(resting | (found.value == 0), np.nan, found.value)
    # NaN differs from itself, and a silence ends what was the same.
    moved = np.append(True, (value[1:] != value[:-1]) | (np.diff(found.t_us) > hold_us(tag)))
    first = np.flatnonzero(moved)
    last = np.append(first[1:], len(value)) - 1
    longest = int(np.argmax(found.t_us[last] - found.t_us[first]))
    return int(found.t_us[first[longest]]), int(found.t_us[last[longest]])


def repeated_days(case: Case) -> Iterator[Measured]:
    """P09: pairs of days of a tag with the same course of quarter hours [count]."""
    if case.day_count < 2:
        raise NotApplicable("no_whole_day")
    for tag, found in case.tags(*_PROFILED):
        days = _profiles(case, tag, found)
        usable = [
            number
            for number, day in enumerate(days)
            if not np.isnan(day).any() and len(np.unique(day)) >= _LEAST_DIFFERENT
        ]
        if len(usable) < 2:
            continue
        alike = np.triu(np.corrcoef(days[usable]) > _SAME, 1)
        pairs = np.argwhere(alike)
        both = sorted({usable[int(index)] for index in pairs.ravel()})
        shown = [case.day_span(day) for day in both]
        yield Measured(tag.name, float(len(pairs)), tag.asset_id, tag.tag_id, shown)


def _profiles(case: Case, tag: Tag, found: Samples) -> Floats:
    """Return a row of 96 quarter hours a day: of a register its increases, else its values."""
    edges = case.day_edges[:-1]
    at_us = edges[:, None] + QUARTER_US * np.arange(_QUARTERS + 1)[None, :]
    value = held(tag, found, np.minimum(at_us, edges[:, None] + DAY_US).ravel())
    value = value.reshape(at_us.shape)
    if tag.role in _ANALOG:
        return value[:, :-1]
    return np.asarray(np.diff(value, axis=1))


def cloned_signals(case: Case) -> Iterator[Measured]:
    """P21: correlation of the signals of two assets over the month, quarter by quarter.

    A week of common quarters is needed; values that hardly move say nothing.
    """
    quarters = grid(case, QUARTER_US)
    if len(quarters) < _WEEK:
        raise NotApplicable("no_whole_week")
    tags = [(tag, held(tag, found, quarters)) for tag, found in case.tags(*_ANALOG)]
    for (one, left), (other, right) in combinations(tags, 2):
        if one.asset_id == other.asset_id:
            continue
        both = ~np.isnan(left) & ~np.isnan(right)
        if both.sum() < _WEEK or min(_different(left[both]), _different(right[both])) < 12:
            continue
        alike = float(np.corrcoef(left[both], right[both])[0, 1])
        shown = [{"tag": one.name}, {"tag": other.name}]
        yield Measured(f"{one.name} = {other.name}", alike, one.asset_id, one.tag_id, shown)


def _different(values: Floats) -> int:
    return len(np.unique(values))
