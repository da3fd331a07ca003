"""Registers bridged over the edge of a period: how much lies on either side nobody knows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from kpi.facts.basis import HOUR_US
from store.facts import Columns


@dataclass(frozen=True, slots=True)
class Shift:
    """By how much less and how much more than its point the sum of a period may be."""

    less: float
    more: float


@dataclass(frozen=True, slots=True)
class Bridges:
    """The gaps between two readings over the edge of a month, and what was counted in them.

    `gaps` are [from, to) by asset and edge [µs]; `hours` are the facts of bridged hours by asset.
    """

    gaps: Mapping[tuple[int, int], tuple[int, int]]
    hours: Mapping[int, Columns]

    def across(self, asset_id: int, at_us: int, name: str) -> tuple[float, float]:
        """Return what the hours of a gap over an edge show before and after it, else zeros."""
        gap = self.gaps.get((asset_id, at_us))
        if gap is None:
            return 0.0, 0.0
        hours = self.hours[asset_id]
        amount = np.maximum(hours[name], 0.0)
        start_us = hours["hour_us"]
        inside = (start_us + HOUR_US > gap[0]) & (start_us < gap[1])
        # An edge within an hour has that hour on both sides.
        before, after = inside & (start_us < at_us), inside & (start_us + HOUR_US > at_us)
        return float(amount[before].sum()), float(amount[after].sum())

    def shift(self, asset_ids: Sequence[int], span_us: tuple[int, int], name: str) -> Shift:
        """Return how far the sum of [start, end) may be off for the gaps over its two edges."""
        less = more = 0.0
        for asset_id in asset_ids:
            outside, inside = self.across(asset_id, span_us[0], name)
            less, more = less + inside, more + outside
            inside, outside = self.across(asset_id, span_us[1], name)
            less, more = less + inside, more + outside
        return Shift(less, more)
