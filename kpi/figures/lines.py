"""OEE of the serial lines that a plan names, beside that of the factory."""

from collections.abc import Callable
from typing import Any

from kpi.errors import NotComputable
from kpi.figures.basis import Evidence, Period, grade
from kpi.formulas.lines import Share, bottleneck, line_oee
from kpi.reasons import because
from store.registry import Asset, Line

# Ideal seconds of the good units of one asset with their bounds.
IdealGood = Callable[[Asset], Share]


def lines(evidence: Evidence, period: Period, ideal_good: IdealGood) -> list[dict[str, Any]]:
    """Return each line's bottleneck and OEE with its bounds, or the reason why there is none.

    The stations of a line neither average nor multiply to its OEE: what leaves its last machine
    counts, at the ideal cycle of its bottleneck, against the bottleneck's planned busy time.
    """
    return [_line(evidence, period, line, ideal_good) for line in evidence.plan.lines]


def _line(evidence: Evidence, period: Period, line: Line, ideal_good: IdealGood) -> dict[str, Any]:
    by_id = {asset.asset_id: asset for asset in evidence.plan.assets}
    last = by_id[line.last_id]
    named: dict[str, Any] = {"line": line.code, "last": last.code}
    try:
        slowest = by_id[line.bottleneck_id or _slowest(evidence, line)]
        named["bottleneck"] = slowest.code
        return named | _oee(evidence, period, last, slowest, ideal_good)
    except NotComputable as refusal:
        return named | {"reason": refusal.reason}


def _slowest(evidence: Evidence, line: Line) -> int:
    known = evidence.plan.ideal_cycle_s
    cycles = {asset_id: known.get(asset_id, {}) for asset_id in line.asset_ids}
    return bottleneck(cycles, set(known.get(line.last_id, {})))


def _oee(
    evidence: Evidence, period: Period, last: Asset, slowest: Asset, ideal_good: IdealGood
) -> dict[str, Any]:
    planned = float(evidence.planned([slowest], period.start, period.end)[0])
    due = float(evidence.planned([last], period.start, period.end)[0])
    sums = evidence.produced([last], period.start, period.end)
    missing = max(due - float(sums["planned_s"][0]), 0.0)
    uncounted = min(float(sums["uncounted_s"][0]) + missing, planned)
    cycles = evidence.plan.ideal_cycle_s
    found = line_oee(
        planned,
        uncounted,
        ideal_good(last),
        cycles.get(last.asset_id, {}),
        cycles.get(slowest.asset_id, {}),
    )
    coverage = 1 - uncounted / planned
    if grade(coverage) == "D":
        return {"coverage": coverage, "reason": because("coverage_of_line", coverage=coverage)}
    return {
        "low": min(found.low, found.point),
        "oee": found.point,
        "high": max(found.high, found.point),
        "coverage": coverage,
    }
