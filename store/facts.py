"""Dirty hours and hour facts: claiming, writing and adding up by day."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt

from store.db import Connection, transaction
from store.pgcopy import PG_EPOCH_US, decode, encode
from store.queries import query

Columns = dict[str, npt.NDArray[Any]]

_MOST_MARKS = 50_000  # of one asset in one transaction
_MOST_HOURS = 1_000_000  # more than a century
_HOUR = timedelta(hours=1)

FACT_COLUMNS = {
    "planned_s": "f8", "planned_down_s": "f8", "off_s": "f8", "run_s": "f8", "setup_s": "f8",
    "stop_s": "f8", "idle_s": "f8", "unknown_s": "f8", "known_s": "f8", "uncounted_s": "f8",
    "total": "f8", "good": "f8", "reject": "f8",
    "ideal_total_s": "f8", "ideal_total_low_s": "f8", "ideal_total_high_s": "f8",
    "ideal_good_s": "f8", "ideal_good_low_s": "f8", "ideal_good_high_s": "f8",
    "ideal_lost_s": "f8", "ideal_lost_low_s": "f8", "ideal_lost_high_s": "f8",
    "energy": "f8", "energy_low": "f8", "energy_high": "f8",
    "run_doubt_s": "f8", "rest_doubt_s": "f8",
    "row_count": "i4", "changes": "i4", "flags": "i4", "digest": "i8",
}  # fmt: skip

_DAY_SUMS = [
    "hours",
    "planned_s",
    "run_s",
    "setup_s",
    "stop_s",
    "idle_s",
    "unknown_s",
    "planned_down_s",
    "known_s",
    "uncounted_s",
    "run_doubt_s",
    "rest_doubt_s",
    "total",
    "good",
    "reject",
    "ideal_total_s",
    "ideal_total_low_s",
    "ideal_total_high_s",
    "ideal_good_s",
    "ideal_good_low_s",
    "ideal_good_high_s",
    "ideal_lost_s",
    "ideal_lost_low_s",
    "ideal_lost_high_s",
    "energy",
    "energy_low",
    "energy_high",
    "energy_hours",
    "changes",
    "row_count",
]
_FLAGGED_LAYOUT = {
    "asset_id": "i4",
    "hour_us": "i8",
    "ideal_total_s": "f8",
    "ideal_good_s": "f8",
    "ideal_lost_s": "f8",
    "energy": "f8",
}
_DAYS = {"asset_id": "i4", "day": "i4", "production_day": "i4"}
_DAY_LAYOUT = {**_DAYS, **dict.fromkeys(_DAY_SUMS, "f8"), "flags": "i4"}


@dataclass(frozen=True, slots=True)
class DirtyHours:
    """The claimed hours of one asset, ascending; held until the surrounding block ends."""

    factory_code: str
    asset_id: int
    hours: list[datetime]


def dirty_assets(conn: Connection, before: datetime, factory_id: int | None = None) -> list[int]:
    """Return the assets, of one factory or of all, with dirty hours starting before a time."""
    name = "dirty_assets" if factory_id is None else "dirty_assets_of_factory"
    values = {"before": before, "factory_id": factory_id}
    with transaction(conn):
        return [row[0] for row in conn.execute(query(name), values)]


def mark_recorded_hours(conn: Connection, factory_id: int, start: datetime, end: datetime) -> None:
    """Mark all hours of a factory in [start, end) that rows bear on, to be computed again."""
    values = {"factory_id": factory_id, "start": start, "end": end}
    with transaction(conn):
        conn.execute(query("mark_recorded_hours"), values)


@contextmanager
def claimed(
    conn: Connection, asset_id: int, before: datetime, most_hours: int = _MOST_HOURS
) -> Iterator[DirtyHours | None]:
    """Hold one asset's dirty hours; the marks vanish if the block succeeds and stay if it raises.

    Held are those within `most_hours` of the first. Yields None when another worker holds the
    asset or nothing is left.
    """
    key = {
        "asset_id": asset_id,
        "before": before,
        "most": _MOST_MARKS,
        "most_hours": most_hours,
    }
    with transaction(conn):
        locked = conn.execute(query("try_lock_asset"), key).fetchone()
        rows = conn.execute(query("claim_dirty_hours"), key).fetchall() if _true(locked) else []
        if not rows:
            yield None
            return
        factory = conn.execute(query("asset_factory"), key).fetchone()
        assert factory is not None
        marks = [_Mark(*row) for row in rows]
        before = min(before, marks[0].hour + most_hours * _HOUR)
        hours = {hour for mark in marks for hour in mark.ended(before)}
        yield DirtyHours(factory[1], asset_id, sorted(hours))
        _remove(conn, asset_id, marks, before)


@dataclass(frozen=True, slots=True)
class _Mark:
    """Hours in a row that have to be recomputed."""

    dirty_id: int
    hour: datetime
    hours: int

    def ended(self, before: datetime) -> list[datetime]:
        """Return the hours that begin before a time."""
        count = min(self.hours, -((self.hour - before) // _HOUR))
        return [self.hour + index * _HOUR for index in range(count)]


def _remove(conn: Connection, asset_id: int, marks: list[_Mark], before: datetime) -> None:
    """Remove marks, but for the hours that had not ended."""
    conn.execute(query("delete_dirty_hours"), {"dirty_ids": [mark.dirty_id for mark in marks]})
    rests = {
        (mark.hour + done * _HOUR, mark.hours - done)
        for mark in marks
        if (done := len(mark.ended(before))) < mark.hours
    }
    if rests:
        values = [{"asset_id": asset_id, "hour": hour, "hours": n} for hour, n in sorted(rests)]
        conn.cursor().executemany(query("keep_dirty_hours"), values)


def _true(row: tuple[Any, ...] | None) -> bool:
    return row is not None and bool(row[0])


def replace(
    conn: Connection, asset_id: int, start: datetime, end: datetime, facts: Mapping[str, Any]
) -> None:
    """Put the facts of [start, end) in the place of what was there.

    `facts` has `hour_us` (microseconds since 1970) and the columns of FACT_COLUMNS.
    """
    hour_us = facts["hour_us"]
    columns: Columns = {
        "hour": hour_us - PG_EPOCH_US,
        "asset_id": np.full(len(hour_us), asset_id, np.int32),
    }
    columns |= {name: facts[name].astype(dtype) for name, dtype in FACT_COLUMNS.items()}
    with transaction(conn):
        conn.execute(query("delete_facts"), {"asset_id": asset_id, "start": start, "end": end})
        with conn.cursor().copy(query("copy_facts")) as copy:
            for piece in encode(columns):
                copy.write(piece)


def mark_dirty_hour(conn: Connection, asset_id: int, hour: datetime) -> None:
    """Mark an hour of an asset for the fact job."""
    values = {"asset_id": asset_id, "hour": hour, "hours": 1}
    with transaction(conn):
        conn.execute(query("keep_dirty_hours"), values)


def mark_dirty_months(
    conn: Connection, factory_id: int, timezone: str, start: datetime, end: datetime
) -> None:
    """Mark the local months of [start, end) for the figure job."""
    values = {"factory_id": factory_id, "timezone": timezone, "start": start, "end": end}
    with transaction(conn):
        conn.execute(query("mark_dirty_months"), values)


def day_sums(
    conn: Connection,
    factory_id: int,
    timezone: str,
    start: datetime,
    end: datetime,
    production: Sequence[datetime] = (),
) -> Columns:
    """Return facts added up by asset, local day and production day: asset_id, both days, sums.

    `day` counts from 1970, `production_day` from the first of the times at which they begin,
    ascending; what lies before that is of day -1.
    """
    values = {
        "factory_id": factory_id,
        "timezone": timezone,
        "start": start,
        "end": end,
        "production": list(production),
    }
    with transaction(conn), conn.cursor().copy(query("copy_day_facts"), values) as copy:
        return decode(b"".join(copy), _DAY_LAYOUT)


def flagged_hours(
    conn: Connection, factory_id: int, flag: int, start: datetime, end: datetime
) -> Columns:
    """Return the hours of [start, end) that carry a flag: asset_id, hour_us (since 1970), sums."""
    values = {"factory_id": factory_id, "flag": flag, "start": start, "end": end}
    with transaction(conn), conn.cursor().copy(query("copy_flagged_facts"), values) as copy:
        found = decode(b"".join(copy), _FLAGGED_LAYOUT)
    found["hour_us"] += PG_EPOCH_US
    return found
