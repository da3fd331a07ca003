"""Registers bridged over the edge of a period: how much lies on either side nobody knows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from kpi.facts.basis import HOUR_US
from store.facts import Columns

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Shift:
    """By how much less and how much more than its point the sum of a period may be."""

    less: float
    more: float


@dataclass(frozen=True, slots=True)
class Bridges:
    """The hours in which a register was bridged over a gap, by asset, in runs without a break."""

    runs: Mapping[int, Sequence[Columns]]

    @staticmethod
    def of(hours: Columns) -> "Bridges":
        """Sort bridged hours, ordered by (asset_id, hour_us), into runs."""
        asset_id, hour_us = hours["asset_id"], hours["hour_us"]
        breaks = np.flatnonzero((np.diff(asset_id) != 0) | (np.diff(hour_us) != HOUR_US)) + 1
        edges = [0, *breaks.tolist(), len(asset_id)] if len(asset_id) else []
        runs: dict[int, list[Columns]] = {}
        for first, last in pairwise(edges):
            run = {name: column[first:last] for name, column in hours.items()}
            runs.setdefault(int(asset_id[first]), []).append(run)
        return Bridges(runs)

    def across(self, asset_id: int, at_us: int, name: str) -> tuple[float, float]:
        """Return what a run over a time shows before and after it; zeros where none lies over it.

        The gaps of a run may be several; then this is more than the one over that time.
        """
        for run in self.runs.get(asset_id, ()):
            if run["hour_us"][0] < at_us <= run["hour_us"][-1]:
                before = run["hour_us"] < at_us
                amount = np.maximum(run[name], 0.0)
                return float(amount[before].sum()), float(amount[~before].sum())
        return 0.0, 0.0

    def shift(self, asset_ids: Sequence[int], span_us: tuple[int, int], name: str) -> Shift:
        """Return how far the sum of [start, end) may be off for the runs over its two edges."""
        less = more = 0.0
        for asset_id in asset_ids:
            outside, inside = self.across(asset_id, span_us[0], name)
            less, more = less + inside, more + outside
            inside, outside = self.across(asset_id, span_us[1], name)
            less, more = less + inside, more + outside
        return Shift(less, more)
