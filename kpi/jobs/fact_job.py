"""Facts from dirty hours: claim, read, compute, write."""

from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import store
from kpi.calendar import asset_calendar, production_time, to_us
from kpi.facts import AssetPlan, Window, asset_facts
from kpi.jobs.basis import Progress, last_full_hour, run_job
from kpi.jobs.reading import Reader, first_hour
from kpi.jobs.settings import Schedule
from store import batches, facts, registry

_HOUR = timedelta(hours=1)
# Dirty hours closer than this are read in one go: the rows between cost less than more questions.
_SPAN_GAP = timedelta(hours=36)

# A piece of work grows while its rows are few: a million take some 100 MB.
_FIRST_HOURS, _LEAST_HOURS, _MOST_HOURS = 7 * 24, 6, 366 * 24
_MOST_ROWS = 1_000_000
_MOST_PIECES = 100_000


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
    """Recompute the dirty hours of one asset; return how many hours were written.

    Piece by piece, oldest first, so that memory has a bound and what is done stays done.
    """
    with closing(store.connect(url)) as conn:
        return recompute_asset_on(conn, asset_id, before)


def recompute_asset_on(conn: store.Connection, asset_id: int, before: datetime) -> int:
    """Do the same on a connection of the caller's, outside of any transaction."""
    written, most_hours = 0, _FIRST_HOURS
    for _ in range(_MOST_PIECES):
        with facts.claimed(conn, asset_id, before, most_hours) as dirty:
            if dirty is None:
                break
            done = _recompute_claimed(conn, dirty, before)
        written += done.hours
        most_hours = _next_hours(most_hours, done.rows)
    return written


@dataclass(frozen=True, slots=True)
class _Done:
    """How many hours were written and how many rows they were formed of."""

    hours: int = 0
    rows: int = 0


def _next_hours(hours: int, rows: int) -> int:
    """Return how many hours the next piece may have, after one of so many rows."""
    if rows > _MOST_ROWS:
        return max(hours // 2, _LEAST_HOURS)
    return min(hours * 2, _MOST_HOURS) if rows < _MOST_ROWS // 4 else hours


def _recompute_claimed(conn: store.Connection, dirty: facts.DirtyHours, before: datetime) -> _Done:
    plan = registry.monitoring_plan(conn, registry.factory_by_code(conn, dirty.factory_code))
    asset = asset_plan(plan, dirty.asset_id, lost(conn, dirty.asset_id))
    if not asset.tags:
        return _Done()
    done = [
        _recompute_span(conn, plan, asset, start, end, before) for start, end in spans(dirty.hours)
    ]
    return _Done(sum(each.hours for each in done), sum(each.rows for each in done))


def lost(conn: store.Connection, asset_id: int) -> tuple[tuple[int, int], ...]:
    """Return the spans [µs since 1970] of which batches of an asset's gateway are missing."""
    return tuple((to_us(start), to_us(end)) for start, end in batches.missing(conn, asset_id))


def asset_plan(
    plan: registry.MonitoringPlan, asset_id: int, lost_us: tuple[tuple[int, int], ...] = ()
) -> AssetPlan:
    """Return how the monitoring plan says that an asset is read."""
    tags = tuple(tag for tag in plan.tags if tag.asset_id == asset_id)
    state_map = next((tag.state_map for tag in tags if tag.role == "state"), None)
    return AssetPlan(
        asset_id=asset_id,
        tags=tags,
        states=plan.state_maps[state_map] if state_map else {},
        cycles=plan.ideal_cycle_s.get(asset_id, {}),
        lost_us=lost_us,
    )


def spans(hours: list[datetime]) -> Iterator[tuple[datetime, datetime]]:
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
) -> _Done:
    factory = plan.factory
    reader = Reader(conn, asset, first_hour(conn, factory), before + _HOUR)
    rows, start, end = reader.bearing(start, end)
    if end > before:
        # The hour that still runs takes part of what was said before it, even if nothing follows.
        facts.mark_dirty_hour(conn, asset.asset_id, before)
        end = before
    if start >= end:
        return _Done()
    window = Window(to_us(start), to_us(end))
    calendar = asset_calendar(plan, asset.asset_id, start, end)
    found = asset_facts(asset, rows, calendar, window)
    facts.replace(conn, asset.asset_id, start, end, found)
    # The first hours of a month may belong to the night shift of the month before.
    since = production_time(plan, start)
    facts.mark_dirty_months(conn, factory.factory_id, factory.timezone, since, end)
    return _Done(window.hours, len(rows))
