"""What another plan touches: it is marked, from the date that it touches on, for the jobs.

A plan without dates, such as an ideal cycle, holds for all that was ever measured under it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from store import figures, findings, judged
from store.db import Connection
from store.queries import query
from store.registry import Asset, MonitoringPlan, PlannedStop, factory_by_code, monitoring_plan

_EVER = datetime(1900, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)
_ALL_MONTHS = _EVER[0].date(), _EVER[1].date()
# A shift lasts a day at most, so that one of a holiday ends before the day after the next.
_DAY = timedelta(days=1)
_HOLIDAY_REACHES = 2 * _DAY

Days = tuple[date, date]


@dataclass(frozen=True, slots=True)
class PlanState:
    """All that a stored plan says, for comparison with the next one."""

    plan: MonitoringPlan
    # What the verdicts are held against, and what the findings are.
    pledged: Any
    limits: Any


@dataclass(frozen=True, slots=True)
class Hours:
    """Hours of some assets that are to be formed again."""

    asset_ids: tuple[int, ...]
    start: datetime = _EVER[0]
    end: datetime = _EVER[1]


def plan_state(conn: Connection, code: str) -> PlanState | None:
    """Return what is stored of a factory inside the caller's transaction, None of a new one."""
    row = conn.execute(query("has_factory"), {"code": code}).fetchone()
    if row is None or not row[0]:
        return None
    factory = factory_by_code(conn, code)
    factory_id = factory.factory_id
    pledged = figures.promises(conn, factory_id), figures.self_reports(conn, factory_id)
    limits = findings.limits(conn, factory_id), findings.bills(conn, factory_id)
    return PlanState(monitoring_plan(conn, factory), pledged, limits)


def mark_changes(conn: Connection, before: PlanState | None, after: PlanState | None) -> None:
    """Mark what a plan touches that says other things than the one before; the same marks nothing.

    Hours go to the fact job, months to the figure job and the rules, verdicts to be given again.
    Settled figures stay all the same. What it says of energy, `load_energy` marks.
    """
    if before is None or after is None:
        return
    old, new = before.plan, after.plan
    owner = {"factory_id": new.factory.factory_id}
    for hours in touched_hours(old, new):
        values = {"asset_ids": list(hours.asset_ids), "start": hours.start, "end": hours.end}
        conn.execute(query("mark_asset_hours"), values)
    for first, end in touched_months(old, new):
        values = owner | {"first": first.replace(day=1), "end": end}
        conn.execute(query("mark_formed_months_between"), values)
    if before.pledged != after.pledged or _windows(old) != _windows(new):
        judged.mark(conn, new.factory.factory_id)
    if before.limits != after.limits:
        conn.execute(query("mark_checked_months"), owner)


def touched_hours(old: MonitoringPlan, new: MonitoringPlan) -> Iterator[Hours]:
    """Yield the hours whose facts stand on something that the new plan says otherwise."""
    everything = tuple(asset.asset_id for asset in new.assets)
    if old.shifts != new.shifts or _span(old) != _span(new):
        yield Hours(everything)
        return
    for asset_id in everything:
        if _read_as(old, asset_id) != _read_as(new, asset_id):
            yield Hours((asset_id,))
    for start, end in _holiday_spans(old, new):
        yield Hours(everything, start, end)
    for stop in _changed_stops(old, new):
        assets = everything if stop.asset_id is None else (stop.asset_id,)
        yield Hours(assets, stop.starts_at.replace(minute=0, second=0, microsecond=0), stop.ends_at)


def touched_months(old: MonitoringPlan, new: MonitoringPlan) -> Iterator[Days]:
    """Yield the days in whose months figures stand on what the new plan says otherwise."""
    if _formed_by(old) != _formed_by(new):
        yield _ALL_MONTHS
        return
    zone = ZoneInfo(new.factory.timezone)
    spans = [*_holiday_spans(old, new)]
    spans += [(stop.starts_at, stop.ends_at) for stop in _changed_stops(old, new)]
    for start, end in spans:
        # The hours after midnight may belong to the night shift of the day before.
        yield (start - _DAY).astimezone(zone).date(), end.astimezone(zone).date() + _DAY
    since = [each.since for each in set(old.declarations) ^ set(new.declarations)]
    since += _retrofit_days(old.assets, new.assets)
    if since:
        yield min(since), _ALL_MONTHS[1]


def _span(plan: MonitoringPlan) -> Any:
    """Return since when facts are formed, and in which zone its shifts stand."""
    return plan.factory.baseline_from, plan.factory.timezone


def _windows(plan: MonitoringPlan) -> Any:
    factory = plan.factory
    return factory.baseline_from, factory.baseline_to, factory.renovated_on


def _read_as(plan: MonitoringPlan, asset_id: int) -> Any:
    """Return how the rows of an asset become facts; of exchanges `load_energy` takes care."""
    tags = [replace(tag, exchanges=()) for tag in plan.tags if tag.asset_id == asset_id]
    states = [plan.state_maps.get(tag.state_map or "") for tag in tags]
    return tags, states, plan.ideal_cycle_s.get(asset_id, {})


def _formed_by(plan: MonitoringPlan) -> Any:
    """Return what figures are formed by beside facts, where it bears no date."""
    assets = {
        asset.asset_id: replace(
            asset, name_zh="", name_en="", retrofitted_on=None, retrofit_document=None
        )
        for asset in plan.assets
    }
    cycles = plan.ideal_cycle_s
    return assets, plan.lines, plan.shifts, cycles, _windows(plan), plan.factory.timezone


def _holiday_spans(old: MonitoringPlan, new: MonitoringPlan) -> Iterator[tuple[datetime, datetime]]:
    zone = ZoneInfo(new.factory.timezone)
    for day in sorted(old.holidays ^ new.holidays):
        start = datetime(day.year, day.month, day.day, tzinfo=zone)
        yield start, start + _HOLIDAY_REACHES


def _changed_stops(old: MonitoringPlan, new: MonitoringPlan) -> list[PlannedStop]:
    changed = set(old.planned_stops) ^ set(new.planned_stops)
    return sorted(changed, key=lambda stop: (stop.starts_at, stop.ends_at, stop.asset_id or 0))


def _retrofit_days(old: Iterable[Asset], new: Iterable[Asset]) -> list[date]:
    before = {(each.asset_id, each.retrofitted_on, each.retrofit_document) for each in old}
    after = {(each.asset_id, each.retrofitted_on, each.retrofit_document) for each in new}
    return [day for _, day, _ in before ^ after if day is not None]
