"""Figures and verdicts above the facts and records that changed."""

from collections.abc import Sequence
from concurrent.futures import Executor
from contextlib import closing
from datetime import date, datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

import store
from kpi.calendar import add_months, months, production_time
from kpi.figures import Evidence, Period, estimates, figure
from kpi.figures.records import counting_days, local_day
from kpi.jobs.basis import Progress, last_full_hour, run_job
from kpi.jobs.evidence import gathered
from kpi.jobs.settings import Schedule
from kpi.policy import Policy, policy_on
from kpi.verdicts import judge, unkept_years
from store import due, figures, judged, records, registry, retention

# Formed of every period, with a number or with a reason: it tells which periods have been formed.
_ALWAYS_FORMED = "oee"
_HOUR = timedelta(hours=1)


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
        wanted |= set(due.factories(conn, "figures", until))
        found = registry.some_factories(conn, wanted)
    work = {factory.code: partial(_refresh, url, factory, now) for factory in found}
    run_job(url, "figures", work, pool, progress, patience)
    return len(found)


def _refresh(url: str, factory: registry.Factory, now: datetime) -> int:
    with closing(store.connect(url)) as conn:
        return refresh_factory(conn, factory, now)


def refresh_factory(
    conn: store.Connection, factory: registry.Factory, now: datetime, *, waits: bool = False
) -> int:
    """Form the figures that a factory's dirty months touch; return how many periods they were.

    One worker at a time has a factory: another returns 0 and leaves the marks, or waits for it
    as long as for any lock and raises StoreUnavailable then.
    """
    with store.transaction(conn):
        if waits:
            records.lock_factory(conn, factory.factory_id)
        elif not records.try_lock_factory(conn, factory.factory_id):
            return 0
        until = last_full_hour(now)
        formed = _form_touched(conn, factory, until)
        # Before the next hour has ended, nothing is due that nobody marked.
        due.put_off(conn, "figures", factory.factory_id, until + _HOUR)
        return formed


def _form_touched(conn: store.Connection, factory: registry.Factory, until: datetime) -> int:
    known_from = figures.first_month(conn, _ALWAYS_FORMED, factory.factory_id)
    new_records, dirty = records.take_dirty(conn, factory.factory_id)
    touched = _months_of(factory, new_records) | set(dirty)
    # A month is open until its last shift has ended.
    shown = production_time(registry.monitoring_plan(conn, factory), until)
    changed = _periods(factory, _in_a_row(factory, touched, known_from, shown), shown)
    periods = sorted({*changed, *_due(conn, factory, shown)}, key=_order)
    if final := retention.horizon(conn, factory.factory_id):
        periods = [each for each in periods if each.start >= final.final_until]
    today = _today(factory, shown)
    policy = policy_on(today)
    years = _years(conn, factory, periods, policy)
    if not periods and years == set():
        return 0
    # A factory's first figures stand on all that there is.
    window = None if known_from is None else _window(conn, factory, periods, years, today)
    evidence = gathered(conn, factory, until, window)
    _publish(conn, factory, evidence, periods)
    if years != set():
        judge(conn, evidence, policy, years)
    return len(periods)


def _today(factory: registry.Factory, until: datetime) -> date:
    return until.astimezone(ZoneInfo(factory.timezone)).date()


def _years(
    conn: store.Connection, factory: registry.Factory, periods: Sequence[Period], policy: Policy
) -> set[date] | None:
    """Return the first days of the years to be judged, None for all.

    All are where the baseline, a promise, a report, what years rest on, or the policy changed.
    """
    marked = judged.take_marks(conn, factory.factory_id)
    if marked or judged.has_other_policy(conn, factory.factory_id, policy.version):
        return None
    formed = {each.start for each in periods if each.kind == "rolling12"}
    return None if factory.baseline_from in formed else formed


def _in_a_row(
    factory: registry.Factory, touched: set[date], known_from: date | None, until: datetime
) -> set[date]:
    """Return the months that have to be formed so that no month from the first on lacks figures.

    Those that come after a factory's first ones are due when they end; see _due.
    """
    this_month = _today(factory, until).replace(day=1)
    inside = {month for month in touched if factory.baseline_from <= month <= this_month}
    if not inside:
        return set()
    end = add_months(this_month, 1) if known_from is None else known_from
    return inside | {month for month, _ in months(min(inside), max(end, min(inside)))}


def _window(
    conn: store.Connection,
    factory: registry.Factory,
    periods: Sequence[Period],
    years: set[date] | None,
    today: date,
) -> tuple[date, date]:
    """Return the days of which facts are needed: of the periods, and of years to compare."""
    new = [] if years == set() else unkept_years(conn, factory, today, years)
    spans = [(each.start, each.end) for each in periods]
    spans += [(year, add_months(year, 12)) for year in new]
    this_month = today.replace(day=1)
    first = min((start for start, _ in spans), default=this_month)
    return first, max((end for _, end in spans), default=add_months(this_month, 1))


def _due(conn: store.Connection, factory: registry.Factory, until: datetime) -> list[Period]:
    """Return the periods that are to be formed because time went by."""
    found = figures.due_months(conn, _ALWAYS_FORMED, until, factory.factory_id)
    return _periods(factory, set(found), until)


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
        for day in counting_days(record.kind, local_day(record.at, zone), record.body)
    }


def _periods(factory: registry.Factory, dirty: set[date], until: datetime) -> list[Period]:
    """Return the months that are dirty and the closed rolling years that hold one of them."""
    this_month = _today(factory, until).replace(day=1)
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
    return sorted(found, key=_order)


def _order(period: Period) -> tuple[str, date]:
    return period.kind, period.start
