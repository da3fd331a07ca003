"""Methods over meters, standard coal and bought energy."""

from typing import Any

from kpi.annex1.basis import Answer, Footprint, amount, judged
from kpi.annex1.tables import Rule
from kpi.errors import NotComputable
from kpi.reasons import because
from store.registry import Asset


def metered(seen: Footprint, rule: Rule) -> Answer:
    """The meters below a carrier's entry add up to it, and each was read nearly all the time."""
    meters = [asset for asset in seen.evidence.plan.assets if asset.carrier is not None]
    carriers = {}
    for carrier in sorted({str(asset.carrier) for asset in meters}):
        own = [asset for asset in meters if asset.carrier == carrier]
        main, sub = ([each for each in own if each.level == level] for level in (1, 2))
        if main and sub:
            carriers[carrier] = _compared(seen, rule, main, sub)
    if not carriers:
        raise NotComputable(because("no_meter_tree"))
    proven = all(
        each["apart"] is not None
        and each["apart"] <= rule.limits["most_apart"]
        and each["complete"] >= rule.limits["complete"]
        for each in carriers.values()
    )
    return judged(proven, {"carriers": carriers}, meters=sorted(asset.code for asset in meters))


def _compared(seen: Footprint, rule: Rule, main: list[Asset], sub: list[Asset]) -> dict[str, Any]:
    entry, parts = (
        sum(float(seen.daily(each, "energy", rule).sum()) for each in meters)
        for meters in (main, sub)
    )
    days = (rule.end(seen.end) - rule.start(seen.end)).days
    read = [float(seen.daily(each, "energy_hours", rule).sum()) for each in (*main, *sub)]
    return {
        "entry": entry,
        "parts": parts,
        "apart": abs(parts - entry) / entry if entry > 0 else None,
        "complete": min(read) / (24 * days),
    }


def standard_coal(seen: Footprint, rule: Rule) -> Answer:
    """Each month has a verified standard coal with its edition of coefficients."""
    months = seen.months(rule)
    if not any(month in seen.coal for month in months):
        raise NotComputable(because("no_coal"))
    found = {month: seen.coal.get(month) for month in months}
    numbers = {
        "tce": {f"{month:%Y-%m}": each.point if each else None for month, each in found.items()},
        "coefficients": sorted({each.coefficients for each in found.values() if each}),
    }
    figures = [each.figure_id for each in found.values() if each]
    proven = all(each is not None and each.point is not None for each in found.values())
    return judged(proven, numbers, figures=figures)


def clean(seen: Footprint, rule: Rule) -> Answer:
    """Renewable energy was used in each month: bought with a certificate."""
    bills = seen.some("energy_invoice", rule)
    by_month = {f"{first:%Y-%m}": 0.0 for first in seen.months(rule)}
    shown = []
    for each in bills:
        green = amount(each, "green_quantity") or 0.0
        by_month[f"{seen.month(each.at):%Y-%m}"] += green
        if green > 0:
            shown.append(each)
    numbers = {"green_by_month": by_month}
    return judged(all(by_month.values()), numbers, kind="energy_invoice", shown=shown)
