"""Defect rate, on-time delivery and inventory turnover from business records."""

from collections.abc import Mapping
from datetime import date, timedelta
from math import fsum
from typing import Any

from kpi.calendar import months
from kpi.errors import NotComputable
from kpi.figures.basis import Estimate, Evidence, Inspected, Period, Unreadable, bounded, refused
from kpi.figures.records import STOCK
from kpi.formulas.delivery import on_time
from kpi.formulas.quality import quality
from kpi.formulas.turnover import turnover

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
        rate = quality(found.total, found.scrap, found.rework, found.passed_first).defect_rate
    except NotComputable as refusal:
        return [refused("defect_rate", "1", coverage, refusal.reason, **inputs)]
    bounds = _widened(rate, found.total, coverage)
    return [bounded("defect_rate", "1", coverage, bounds, **inputs)]


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
    return f"{aside.key}: {aside.reason}"


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
    coverage, unreadable = _readable(evidence, period, "order_line", len(lines))
    if not lines:
        reason = "no order line was due in the period; there is no rate to give"
        return [refused("on_time_delivery", "1", coverage, reason, **unreadable)]
    try:
        found = on_time(lines, (period.start, end))
    except NotComputable as refusal:
        return [refused("on_time_delivery", "1", coverage, refusal.reason, **unreadable)]
    bounds = _widened(found.on_time, found.due, coverage)
    inputs = {"lines_due": found.due, "on_time": round(found.on_time * found.due), **unreadable}
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
        f"the stock of {category} on {day}"
        for day, balance in zip(ends, balances, strict=True)
        for category in STOCK
        if category not in balance
    ]
    lacking += [
        f"the cost of goods sold in {first:%Y-%m}"
        for first, cost in zip(firsts, costs, strict=True)
        if cost is None
    ]
    if lacking:
        whole = sum(len(balance) == len(STOCK) for balance in balances)
        have = (whole + sum(cost is not None for cost in costs)) / (len(ends) + len(firsts))
        reason = f"missing: {', '.join(lacking[:_MOST_NAMED])}"
        return [
            refused("inventory_turnover", "turns", have, reason, **_absent(evidence, lacking, ends))
        ]
    return [_turnover(fsum(c for c in costs if c is not None) * 12 / len(firsts), balances)]


def _absent(evidence: Evidence, lacking: list[str], ends: list[date]) -> dict[str, Any]:
    aside = [
        _named(each)
        for each in evidence.business.unreadable
        if each.kind in ("stock_balance", "cogs") and ends[0] <= each.day <= ends[-1]
    ]
    return {"absent": lacking} | ({"because": aside[:_MOST_NAMED]} if aside else {})


def _turnover(cost: float, balances: list[Mapping[str, float]]) -> Estimate:
    means = [fsum(balance.values()) for balance in balances]
    inputs = {
        "cogs_yuan": cost,
        "mean_stock_yuan": fsum(means) / len(means),
        "balances": len(means),
    }
    try:
        turns = turnover(cost, means).turns
    except NotComputable as refusal:
        return refused("inventory_turnover", "turns", 1.0, refusal.reason, **inputs)
    return bounded("inventory_turnover", "turns", 1.0, (turns, turns, turns), **inputs)
