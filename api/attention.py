"""Who needs attention first: one rule for the tiles, the matrix and the API."""

from functools import cache
from typing import Literal, NamedTuple

from store.pool import Standing

Level = Literal["act", "watch", "fine", "pending"]

LEVELS: tuple[Level, ...] = ("act", "watch", "fine", "pending")

_ACT = {"worse", "missed"}
_WATCH = {"partly", "unknown", "not_comparable"}


class Judged(NamedTuple):
    """What a factory asks for, and a sort key that puts what needs attention first."""

    level: Level
    urgency: tuple[int, int, int, int, str]
    standing: Standing


@cache
def level_of(fulfilment: str, consistency: str) -> Level:
    """Say what one KPI asks for: act on broken promises and false reports, watch the rest."""
    if fulfilment in _ACT or consistency == "false":
        return "act"
    if fulfilment in _WATCH or consistency == "off":
        return "watch"
    return "pending" if fulfilment == "pending" else "fine"


def judge(standing: Standing) -> Judged:
    """Say what a factory asks for: the most urgent of its KPIs; pending before any verdict."""
    levels = [level_of(kpi.fulfilment_verdict, kpi.consistency_verdict) for kpi in standing.kpis]
    level: Level = next((name for name in LEVELS if name in levels), "pending")
    false = sum([kpi.consistency_verdict == "false" for kpi in standing.kpis])
    order = (
        LEVELS.index(level),
        -levels.count("act"),
        -false,
        -levels.count("watch"),
        standing.factory.code,
    )
    return Judged(level, order, standing)
