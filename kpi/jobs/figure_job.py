"""Figures and verdicts above the facts and records that changed."""

from collections.abc import Sequence
from concurrent.futures import Executor
from contextlib import closing
from datetime import date, datetime
from functools import partial
from zoneinfo import ZoneInfo

import store
from kpi.calendar import add_months, months
from kpi.figures import Evidence, Period, estimates, figure
from kpi.figures.records import counting_days
from kpi.jobs.basis import Progress, last_full_hour, run_job
from kpi.jobs.evidence import gathered
from kpi.jobs.settings import Schedule
from kpi.policy import policy_on
from kpi.verdicts import judge
from store import figures, records, registry

# Formed of every period, with a number or with a reason: it tells which periods have been formed.
_ALWAYS_FORMED = "oee"


def run_figures(
    url: str,
    now: datetime,
    pool: Executor | None = None,
    progress: Progress | None = None,
    patience: Schedule | None = None,
) -> int:
    """Form the figures and verdicts of all factories with something new; return how many had.

    New is also that time went by: a month ended, or an hour of the running one.
    """
    until = last_full_hour(now)
    with closing(store.connect(url)) as conn:
        wanted = set(records.dirty_factories(conn))
        wanted |= {factory_id for factory_id, _ in figures.due_months(conn, _ALWAYS_FORMED, until)}
        found = [f for f in registry.factories(conn) if f.factory_id in wanted]
    work = {factory.code: partial(_refresh, url, factory, now) for factory in found}
    run_job(url, "figures", work, pool, progress, patience)
    return len(found)


def _refresh(url: str, factory: registry.Factory, now: datetime) -> int:
    with closing(store.connect(url)) as conn:
        return refresh_factory(conn, factory, now)


def refresh_factory(conn: store.Connection, factory: registry.Factory, now: datetime) -> int:
    """Form the figures that a factory's dirty months touch; return how many periods they were.

    One worker at a time has a factory; to another it returns 0 and leaves the marks.
    """
    with store.transaction(conn):
        if not records.try_lock_factory(conn, factory.factory_id):
            return 0
        until = last_full_hour(now)
        new_records, dirty = records.take_dirty(conn, factory.factory_id)
        changed = _periods(factory, _months_of(factory, new_records) | set(dirty), until)
        if not changed and not _due(conn, factory, until):
            return 0
        evidence = gathered(conn, factory, until)
        _publish(conn, factory, evidence, changed)
        due = _due(conn, factory, until)
        _publish(conn, factory, evidence, due)
        judge(conn, evidence, policy_on(evidence.today))
        return len(set(changed) | set(due))


def _due(conn: store.Connection, factory: registry.Factory, until: datetime) -> list[Period]:
    """Return the periods that are to be formed because time went by."""
    found = figures.due_months(conn, _ALWAYS_FORMED, until, factory.factory_id)
    return _periods(factory, {month for _, month in found}, until)


def _publish(
    conn: store.Connection,
    factory: registry.Factory,
    evidence: Evidence,
    periods: Sequence[Period],
) -> None:
    figures.publish_all(
        conn,
        factory.factory_id,
        [
            (figure(factory.factory_id, period, estimate, evidence.until), period.is_open)
            for period in periods
            for estimate in estimates(evidence, period)
        ],
    )


def _months_of(factory: registry.Factory, new: list[records.DirtyRecord]) -> set[date]:
    zone = ZoneInfo(factory.timezone)
    return {
        day.replace(day=1)
        for record in new
        for day in counting_days(record.kind, record.at.astimezone(zone).date(), record.body)
    }


def _periods(factory: registry.Factory, dirty: set[date], until: datetime) -> list[Period]:
    """Return the months that are dirty and the closed rolling years that hold one of them."""
    this_month = until.astimezone(ZoneInfo(factory.timezone)).date().replace(day=1)
    first = factory.baseline_from
    if any(first <= month < factory.baseline_to for month in dirty):
        # What was saved is measured against the baseline, so that every later month rests on it.
        later_months = months(factory.baseline_to.replace(day=1), add_months(this_month, 1))
        dirty = dirty | {start for start, _ in later_months}
    found = {
        Period("month", month, add_months(month, 1), is_open=month == this_month)
        for month in dirty
        if first <= month <= this_month
    }
    for month in dirty:
        for later in range(12):
            start = add_months(month, later - 11)
            end = add_months(start, 12)
            if start >= first and end <= this_month:
                found.add(Period("rolling12", start, end))
    return sorted(found, key=lambda period: (period.kind, period.start))
