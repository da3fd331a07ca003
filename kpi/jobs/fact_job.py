"""Facts from dirty hours: claim, read, compute, write."""

from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import closing
from datetime import datetime, timedelta
from functools import partial

import store
from kpi.calendar import asset_calendar, local_midnight, to_us
from kpi.facts import AssetPlan, Window, asset_facts
from kpi.jobs.basis import Progress, last_full_hour, run_job
from kpi.jobs.reading import Reader
from kpi.jobs.settings import Schedule
from store import facts, registry

_HOUR = timedelta(hours=1)
# Dirty hours closer than this are read in one go: the rows between cost less than more questions.
_SPAN_GAP = timedelta(hours=36)


def run_facts(
    url: str,
    now: datetime,
    pool: Executor | None = None,
    progress: Progress | None = None,
    patience: Schedule | None = None,
) -> int:
    """Recompute the facts of all dirty hours that have ended; return how many assets had some.

    A pool of processes shares the work asset by asset, as several machines may by claiming.
    With patience, an asset that failed lately is left alone until its next try is due.
    """
    before = last_full_hour(now)
    with closing(store.connect(url)) as conn:
        assets = facts.dirty_assets(conn, before)
    work = {f"asset {each}": partial(recompute_asset, url, each, before) for each in assets}
    run_job(url, "facts", work, pool, progress, patience)
    return len(assets)


def recompute_asset(url: str, asset_id: int, before: datetime) -> int:
    """Recompute the dirty hours of one asset; return how many hours were written."""
    with closing(store.connect(url)) as conn, facts.claimed(conn, asset_id, before) as dirty:
        if dirty is None:
            return 0
        plan = registry.monitoring_plan(conn, registry.factory_by_code(conn, dirty.factory_code))
        asset = asset_plan(plan, asset_id)
        if not asset.tags:
            return 0
        return sum(
            _recompute_span(conn, plan, asset, start, end, before)
            for start, end in _spans(dirty.hours)
        )


def asset_plan(plan: registry.MonitoringPlan, asset_id: int) -> AssetPlan:
    """Return how the monitoring plan says that an asset is read."""
    tags = tuple(tag for tag in plan.tags if tag.asset_id == asset_id)
    state_map = next((tag.state_map for tag in tags if tag.role == "state"), None)
    return AssetPlan(
        asset_id=asset_id,
        tags=tags,
        states=plan.state_maps[state_map] if state_map else {},
        cycles=plan.ideal_cycle_s.get(asset_id, {}),
    )


def _spans(hours: list[datetime]) -> Iterator[tuple[datetime, datetime]]:
    """Join hours that lie close together into half-open spans."""
    start = previous = hours[0]
    for hour in hours[1:]:
        if hour - previous > _SPAN_GAP:
            yield start, previous + _HOUR
            start = hour
        previous = hour
    yield start, previous + _HOUR


def _recompute_span(
    conn: store.Connection,
    plan: registry.MonitoringPlan,
    asset: AssetPlan,
    start: datetime,
    end: datetime,
    before: datetime,
) -> int:
    factory = plan.factory
    first = local_midnight(factory.baseline_from, factory.timezone)
    reader = Reader(conn, asset, last_full_hour(first), before + _HOUR)
    rows, start, end = reader.bearing(start, end)
    if end > before:
        # The hour that still runs takes part of what was said before it, even if nothing follows.
        facts.mark_dirty_hour(conn, asset.asset_id, before)
        end = before
    if start >= end:
        return 0
    window = Window(to_us(start), to_us(end))
    calendar = asset_calendar(plan, asset.asset_id, start, end)
    facts.replace(conn, asset.asset_id, start, end, asset_facts(asset, rows, calendar, window))
    facts.mark_dirty_months(conn, factory.factory_id, factory.timezone, start, end)
    return window.hours
