"""Where registers of one asset leave open what was made: resets, gaps in reading, cuts.

Between two moments in which every register of an asset is known, what each gained is known too,
unless one of its steps is doubtful. So a doubtful step, or a moment at which one register begins or
falls silent while others go on, is looked at together with the readings around it, up to the next
such moment on either side.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from kpi.facts.basis import Ints
from kpi.formulas.counters import NONE, ROLLOVER, Increments

# Registers that are never read in one moment are looked at over so many of their readings.
CONTEXT = 16

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Track:
    """The readings of a register, and of each step between two of them what is certain.

    A step is `exact` where the two readings tell what was gained, and `still` where that is
    nothing. Where a meter was exchanged without a record the step over it is neither.
    """

    at_us: Ints
    exact: Bools
    still: Bools

    @classmethod
    def of(cls, found: Increments) -> "Track":
        """Return the track of a register that has two readings at least."""
        exact = np.isin(found.event, (NONE, ROLLOVER))
        at_us, place = with_holes(found)
        filled = np.zeros((2, len(at_us) - 1), np.bool_)
        filled[:, place] = exact, exact & (found.increase == 0)
        return cls(at_us, *filled)

    def known(self, at_us: Ints) -> Bools:
        """Tell at which times, not outside the readings, the count is known."""
        after = np.searchsorted(self.at_us, at_us, side="right")
        which = np.clip(after - 1, 0, len(self.still) - 1)
        return np.asarray((self.at_us[after - 1] == at_us) | self.still[which], np.bool_)

    def doubtful(self) -> list[tuple[int, int]]:
        """Return the steps of which nobody knows what was gained."""
        which = np.flatnonzero(~self.exact)
        return [(int(self.at_us[i]), int(self.at_us[i + 1])) for i in which]

    def over(self, start_us: int, end_us: int) -> tuple[int, int]:
        """Return the readings between which all steps lie that a time has a part of."""
        first = int(np.searchsorted(self.at_us, start_us, side="right")) - 1
        last = int(np.searchsorted(self.at_us, end_us, side="left"))
        return int(self.at_us[first]), int(self.at_us[last])

    def before(self, at_us: int) -> int:
        """Return the reading that is the context's number back from a time."""
        which = int(np.searchsorted(self.at_us, at_us, side="right")) - CONTEXT
        return int(self.at_us[max(which, 0)])

    def after(self, at_us: int) -> int:
        """Return the reading that is the context's number on from a time."""
        which = int(np.searchsorted(self.at_us, at_us, side="left")) + CONTEXT - 1
        return int(self.at_us[min(which, len(self.at_us) - 1)])


def with_holes(found: Increments) -> tuple[Ints, Ints]:
    """Return the times of all readings, and the number of each interval's step between them.

    Intervals do not touch where a register was exchanged and its record says nothing certain.
    """
    holes = np.flatnonzero(found.start_us[1:] > found.end_us[:-1])
    at_us = np.append(found.start_us[:1], found.end_us)
    place = np.arange(len(found.end_us)) + np.searchsorted(holes, np.arange(len(found.end_us)))
    return np.insert(at_us, holes + 2, found.start_us[holes + 1]), place


def common_span(found: Sequence[Increments]) -> tuple[int, int]:
    """Return the time that the intervals of all registers fill, empty where they fill none."""
    if not found or any(len(each.start_us) == 0 for each in found):
        return 0, 0
    first = max(int(each.start_us[0]) for each in found)
    return first, max(min(int(each.end_us[-1]) for each in found), first)


