"""Reading the states that show how reliable the machines of a factory were."""

from dataclasses import dataclass
from datetime import date, datetime

import store
from kpi.calendar import asset_calendar, production_start, to_us
from kpi.errors import NotComputable
from kpi.facts import Window
from kpi.facts.reach import NEIGHBOURS
from kpi.formulas.reliability import Reliability
from kpi.jobs.fact_job import asset_plan
from kpi.jobs.reading import joined
from kpi.reliability import Watched, together, watched
from store import measurements, registry


@dataclass(frozen=True, slots=True)
class OfMachine:
    """A machine, or all of them without a code, with the share of planned time known."""

    machine: str | None
    known: float | None
    found: Reliability


def reliabilities(
    conn: store.Connection, factory: registry.Factory, start: date, end: date, until: datetime
) -> list[OfMachine]:
    """Return MTBF and MTTR of production days [start, end), by machine that forms OEE, then of all.

    Raw states are read machine by machine, so that memory holds those of one. Raises NotComputable
    where no machine forms OEE or no hour of the period has ended.
    """
    plan = registry.monitoring_plan(conn, factory)
    begins, ends = production_start(plan, start), min(production_start(plan, end), until)
    machines = [asset for asset in plan.assets if asset.in_oee]
    if not machines:
        raise NotComputable("no equipment is registered to form OEE; name it in the plan")
    if begins >= ends:
        raise NotComputable("no hour of the period has ended yet")
    seen = [_watched(conn, plan, asset, begins, ends) for asset in machines]
    each = [
        OfMachine(asset.code, None if found is None else found.known, together([found]))
        for asset, found in zip(machines, seen, strict=True)
    ]
    return [*each, OfMachine(None, None, together(seen))]


def _watched(
    conn: store.Connection,
    plan: registry.MonitoringPlan,
    asset: registry.Asset,
    begins: datetime,
    ends: datetime,
) -> Watched | None:
    of_asset = asset_plan(plan, asset.asset_id)
    tag = of_asset.tag("state")
    if tag is None:
        return None
    rows = joined(
        measurements.previous(conn, [tag.tag_id], begins, NEIGHBOURS),
        measurements.read(conn, [tag.tag_id], begins, ends),
    )
    calendar = asset_calendar(plan, asset.asset_id, begins, ends)
    return watched(of_asset, rows, calendar, Window(to_us(begins), to_us(ends)))
