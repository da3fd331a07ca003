"""Energy facts: the increase of an energy register, in the carrier's unit."""

from collections.abc import Mapping

import numpy as np

from kpi.facts.basis import (
    AssetPlan,
    Floats,
    Ints,
    Samples,
    Window,
    by_hour,
    mark_flags,
    register,
    spread,
)
from kpi.formulas.counters import LEVEL_SHIFT, RESET


def energy_facts(
    plan: AssetPlan, samples: Mapping[str, Samples], window: Window, flags: Ints
) -> dict[str, Floats]:
    """Return energy with bounds; an hour that no pair of readings spans has none, not zero."""
    names = ("energy", "energy_low", "energy_high")
    if "energy" not in samples:
        return {name: np.full(window.hours, np.nan) for name in names}
    tag = plan.tags["energy"]
    found = register(plan, samples, "energy")
    index, hour, share = spread(found.start_us, found.end_us, window)
    sure = np.ones(len(found.increase))
    mark_flags(flags, found, sure, sure, sure, (index, hour), plan.hold_us("energy"))
    rate = (tag.max_rate_per_s or 0.0) * tag.ratio
    lasts_s = (found.end_us - found.start_us) / 1e6
    unseen = np.where(np.isin(found.event, (RESET, LEVEL_SHIFT)), lasts_s * rate, 0.0)
    metered = by_hour(hour, found.increase[index] * share, window)
    more = by_hour(hour, unseen[index] * share, window)
    spanned = np.bincount(hour, minlength=window.hours) > 0
    metered = np.where(spanned, metered, np.nan)
    return dict(zip(names, (metered, metered, metered + more), strict=True))
