"""Registers through meter exchanges: each meter counts by itself, with its own multiplier."""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from kpi.calendar import to_us
from kpi.formulas.counters import Increments, increments
from store.registry import Tag

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

_BEFORE_ALL, _AFTER_ALL = -(2**62), 2**62


def primary_increments(tag: Tag, t_us: Ints, value: Floats) -> Increments:
    """Return the increments of good readings in primary units, through the exchanges on record.

    What the record says the old meter showed last and the new one first counts as a reading at
    the time of the exchange. Where it contradicts the readings beside it, it is left out, and
    nobody knows what was used from the last reading before to the first one after.
    """
    parts = []
    for times, readings, ratio in _meters(tag, t_us, value):
        found = increments(
            *(times, readings),
            modulus=tag.modulus,
            max_rate_per_s=tag.max_rate_per_s,
            step=_least_step(tag),
        )
        found.increase[:] *= ratio
        parts.append(found)
    if len(parts) == 1:
        return parts[0]
    return Increments(
        np.concatenate([part.start_us for part in parts]),
        np.concatenate([part.end_us for part in parts]),
        np.concatenate([part.increase for part in parts]),
        np.concatenate([part.event for part in parts]),
        np.concatenate([part.excluded_us for part in parts]),
    )


def _least_step(tag: Tag) -> float:
    """Return the least step of a register [register units]; pieces come one by one."""
    pieces = tag.role.endswith("_count") and tag.unit == "1"
    return max(tag.resolution, 1.0 if pieces else 0.0)


def _meters(tag: Tag, t_us: Ints, value: Floats) -> Iterator[tuple[Ints, Floats, float]]:
    """Yield the readings of each meter in turn, with its multiplier."""
    at = [_BEFORE_ALL, *(to_us(each.at) for each in tag.exchanges), _AFTER_ALL]
    ratios = [tag.ratio, *(each.ratio for each in tag.exchanges)]
    first = [None, *(each.new_initial for each in tag.exchanges)]
    last = [*(each.old_final for each in tag.exchanges), None]
    for number, (begin, end) in enumerate(pairwise(at)):
        low, high = np.searchsorted(t_us, [begin, end])
        times, readings = t_us[low:high], value[low:high]
        opening, closing = first[number], last[number]
        if opening is not None and (len(readings) == 0 or opening <= readings[0]):
            # The record goes before a reading of the same moment, of which nobody knows the meter.
            later = times > begin
            times = np.append(np.int64(begin), times[later])
            readings = np.append(opening, readings[later])
        if closing is not None and (len(readings) == 0 or readings[-1] <= closing):
            times, readings = np.append(times, np.int64(end)), np.append(readings, closing)
        yield times, readings, ratios[number]
