"""Who needs attention first: one rule for the tiles, the matrix and the API."""

from typing import Literal

from store.pool import KpiStanding, Standing

Level = Literal["act", "watch", "fine", "pending"]

LEVELS: tuple[Level, ...] = ("act", "watch", "fine", "pending")

_ACT = {"worse", "missed"}
_WATCH = {"partly", "unknown", "not_comparable"}


def level_of(kpi: KpiStanding) -> Level:
    """Say what one KPI asks for: act on broken promises and false reports, watch the rest."""
    if kpi.fulfilment_verdict in _ACT or kpi.consistency_verdict == "false":
        return "act"
    if kpi.fulfilment_verdict in _WATCH or kpi.consistency_verdict == "off":
        return "watch"
    return "pending" if kpi.fulfilment_verdict == "pending" else "fine"


def level(standing: Standing) -> Level:
    """Say what a factory asks for: the most urgent of its KPIs; pending before any verdict."""
    levels = {level_of(kpi) for kpi in standing.kpis}
    return next((name for name in LEVELS if name in levels), "pending")


def urgency(standing: Standing) -> tuple[int, int, int, int, str]:
    """Return a sort key that puts what needs attention first."""
    levels = [level_of(kpi) for kpi in standing.kpis]
    false = sum(kpi.consistency_verdict == "false" for kpi in standing.kpis)
    return (
        LEVELS.index(level(standing)),
        -levels.count("act"),
        -false,
        -levels.count("watch"),
        standing.factory.code,
    )
