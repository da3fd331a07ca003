"""Hours in which a night shift ends and with it a month: what of them counts for which month.

Facts have whole hours. Where a month's last shift ends within one, what lies before its end is
worked out from the rows once more and goes to the month before.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt

import store
from kpi.calendar import asset_calendar, from_us, local_midnight, to_us
from kpi.facts import Window, asset_facts
from kpi.facts.basis import HOUR_US
from kpi.figures.basis import DayFacts
from kpi.jobs.basis import last_full_hour
from kpi.jobs.fact_job import asset_plan, lost
from kpi.jobs.reading import Reader
from store import provenance, registry

_HOUR = timedelta(hours=1)
# Of these a part of an hour has no share.
_NO_SUMS = ("hours", "energy_hours")


def split(
    conn: store.Connection,
    plan: registry.MonitoringPlan,
    days: DayFacts,
    edges: Sequence[datetime],
    until: datetime,
) -> None:
    """Move what lies before an edge within an hour to the production day that it ends.

    `edges` are those between the days; only firsts of months lie within an hour.
    """
    producing = {asset.asset_id for asset in plan.assets if asset.in_oee}
    for place, edge in enumerate(edges):
        hour_us = to_us(edge) // HOUR_US * HOUR_US
        if hour_us == to_us(edge) or from_us(hour_us) + _HOUR > until:
            continue
        for asset_id in sorted(producing & days.of_asset.keys()):
            sums = days.of_asset[asset_id]
            before = _before(conn, plan, asset_id, edge, until)
            if before is None:
                continue
            part = np.array([before.get(name, 0.0) for name in days.columns])
            if 0 <= place - 1 < len(sums):
                sums[place - 1] += part
            if place < len(sums):
                sums[place] -= part


def _before(
    conn: store.Connection,
    plan: registry.MonitoringPlan,
    asset_id: int,
    edge: datetime,
    until: datetime,
) -> dict[str, float] | None:
    """Return the facts of the hour of an edge up to the edge, None where the hour has none."""
    asset = asset_plan(plan, asset_id, lost(conn, asset_id))
    hour = from_us(to_us(edge) // HOUR_US * HOUR_US)
    if not len(provenance.stored_facts(conn, asset_id, hour, hour + _HOUR)["hour_us"]):
        return None
    first = local_midnight(plan.factory.baseline_from, plan.factory.timezone)
    reader = Reader(conn, asset, last_full_hour(first), until + _HOUR)
    rows, _, _ = reader.bearing(hour, hour + _HOUR)
    calendar = asset_calendar(plan, asset_id, hour, edge)
    facts = asset_facts(asset, rows, calendar, Window(to_us(hour), to_us(edge)))
    return {
        name: _number(column)
        for name, column in facts.items()
        if name not in ("hour_us", "flags", "digest", *_NO_SUMS)
    }


def _number(column: npt.NDArray[np.generic]) -> float:
    return float(np.nan_to_num(column.astype(np.float64))[0])
