"""Whether hour facts still follow from their rows, asset by asset and month by month."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

import store
from kpi.calendar import asset_calendar, from_us, to_us
from kpi.facts import Window, asset_facts
from kpi.facts.basis import HOUR_US, Columns
from kpi.jobs.basis import last_full_hour
from kpi.jobs.fact_job import asset_plan, lost, spans
from kpi.jobs.reading import Reader, first_hour
from kpi.provenance.basis import Problem
from store import provenance
from store.facts import FACT_COLUMNS
from store.registry import Asset, MonitoringPlan

# Facts lie on a grid of about a millionth; a sum may fall on the next line of it.
_STEP = 2.0**-20 * 1.5
_EXACT = ("row_count", "changes", "flags", "digest")
_MOST_SAID = 5
# Of one asset and month that are named one by one.
_MOST_HOURS = 12


@dataclass(frozen=True, slots=True)
class Hours:
    """Hours of one asset whose rows are not those that the facts were formed from."""

    asset: Asset
    hour_us: npt.NDArray[np.int64]
    # How far the fingerprint of the rows is from the stored one, modulo 2^64.
    lacking: npt.NDArray[np.uint64]


@dataclass(slots=True)
class Checked:
    """What the check of some facts found."""

    hours: int = 0
    waiting: int = 0
    problems: list[Problem] = field(default_factory=list)
    altered: list[Hours] = field(default_factory=list)
    # By asset, the hours that wait for the fact job.
    waiting_us: dict[int, npt.NDArray[np.int64]] = field(default_factory=dict)


def check(
    conn: store.Connection,
    plan: MonitoringPlan,
    asset: Asset,
    start: datetime,
    end: datetime,
    now: datetime,
    found: Checked,
) -> None:
    """Compute the facts of an asset in [start, end) again and compare each hour."""
    first = first_hour(conn, plan.factory)
    start, end = max(start, first), min(end, last_full_hour(now))
    reading = asset_plan(plan, asset.asset_id, lost(conn, asset.asset_id))
    if start >= end or not reading.tags:
        return
    stored = provenance.stored_facts(conn, asset.asset_id, start, end)
    reader = Reader(conn, reading, first, last_full_hour(now) + timedelta(hours=1))
    if asset.asset_id not in found.waiting_us:
        found.waiting_us[asset.asset_id] = _waiting(reader, last_full_hour(now))
    waiting = found.waiting_us[asset.asset_id]
    rows, begin, until = reader.bearing(start, end)
    begin, until = min(begin, start), max(until, end)
    begin = max(begin, first)
    span = Window(to_us(begin), to_us(until))
    calendar = asset_calendar(plan, asset.asset_id, begin, until)
    again = asset_facts(reading, rows, calendar, span)
    _compare(plan, asset, stored, _inside(again, to_us(start), to_us(end)), waiting, found)


def _waiting(reader: Reader, before: datetime) -> npt.NDArray[np.int64]:
    """Return the hours that the fact job will write: those marked, and what their rows reach."""
    marked = provenance.waiting_hours(reader.conn, reader.asset.asset_id, before)
    found = [np.empty(0, np.int64)]
    for start, end in spans(marked) if marked else ():
        _, begin, until = reader.bearing(start, end)
        found.append(np.arange(to_us(begin), to_us(until), HOUR_US))
    return np.concatenate(found)


def _inside(facts: Columns, start_us: int, end_us: int) -> Columns:
    kept = (facts["hour_us"] >= start_us) & (facts["hour_us"] < end_us)
    return {name: column[kept] for name, column in facts.items()}


def _compare(
    plan: MonitoringPlan,
    asset: Asset,
    stored: Columns,
    again: Columns,
    waiting: npt.NDArray[np.int64],
    found: Checked,
) -> None:
    due = ~np.isin(again["hour_us"], waiting)
    has = np.isin(again["hour_us"], stored["hour_us"])
    found.waiting += int((~due & has).sum())
    found.hours += int((due & has).sum())
    gone = again["hour_us"][due & ~has & _says_something(again)].tolist()
    for hour_us in gone[:_MOST_HOURS]:
        where = _named(plan, asset, hour_us)
        found.problems.append(Problem("fact", where, f"the fact of {where} is missing"))
    at = np.searchsorted(again["hour_us"], stored["hour_us"])
    kept = (at < len(again["hour_us"])) & ~np.isin(stored["hour_us"], waiting)
    mine = {name: stored[name][kept] for name in (*FACT_COLUMNS, "hour_us")}
    new = {name: again[name][at[kept]] for name in (*FACT_COLUMNS, "hour_us")}
    wrong = {name: differs(name, mine[name], new[name]) for name in FACT_COLUMNS}
    hit = np.flatnonzero(np.logical_or.reduce(list(wrong.values())))
    for place in hit[:_MOST_HOURS].tolist():
        names = [name for name in FACT_COLUMNS if wrong[name][place]]
        found.problems.append(_differing(plan, asset, mine, new, names, place))
    more = max(len(gone) - _MOST_HOURS, 0) + max(len(hit) - _MOST_HOURS, 0)
    if more:
        said = f"{asset.code}: {more} more hours of the same month differ or are missing"
        found.problems.append(Problem("more", asset.code, said))
    rows = hit[wrong["digest"][hit]]
    if len(rows):
        lacking = mine["digest"].view(np.uint64)[rows] - new["digest"].view(np.uint64)[rows]
        found.altered.append(Hours(asset, mine["hour_us"][rows], lacking))


def _says_something(facts: Columns) -> npt.NDArray[np.bool_]:
    """Tell which hours have more to say than the calendar alone."""
    counted = np.nan_to_num(facts["total"]) + np.nan_to_num(facts["energy"])
    return np.asarray((facts["row_count"] > 0) | (facts["known_s"] > 0) | (counted > 0), np.bool_)


def differs(
    name: str, stored: npt.NDArray[np.generic], again: npt.NDArray[np.generic]
) -> npt.NDArray[np.bool_]:
    """Tell where a column differs by more than the grid that facts lie on."""
    if name in _EXACT:
        return np.asarray(stored.astype(np.int64) != again.astype(np.int64), np.bool_)
    mine, new = stored.astype(np.float64), again.astype(np.float64)
    close = (np.abs(mine - new) <= _STEP) | (np.isnan(mine) & np.isnan(new))
    return np.asarray(~close, np.bool_)


def _differing(
    plan: MonitoringPlan,
    asset: Asset,
    stored: Columns,
    again: Columns,
    names: Sequence[str],
    place: int,
) -> Problem:
    where = _named(plan, asset, int(stored["hour_us"][place]))
    if "digest" in names:
        rows = int(stored["row_count"][place]), int(again["row_count"][place])
        what = "it was formed from other rows than are stored"
        if rows[0] != rows[1]:
            what += f" ({rows[0]} then, {rows[1]} now)"
        return Problem("rows", where, f"{where}: {what}")
    said = ", ".join(
        f"{name} is {stored[name][place]:.12g}, its rows give {again[name][place]:.12g}"
        for name in names[:_MOST_SAID]
    )
    return Problem("fact", where, f"the fact of {where} does not follow: {said}")


def _named(plan: MonitoringPlan, asset: Asset, hour_us: int) -> str:
    return f"{asset.code}, hour {local(plan, hour_us)}"


def local(plan: MonitoringPlan, at_us: int) -> str:
    """Return a time as the factory's clock shows it."""
    at = from_us(at_us).astimezone(ZoneInfo(plan.factory.timezone))
    whole = at_us % HOUR_US == 0
    return f"{at:%Y-%m-%d %H:%M}" if whole else f"{at:%Y-%m-%d %H:%M:%S.%f}".rstrip("0").rstrip(".")
