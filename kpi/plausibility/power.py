"""Rules that hold states and counts against power, a channel of its own."""

from collections.abc import Iterator

import numpy as np

from kpi.facts.basis import Floats, Ints, Samples, hold_us, register
from kpi.plausibility.basis import (
    MINUTE_US,
    Case,
    Measured,
    NotApplicable,
    grid,
    held,
    spans,
    states_at,
)
from kpi.plausibility.meters import is_bought
from store.registry import Asset, Tag

_AWAKE = ("run", "setup", "unknown")
_LEAST_DAYS = 7
_MAD = 1.4826


def running_without_power(case: Case) -> Iterator[Measured]:
    """P01: share of run time with power below idle, minute by minute where both are known."""
    for asset, state, power, idle_kw in _powered(case, "idle_kw"):
        minutes = grid(case, MINUTE_US)
        running = states_at(case, *state, minutes) == "run"
        kw = held(*power, minutes)
        known = running & ~np.isnan(kw)
        low = known & (kw < idle_kw)
        if known.any():
            shown = spans(minutes[low], minutes[low] + MINUTE_US)
            share = float(low.sum() / known.sum())
            yield Measured(asset.code, share, asset.asset_id, power[0].tag_id, shown)


def power_without_running(case: Case) -> Iterator[Measured]:
    """P02: share of the time said to stand in which the power is that of work."""
    for asset, state, power, working_kw in _powered(case, "working_kw"):
        minutes = grid(case, MINUTE_US)
        resting = ~np.isin(states_at(case, *state, minutes), _AWAKE)
        kw = held(*power, minutes)
        known = resting & ~np.isnan(kw)
        high = known & (kw > working_kw)
        if known.any():
            shown = spans(minutes[high], minutes[high] + MINUTE_US)
            share = float(high.sum() / known.sum())
            yield Measured(asset.code, share, asset.asset_id, power[0].tag_id, shown)


Pair = tuple[Tag, Samples]


def _powered(case: Case, name: str) -> Iterator[tuple[Asset, Pair, Pair, float]]:
    """Yield machines with state, power and a limit of that name."""
    measured = limited = False
    for asset in case.plan.assets:
        state, power = (case.tag_of(asset.asset_id, role) for role in ("state", "power"))
        limit = getattr(case.limits_of(asset.asset_id), name)
        if state is not None and power is not None:
            measured = True
            if limit is not None:
                limited = True
                yield asset, state, power, limit
    if not limited:
        raise NotApplicable("no_power_limit" if measured else "no_power_tag")


def parts_without_power(case: Case) -> Iterator[Measured]:
    """P03: share of the parts that were counted while the power stayed below idle."""
    applicable = False
    for asset in case.plan.assets:
        count = case.tag_of(asset.asset_id, "total_count")
        power = case.tag_of(asset.asset_id, "power")
        idle_kw = case.limits_of(asset.asset_id).idle_kw
        if count is None or power is None or idle_kw is None:
            continue
        applicable = True
        found = register(*count)
        short = found.end_us - found.start_us <= hold_us(power[0])
        begin, end = found.start_us[short], found.end_us[short]
        made = found.increase[short]
        peak_kw = _peak_kw(power, begin, end)
        known = (made > 0) & ~np.isnan(peak_kw)
        dark = known & (peak_kw < idle_kw)
        if made[known].sum() > 0:
            share = float(made[dark].sum() / made[known].sum())
            shown = spans(begin[dark], end[dark])
            yield Measured(asset.code, share, asset.asset_id, count[0].tag_id, shown)
    if not applicable:
        raise NotApplicable("no_power_tag")


def _peak_kw(power: Pair, begin_us: Ints, end_us: Ints) -> Floats:
    """Return the greatest power that was heard over each interval, NaN where none was known."""
    tag, samples = power
    peak = held(tag, samples, begin_us)
    first = np.searchsorted(samples.t_us, begin_us)
    # The row at the end tells of a power that rose with the count.
    last = np.searchsorted(samples.t_us, end_us, side="right")
    values = samples.value * tag.ratio
    for number in np.flatnonzero(last > first).tolist():
        inside = values[first[number] : last[number]]
        if not np.isnan(inside).all():
            peak[number] = np.nanmax(np.append(inside, peak[number]))
    return peak


def energy_of_a_part(case: Case) -> Iterator[Measured]:
    """P04: days on which the energy per ideal hour of output is no usual one [count].

    Ideal time stands for parts, so that unlike products are comparable; usual is the median ± 4
    scaled median absolute deviations.
    """
    for asset in case.plan.assets:
        names = ("energy", "ideal_total_s")
        if all(case.total(asset.asset_id, name) > 0 for name in names):
            yield from _unusual(case, asset.code, asset.asset_id, [asset], [asset])
    machines = [
        asset for asset in case.plan.assets if asset.in_oee and asset.asset_id in case.hours
    ]
    mains = [
        asset
        for asset in case.plan.assets
        if is_bought(case, asset)
        and asset.carrier == "electricity"
        and asset.asset_id in case.hours
    ]
    if machines and mains:
        yield from _unusual(case, case.plan.factory.code, None, mains, machines)


def _unusual(
    case: Case, subject: str, asset_id: int | None, meters: list[Asset], machines: list[Asset]
) -> Iterator[Measured]:
    energy = sum(case.by_day(meter.asset_id, "energy") for meter in meters)
    made_s = sum(case.by_day(machine.asset_id, "ideal_total_s") for machine in machines)
    made = np.asarray(made_s)
    if not made.any():
        return
    # On a day of little output the base load alone makes its energy unusual.
    working = np.flatnonzero(made > 0.5 * np.median(made[made > 0]))
    if len(working) < _LEAST_DAYS:
        return
    each = np.asarray(energy)[working] / made[working]
    middle = np.median(each)
    # Where most days are equal, a hundredth still is no finding.
    spread = max(float(np.median(np.abs(each - middle))) * _MAD, abs(float(middle)) * 0.0025)
    odd = working[np.abs(each - middle) > 4 * spread]
    shown = [case.day_span(int(day)) for day in odd]
    yield Measured(subject, float(len(odd)), asset_id, None, shown)
