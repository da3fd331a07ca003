"""Energy facts: the increase of an energy register, in the carrier's unit."""

import numpy as np

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
from kpi.formulas.counters import LEVEL_SHIFT, RESET, SPIKE

_NAMES = ("energy", "energy_low", "energy_high")
_WHOLE_S = HOUR_US / 1e6 - 0.001


def energy_facts(readings: Readings, window: Window, flags: Ints) -> dict[str, Floats]:
    """Return energy with bounds; an hour that readings do not span whole has none, not zero.

    What a register counted before it was reset, or while it jumped, is not known: it lies between
    nothing and the largest rate. Where nobody stated that rate, such an hour has no energy either.
    Across an impossible reading the register may be off by as much as it counted there.
    """
    tag = readings.plan.tag("energy")
    if tag is None:
        return {name: np.full(window.hours, np.nan) for name in _NAMES}
    found = readings.register("energy")
    assert found is not None
    pieces = spread(found, window)
    mark_flags(flags, found, np.zeros(len(found.event), np.bool_), pieces, tag)
    mark_excluded(flags, found, window)
    lasts_s = ((found.end_us - found.start_us) / 1e6)[pieces.index] * pieces.share
    unseen_s = lasts_s * np.isin(found.event, (RESET, LEVEL_SHIFT))[pieces.index]
    amount = found.increase[pieces.index] * pieces.share
    metered = window.total(pieces.hour, amount)
    doubt = window.total(pieces.hour, amount * (found.event == SPIKE)[pieces.index])
    metered[window.total(pieces.hour, lasts_s) < _WHOLE_S] = np.nan
    more = window.total(pieces.hour, unseen_s)
    if tag.max_rate_per_s is None:
        metered[more > 0] = np.nan
    more *= (tag.max_rate_per_s or 0.0) * tag.largest_ratio
    columns = (metered, metered - doubt, metered + more + doubt)
    return dict(zip(_NAMES, columns, strict=True))
