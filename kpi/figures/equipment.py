"""OEE with its factors, and networked key equipment."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import numpy as np

from kpi.errors import NotComputable
from kpi.figures import beside
from kpi.figures.basis import Estimate, Evidence, Period, bounded, counts_good_only, grade, refused
from kpi.figures.declared import anything_heard
from kpi.figures.identity import distinct
from kpi.figures.lines import lines
from kpi.formulas.lines import Share
from kpi.formulas.oee import from_sums
from kpi.reasons import because
from store.registry import Asset

_OEE = ("oee", "availability", "performance", "quality")
_ROUNDING_S = 1e-3
_NETWORK_DAYS = 30
_NETWORK_SHARE = 0.9


def oee(evidence: Evidence, period: Period) -> list[Estimate]:
    """Return OEE, availability, performance and quality of the factory (ISO 22400-2).

    Sums first, one division last. Unknown time is neither run nor stop: it is left out of the
    point and put wholly on one side in each bound; time in a state that was held over a lost row
    keeps its place in the point alone. Counts bridged by a cumulative register stay
    exact, so that OEE itself suffers less from a lost link than its explanation does.

    Beside OEE stand, in its inputs, NEE, TEEP and OOE, the serial lines, and the share of
    registered key equipment that it covers, which a refusal names too.
    """
    found = _oee(evidence, period)
    covered = {"key_equipment": beside.key_equipment(evidence, period)}
    return [replace(found[0], inputs={**found[0].inputs, **covered}), *found[1:]]


def _oee(evidence: Evidence, period: Period) -> list[Estimate]:
    assets = [asset for asset in evidence.plan.assets if asset.in_oee]
    gap = _gap_in_plan(evidence, assets)
    if gap is not None:
        return [refused(name, "1", 0.0, gap) for name in _OEE]
    planned = evidence.planned(assets, period.start, period.end)
    if planned.sum() == 0:
        reason = because("nothing_planned")
        return [refused(name, "1", 0.0, reason) for name in _OEE]
    by_asset = evidence.produced(assets, period.start, period.end)
    missing = np.maximum(planned - by_asset["planned_s"], 0.0)
    unknown, uncounted = by_asset["unknown_s"] + missing, by_asset["uncounted_s"] + missing
    coverage = float(1 - np.maximum(unknown, uncounted).sum() / planned.sum())
    sums = {name: float(each.sum()) for name, each in by_asset.items()} | {
        "planned_s": float(planned.sum()),
        "unknown_s": float(unknown.sum()),
        "uncounted_s": float(uncounted.sum()),
    }
    inputs = {name: sums[name] for name in _INPUTS}
    if sums["planned_s"] <= max(sums["unknown_s"], sums["uncounted_s"]):
        return [refused(name, "1", coverage, because("no_data"), **inputs) for name in _OEE]
    counts = _counts(evidence, period, assets, sums)
    found = _factors(sums, counts, coverage, inputs)
    whole, *factors = _without_rejects(evidence, assets, found)
    return [_with_company(evidence, period, assets, sums, whole), *factors]


def _without_rejects(
    evidence: Evidence, assets: Sequence[Asset], found: list[Estimate]
) -> list[Estimate]:
    """Refuse performance and quality where a machine counts good units only.

    OEE goes by good units; how many were made besides nobody knows, and all of them good is no
    default.
    """
    for asset in assets:
        if counts_good_only(evidence.plan, asset):
            reason = because("good_units_only", asset=asset.code)
            return [
                refused(each.kpi, each.unit, each.coverage, reason, **each.inputs)
                if each.kpi in ("performance", "quality")
                else each
                for each in found
            ]
    return found


_INPUTS = (
    *("planned_s", "run_s", "setup_s", "stop_s", "idle_s", "unknown_s"),
    *("uncounted_s", "run_doubt_s", "rest_doubt_s", "ideal_total_s", "ideal_good_s"),
)


def _with_company(
    evidence: Evidence,
    period: Period,
    assets: Sequence[Asset],
    sums: dict[str, float],
    whole: Estimate,
) -> Estimate:
    """Return OEE with its relatives and the serial lines among its inputs."""
    if whole.low is None or whole.point is None or whole.high is None:
        return whole
    bounds = whole.low, whole.point, whole.high
    company: dict[str, Any] = {}
    if grade(whole.coverage) != "D":
        company |= beside.relatives(evidence, period, assets, sums, bounds)

    def ideal_good(asset: Asset) -> Share:
        by_asset = evidence.produced([asset], period.start, period.end)
        of_asset = {name: float(each[0]) for name, each in by_asset.items()}
        found = _ideal(evidence, period, [asset], of_asset, "good")
        return Share(found.low, found.point, found.high)

    if evidence.plan.lines:
        company["lines"] = lines(evidence, period, ideal_good)
    return replace(whole, inputs={**whole.inputs, **company})


def _gap_in_plan(evidence: Evidence, assets: Sequence[Asset]) -> str | None:
    """Say what the plan lacks to tell OEE; nothing missing is taken for zero or one."""
    if not assets:
        return because("no_oee_equipment")
    for asset in assets:
        has = {tag.role for tag in evidence.plan.tags if tag.asset_id == asset.asset_id}
        if "state" not in has:
            return because("no_state_tag", asset=asset.code)
        if not has & {"total_count", "good_count"}:
            return because("no_output_counter", asset=asset.code)
        if "good_count" not in has and "reject_count" not in has:
            return because("no_quality_counter", asset=asset.code)
        if not evidence.plan.ideal_cycle_s.get(asset.asset_id):
            return because("no_ideal_cycle", asset=asset.code)
    return None


@dataclass(frozen=True, slots=True)
class _Ideal:
    """Ideal seconds of some units of a period, with bounds."""

    low: float
    point: float
    high: float

    def within(self, low: float, high: float) -> "_Ideal":
        """Return it with bounds no wider than others that hold too, and its point inside them."""
        low, high = min(max(self.low, low), self.high), max(min(self.high, high), self.low)
        return _Ideal(low, max(min(self.point, high), low), high)


@dataclass(frozen=True, slots=True)
class _Counts:
    """Ideal seconds of all units of a period, of the good ones and of the others."""

    made: _Ideal
    good: _Ideal
    lost: _Ideal


def _counts(
    evidence: Evidence, period: Period, assets: Sequence[Asset], sums: dict[str, float]
) -> _Counts:
    """Return what was made: good units and the others are all there are.

    Each has bounds of its own, since what is open in one register cancels in some sums and not in
    others; where the others tell more of one, they do.
    """
    made, good, lost = (
        _ideal(evidence, period, assets, sums, name) for name in ("total", "good", "lost")
    )
    if good.low + lost.low > made.high + _ROUNDING_S:
        return _Counts(made, good, lost)  # they contradict each other, which is refused
    return _Counts(
        made.within(good.low + lost.low, made.high),
        good.within(good.low, made.high - lost.low),
        lost.within(lost.low, made.high - good.low),
    )


def _ideal(
    evidence: Evidence,
    period: Period,
    assets: Sequence[Asset],
    sums: dict[str, float],
    what: str,
) -> _Ideal:
    """Return the ideal seconds of all, good or lost units.

    The readings at both ends of the period may err by the register's least step, and a gap over
    an end by all that was counted in it.
    """
    step_s = _count_step_s(evidence, assets)
    shift = evidence.shift(assets, period, f"ideal_{what}_s")
    return _Ideal(
        low=max(sums[f"ideal_{what}_low_s"] - step_s - shift.less, 0.0),
        point=sums[f"ideal_{what}_s"],
        high=sums[f"ideal_{what}_high_s"] + step_s + shift.more,
    )


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
    sums: dict[str, float],
    counts: _Counts,
    coverage: float,
    inputs: dict[str, float],
) -> list[Estimate]:
    made, good, lost = counts.made, counts.good, counts.lost
    planned, run = sums["planned_s"], sums["run_s"]
    unknown, uncounted = sums["unknown_s"], sums["uncounted_s"]
    # Run time at the least and at the most: a doubtful state may have been any other.
    least, most = run - sums["run_doubt_s"], run + unknown + sums["rest_doubt_s"]
    # What is known stands for the rest: run time for all planned time, counts for the counted.
    run_share, counted = run / (planned - unknown), planned - uncounted
    # Two registers are not read in the same moment: good may run ahead within the bounds.
    all_good = good.point > made.point and good.low <= made.high
    try:
        point = from_sums(
            counted, run_share * counted, made.point, made.point if all_good else good.point
        )
    except NotComputable as refusal:
        return [refused(name, "1", coverage, refusal.reason, **inputs) for name in _OEE]
    bounds = {
        "oee": (good.low / planned, point.oee, (good.high + uncounted) / planned),
        "availability": (least / planned, point.availability, most / planned),
        "performance": (
            made.low / max(most, 1.0),
            point.performance,
            (made.high + uncounted) / max(least, 1.0),
        ),
        "quality": (
            good.low / max(good.low + lost.high + uncounted, 1e-9),
            point.quality,
            (good.high + uncounted) / max(good.high + uncounted + lost.low, 1e-9),
        ),
    }
    low, share, high = bounds["quality"]
    if share is not None:
        # Shares by time of registers cut apart may fit each of them and not all together.
        bounds["quality"] = low, max(min(share, high), low), high
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
        return refused(name, "1", coverage, because("nothing_produced"), **inputs)
    return bounded(name, "1", coverage, (low, point, high), **inputs)


def networked(evidence: Evidence, period: Period) -> list[Estimate]:
    """Return how many pieces of key equipment are networked.

    Counted is registered key equipment with a serial number and an address of its own, heard of
    for at least 90 % of the last 30 days of the period, with at least one value that changed. Where
    nothing at all was heard of the factory nobody knows, as before its gateway was there.
    """
    end = min(period.end, evidence.today + timedelta(days=1))
    start = end - timedelta(days=_NETWORK_DAYS)
    registered = [asset for asset in evidence.plan.assets if asset.key_equipment]
    sums = evidence.sums(registered, start, end)
    least = _NETWORK_SHARE * evidence.seconds(start, end)
    window = {"registered": len(registered), "window": [start.isoformat(), end.isoformat()]}
    if not anything_heard(evidence, (start, end)):
        reason = because("factory_silent", days=_NETWORK_DAYS)
        return [refused("networked_equipment", "count", 0.0, reason, **window)]
    alive = (sums["known_s"] >= least) & (sums["changes"] > 0)
    heard = [asset for asset, is_alive in zip(registered, alive, strict=True) if is_alive]
    apart = distinct(heard)
    count = float(len(apart))
    inputs = window | {"networked": sorted(asset.code for asset in apart)}
    return [bounded("networked_equipment", "count", 1.0, (count, count, count), **inputs)]
