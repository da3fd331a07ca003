"""What stands beside every OEE: NEE, TEEP and OOE, and how much key equipment it speaks for."""

from collections.abc import Mapping, Sequence
from typing import Any

from kpi.figures.basis import Evidence, Period
from kpi.reasons import because
from store.registry import Asset

Bounds = tuple[float, float, float]


def relatives(
    evidence: Evidence,
    period: Period,
    assets: Sequence[Asset],
    sums: Mapping[str, float],
    oee: Bounds,
) -> dict[str, Any]:
    """Return NEE, TEEP and OOE as (low, point, high) from the bounds of OEE.

    NEE counts setup as no loss (ISO 22400-2): OEE · (APT + ASUT) / APT. TEEP goes against calendar
    time, OOE against planned busy time and filed stops, so that filing more stops helps neither.
    """
    planned = sums["planned_s"]
    calendar = len(assets) * evidence.production_seconds(period.start, period.end)
    down = float(evidence.down(assets, period.start, period.end).sum())
    return {
        "calendar_s": calendar,
        "planned_down_s": down,
        "nee": None if sums["run_s"] <= 0 else _nee(oee, sums),
        "teep": _named(oee, planned / calendar) if calendar >= planned else None,
        "ooe": _named(oee, planned / (planned + down)),
    }


def _nee(oee: Bounds, sums: Mapping[str, float]) -> dict[str, float]:
    low, point, high = oee
    run, setup, unknown = sums["run_s"], sums["setup_s"], sums["unknown_s"]
    doubted, others = sums["run_doubt_s"], sums["rest_doubt_s"]
    # Time that is not known or doubtful may all have been production, or all setup.
    fastest, shortest = run + unknown + others, max(setup - others, 0.0)
    longest = setup + unknown + doubted + others
    return {
        "low": low * (fastest + shortest) / fastest,
        "point": point * (run + setup) / run,
        "high": high * (1 + longest / max(run - doubted, 1.0)),
    }


def _named(bounds: Bounds, factor: float) -> dict[str, float]:
    return {
        name: value * factor for name, value in zip(("low", "point", "high"), bounds, strict=True)
    }


def key_equipment(evidence: Evidence, period: Period) -> dict[str, Any]:
    """Return the share of registered key equipment that forms OEE, by planned busy time.

    What is left out is named: a figure of the good machines alone says nothing of the factory.
    """
    registered = [asset for asset in evidence.plan.assets if asset.key_equipment]
    seconds = evidence.planned(registered, period.start, period.end)
    whole = float(seconds.sum())
    if whole <= 0:
        return {"share": None, "reason": because("key_equipment_unplanned")}
    covered = sum(
        float(each) for asset, each in zip(registered, seconds, strict=True) if asset.in_oee
    )
    return {
        "share": covered / whole,
        "left_out": [asset.code for asset in registered if not asset.in_oee],
    }
