"""Defect rate, on-time delivery and inventory turnover from business records."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date, timedelta
from math import fsum
from typing import Any

from kpi.calendar import months
from kpi.errors import NotComputable
from kpi.figures.basis import (
    Estimate,
    Evidence,
    Inspected,
    Made,
    Period,
    Unreadable,
    bounded,
    refused,
)
from kpi.figures.records import STOCK
from kpi.formulas.checks import ROUNDING
from kpi.formulas.delivery import delivered, on_time
from kpi.formulas.quality import quality
from kpi.formulas.turnover import turnover
from kpi.reasons import because

_MOST_NAMED = 3


def defects(evidence: Evidence, period: Period) -> list[Estimate]:
    """Return the defect rate at the last inspected operation: Σ(scrap + rework) / Σ inspected.

    While a business system was silent, as many units may be missing as came otherwise: all good
    in the low bound, all defective in the high one. So may the units of unreadable lots.
    """
    days = evidence.business.inspected.items()
    found = sum((lots for day, lots in days if period.start <= day < period.end), Inspected())
    coverage, aside = _readable(evidence, period, "inspection", found.lots)
    inputs: dict[str, Any] = {
        "total": found.total,
        "scrap": found.scrap,
        "rework": found.rework,
        "passed_first": found.passed_first,
        **aside,
    }
    try:
        shares = quality(found.total, found.scrap, found.rework, found.passed_first)
        _check_lots(found)
    except NotComputable as refusal:
        return [refused("defect_rate", "1", coverage, refusal.reason, **inputs)]
    beside = {
        "first_pass_yield": shares.first_pass_yield,
        "scrap_rate": shares.scrap_ratio,
        "rework_rate": shares.rework_ratio,
    }
    inputs |= {
        name: _named_bounds(_widened(share, found.total, coverage))
        for name, share in beside.items()
    }
    inputs["ppm"] = 1e6 * shares.defect_rate
    inputs["by_ideal_time"] = _weighted(evidence, period, coverage)
    bounds = _widened(shares.defect_rate, found.total, coverage)
    return [bounded("defect_rate", "1", coverage, bounds, **inputs)]


def _check_lots(found: Inspected) -> None:
    """Refuse lots whose dispositions fit their totals only when they are added up."""
    if found.undisposed > ROUNDING * found.total:
        raise NotComputable(because("lots_undisposed", units=found.undisposed))


def _named_bounds(bounds: tuple[float, float, float]) -> dict[str, float]:
    return dict(zip(("low", "point", "high"), bounds, strict=True))


def _weighted(evidence: Evidence, period: Period, coverage: float) -> dict[str, Any]:
    """Return the defect rate with each unit weighted by its ideal cycle, or why it is not known.

    Pieces of unlike products do not add up; the ideal time that each stands for does.
    """
    lots: dict[Made, Inspected] = defaultdict(Inspected)
    for day, by_made in evidence.business.made.items():
        if period.start <= day < period.end:
            for made, lot in by_made.items():
                lots[made] += lot
    cycles: dict[Made, float] = {
        (asset.code, product): seconds
        for asset in evidence.plan.assets
        for product, seconds in evidence.plan.ideal_cycle_s.get(asset.asset_id, {}).items()
    }
    strange = sorted(str(made) for made in lots if made not in cycles)
    if strange:
        return {"reason": because("no_cycle_of_lots", made=strange[:_MOST_NAMED])}
    whole_s = fsum(cycles[made] * lot.total for made, lot in lots.items())
    lost_s = fsum(cycles[made] * (lot.scrap + lot.rework) for made, lot in lots.items())
    return _named_bounds(_widened(lost_s / whole_s, whole_s, coverage)) | {"products": len(lots)}


def _readable(
    evidence: Evidence, period: Period, kind: str, count: int
) -> tuple[float, dict[str, Any]]:
    """Return coverage by link and by readable records, and which ones were set aside."""
    coverage = evidence.link_coverage(period.start, period.end)
    aside = [
        each
        for each in evidence.business.unreadable
        if each.kind == kind and period.start <= each.day < period.end
    ]
    if not aside:
        return coverage, {}
    named = [_named(each) for each in aside[:_MOST_NAMED]]
    return coverage * count / (count + len(aside)), {"set_aside": len(aside), "because": named}


def _named(aside: Unreadable) -> str:
    return because("set_aside", key=aside.key, because=aside.reason)


def _widened(share: float, count: float, coverage: float) -> tuple[float, float, float]:
    """Return (low, point, high) of a share when some of what it counts may be missing."""
    if coverage <= 0:
        return 0.0, share, 1.0
    missing = count * (1 - coverage) / coverage
    return share * count / (count + missing), share, (share * count + missing) / (count + missing)


def deliveries(evidence: Evidence, period: Period) -> list[Estimate]:
    """Return the share of order lines due in the period that were shipped in full and on time.

    In an open period only days that have ended count: what is due today may still be shipped.
    """
    end = min(period.end, evidence.today) if period.is_open else period.end
    due = evidence.business.order_lines
    lines = [line for day, each in due.items() if period.start <= day < end for line in each]
    coverage, beside = _readable(evidence, period, "order_line", len(lines))
    cancelled = sum(line.quantity == 0 for line in lines)
    if cancelled:
        # Whoever cancels what is late betters the rate; the number stands where it can be seen.
        beside = beside | {"cancelled": cancelled}
    if len(lines) == cancelled:
        reason = because("no_line_due")
        return [refused("on_time_delivery", "1", coverage, reason, **beside)]
    try:
        found = on_time(lines, (period.start, end))
    except NotComputable as refusal:
        return [refused("on_time_delivery", "1", coverage, refusal.reason, **beside)]
    bounds = _widened(found.on_time, found.due, coverage)
    variants = asdict(delivered(lines, (period.start, end)))
    if variants["otif"] is None:
        variants["otif_reason"] = because("orders_not_named")
    inputs = {
        "lines_due": found.due,
        "on_time": round(found.on_time * found.due),
        **variants,
        **beside,
    }
    return [bounded("on_time_delivery", "1", coverage, bounds, **inputs)]


def stock(evidence: Evidence, period: Period) -> list[Estimate]:
    """Return inventory turnover: cost of goods sold over the mean of the month-end balances.

    Twelve months take 13 balances; a month takes two, and its cost is annualised. Every balance
    must hold raw material, work in progress and finished goods; one that is missing is not guessed.
    """
    firsts = [first for first, _ in months(period.start, period.end)]
    ends = [day - timedelta(days=1) for day in (*firsts, period.end)]
    balances = [evidence.business.stock_yuan.get(day, {}) for day in ends]
    costs = [evidence.business.cogs_yuan.get(first) for first in firsts]
    lacking = [
        because("stock_of", category=category, day=day)
        for day, balance in zip(ends, balances, strict=True)
        for category in STOCK
        if category not in balance
    ]
    lacking += [
        because("cost_of", month=f"{first:%Y-%m}")
        for first, cost in zip(firsts, costs, strict=True)
        if cost is None
    ]
    if lacking:
        whole = sum(len(balance) == len(STOCK) for balance in balances)
        have = (whole + sum(cost is not None for cost in costs)) / (len(ends) + len(firsts))
        reason = because("records_missing", what=lacking[:_MOST_NAMED])
        return [
            refused("inventory_turnover", "turns", have, reason, **_absent(evidence, lacking, ends))
        ]
    return [_turnover(fsum(c for c in costs if c is not None) * 12 / len(firsts), balances)]


def _absent(evidence: Evidence, lacking: Sequence[str], ends: list[date]) -> dict[str, Any]:
    aside = [
        _named(each)
        for each in evidence.business.unreadable
        if each.kind in ("stock_balance", "cogs") and ends[0] <= each.day <= ends[-1]
    ]
    return {"absent": list(lacking)} | ({"because": aside[:_MOST_NAMED]} if aside else {})


def _turnover(cost: float, balances: list[Mapping[str, float]]) -> Estimate:
    means = [fsum(balance.values()) for balance in balances]
    inputs: dict[str, Any] = {
        "cogs_yuan": cost,
        "mean_stock_yuan": fsum(means) / len(means),
        "balances": len(means),
    }
    try:
        found = turnover(cost, means)
    except NotComputable as refusal:
        return refused("inventory_turnover", "turns", 1.0, refusal.reason, **inputs)
    turns = found.turns
    inputs |= {
        "percent": found.percent,
        "days": found.days,
        "by_category": {category: _of_category(cost, balances, category) for category in STOCK},
    }
    return bounded("inventory_turnover", "turns", 1.0, (turns, turns, turns), **inputs)


def _of_category(
    cost: float, balances: list[Mapping[str, float]], category: str
) -> dict[str, float | None]:
    """Return mean stock and turns of one category; without stock of it nothing turns over."""
    mean = fsum(balance[category] for balance in balances) / len(balances)
    turns = cost / mean if mean > 0 else None
    return {
        "mean_stock_yuan": mean,
        "turns": turns,
        "percent": None if turns is None else 100 * turns,
    }
