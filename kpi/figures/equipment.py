"""OEE with its factors, and networked key equipment."""

from datetime import timedelta

import pandas as pd

from kpi.errors import NotComputable
from kpi.figures.basis import Estimate, Evidence, Period, bounded, refused
from kpi.formulas.oee import from_sums

_NETWORK_DAYS = 30
_NETWORK_SHARE = 0.9
_DAY_S = 86_400.0


def oee(evidence: Evidence, period: Period) -> list[Estimate]:
    """Return OEE, availability, performance and quality of the factory (ISO 22400-2).

    Sums first, one division last. Unknown time is neither run nor stop: it is left out of the
    point and put wholly on one side in each bound. Counts bridged by a cumulative register stay
    exact, so that OEE itself suffers less from a lost link than its explanation does.
    """
    names = ("oee", "availability", "performance", "quality")
    assets = [asset for asset in evidence.plan.assets if asset.in_oee]
    planned = evidence.planned(assets, period.start, period.end)
    if planned == 0:
        return [refused(name, "1", 0.0, "no busy time was planned in the period") for name in names]
    sums = evidence.sums(assets, period.start, period.end).sum()
    missing = max(planned - float(sums["planned_s"]), 0.0)
    unknown = float(sums["unknown_s"]) + missing
    uncounted = float(sums["uncounted_s"]) + missing
    coverage = 1 - max(unknown, uncounted) / planned
    if planned - unknown <= 0 or planned - uncounted <= 0:
        return [refused(name, "1", coverage, "no data in the period") for name in names]
    return _factors(sums, planned, unknown, uncounted, coverage)


def _factors(
    sums: pd.Series, planned: float, unknown: float, uncounted: float, coverage: float
) -> list[Estimate]:
    run, made, good = (float(sums[name]) for name in ("run_s", "ideal_total_s", "ideal_good_s"))
    made_low, made_high = float(sums["ideal_total_low_s"]), float(sums["ideal_total_high_s"])
    good_low, good_high = float(sums["ideal_good_low_s"]), float(sums["ideal_good_high_s"])
    lost_low, lost_high = made_low - good_low, made_high - good_high
    # What is known stands for the rest: run time for all planned time, counts for the counted.
    run_share, counted = run / (planned - unknown), planned - uncounted
    inputs = {
        "planned_s": planned,
        "run_s": run,
        "setup_s": float(sums["setup_s"]),
        "stop_s": float(sums["stop_s"]),
        "idle_s": float(sums["idle_s"]),
        "unknown_s": unknown,
        "uncounted_s": uncounted,
        "ideal_total_s": made,
        "ideal_good_s": good,
    }
    try:
        point = from_sums(counted, run_share * counted, made, good)
    except NotComputable as refusal:
        names = ("oee", "availability", "performance", "quality")
        return [refused(name, "1", coverage, refusal.reason, **inputs) for name in names]
    bounds = {
        "oee": (good_low / planned, point.oee, (good_high + uncounted) / planned),
        "availability": (run / planned, point.availability, (run + unknown) / planned),
        "performance": (
            made_low / max(run + unknown, 1.0),
            point.performance,
            (made_high + uncounted) / max(run, 1.0),
        ),
        "quality": (
            good_low / max(good_low + lost_high + uncounted, 1e-9),
            point.quality,
            (good_high + uncounted) / max(good_high + uncounted + lost_low, 1e-9),
        ),
    }
    return [_bounded(name, coverage, *found, inputs) for name, found in bounds.items()]


def _bounded(
    name: str,
    coverage: float,
    low: float,
    point: float | None,
    high: float,
    inputs: dict[str, float],
) -> Estimate:
    if point is None:
        return refused(name, "1", coverage, "nothing was produced in the period", **inputs)
    return bounded(name, "1", coverage, (low, point, high), **inputs)


def networked(evidence: Evidence, period: Period) -> list[Estimate]:
    """Return how many pieces of key equipment are networked.

    Counted is registered key equipment with a serial number of its own, heard of for at least
    90 % of the last 30 days of the period, with at least one value that changed.
    """
    end = min(period.end, evidence.until.date() + timedelta(days=1))
    start = end - timedelta(days=_NETWORK_DAYS)
    registered = [asset for asset in evidence.plan.assets if asset.key_equipment]
    sums = evidence.sums(registered, start, end)
    least = _NETWORK_SHARE * _NETWORK_DAYS * _DAY_S
    heard = sums[(sums["known_s"] >= least) & (sums["changes"] > 0)].index
    serials = {asset.serial for asset in registered if asset.asset_id in heard and asset.serial}
    count = float(len(serials))
    inputs = {
        "registered": len(registered),
        "networked": sorted(asset.code for asset in registered if asset.asset_id in heard),
        "window": [start.isoformat(), end.isoformat()],
    }
    return [bounded("networked_equipment", "count", 1.0, (count, count, count), **inputs)]