@dataclass(frozen=True, slots=True)
class Region:
    """A time around doubtful steps, in which registers are weighed against each other.

    It `opens` or `closes` where one of them begins or falls silent; counts go on beyond it else.
    `cuts` are the moments just outside the counted time at which that leaves something open.
    """

    start_us: int
    end_us: int
    doubtful: tuple[tuple[int, int], ...] = ()
    cuts: tuple[int, ...] = ()
    opens: bool = False
    closes: bool = False

    @property
    def places(self) -> tuple[tuple[int, int], ...]:
        """The times in whose hours the facts show what is open: the steps, else outside a cut."""
        return self.doubtful or ((self.cuts[-1], self.cuts[-1] + 1),)

    def __or__(self, other: "Region") -> "Region":
        return Region(
            min(self.start_us, other.start_us),
            max(self.end_us, other.end_us),
            self.doubtful + other.doubtful,
            self.cuts + other.cuts,
        )


def regions(
    tracks: Sequence[Track], span_us: tuple[int, int], ends: tuple[bool, bool]
) -> list[Region]:
    """Return the regions of the span that all registers fill, ascending and apart.

    `ends` tells whether the span really begins and ends there; else only the rows that are at
    hand do.
    """
    found = [_around(tracks, step, span_us) for step in _doubtful(tracks, span_us)]
    first, last = (not _known(tracks, np.array([at]))[0] for at in span_us)
    if ends[0] and first:
        cut = _around(tracks, (span_us[0], span_us[0]), span_us)
        found.insert(0, replace(cut, doubtful=(), cuts=(span_us[0] - 1,)))
    if ends[1] and last:
        cut = _around(tracks, (span_us[1], span_us[1]), span_us)
        found.append(replace(cut, doubtful=(), cuts=(span_us[1],)))
    apart: list[Region] = []
    for each in found:
        if apart and each.start_us < apart[-1].end_us:
            each = apart.pop() | each
        apart.append(each)
    return [_ended(each, span_us, ends) for each in apart]


def _ended(region: Region, span_us: tuple[int, int], ends: tuple[bool, bool]) -> Region:
    """Return a region that reaches to an end of the counted time as one that opens or closes."""
    return replace(
        region,
        opens=ends[0] and region.start_us == span_us[0],
        closes=ends[1] and region.end_us == span_us[1],
    )


def _doubtful(tracks: Sequence[Track], span_us: tuple[int, int]) -> list[tuple[int, int]]:
    """Return the doubtful steps of all registers inside a span, ascending, each hour once."""
    found: list[tuple[int, int]] = []
    for start, end in sorted(step for each in tracks for step in each.doubtful()):
        start, end = max(start, span_us[0]), min(end, span_us[1])
        if start < end and found and start < found[-1][1]:
            found[-1] = found[-1][0], max(end, found[-1][1])
        elif start < end:
            found.append((start, end))
    return found


def _around(tracks: Sequence[Track], step_us: tuple[int, int], span_us: tuple[int, int]) -> Region:
    """Return the region of a doubtful step: from known to known, within the context."""
    first = max(span_us[0], *(each.before(step_us[0]) for each in tracks))
    last = min(span_us[1], *(each.after(step_us[1]) for each in tracks))
    before, after = _read(tracks, first, step_us[0]), _read(tracks, step_us[1], last)
    before, after = before[_known(tracks, before)], after[_known(tracks, after)]
    return Region(
        int(before[-1]) if len(before) else first,
        int(after[0]) if len(after) else last,
        (step_us,),
    )


def _read(tracks: Sequence[Track], first_us: int, last_us: int) -> Ints:
    """Return when any register was read in [first, last]."""
    parts = []
    for each in tracks:
        begin, end = np.searchsorted(each.at_us, [first_us, last_us + 1])
        parts.append(each.at_us[begin:end])
    return np.unique(np.concatenate(parts))


def moments(tracks: Sequence[Track], region: Region) -> Ints:
    """Return the ends of a region and when any register was read in it, ascending."""
    ends = np.array([region.start_us, region.end_us], np.int64)
    inside = _read(tracks, region.start_us, region.end_us)
    return np.unique(np.concatenate([ends, inside]))


def _known(tracks: Sequence[Track], at_us: Ints) -> Bools:
    return np.asarray(np.all([each.known(at_us) for each in tracks], axis=0), np.bool_)
