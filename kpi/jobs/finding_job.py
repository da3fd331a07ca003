"""Findings of the plausibility rules on the months that changed."""

from collections.abc import Mapping
from concurrent.futures import Executor
from contextlib import closing
from datetime import date, datetime
from functools import partial

import numpy as np

import store
from kpi.calendar import add_months, from_us, local_midnight, to_us
from kpi.facts.basis import Samples, samples_of
from kpi.jobs.basis import Progress, last_full_hour, run_job
from kpi.jobs.settings import Schedule
from kpi.plausibility import Before, Case, check
from store import facts, findings, measurements, records, registry, retention
from store.record_kinds import KINDS

_TAGS_AT_ONCE = 50
_MONTHS_A_TURN = 4


def run_findings(
    url: str,
    now: datetime,
    pool: Executor | None = None,
    progress: Progress | None = None,
    patience: Schedule | None = None,
    most: int | None = None,
) -> int:
    """Check the marked months of all factories, the newest first; return how many there were.

    With patience, as on a schedule, a turn checks some only: after a new plan or a recomputation
    there may be many, and facts and figures must not wait for them.
    """
    if most is None and patience is not None:
        most = _MONTHS_A_TURN
    with closing(store.connect(url)) as conn:
        marked = findings.marked(conn, last_full_hour(now))[:most]
        some = registry.some_factories(conn, {factory_id for factory_id, _ in marked})
        found = {factory.factory_id: factory for factory in some}
    work = {
        f"{found[factory_id].code} {month:%Y-%m}": partial(
            _check_month, url, found[factory_id], month, now
        )
        for factory_id, month in marked
    }
    run_job(url, "findings", work, pool, progress, patience)
    return len(work)


def _check_month(url: str, factory: registry.Factory, month: date, now: datetime) -> bool:
    with closing(store.connect(url)) as conn:
        return check_month(conn, factory, month, now)


def check_factory(
    conn: store.Connection, factory: registry.Factory, now: datetime, month: date | None = None
) -> int:
    """Check a month of a factory, or its marked ones; return how many were checked."""
    if month is not None:
        findings.mark(conn, factory.factory_id, [month])
        return int(check_month(conn, factory, month, now))
    marked = findings.marked(conn, last_full_hour(now), factory.factory_id)
    return sum(check_month(conn, factory, month, now) for _, month in marked)


def check_month(
    conn: store.Connection, factory: registry.Factory, month: date, now: datetime
) -> bool:
    """Check a marked month and store what was found; False where another worker has it."""
    with store.transaction(conn):
        if not findings.take_mark(conn, factory.factory_id, month):
            return False
        final = retention.horizon(conn, factory.factory_id)
        if final is not None and month < final.final_until:
            return True  # its rows are gone; what was found stays found
        case = gathered_case(conn, factory, month, now)
        if case is not None:
            period = month, add_months(month, 1)
            until = from_us(case.end_us)
            findings.replace(conn, factory.factory_id, period, until, check(case))
        return True


def gathered_case(
    conn: store.Connection, factory: registry.Factory, month: date, now: datetime
) -> Case | None:
    """Return what the rules look at in a month.

    None where no hour of it has ended, or where it lies before the baseline: no figure stands on
    it.
    """
    if add_months(month, 1) <= factory.baseline_from:
        return None
    zone = factory.timezone
    start = local_midnight(month, zone)
    end = min(local_midnight(add_months(month, 1), zone), last_full_hour(now))
    if start >= end:
        return None
    plan = registry.monitoring_plan(conn, factory)
    books = local_midnight(add_months(month, -3), zone), local_midnight(add_months(month, 4), zone)
    return Case(
        plan=plan,
        start_us=to_us(start),
        end_us=to_us(end),
        samples=_samples(conn, plan, start, end),
        hours=_hours(conn, factory.factory_id, start, end),
        batches=findings.delivered(conn, factory.factory_id, start, end),
        records={
            kind: _records(conn, factory, kind, *(books if kind in _EDGES else (start, end)))
            for kind in KINDS
        },
        edits=findings.edits(conn, factory.factory_id, start, end),
        limits=findings.limits(conn, factory.factory_id),
        bills=findings.bills(conn, factory.factory_id),
        before=_before(conn, plan),
    )


# Records that count for the month though their own time may lie beside it: the balance that opens
# it, an order due later, an invoice of its last days.
_EDGES = ("stock_balance", "order_line", "energy_invoice")


def _records(
    conn: store.Connection, factory: registry.Factory, kind: str, start: datetime, end: datetime
) -> list[records.StoredRecord]:
    """Return the newest versions that can be read; figures name those that cannot."""
    found = records.latest(conn, factory.factory_id, kind, start, end)
    return [record for record in found if isinstance(record.body, dict)]


def _samples(
    conn: store.Connection, plan: registry.MonitoringPlan, start: datetime, end: datetime
) -> dict[int, Samples]:
    found: dict[int, Samples] = {}
    tag_ids = [tag.tag_id for tag in plan.tags if tag.role not in ("link", "product")]
    for at in range(0, len(tag_ids), _TAGS_AT_ONCE):
        some = tag_ids[at : at + _TAGS_AT_ONCE]
        rows = measurements.read(conn, some, start, end)
        found |= {tag_id: samples_of(rows, tag_id) for tag_id in some}
    return found


def _hours(
    conn: store.Connection, factory_id: int, start: datetime, end: datetime
) -> Mapping[int, facts.Columns]:
    table = findings.hour_facts(conn, factory_id, start, end)
    return {
        asset_id: {name: column[table["asset_id"] == asset_id] for name, column in table.items()}
        for asset_id in np.unique(table["asset_id"]).tolist()
    }


def _before(conn: store.Connection, plan: registry.MonitoringPlan) -> Before:
    factory, zone = plan.factory, plan.factory.timezone
    start, end = (local_midnight(day, zone) for day in (factory.baseline_from, factory.baseline_to))
    heard = findings.baseline(conn, factory.factory_id, start, end)
    machines = [each for each in heard if each.in_oee]
    return Before(
        planned_s=sum(each.planned_s for each in machines),
        planned_down_s=sum(each.planned_down_s for each in machines),
        asset_ids=frozenset(each.asset_id for each in heard),
    )
