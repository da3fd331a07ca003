"""OEE with its factors, and networked key equipment."""

from collections.abc import Sequence
from datetime import timedelta

from kpi.errors import NotComputable
from kpi.figures.basis import Estimate, Evidence, Period, bounded, refused
from kpi.formulas.oee import from_sums
from store.registry import Asset

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
    by_asset = evidence.sums(assets, period.start, period.end)
    sums = {name: float(each.sum()) for name, each in by_asset.items()}
    missing = max(planned - sums["planned_s"], 0.0)
    unknown, uncounted = sums["unknown_s"] + missing, sums["uncounted_s"] + missing
    coverage = 1 - max(unknown, uncounted) / planned
    if planned - unknown <= 0 or planned - uncounted <= 0:
        return [refused(name, "1", coverage, "no data in the period") for name in names]
    step_s = _count_step_s(evidence, assets)
    sums["ideal_total_low_s"] = max(sums["ideal_total_low_s"] - step_s, 0.0)
    sums["ideal_good_low_s"] = max(sums["ideal_good_low_s"] - step_s, 0.0)
    sums["ideal_total_high_s"] += step_s
    sums["ideal_good_high_s"] += step_s
    return _factors(sums, planned, unknown, uncounted, coverage)


def _count_step_s(evidence: Evidence, assets: Sequence[Asset]) -> float:
    """Return the ideal seconds by which readings at both ends of a period may err."""
    cycles = evidence.plan.ideal_cycle_s
    return sum(
        tag.resolution * tag.ratio * max(cycles.get(asset.asset_id, {}).values(), default=0.0)
        for asset in assets
        for tag in evidence.plan.tags
        if tag.asset_id == asset.asset_id and tag.role.endswith("_count")
    )


def _factors(
    sums: dict[str, float], planned: float, unknown: float, uncounted: float, coverage: float
) -> list[Estimate]:
    run, made, good = sums["run_s"], sums["ideal_total_s"], sums["ideal_good_s"]
    made_low, made_high = sums["ideal_total_low_s"], sums["ideal_total_high_s"]
    good_low, good_high = sums["ideal_good_low_s"], sums["ideal_good_high_s"]
    lost_low, lost_high = made_low - good_low, made_high - good_high
    # What is known stands for the rest: run time for all planned time, counts for the counted.
    run_share, counted = run / (planned - unknown), planned - uncounted
    inputs = {
        "planned_s": planned,
        "run_s": run,
        "setup_s": sums["setup_s"],
        "stop_s": sums["stop_s"],
        "idle_s": sums["idle_s"],
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
    alive = (sums["known_s"] >= least) & (sums["changes"] > 0)
    heard = [asset for asset, is_alive in zip(registered, alive, strict=True) if is_alive]
    count = float(len({asset.serial for asset in heard if asset.serial}))
    inputs = {
        "registered": len(registered),
        "networked": sorted(asset.code for asset in heard),
        "window": [start.isoformat(), end.isoformat()],
    }
    return [bounded("networked_equipment", "count", 1.0, (count, count, count), **inputs)]
