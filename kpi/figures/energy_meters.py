"""What crossed the site's boundary: entry meters, exports, own generation and stock, by carrier."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Any

from kpi.energy.amounts import Amount
from kpi.energy.checks import tariff_check, tree_check
from kpi.energy.coefficients import Choice, edges, is_medium
from kpi.errors import NotComputable
from kpi.figures.basis import Evidence, Period
from kpi.reasons import because
from store.meters import Origin
from store.registry import Asset, Tag

SITE, BELOW = 1, 2


@dataclass(frozen=True, slots=True)
class Flow:
    """A carrier over some months of a period; of export and of stock that grew it is negative."""

    carrier: str
    unit: str
    origin: Origin
    first: date
    end: date
    amount: Amount


@dataclass(frozen=True, slots=True)
class Boundary:
    """The entry meters that count for a figure, apart from those that only explain."""

    entries: tuple[Asset, ...]
    # Registers that are on the boundary and do not count, with the reason.
    uncounted: tuple[tuple[str, str], ...] = ()


def boundary(evidence: Evidence, *, media: bool) -> Boundary:
    """Return the entry meters of a site; own-produced media count by the energy that made them."""
    entries, uncounted = [], []
    for asset in evidence.plan.assets:
        meter = evidence.plan.energy.meter(asset.asset_id)
        if asset.level != SITE or meter.register == "tariff":
            continue
        if meter.origin == "own_produced":
            uncounted.append((asset.code, because("own_produced")))
        elif is_medium(asset.carrier or "") and not media:
            uncounted.append((asset.code, because("medium_beside")))
        else:
            entries.append(asset)
    return Boundary(tuple(entries), tuple(uncounted))


def coverage(evidence: Evidence, period: Period, entries: Sequence[Asset]) -> float:
    """Return the share of the period in which the least heard entry meter was read.

    Raises NotComputable where nothing can be said.
    """
    if not entries:
        raise NotComputable(because("no_entry_meter"))
    seconds = evidence.seconds(period.start, period.end)
    if seconds == 0:
        raise NotComputable(because("no_hour_ended"))
    metered_s = evidence.sums(entries, period.start, period.end)["energy_hours"] * 3600
    silent = [each.code for each, known in zip(entries, metered_s, strict=True) if known == 0]
    if silent:
        raise NotComputable(because("entry_meter_silent", meter=silent[0]))
    return min(float(metered_s.min()) / seconds, 1.0)


def flows(
    evidence: Evidence, period: Period, entries: Sequence[Asset], choice: Choice
) -> list[Flow]:
    """Return what each entry meter and each stock adds, cut where another factor holds."""
    found = [flow for asset in entries for flow in _meter_flows(evidence, period, asset, choice)]
    units = {asset.carrier or "": asset.unit or "" for asset in entries}
    return found + [
        flow
        for carrier, unit in units.items()
        for flow in _stock_flows(evidence, period, carrier, unit, choice)
    ]


def _meter_flows(
    evidence: Evidence, period: Period, asset: Asset, choice: Choice
) -> Iterator[Flow]:
    meter = evidence.plan.energy.meter(asset.asset_id)
    for first, end in _spans(evidence, period, asset.carrier or "", choice):
        amount = metered(evidence, period, asset, first, end)
        tariffs = _tariffs(evidence, asset)
        if tariffs and _all_heard(evidence, tariffs, first, end):
            added = [metered(evidence, period, each, first, end) for each in tariffs]
            found = tariff_check(amount, added)
            amount = amount if found.agrees else amount.holding(found.tariffs)
        if meter.register == "export":
            amount = Amount() - amount
        yield Flow(asset.carrier or "", asset.unit or "", meter.origin, first, end, amount)


def _stock_flows(
    evidence: Evidence, period: Period, carrier: str, unit: str, choice: Choice
) -> Iterator[Flow]:
    """Yield what was taken from stock; without the balance at an edge nobody knows the use."""
    taken = {
        each.day: each.quantity for each in evidence.plan.energy.stocks if each.carrier == carrier
    }
    for first, end in _spans(evidence, period, carrier, choice) if taken else ():
        for day in (first, end):
            if day not in taken:
                raise NotComputable(because("stock_missing", carrier=carrier, day=day))
        used = Amount.exactly(taken[first] - taken[end])
        yield Flow(carrier, unit, "purchased", first, end, used)


def _spans(
    evidence: Evidence, period: Period, carrier: str, choice: Choice
) -> Iterator[tuple[date, date]]:
    """Yield the parts of a period in which one factor holds, as far as time has come."""
    cuts = edges(evidence.plan.energy_factors, [carrier], period.start, period.end, choice)
    for first, end in pairwise([period.start, *cuts, period.end]):
        if evidence.seconds(first, end) > 0:
            yield first, end


def metered(evidence: Evidence, period: Period, asset: Asset, first: date, end: date) -> Amount:
    """Return what a register counted in [first, end), a part of a period.

    Hours that readings do not span are estimated at the mean of the others, in the point; at
    nothing in the low bound and at the largest rate in the high one.
    """
    sums, whole = (
        {name: float(each[0]) for name, each in evidence.sums([asset], *days).items()}
        for days in ((first, end), (period.start, period.end))
    )
    missing_s = max(evidence.seconds(first, end) - sums["energy_hours"] * 3600, 0.0)
    known = sums if sums["energy_hours"] else whole
    mean = known["energy"] / (known["energy_hours"] * 3600)
    tags = [
        tag for tag in evidence.plan.tags if tag.asset_id == asset.asset_id and tag.role == "energy"
    ]
    shift = evidence.shift([asset], Period(period.kind, first, end, period.is_open), "energy")
    step = max((tag.resolution * tag.largest_ratio for tag in tags), default=0.0)
    return Amount(
        low=max(sums["energy_low"] - step - shift.less, 0.0),
        point=sums["energy"] + missing_s * mean,
        high=sums["energy_high"] + missing_s * max(_largest_rate(tags), mean) + step + shift.more,
    )


def _largest_rate(tags: Iterable[Tag]) -> float:
    rates = (tag.max_rate_per_s * tag.largest_ratio for tag in tags if tag.max_rate_per_s)
    return max(rates, default=0.0)


def _tariffs(evidence: Evidence, total: Asset) -> list[Asset]:
    meters = evidence.plan.energy
    found = ((asset, meters.meter(asset.asset_id)) for asset in evidence.plan.assets)
    return [
        asset for asset, meter in found if meter.register == "tariff" and meter.above == total.code
    ]


def _all_heard(evidence: Evidence, assets: Sequence[Asset], first: date, end: date) -> bool:
    return bool((evidence.sums(assets, first, end)["energy_hours"] > 0).all())


def checks(evidence: Evidence, period: Period, entries: Sequence[Asset]) -> dict[str, Any]:
    """Return what registers say of each other; only what the plan lets compare."""
    return _tariff_checks(evidence, period, entries) | _tree_checks(evidence, period, entries)


def _tariff_checks(evidence: Evidence, period: Period, entries: Sequence[Asset]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for asset in entries:
        tariffs = _tariffs(evidence, asset)
        if not tariffs:
            continue
        if not _all_heard(evidence, tariffs, period.start, period.end):
            found[asset.code] = {"agrees": None, "reason": because("tariff_silent")}
            continue
        days = period.start, period.end
        total = metered(evidence, period, asset, *days)
        check = tariff_check(total, [metered(evidence, period, each, *days) for each in tariffs])
        found[asset.code] = {
            "total": check.total,
            "tariffs": check.tariffs,
            "gap": check.gap,
            "agrees": check.agrees,
        }
    return {"tariffs": found} if found else {}


def _tree_checks(evidence: Evidence, period: Period, entries: Sequence[Asset]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for carrier in sorted({asset.carrier or "" for asset in entries}):
        below = [
            asset
            for asset in evidence.plan.assets
            if asset.level == BELOW
            and asset.carrier == carrier
            and evidence.plan.energy.meter(asset.asset_id).register == "import"
        ]
        if not below or not _all_heard(evidence, below, period.start, period.end):
            continue
        used = Amount()
        for asset in entries:
            if asset.carrier == carrier:
                amount = metered(evidence, period, asset, period.start, period.end)
                is_export = evidence.plan.energy.meter(asset.asset_id).register == "export"
                used = used - amount if is_export else used + amount
        parts = [metered(evidence, period, asset, period.start, period.end) for asset in below]
        check = tree_check(used, parts)
        found[carrier] = {"explained": check.explained, "possible": check.possible}
    return {"sub_meters": found} if found else {}
