"""Evidence for the tests of the figures: facts by day, written down by hand."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np

from kpi.calendar import local_midnight, months, to_us
from kpi.facts.basis import HOUR_US
from kpi.figures import Estimate, Evidence, Period
from kpi.figures.basis import Business, DayFacts
from kpi.figures.bridges import Bridges
from kpi.figures.records import KINDS, business
from store.records import StoredRecord
from store.registry import MonitoringPlan

FIRST, END = date(2025, 1, 1), date(2026, 7, 1)
MARCH = Period("month", date(2026, 3, 1), date(2026, 4, 1))
YEAR = Period("rolling12", date(2025, 4, 1), date(2026, 4, 1))
AFTER_MARCH = datetime(2026, 3, 31, 16, tzinfo=UTC)  # midnight in Shanghai

_COLUMNS = (
    *("planned_s", "run_s", "setup_s", "stop_s", "idle_s", "unknown_s", "known_s", "uncounted_s"),
    *("run_doubt_s", "rest_doubt_s"),
    *("ideal_total_s", "ideal_total_low_s", "ideal_total_high_s"),
    *("ideal_good_s", "ideal_good_low_s", "ideal_good_high_s"),
    *("ideal_lost_s", "ideal_lost_low_s", "ideal_lost_high_s"),
    *("energy", "energy_low", "energy_high", "energy_hours", "changes"),
)
_DAYS = 600

Facts = Mapping[date, Mapping[str, float]]


def march(*days: int) -> list[date]:
    """Return days of March 2026."""
    return [date(2026, 3, day) for day in days]


def each_day(
    start: date, end: date, facts: Mapping[str, float] | None = None, **more: float
) -> Facts:
    """Return the same facts for each day of [start, end)."""
    facts = {**(facts or {}), **more}
    count = (end - start).days
    return {start + timedelta(days=number): facts for number in range(count)}


def produced(planned_s: float, run_s: float, total_s: float, good_s: float) -> dict[str, float]:
    """Return a machine's facts of a day on which everything is known."""
    return {
        "planned_s": planned_s,
        "run_s": run_s,
        "stop_s": planned_s - run_s,
        "known_s": 86_400,
        **{f"ideal_total{side}_s": total_s for side in ("", "_low", "_high")},
        **{f"ideal_good{side}_s": good_s for side in ("", "_low", "_high")},
        **{f"ideal_lost{side}_s": total_s - good_s for side in ("", "_low", "_high")},
    }


def metered(amount: float, hours: float = 24) -> dict[str, float]:
    """Return a meter's facts of a day."""
    names = ("energy", "energy_low", "energy_high")
    return {**dict.fromkeys(names, amount), "energy_hours": hours, "known_s": hours * 3600}


def evidence(
    plan: MonitoringPlan,
    facts: Mapping[int, Facts] | None = None,
    *,
    planned: Mapping[int, Mapping[date, float]] | None = None,
    until: datetime = AFTER_MARCH,
    records: Mapping[str, Sequence[StoredRecord]] | None = None,
    gap: tuple[str, str] | None = None,
) -> Evidence:
    """Return evidence with facts by asset and day; what is planned is what the facts say.

    A gap of the registers of asset 1 lies between two local times; 100 s or units fall in each of
    its hours, and in the two hours on either side of it, which other gaps bridge.
    """
    facts = facts or {}
    by_asset = {asset_id: np.zeros((_DAYS, len(_COLUMNS))) for asset_id in facts}
    for asset_id, days in facts.items():
        for day, sums in days.items():
            row = by_asset[asset_id][(day - FIRST).days]
            row[:] = [sums.get(name, 0.0) for name in _COLUMNS]
    if planned is None:
        planned = {
            asset_id: {day: sums.get("planned_s", 0.0) for day, sums in days.items()}
            for asset_id, days in facts.items()
        }
    return Evidence(
        plan=plan,
        days=DayFacts(FIRST, _COLUMNS, by_asset),
        planned_s={asset_id: _daily(days) for asset_id, days in planned.items()},
        until=until,
        business=_business(records or {}, plan.factory.timezone),
        bridges=_bridges(gap),
    )


def _daily(days: Mapping[date, float]) -> np.ndarray[Any, np.dtype[np.float64]]:
    found = np.zeros(_DAYS)
    for day, seconds in days.items():
        found[(day - FIRST).days] = seconds
    return found


def _business(records: Mapping[str, Sequence[StoredRecord]], timezone: str) -> Business:
    return business({kind: records.get(kind, ()) for kind in KINDS}, timezone)


def _bridges(gap: tuple[str, str] | None) -> Bridges:
    if gap is None:
        return Bridges({}, {})
    begin, end = (to_us(datetime.fromisoformat(f"{each}+08:00")) for each in gap)
    edges = [to_us(local_midnight(first, "Asia/Shanghai")) for first, _ in months(FIRST, END)]
    hour_us = np.arange(begin // HOUR_US - 2, -(-end // HOUR_US) + 2) * HOUR_US
    amounts = np.full(len(hour_us), 100.0)
    names = ("ideal_total_s", "ideal_good_s", "energy")
    nothing = {"ideal_lost_s": np.zeros(len(hour_us))}
    return Bridges(
        {(1, at_us): (begin, end) for at_us in edges if begin < at_us < end},
        {1: {"hour_us": hour_us, **dict.fromkeys(names, amounts), **nothing}},
    )


def record(key: str, at: date, body: Any) -> StoredRecord:
    """Return the newest version of a record of a local day."""
    return StoredRecord(key, 1, local_midnight(at, "Asia/Shanghai"), body)


def one(estimates: Sequence[Estimate], kpi: str) -> Estimate:
    """Return the estimate of a KPI."""
    return next(each for each in estimates if each.kpi == kpi)


def bounds(estimate: Estimate) -> tuple[float, float, float]:
    """Return (low, point, high) of an estimate that has a number."""
    assert estimate.reason is None, estimate.reason
    assert estimate.low is not None
    assert estimate.point is not None
    assert estimate.high is not None
    return estimate.low, estimate.point, estimate.high
