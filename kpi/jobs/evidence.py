"""Gathering what the figures of one factory are formed from."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pandas as pd

import store
from kpi.calendar import (
    DOWN,
    PLANNED,
    add_months,
    asset_calendar,
    from_us,
    local_midnight,
    months,
    production_edges,
    production_start,
    to_us,
)
from kpi.facts.basis import FLAG_BRIDGED, HOUR_US, register, samples_of
from kpi.facts.reach import NEIGHBOURS, is_register
from kpi.figures import Evidence
from kpi.figures.basis import DayFacts
from kpi.figures.bridges import Bridges
from kpi.figures.records import KINDS, business, records_window
from kpi.jobs.baseline import stored_baseline
from kpi.jobs.reading import joined
from kpi.jobs.split_hours import split
from store import facts, measurements, records, registry

# Some figures look at the last 30 days of their period, which may begin before it.
_BEFORE_PERIOD = timedelta(days=31)
_HOUR = timedelta(hours=1)


def gathered(
    conn: store.Connection,
    factory: registry.Factory,
    until: datetime,
    periods: tuple[date, date] | None = None,
) -> Evidence:
    """Return the evidence of a factory up to a time, before which hours have ended.

    With local days [first, last) of periods, facts and inspections are read for these alone: the
    same figures of them follow, by work that does not grow with the history.
    """
    plan = registry.monitoring_plan(conn, factory)
    window = _Window.of(factory, until, periods)
    zone = factory.timezone
    books = _books(factory, until, window.first, periods)
    times = local_midnight(books[0], zone), local_midnight(books[1], zone)
    found = {kind: records.counting(conn, factory.factory_id, kind, times, books) for kind in KINDS}
    edges = production_edges(plan, window.first, window.days)
    planned_s, down_s = _scheduled(plan, window, edges, until)
    days, production = _day_facts(conn, plan, window, edges, until)
    return Evidence(
        plan=plan,
        days=days,
        production=production,
        planned_s=planned_s,
        down_s=down_s,
        until=until,
        business=business(found, zone),
        bridges=_bridges(conn, plan, window, until),
        baseline=stored_baseline(conn, factory) if window.first > factory.baseline_from else None,
    )


def _books(
    factory: registry.Factory, until: datetime, first: date, periods: tuple[date, date] | None
) -> tuple[date, date]:
    """Return the local days that records may count for: orders may be due long after today."""
    begins = records_window(first.replace(day=1))
    if periods is not None:
        return begins, periods[1]
    zone = ZoneInfo(factory.timezone)
    return begins, (until + timedelta(days=366)).astimezone(zone).date()


@dataclass(frozen=True, slots=True)
class _Window:
    """Local days from the first on, the times at which they begin and end, and where facts end."""

    first: date
    days: int
    start: datetime
    end: datetime
    until: datetime

    @staticmethod
    def of(
        factory: registry.Factory, until: datetime, periods: tuple[date, date] | None
    ) -> "_Window":
        """Return the days since the baseline, or those that periods of [first, last) look at."""
        zone = factory.timezone
        first = factory.baseline_from
        last = until.astimezone(ZoneInfo(zone)).date() + timedelta(days=1)
        if periods is not None:
            first = max(first, periods[0] - _BEFORE_PERIOD)
            last = min(last, periods[1])
        end = local_midnight(last, zone)
        start = local_midnight(first, zone)
        return _Window(first, (last - first).days, start, end, min(end, until))


def _day_facts(
    conn: store.Connection,
    plan: registry.MonitoringPlan,
    window: _Window,
    edges: list[datetime],
    until: datetime,
) -> tuple[DayFacts, DayFacts]:
    """Return the facts by day of the clock and by production day."""
    end = min(max(window.end, edges[-1]), until)
    factory = plan.factory
    starts = [each.replace(minute=0, second=0, microsecond=0) for each in edges]
    table = pd.DataFrame(
        facts.day_sums(conn, factory.factory_id, factory.timezone, window.start, end, starts)
    )
    table["day"] -= (window.first - date(1970, 1, 1)).days
    production = _by(table, "production_day", window)
    split(conn, plan, production, edges, end)
    return _by(table, "day", window), production


def _by(table: pd.DataFrame, day: str, window: _Window) -> DayFacts:
    columns = tuple(table.columns.drop(["asset_id", "day", "production_day", "flags"]))
    whole = table.groupby(["asset_id", day])[[*columns]].sum()
    by_asset = {
        asset_id: whole.loc[asset_id]
        .reindex(range(window.days), fill_value=0.0)
        .to_numpy(copy=True)
        for asset_id in whole.index.unique("asset_id").tolist()
    }
    return DayFacts(window.first, columns, by_asset)


_Daily = dict[int, npt.NDArray[np.float64]]


def _scheduled(
    plan: registry.MonitoringPlan, window: _Window, edges: list[datetime], until: datetime
) -> tuple[_Daily, _Daily]:
    """Return planned busy seconds and those of filed stops by asset and production day.

    They come from the calendar alone: what was not heard of was planned all the same.
    """
    edges_us = np.array([to_us(edge) for edge in edges], np.int64)
    end = min(max(window.end, edges[-1]), until)
    planned_s, down_s = {}, {}
    for asset in plan.assets:
        if asset.in_oee or asset.key_equipment:
            calendar = asset_calendar(plan, asset.asset_id, window.start, end)
            planned_s[asset.asset_id] = np.diff(calendar.cumulative(PLANNED, edges_us, end))
            down_s[asset.asset_id] = np.diff(calendar.cumulative(DOWN, edges_us, end))
    return planned_s, down_s


def _bridges(
    conn: store.Connection, plan: registry.MonitoringPlan, window: _Window, until: datetime
) -> Bridges:
    """Return the gaps of registers over an edge of a month, by clock or shift; they are few."""
    begin = local_midnight(plan.factory.baseline_from, plan.factory.timezone)
    # An edge is bridged where the hours on both its sides are.
    edges_us = list(_month_edges_us(window, plan))
    last = max(window.until, from_us(edges_us[-1]))
    span = max(window.start - _HOUR, begin), min(last + _HOUR, until)
    hours = _bridged_hours(conn, plan, *span)
    gaps = {}
    for at_us in edges_us:
        beside = [(at_us - 1) // HOUR_US * HOUR_US, at_us // HOUR_US * HOUR_US]
        for asset_id, each in hours.items():
            if np.isin(beside, each["hour_us"]).all():
                gap = _gap(conn, [tag for tag in plan.tags if tag.asset_id == asset_id], at_us)
                if gap is not None:
                    gaps[asset_id, at_us] = gap
    first = min([span[0], *(from_us(gap[0] - HOUR_US) for gap in gaps.values())])
    last = max([span[1], *(from_us(gap[1]) for gap in gaps.values())])
    whole = max(first, begin), min(last, until)
    if whole != span:
        hours = _bridged_hours(conn, plan, *whole)
    return Bridges(gaps, hours)


def _bridged_hours(
    conn: store.Connection, plan: registry.MonitoringPlan, start: datetime, end: datetime
) -> dict[int, facts.Columns]:
    found = facts.flagged_hours(conn, plan.factory.factory_id, FLAG_BRIDGED, start, end)
    return {
        asset_id: {name: column[found["asset_id"] == asset_id] for name, column in found.items()}
        for asset_id in np.unique(found["asset_id"]).tolist()
    }


def _month_edges_us(window: _Window, plan: registry.MonitoringPlan) -> Iterator[int]:
    """Yield where months begin: by the clock, and where a night shift is to end first, after it."""
    last = window.first + timedelta(days=window.days)
    for begin, _ in months(window.first.replace(day=1), add_months(last.replace(day=1), 1)):
        both = local_midnight(begin, plan.factory.timezone), production_start(plan, begin)
        yield from sorted({to_us(each) for each in both})


def _gap(conn: store.Connection, tags: list[registry.Tag], at_us: int) -> tuple[int, int] | None:
    """Return the time between the readings before and after an edge, of all registers at most."""
    counting = [tag for tag in tags if is_register(tag)]
    tag_ids = [tag.tag_id for tag in counting]
    before = measurements.previous(conn, tag_ids, from_us(at_us), NEIGHBOURS)
    after = measurements.following(conn, tag_ids, from_us(at_us), NEIGHBOURS)
    rows = joined(before, after)
    edges: list[int] = []
    for tag in counting:
        found = register(tag, samples_of(rows, tag.tag_id))
        over = (found.start_us < at_us) & (found.end_us > at_us)
        edges += [*found.start_us[over].tolist(), *found.end_us[over].tolist()]
    return (min(edges), max(edges)) if edges else None
