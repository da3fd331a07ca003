"""Evidence for the construction points from what a factory sent."""

from collections.abc import Iterator, Mapping
from concurrent.futures import Executor
from contextlib import closing
from datetime import date, datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

import store
from kpi import gaps
from kpi.annex1 import Finding, Footprint, Stop, assess, rule_version, rules
from kpi.annex1.basis import Coal
from kpi.annex1.stops import stops_of
from kpi.calendar import asset_calendar, local_midnight, to_us
from kpi.facts.basis import hold_us
from kpi.jobs.basis import Progress, run_job
from kpi.jobs.evidence import gathered
from kpi.jobs.settings import Schedule
from kpi.reasons import stored
from store import due, evidence, figures, measurements, records, registry
from store.record_kinds import KINDS

_TAG_DAYS = 30
# Documents name others that lie this far on either side.
_REFERENCES = timedelta(days=366)


def run_evidence(
    url: str,
    now: datetime,
    pool: Executor | None = None,
    progress: Progress | None = None,
    patience: Schedule | None = None,
) -> int:
    """Judge the claims of each factory once a local day; return how many factories were due."""
    with closing(store.connect(url)) as conn:
        found = registry.some_factories(conn, due.factories(conn, "evidence", now))
    work = {factory.code: partial(_collect, url, factory, now) for factory in found}
    run_job(url, "evidence", work, pool, progress, patience)
    return len(found)


def _collect(url: str, factory: registry.Factory, now: datetime) -> int:
    with closing(store.connect(url)) as conn:
        found = collect_evidence(conn, factory, now)
        due.put_off(conn, "evidence", factory.factory_id, _next_midnight(factory, now))
        return len(found)


def _next_midnight(factory: registry.Factory, now: datetime) -> datetime:
    tomorrow = now.astimezone(ZoneInfo(factory.timezone)).date() + timedelta(days=1)
    return local_midnight(tomorrow, factory.timezone)


def collect_evidence(
    conn: store.Connection, factory: registry.Factory, now: datetime
) -> list[evidence.NewEvidence]:
    """Judge every claim up to the last local midnight, store the answers and return them."""
    end = now.astimezone(ZoneInfo(factory.timezone)).date()
    found = [_row(each, factory, end) for each in assess(_footprint(conn, factory, end))]
    evidence.save(conn, factory.factory_id, found)
    return found


def _row(found: Finding, factory: registry.Factory, end: date) -> evidence.NewEvidence:
    rule, answer = found.rule, found.answer
    return evidence.NewEvidence(
        claim=found.claim.claim,
        method=rule.method,
        window_start=local_midnight(rule.start(end), factory.timezone),
        window_end=local_midnight(rule.end(end), factory.timezone),
        rule_version=rule_version(),
        verdict=answer.verdict,
        reason=stored(answer.reason),
        numbers=stored(answer.numbers),
        links=answer.links,
        expires_on=rule.expires(end),
    )


def _footprint(conn: store.Connection, factory: registry.Factory, end: date) -> Footprint:
    until = local_midnight(end, factory.timezone)
    first = min(rule.start(end) for rule in rules().values())
    reach = local_midnight(first, factory.timezone) - _REFERENCES, until + _REFERENCES
    formed_from = gathered(conn, factory, until)
    start = local_midnight(end - timedelta(days=_TAG_DAYS), factory.timezone)
    return Footprint(
        evidence=formed_from,
        end=end,
        records={kind: _readable(conn, factory, kind, reach) for kind in KINDS},
        tag_shares=_tag_shares(conn, formed_from.plan, start, until),
        stops=_stops(conn, formed_from.plan, start, until),
        coal=_coal(conn, factory, first, end),
    )


def _readable(
    conn: store.Connection, factory: registry.Factory, kind: str, reach: tuple[datetime, datetime]
) -> list[records.StoredRecord]:
    """Return the newest records of a kind that are objects with named values."""
    found = records.latest(conn, factory.factory_id, kind, *reach)
    return [record for record in found if isinstance(record.body, Mapping)]


def _tag_shares(
    conn: store.Connection, plan: registry.MonitoringPlan, start: datetime, until: datetime
) -> dict[str, float]:
    """Return the share of the window with a good value, by name of a process tag."""
    names = [tag.name for tag in plan.tags if tag.role == "process"]
    if not names:
        return {}
    seconds = (until - start).total_seconds()
    found = gaps.report(conn, plan.factory, start, until, names)
    return {each.tag: each.good_s / seconds for each in found}


def _stops(
    conn: store.Connection, plan: registry.MonitoringPlan, start: datetime, until: datetime
) -> list[Stop] | None:
    """Return the unplanned stops of all machines, None where none has a tag for its state."""
    tags = {tag.asset_id: tag for tag in plan.tags if tag.role == "state"}
    if not tags:
        return None
    return [
        stop
        for asset in plan.assets
        if asset.asset_id in tags
        for stop in _stops_of(conn, plan, asset, tags[asset.asset_id], start, until)
    ]


def _stops_of(
    conn: store.Connection,
    plan: registry.MonitoringPlan,
    asset: registry.Asset,
    tag: registry.Tag,
    start: datetime,
    until: datetime,
) -> Iterator[Stop]:
    held = timedelta(microseconds=hold_us(tag))
    return stops_of(
        asset.code,
        tag,
        plan.state_maps[tag.state_map] if tag.state_map else {},
        measurements.read(conn, [tag.tag_id], start - held, until),
        asset_calendar(plan, asset.asset_id, start, until),
        (to_us(start), to_us(until)),
    )


def _coal(
    conn: store.Connection, factory: registry.Factory, first: date, end: date
) -> dict[date, Coal]:
    found = figures.latest(
        conn,
        factory.factory_id,
        kpi="standard_coal",
        period_kind="month",
        since=first,
        until=end.replace(day=1),
    )
    return {
        each.period_start: Coal(each.figure_id, each.point, each.coefficient_version)
        for each in found
    }
