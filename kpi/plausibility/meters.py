"""Rules on energy meters: sums that must agree, gross errors, papers, multipliers."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import numpy as np

from kpi.calendar import from_us, to_us
from kpi.facts.basis import Floats, Samples, register
from kpi.formulas.counters import LEVEL_SHIFT
from kpi.plausibility.basis import (
    Case,
    Measured,
    NotApplicable,
    Severity,
    hour_spans,
    local_day_us,
    number_in,
    of_record,
    span,
    spans,
)
from store.registry import Asset, Tag
from store.units import billed_in

_FACTORS = (5, 10, 20, 40, 60, 80, 100, 120)
_MAIN_EQUIPMENT_KW = 100.0
_GROSS = 1.2
_LEAST_DAYS = 3


def days_and_month(case: Case) -> Iterator[Measured]:
    """Q03: |sum of the days - month by the register itself| / month of a meter."""
    for tag, found in case.tags("energy"):
        good = found.good()
        if tag.asset_id not in case.hours or len(good.t_us) < 2:
            continue
        month = _growth(tag, good)
        days = case.total(tag.asset_id, "energy")
        shown = [span(int(good.t_us[0]), int(good.t_us[-1]))]
        # A register that went back, or that stood while the days say something, fails whole.
        share = abs(days - month) / month if month > 0 else float(days > 0 or month < 0)
        yield Measured(tag.name, share, tag.asset_id, tag.tag_id, shown)


def _growth(tag: Tag, good: Samples) -> float:
    """Return what a register says that it counted, through the exchanges on record."""
    opening, ratio, grown = float(good.value[0]), tag.ratio, 0.0
    for exchange in tag.exchanges:
        at_us = to_us(exchange.at)
        if good.t_us[0] < at_us <= good.t_us[-1]:
            grown += (exchange.old_final - opening) * ratio
            opening = exchange.new_initial
        if at_us <= good.t_us[-1]:
            ratio = exchange.ratio
    last = float(good.value[-1]) - opening
    if last < 0 and tag.modulus is not None:
        last += tag.modulus
    return grown + last * ratio


def main_and_sub(case: Case) -> Iterator[Measured]:
    """Q07: |sum of sub-meters + known losses - main meters| / main meters of a carrier.

    Sub-meters beyond the main ones and their class fail whatever the share.
    """
    for carrier, meters in _by_carrier(case).items():
        mains = [meter for meter in meters if meter.level == 1]
        subs = [meter for meter in meters if meter.level == 2]
        main = _sum(case, mains)
        if not subs or main <= 0:
            continue
        sub = _sum(case, subs)
        limits = [case.limits_of(meter.asset_id) for meter in mains]
        loss = max((each.loss_share or 0.0 for each in limits), default=0.0)
        error = max((each.accuracy_class or 0.0 for each in limits), default=0.0) / 100
        share = abs(sub + loss * main - main) / main
        severity: Severity | None = "fail" if sub > main * (1 + error) else None
        shown = [{"asset": meter.code} for meter in (*mains, *subs)]
        yield Measured(carrier, share, None, None, shown, severity)


def _sum(case: Case, meters: Sequence[Asset]) -> float:
    """Add meters of one level up: exports come off, and tariff registers are parts of another."""
    signs = {"import": 1.0, "export": -1.0, "tariff": 0.0}
    return sum(
        signs[case.plan.energy.meter(each.asset_id).register] * case.total(each.asset_id, "energy")
        for each in meters
    )


def _by_carrier(case: Case) -> Mapping[str, Sequence[Asset]]:
    found: dict[str, list[Asset]] = defaultdict(list)
    for asset in case.plan.assets:
        if asset.carrier is not None and asset.asset_id in case.hours:
            found[asset.carrier].append(asset)
    return found


def gross_errors(case: Case) -> Iterator[Measured]:
    """Q08: impossible readings of a register: negative, beyond its rate, or none while running.

    Beyond the rate means that the counter rules keep a reading out, or do not count a jump to a
    new level; a day beyond 1.2 times what the rated power allows counts as one.
    """
    for tag, found in case.tags("energy", "total_count", "good_count", "reject_count"):
        counted = register(tag, found)
        out, jumped = counted.excluded_us, counted.event == LEVEL_SHIFT
        shown = spans(out, out + 1) + spans(counted.start_us[jumped], counted.end_us[jumped])
        rated_kw = case.limits_of(tag.asset_id).rated_kw
        facts = case.hours.get(tag.asset_id)
        if tag.role == "energy" and facts is not None:
            if rated_kw is not None and case.day_count:
                beyond = case.by_day(tag.asset_id, "energy") > rated_kw * 24 * _GROSS
                shown += [case.day_span(int(day)) for day in np.flatnonzero(beyond)]
            idle = (facts["run_s"] >= 3600) & (facts["energy"] == 0)
            shown += hour_spans(facts["hour_us"][idle])
        yield Measured(tag.name, float(len(shown)), tag.asset_id, tag.tag_id, shown)


def calibration(case: Case) -> Iterator[Measured]:
    """Q09: days that a meter's verification has been out of date."""
    today = from_us(case.end_us - 1).astimezone(case.zone).date()
    for asset in case.plan.assets:
        until = case.limits_of(asset.asset_id).calibrated_until
        if asset.kind == "meter" and until is not None:
            yield Measured(asset.code, float(max((today - until).days, 0)), asset.asset_id)


