"""How far sums of registers are open, by hour: the argument stands in the method's documents.

None of these ever falls: what was made, the good of it, the rejects, and the time that is not used
up by any of them at ideal speed. So at least as much is certain of each as any choice of times
apart from each other shows, each taken from the readings at its own two ends.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from kpi.facts.basis import HOUR_US, Floats, Ints, Window
from kpi.facts.regions import Region, Track, moments, regions, with_holes
from kpi.formulas.counters import LEVEL_SHIFT, RESET, SPIKE, Increments

# What is added (1) and what is taken off (-1), by role.
Sum = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Open:
    """By how many ideal seconds less and more than its point a sum may be, by hour."""

    less: Floats
    more: Floats


@dataclass(frozen=True, slots=True)
class Path:
    """What a register gained from its first reading on [ideal s], at each of its readings.

    At least, as it is counted, and at most.
    """

    track: Track
    low: Floats
    point: Floats
    high: Floats

    @classmethod
    def of(cls, found: Increments, ideal_s: Floats) -> "Path":
        """Return the path of a register whose steps stand for some ideal seconds."""
        at_us, place = with_holes(found)
        lasts_s = np.diff(at_us) / 1e6
        steps = np.zeros((3, len(lasts_s)))
        steps[2] = lasts_s  # where an exchange tells nothing
        unseen = np.isin(found.event, (RESET, LEVEL_SHIFT))
        spiked = found.event == SPIKE
        most_s = np.maximum(ideal_s, lasts_s[place])
        steps[0, place] = np.where(spiked, 0.0, ideal_s)
        steps[1, place] = ideal_s
        steps[2, place] = np.where(
            unseen, most_s, np.where(spiked, np.minimum(2 * ideal_s, most_s), ideal_s)
        )
        return cls(Track.of(found), *_summed(steps))

    def within(self, region: Region) -> "Path":
        """Return the part of the path that a region needs, counted from its first reading."""
        at_us = self.track.at_us
        begin = int(np.searchsorted(at_us, region.start_us, side="right")) - 1
        end = int(np.searchsorted(at_us, region.end_us, side="left")) + 1
        track = Track(
            at_us[begin:end], self.track.exact[begin : end - 1], self.track.still[begin : end - 1]
        )
        low, point, high = (
            each[begin:end] - each[begin] for each in (self.low, self.point, self.high)
        )
        return Path(track, low, point, high)

    def between(self, gained_s: Floats, at_us: Ints) -> tuple[Floats, Floats, Floats]:
        """Return the least, the shared and the most of a path gained by some times.

        No step gains faster than ideal speed, unless it did as a whole: then it is shared by time.
        """
        read_us = self.track.at_us
        which = np.clip(np.searchsorted(read_us, at_us, side="right") - 1, 0, len(read_us) - 2)
        before_s, after_s = gained_s[which], gained_s[which + 1]
        since_s = (at_us - read_us[which]) / 1e6
        until_s = (read_us[which + 1] - at_us) / 1e6
        shared = before_s + (after_s - before_s) * since_s / (since_s + until_s)
        least = np.minimum(np.maximum(before_s, after_s - until_s), shared)
        return least, shared, np.maximum(np.minimum(after_s, before_s + since_s), shared)


def _summed(steps: Floats) -> Floats:
    """Return rows of steps added up from nought."""
    return np.hstack([np.zeros((len(steps), 1)), np.cumsum(steps, axis=1)])


def openings(
    paths: Mapping[str, Path], sums: Mapping[str, Sum], span_us: tuple[int, int], window: Window
) -> dict[str, Open]:
    """Return how far each sum is open for resets, impossible values and cuts.

    What a region leaves open stands in the hours of its doubtful steps by their length, else in
    the hour outside the cut.
    """
    found = {name: Open(np.zeros(window.hours), np.zeros(window.hours)) for name in sums}
    if span_us[0] == span_us[1]:
        return found
    inside = [window.start_us <= at < window.end_us for at in (span_us[0] - 1, span_us[1])]
    tracks = [each.track for each in paths.values()]
    for region in regions(tracks, span_us, (inside[0], inside[1])):
        share = _shares(region, window)
        if share.any():
            parts = {role: each.within(region) for role, each in paths.items()}
            at_us = moments([each.track for each in parts.values()], region)
            for name, each in sums.items():
                less, more = _open(parts, each, at_us, region)
                found[name].less[:] += less * share
                found[name].more[:] += more * share
    return found


def _shares(region: Region, window: Window) -> Floats:
    """Return the share of a region's doubt that stands in each hour."""
    found = np.zeros(window.hours)
    whole = sum(end - start for start, end in region.places)
    for start, end in region.places:
        start, end = max(start, window.start_us), min(end, window.end_us)
        if start < end:
            edges = window.cuts(np.array([start, end], np.int64))
            edges = np.append(edges[(start <= edges) & (edges < end)], end)
            hour = (edges[:-1] - window.start_us) // HOUR_US
            found += window.total(hour, np.diff(edges) / whole)
    return found


def _open(parts: Mapping[str, Path], each: Sum, at_us: Ints, region: Region) -> tuple[float, float]:
    """Return by how much less and more than its point a sum may be in a region."""
    points = {role: part.between(part.point, at_us)[1] for role, part in parts.items()}
    point_s = sum((sign * points[role] for role, sign in each.items()), np.zeros(len(at_us)))
    gained_s = float(point_s[-1] - point_s[0])
    clock_s = _clock(list(points.values()), at_us)
    rest = {role: -sign for role, sign in each.items()}
    least_s = _least(parts, each, at_us, np.zeros(len(at_us)), region)
    unused_s = _least(parts, rest, at_us, clock_s, region)
    return gained_s - least_s, float(clock_s[-1]) - unused_s - gained_s


def _clock(points: Sequence[Floats], at_us: Ints) -> Floats:
    """Return the time that passed [s]; as much as was counted where that is more."""
    passed_s = np.diff(at_us) / 1e6
    fastest_s = np.max([np.diff(each) for each in points], axis=0)
    return np.append(0.0, np.cumsum(np.maximum(passed_s, fastest_s)))


def _least(
    parts: Mapping[str, Path], each: Sum, at_us: Ints, clock_s: Floats, region: Region
) -> float:
    """Return the least that a sum, with the clock, may gain in a region, as it never falls.

    Between two times it gains at least what the readings around them leave at the later one less
    what they allow at the earlier one; of times apart from each other these add up, and between
    them it gains nothing or more.
    """
    later, held, earlier = clock_s.copy(), clock_s.copy(), clock_s.copy()
    for role, sign in each.items():
        part = parts[role]
        least, shared, most = part.between(part.low if sign > 0 else part.high, at_us)
        held += sign * shared
        later += least if sign > 0 else -most
        earlier += most if sign > 0 else -least
    counting = -held[0] if not region.opens else -np.inf
    resting = 0.0 if region.opens else -np.inf
    for worth, cost in zip(later.tolist(), earlier.tolist(), strict=True):
        counting = max(counting, resting - cost)
        resting = max(resting, counting + worth)
    if region.closes:
        return float(resting)
    return float(max(counting + held[-1], resting - earlier[-1] + held[-1]))
