"""Figures and verdicts above the facts and records that changed."""

from collections.abc import Sequence
from concurrent.futures import Executor
from contextlib import closing
from datetime import date, datetime
from functools import partial
from zoneinfo import ZoneInfo

import store
from kpi.calendar import add_months
from kpi.figures import Evidence, Period, estimates, figure
from kpi.figures.records import counting_days
from kpi.jobs.basis import Progress, last_full_hour, run_job
from kpi.jobs.evidence import gathered
from kpi.jobs.settings import Schedule
from kpi.verdicts import Verified, consistency, fulfilment
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
        _judge(conn, factory)
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


def _judge(conn: store.Connection, factory: registry.Factory) -> None:
    """Decide both verdicts for each promised KPI and each rolling year since the renovation."""
    promises = figures.promises(conn, factory.factory_id)
    reports = {
        (report.kpi, report.period_start, report.period_end): report.value
        for report in figures.self_reports(conn, factory.factory_id)
    }
    known = figures.latest(conn, factory.factory_id, period_kind="rolling12")
    before = factory.baseline_from, factory.baseline_to
    baseline = {each.kpi: each for each in known if (each.period_start, each.period_end) == before}
    for found in known:
        if found.kpi in promises and found.period_start >= factory.renovated_on:
            promise = promises[found.kpi]
            reported = reports.get((found.kpi, found.period_start, found.period_end))
            figures.decide(conn, _verdict(found, baseline.get(found.kpi), promise, reported))


def _verdict(
    found: figures.Figure,
    baseline: figures.Figure | None,
    promise: figures.Promise,
    reported: float | None,
) -> figures.NewVerdict:
    # What the same devices measured before the renovation goes before what was declared.
    measured = baseline is not None and baseline.point is not None
    before = baseline.point if baseline is not None and measured else promise.before_value
    verified = Verified(found.point, found.low, found.high)
    kept = fulfilment(before, promise.expected_value, verified)
    true = consistency(reported, verified)
    return figures.NewVerdict(
        factory_id=found.factory_id,
        kpi=found.kpi,
        period_start=found.period_start,
        period_end=found.period_end,
        figure_id=found.figure_id,
        before_value=before,
        before_basis="measured" if measured else promise.before_basis,
        expected_value=promise.expected_value,
        reported_value=reported,
        fulfilment=kept.share,
        fulfilment_low=kept.low,
        fulfilment_high=kept.high,
        fulfilment_verdict=kept.verdict,
        deviation=true.deviation,
        consistency_verdict=true.verdict,
    )
