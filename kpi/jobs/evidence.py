"""Gathering what the figures of one factory are formed from."""

from collections.abc import Iterator
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
    to_us,
)
from kpi.facts.basis import FLAG_BRIDGED, HOUR_US, register, samples_of
from kpi.facts.reach import NEIGHBOURS, is_register
from kpi.figures import Evidence
from kpi.figures.basis import DayFacts, day_edges_us
from kpi.figures.bridges import Bridges
from kpi.figures.records import KINDS, business, records_window
from kpi.jobs.reading import joined
from store import facts, measurements, records, registry


def gathered(conn: store.Connection, factory: registry.Factory, until: datetime) -> Evidence:
    """Return the evidence of a factory up to a time, before which hours have ended."""
    plan = registry.monitoring_plan(conn, factory)
    zone, first = factory.timezone, factory.baseline_from
    reach = local_midnight(records_window(first), zone), until + timedelta(days=366)
    found = {kind: records.latest(conn, factory.factory_id, kind, *reach) for kind in KINDS}
    planned_s, down_s = _scheduled(plan, first, until)
    return Evidence(
        plan=plan,
        days=_day_facts(conn, factory, until),
        planned_s=planned_s,
        down_s=down_s,
        until=until,
        business=business(found, zone),
        bridges=_bridges(conn, plan, first, until),
    )


def _day_facts(conn: store.Connection, factory: registry.Factory, until: datetime) -> DayFacts:
    zone, first = factory.timezone, factory.baseline_from
    start = local_midnight(first, zone)
    table = pd.DataFrame(facts.day_sums(conn, factory.factory_id, zone, start, until))
    table["day"] -= (first - date(1970, 1, 1)).days
    columns = tuple(table.columns.drop(["asset_id", "day", "flags"]))
    count = (until.astimezone(ZoneInfo(zone)).date() - first).days + 1
    by_asset = {
        asset_id: table[table["asset_id"] == asset_id]
        .set_index("day")[[*columns]]
        .reindex(range(count), fill_value=0.0)
        for asset_id in table["asset_id"].unique().tolist()
    }
    return DayFacts(first, columns, {each: rows.to_numpy() for each, rows in by_asset.items()})


_Daily = dict[int, npt.NDArray[np.float64]]


def _scheduled(
    plan: registry.MonitoringPlan, first: date, until: datetime
) -> tuple[_Daily, _Daily]:
    """Return planned busy seconds and those of filed stops by asset and local day.

    They come from the calendar alone: what was not heard of was planned all the same.
    """
    zone = plan.factory.timezone
    count = (until.astimezone(ZoneInfo(zone)).date() - first).days + 1
    edges = day_edges_us(first, count, zone)
    start = local_midnight(first, zone)
    planned_s, down_s = {}, {}
    for asset in plan.assets:
        if asset.in_oee or asset.key_equipment:
            calendar = asset_calendar(plan, asset.asset_id, start, until)
            planned_s[asset.asset_id] = np.diff(calendar.cumulative(PLANNED, edges, until))
            down_s[asset.asset_id] = np.diff(calendar.cumulative(DOWN, edges, until))
    return planned_s, down_s


def _bridges(
    conn: store.Connection, plan: registry.MonitoringPlan, first: date, until: datetime
) -> Bridges:
    """Return the gaps of registers over a first of month; they are few."""
    zone = plan.factory.timezone
    start = local_midnight(first, zone)
    found = facts.flagged_hours(conn, plan.factory.factory_id, FLAG_BRIDGED, start, until)
    hours = {
        asset_id: {name: column[found["asset_id"] == asset_id] for name, column in found.items()}
        for asset_id in np.unique(found["asset_id"]).tolist()
    }
    gaps = {}
    for at_us in _month_edges_us(first, until, zone):
        for asset_id, each in hours.items():
            if np.isin([at_us - HOUR_US, at_us], each["hour_us"]).all():
                gap = _gap(conn, [tag for tag in plan.tags if tag.asset_id == asset_id], at_us)
                if gap is not None:
                    gaps[asset_id, at_us] = gap
    return Bridges(gaps, hours)


def _month_edges_us(first: date, until: datetime, zone: str) -> Iterator[int]:
    last = until.astimezone(ZoneInfo(zone)).date()
    for begin, _ in months(first.replace(day=1), add_months(last.replace(day=1), 1)):
        yield to_us(local_midnight(begin, zone))


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
