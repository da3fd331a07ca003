"""What the fact modules share: the asset's plan, the window of hours, and its registers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from kpi.formulas.counters import LEVEL_SHIFT, RESET, ROLLOVER, SPIKE, Increments, increments
from store.canonical import Rows
from store.registry import Tag

HOUR_US = 3_600_000_000
HOLD_HEARTBEATS = 3

FLAG_RESET, FLAG_ROLLOVER, FLAG_SPIKE, FLAG_BRIDGED, FLAG_MIXED = 1, 2, 4, 8, 16
_EVENT_FLAG = {
    RESET: FLAG_RESET,
    ROLLOVER: FLAG_ROLLOVER,
    SPIKE: FLAG_SPIKE,
    LEVEL_SHIFT: FLAG_SPIKE,
}

Columns = dict[str, npt.NDArray[Any]]
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class AssetPlan:
    """How one asset is read: its tags by role, its raw states and its ideal cycles [s/unit]."""

    asset_id: int
    tags: Mapping[str, Tag]
    states: Mapping[int, str]
    cycles: Mapping[int, float]

    def hold_us(self, role: str) -> int:
        """Return how long a row of a role speaks for [µs]."""
        return HOLD_HEARTBEATS * self.tags[role].heartbeat_s * 1_000_000


@dataclass(frozen=True, slots=True)
class Window:
    """Whole hours [start, end) in microseconds since 1970."""

    start_us: int
    end_us: int

    @property
    def hours(self) -> int:
        """Return how many hours the window has."""
        return (self.end_us - self.start_us) // HOUR_US

    def hour_of(self, t_us: Ints) -> Ints:
        """Return the number of the hour in which each time lies."""
        return (t_us - self.start_us) // HOUR_US

    def total(self, hour: Ints, amount: Floats) -> Floats:
        """Add amounts up by hour; what lies outside the window is left out."""
        inside = (hour >= 0) & (hour < self.hours)
        return by_hour(hour[inside], amount[inside], self)


@dataclass(frozen=True, slots=True)
class Samples:
    """The rows of one tag."""

    t_us: Ints
    value: Floats

    def good(self) -> "Samples":
        """Return the rows that have a value."""
        kept = ~np.isnan(self.value)
        return Samples(self.t_us[kept], self.value[kept])


def by_hour(hour: Ints, amount: Floats, window: Window) -> Floats:
    """Add amounts up by hour number."""
    return np.asarray(np.bincount(hour, amount, window.hours), np.float64)


def samples_of(rows: Rows, tag_id: int) -> Samples:
    """Return the rows of one tag; those of bad status have no value."""
    first, last = np.searchsorted(rows.tag_id, [tag_id, tag_id + 1])
    bad = rows.status[first:last] < 0  # the top bit of a StatusCode says Bad
    return Samples(rows.ts_us[first:last], np.where(bad, np.nan, rows.value[first:last]))


def register(plan: AssetPlan, samples: Mapping[str, Samples], role: str) -> Increments:
    """Return the increments of a counting tag in primary units."""
    tag, good = plan.tags[role], samples[role].good()
    found = increments(
        good.t_us, good.value, modulus=tag.modulus, max_rate_per_s=tag.max_rate_per_s
    )
    found.increase[:] *= tag.ratio
    return found


def spread(start_us: Ints, end_us: Ints, window: Window) -> tuple[Ints, Ints, Floats]:
    """Cut intervals at the hours: interval number, hour number and share of the interval."""
    first, last = window.hour_of(start_us), window.hour_of(end_us - 1)
    first_in, last_in = np.maximum(first, 0), np.minimum(last, window.hours - 1)
    pieces = np.maximum(last_in - first_in + 1, 0)
    index = np.repeat(np.arange(len(start_us)), pieces)
    ahead = np.repeat(np.cumsum(pieces) - pieces, pieces)
    hour = first_in[index] + np.arange(len(index)) - ahead
    begins = window.start_us + hour * HOUR_US
    overlap = np.minimum(end_us[index], begins + HOUR_US) - np.maximum(start_us[index], begins)
    return index, hour, overlap / (end_us - start_us)[index]


def mark_flags(
    flags: Ints,
    found: Increments,
    point: Floats,
    low: Floats,
    high: Floats,
    places: tuple[Ints, Ints],
    hold_us: int,
) -> None:
    """Set the flags of the intervals on the hours that they touch."""
    index, hour = places
    marks = np.where(found.end_us - found.start_us > hold_us, FLAG_BRIDGED, 0)
    marks |= np.where(low < high, FLAG_MIXED, 0)
    for event, flag in _EVENT_FLAG.items():
        marks |= np.where(found.event == event, flag, 0)
    np.bitwise_or.at(flags, hour, marks[index])