def coverage(case: Case) -> Iterator[Measured]:
    """Q10: share of electricity entry, and of equipment from 100 kW on, that has a meter [3]."""
    electric = [asset for asset in case.plan.assets if asset.carrier == "electricity"]
    large = [
        asset
        for asset in case.plan.assets
        if (case.limits_of(asset.asset_id).rated_kw or 0) >= _MAIN_EQUIPMENT_KW
        and asset.kind in ("machine", "robot")
    ]
    if not electric and not large:
        raise NotApplicable("no_meters")
    entry = float(any(meter.level == 1 for meter in electric))
    yield Measured(f"{case.plan.factory.code} L1", entry)
    if large:
        own = {tag.asset_id for tag in case.plan.tags if tag.role in ("energy", "power")}
        bare = [asset for asset in large if asset.asset_id not in own]
        # A twentieth of main equipment may go without a meter of its own.
        share = min(1 - len(bare) / len(large) + 0.05, 1.0)
        shown = [{"asset": asset.code} for asset in bare]
        yield Measured(f"{case.plan.factory.code} L3", share, shown=shown)


def multiplier(case: Case) -> Iterator[Measured]:
    """Q11: factor by which a meter's daily quantity steps for good, where it is a typical one."""
    for asset in case.plan.assets:
        if asset.kind != "meter" or asset.asset_id not in case.hours or case.day_count < 7:
            continue
        step, day = _step(case.by_day(asset.asset_id, "energy"))
        shown = [case.day_span(day)] if step > 1 else []
        yield Measured(asset.code, step, asset.asset_id, None, shown)


def _step(daily: Floats) -> tuple[float, int]:
    """Return the typical factor between the days before and from one day on, 1 without any."""
    for day in range(_LEAST_DAYS, len(daily) - _LEAST_DAYS + 1):
        before, after = daily[:day], daily[day:]
        low, high = sorted((float(np.median(before)), float(np.median(after))))
        # All days of one side lie far beyond all days of the other: a step and no slow change.
        gap = max(before.min() - 2 * after.max(), after.min() - 2 * before.max())
        if low <= 0 or gap <= 0:
            continue
        for factor in _FACTORS:
            if abs(high / low / factor - 1) <= 0.05:
                return float(factor), day
    return 1.0, 0


def rated_power(case: Case) -> Iterator[Measured]:
    """P07: greatest energy of an hour against what the rated power allows."""
    for asset in case.plan.assets:
        rated_kw = case.limits_of(asset.asset_id).rated_kw
        facts = case.hours.get(asset.asset_id)
        if rated_kw is None or facts is None or np.isnan(facts["energy"]).all():
            continue
        ratio = np.nan_to_num(facts["energy"]) / rated_kw
        shown = hour_spans(facts["hour_us"][ratio > 1])
        yield Measured(asset.code, float(ratio.max()), asset.asset_id, None, shown)


def invoices(case: Case) -> Iterator[Measured]:
    """P15: |meters - invoice| / invoice, where the billed days lie in the month."""
    for record in case.records.get("energy_invoice", ()):
        billed = _billed(case, record.body)
        if billed is None:
            continue
        start_us, end_us, quantity = billed
        meters = _meters_of(case, record.body)
        quantity *= _billed_size(meters, record.body)
        metered = 0.0
        for meter in meters:
            facts = case.hours[meter.asset_id]
            inside = (facts["hour_us"] >= start_us) & (facts["hour_us"] < end_us)
            metered += float(np.nansum(facts["energy"][inside]))
        if meters and quantity > 0:
            shown = [of_record("energy_invoice", record.key), span(start_us, end_us)]
            yield Measured(record.key, abs(metered - quantity) / quantity, shown=shown)


def _billed_size(meters: list[Asset], body: Mapping[str, Any]) -> float:
    """Return how many of the meters' unit one billed unit is; 0 where nobody can say."""
    unit = body.get("unit")
    return next((billed_in(each.unit or "", unit) or 0.0 for each in meters if unit), 1.0)


def _billed(case: Case, body: Mapping[str, Any]) -> tuple[int, int, float] | None:
    try:
        first = date.fromisoformat(body["first_day"])
        end = date.fromisoformat(body["last_day"]) + timedelta(days=1)
    except (KeyError, OverflowError, TypeError, ValueError):
        return None
    quantity = number_in(body, "quantity")
    if quantity is None:
        return None
    start_us, end_us = local_day_us(case, first), local_day_us(case, end)
    inside = case.start_us <= start_us and end_us <= case.end_us
    return (start_us, end_us, quantity) if inside else None


def _meters_of(case: Case, body: Mapping[str, Any]) -> list[Asset]:
    meters = _by_carrier(case).get(str(body.get("carrier")), ())
    named = body.get("meter")
    if named:
        return [meter for meter in meters if meter.code == named]
    return [meter for meter in meters if is_bought(case, meter)]


def is_bought(case: Case, meter: Asset) -> bool:
    """Tell whether a meter counts what the site bought, each amount once."""
    said = case.plan.energy.meter(meter.asset_id)
    return meter.level == 1 and said.register == "import" and said.origin == "purchased"


def weekly_pattern(case: Case) -> Iterator[Measured]:
    """P26: 1 - energy of an hour without shift / energy of an hour with one, entry meters."""
    meters = [asset for asset in case.plan.assets if is_bought(case, asset)]
    for meter in meters:
        if meter.asset_id not in case.hours:
            continue
        facts = case.hours[meter.asset_id]
        off = facts["energy"][facts["off_s"] >= 3600]
        on = facts["energy"][facts["planned_s"] >= 3600]
        off, on = off[~np.isnan(off)], on[~np.isnan(on)]
        if len(off) < 24 or len(on) < 24:
            continue
        if on.mean() > 0:
            contrast = abs(1 - float(off.mean() / on.mean()))
            yield Measured(meter.code, contrast, meter.asset_id)
