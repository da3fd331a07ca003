"""What the fact modules share: the asset's plan, the window of hours, and its registers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from kpi.facts.exchanges import primary_increments
from kpi.formulas.counters import LEVEL_SHIFT, RESET, ROLLOVER, SPIKE, Increments
from store.canonical import Rows
from store.registry import Tag

HOUR_US = 3_600_000_000
HOLD_HEARTBEATS = 3
# Polls and timers do not fall on the heartbeat itself; beyond this a row was due and did not come.
_DUE_HEARTBEATS = 1.25

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
    """How one asset is read: its tags, its raw states and its ideal cycles [s/unit].

    `lost_us` are the spans of which batches of its gateway are missing.
    """

    asset_id: int
    tags: tuple[Tag, ...]
    states: Mapping[int, str]
    cycles: Mapping[int, float]
    lost_us: tuple[tuple[int, int], ...] = ()

    def tag(self, role: str) -> Tag | None:
        """Return the tag of a role that an asset has once at most."""
        return next((tag for tag in self.tags if tag.role == role), None)


def hold_us(tag: Tag) -> int:
    """Return how long a row of a tag speaks for [µs]."""
    return HOLD_HEARTBEATS * tag.heartbeat_s * 1_000_000


def due_us(tag: Tag) -> int:
    """Return within how long after a row of a tag the next one comes unless it was lost [µs]."""
    return round(_DUE_HEARTBEATS * tag.heartbeat_s * 1_000_000)


@dataclass(frozen=True, slots=True)
class Window:
    """Whole hours [start, end) in microseconds since 1970; the last one may be cut short."""

    start_us: int
    end_us: int

    @property
    def hours(self) -> int:
        """Return how many hours the window has."""
        return -((self.start_us - self.end_us) // HOUR_US)

    def hour_of(self, t_us: Ints) -> Ints:
        """Return the number of the hour in which each time lies."""
        return (t_us - self.start_us) // HOUR_US

    def cuts(self, *times_us: Ints) -> Ints:
        """Return all times inside the window and the starts of its hours, ascending, each once."""
        edges = np.arange(self.start_us, self.end_us, HOUR_US)
        # Almost in order already, which a stable sort makes use of.
        at: Ints = np.sort(np.concatenate([edges, *times_us]), kind="stable")
        at = at[(at >= self.start_us) & (at < self.end_us)]
        first: npt.NDArray[np.bool_] = np.append(True, at[1:] > at[:-1])
        return at[first]

    def total(self, hour: Ints, amount: Floats) -> Floats:
        """Add amounts up by hour number."""
        return np.asarray(np.bincount(hour, amount, self.hours), np.float64)


@dataclass(frozen=True, slots=True)
class Samples:
    """The rows of one tag; those without a value are NaN."""

    t_us: Ints
    value: Floats

    def good(self) -> "Samples":
        """Return the rows that have a value."""
        kept = ~np.isnan(self.value)
        return Samples(self.t_us[kept], self.value[kept])


@dataclass(frozen=True, slots=True)
class Readings:
    """What the tags of one asset said, by tag number."""

    plan: AssetPlan
    samples: Mapping[int, Samples]

    @staticmethod
    def of(plan: AssetPlan, rows: Rows) -> "Readings":
        """Sort rows, ordered by (tag_id, ts), by tag."""
        return Readings(plan, {tag.tag_id: samples_of(rows, tag.tag_id) for tag in plan.tags})

    def register(self, role: str) -> Increments | None:
        """Return the increments of a counting tag in primary units, None where there is none."""
        tag = self.plan.tag(role)
        return None if tag is None else register(tag, self.samples[tag.tag_id])


def samples_of(rows: Rows, tag_id: int) -> Samples:
    """Return the rows of one tag; those of bad status have no value."""
    first, last = np.searchsorted(rows.tag_id, [tag_id, tag_id + 1])
    bad = rows.status[first:last] < 0  # the top bit of a StatusCode says Bad
    return Samples(rows.ts_us[first:last], np.where(bad, np.nan, rows.value[first:last]))


def register(tag: Tag, samples: Samples) -> Increments:
    """Return the increments of a counting tag in primary units."""
    good = samples.good()
    return primary_increments(tag, good.t_us, good.value)


@dataclass(frozen=True, slots=True)
class Pieces:
    """Intervals cut at the hours: number of the interval, of the hour, and share of the former."""

    index: Ints
    hour: Ints
    share: Floats


def spread(found: Increments, window: Window, span_us: tuple[int, int] | None = None) -> Pieces:
    """Cut intervals at the hours of a window; what lies outside the window or span is left out."""
    least, most = window.start_us, window.end_us
    if span_us is not None:
        least, most = max(least, span_us[0]), min(most, span_us[1])
    begins, ends = np.maximum(found.start_us, least), np.minimum(found.end_us, most)
    first, last = window.hour_of(begins), window.hour_of(ends - 1)
    count = np.where(ends > begins, last - first + 1, 0)
    index = np.repeat(np.arange(len(count)), count)
    ahead = np.repeat(np.cumsum(count) - count, count)
    hour = first[index] + np.arange(len(index)) - ahead
    edge = window.start_us + hour * HOUR_US
    lasting = np.minimum(ends[index], edge + HOUR_US) - np.maximum(begins[index], edge)
    return Pieces(index, hour, lasting / (found.end_us - found.start_us)[index])


def mark_flags(
    flags: Ints, found: Increments, mixed: npt.NDArray[np.bool_], pieces: Pieces, tag: Tag
) -> None:
    """Set the flags of the intervals on the hours that they touch."""
    marks = np.where(found.end_us - found.start_us > hold_us(tag), FLAG_BRIDGED, 0)
    marks |= np.where(mixed, FLAG_MIXED, 0)
    for event, flag in _EVENT_FLAG.items():
        marks |= np.where(found.event == event, flag, 0)
    np.bitwise_or.at(flags, pieces.hour, marks[pieces.index])


def mark_excluded(flags: Ints, found: Increments, window: Window) -> None:
    """Set the flag of an impossible value on its own hour, also where no interval bridges it."""
    at = found.excluded_us
    inside = at[(at >= window.start_us) & (at < window.end_us)]
    flags[window.hour_of(inside)] |= FLAG_SPIKE
