"""Defect rate, on-time delivery and inventory turnover from business records."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from math import fsum
from typing import Any
from zoneinfo import ZoneInfo

from kpi.calendar import add_months, months
from kpi.errors import NotComputable
from kpi.figures.basis import Business, Estimate, Evidence, Period, bounded, refused
from kpi.formulas.delivery import OrderLine, on_time
from kpi.formulas.quality import quality
from kpi.formulas.turnover import turnover
from store.records import StoredRecord

INSPECTED = ("total", "scrap", "rework", "passed_first")
_STOCK = frozenset({"raw", "wip", "finished"})


def defects(evidence: Evidence, period: Period) -> list[Estimate]:
    """Return the defect rate at the last inspected operation: Σ(scrap + rework) / Σ inspected.

    While a business system was silent, as many units may be missing as came otherwise: all good
    in the low bound, all defective in the high one.
    """
    coverage = evidence.link_coverage(period.start, period.end)
    chosen = [
        lots
        for day, lots in evidence.business.inspected.items()
        if period.start <= day < period.end
    ]
    sums = {name: fsum(lots[name] for lots in chosen) for name in INSPECTED}
    try:
        found = quality(sums["total"], sums["scrap"], sums["rework"], sums["passed_first"])
    except NotComputable as refusal:
        return [refused("defect_rate", "1", coverage, refusal.reason, **sums)]
    bounds = _widened(found.defect_rate, sums["total"], coverage)
    return [bounded("defect_rate", "1", coverage, bounds, **sums)]


def _widened(share: float, count: float, coverage: float) -> tuple[float, float, float]:
    """Return (low, point, high) of a share when some of what it counts may be missing."""
    if coverage <= 0:
        return 0.0, share, 1.0
    missing = count * (1 - coverage) / coverage
    return share * count / (count + missing), share, (share * count + missing) / (count + missing)


def deliveries(evidence: Evidence, period: Period) -> list[Estimate]:
    """Return the share of order lines due in the period that were shipped in full and on time."""
    coverage = evidence.link_coverage(period.start, period.end)
    due = evidence.business.order_lines
    lines = [line for day, each in due.items() if period.start <= day < period.end for line in each]
    try:
        found = on_time(lines, (period.start, period.end))
    except NotComputable as refusal:
        return [refused("on_time_delivery", "1", coverage, refusal.reason)]
    bounds = _widened(found.on_time, found.due, coverage)
    inputs = {"lines_due": found.due, "on_time": round(found.on_time * found.due)}
    return [bounded("on_time_delivery", "1", coverage, bounds, **inputs)]


def business(records: Mapping[str, Sequence[StoredRecord]], timezone: str) -> Business:
    """Sort the newest versions of a factory's records by what they count for."""
    zone = ZoneInfo(timezone)
    lines: dict[date, list[OrderLine]] = defaultdict(list)
    for record in records["order_line"]:
        line = _order_line(record)
        if line.promised is not None:
            lines[line.promised].append(line)
    inspected: dict[date, dict[str, float]] = defaultdict(lambda: dict.fromkeys(INSPECTED, 0.0))
    for record in records["inspection"]:
        if record.body["operation"] == "final":
            sums = inspected[record.at.astimezone(zone).date()]
            for name in INSPECTED:
                sums[name] += float(record.body[name])
    stock_yuan: dict[date, dict[str, float]] = defaultdict(dict)
    for record in records["stock_balance"]:
        day = date.fromisoformat(record.body["day"])
        stock_yuan[day][record.body["category"]] = float(record.body["value_yuan"])
    cogs_yuan = {
        date.fromisoformat(f"{record.body['month']}-01"): float(record.body["amount_yuan"])
        for record in records["cogs"]
    }
    return Business(lines, inspected, stock_yuan, cogs_yuan)


def _order_line(record: StoredRecord) -> OrderLine:
    body = record.body
    return OrderLine(
        line=record.key,
        quantity=float(body["quantity"]),
        due=date.fromisoformat(body["due"]) if body.get("due") else None,
        confirmed=tuple(date.fromisoformat(day) for day in body.get("confirmed", ())),
        shipments=tuple((date.fromisoformat(day), float(n)) for day, n in body["shipments"]),
    )


def counting_days(kind: str, at: date, body: Mapping[str, Any]) -> list[date]:
    """Return the local days of whose months a record is part."""
    if kind == "order_line" and body.get("confirmed"):
        return [date.fromisoformat(body["confirmed"][0])]
    if kind == "stock_balance":
        # The closing balance of one month opens the next.
        return [at, at + timedelta(days=1)]
    return [at]


def stock(evidence: Evidence, period: Period) -> list[Estimate]:
    """Return inventory turnover: cost of goods sold over the mean of the month-end balances.

    Twelve months take 13 balances; a month takes two, and its cost is annualised. Every balance
    must hold raw material, work in progress and finished goods; one that is missing is not guessed.
    """
    ends = [start - timedelta(days=1) for start, _ in months(period.start, period.end)]
    ends.append(period.end - timedelta(days=1))
    balances = {day: _balance(evidence.business.stock_yuan.get(day, {})) for day in ends}
    costs = {
        start: evidence.business.cogs_yuan.get(start)
        for start, _ in months(period.start, period.end)
    }
    wanted = len(ends) + period.months
    have = sum(value is not None for value in (*balances.values(), *costs.values()))
    absent = [f"{day}" for day, value in balances.items() if value is None]
    absent += [f"{start:%Y-%m}" for start, value in costs.items() if value is None]
    if absent:
        reason = f"no stock balance or cost of goods sold for {', '.join(absent[:3])}"
        return [refused("inventory_turnover", "turns", have / wanted, reason, absent=absent)]
    cost = fsum(value for value in costs.values() if value is not None) * 12 / period.months
    means = [value for value in balances.values() if value is not None]
    try:
        turns = turnover(cost, means).turns
    except NotComputable as refusal:
        return [refused("inventory_turnover", "turns", 1.0, refusal.reason)]
    inputs = {
        "cogs_yuan": cost,
        "mean_stock_yuan": fsum(means) / len(means),
        "balances": len(means),
    }
    return [bounded("inventory_turnover", "turns", 1.0, (turns, turns, turns), **inputs)]


def _balance(by_category: Mapping[str, float]) -> float | None:
    return fsum(by_category.values()) if by_category.keys() >= _STOCK else None


def records_window(baseline_from: date) -> date:
    """Return from which day on records can matter: the balance before the first month."""
    return add_months(baseline_from, -1)
