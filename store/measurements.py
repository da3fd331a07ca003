"""Reading measurement rows as columns."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from store.canonical import Rows
from store.columns import as_columns
from store.db import Connection, reading
from store.pgcopy import PG_EPOCH_US
from store.queries import query

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# A tag that speaks at all speaks within so long.
_NEAR = timedelta(days=40)
_EVER = datetime(1900, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class NewestRow:
    """The newest row of a tag; value None when its status is bad."""

    tag_id: int
    name: str
    ts: datetime
    value: float | None
    status: int


def read(
    conn: Connection,
    tag_ids: Sequence[int],
    start: datetime,
    end: datetime,
    *,
    in_scope: bool = False,
) -> Rows:
    """Return the rows of [start, end) ordered by (tag_id, ts); value NaN means none.

    Who acts for a caller reads `in_scope`; only who owns the database may read without.
    """
    values = {"tag_ids": list(tag_ids), "start": start, "end": end}
    with reading(), conn.cursor(binary=True) as cursor:
        as_columns(cursor)
        name = "row_columns_in_scope" if in_scope else "row_columns"
        parts = cursor.execute(query(name), values).fetchall()
    if not parts:
        return Rows.empty()
    tags, times, numbers, statuses = zip(*parts, strict=True)
    return Rows(
        np.repeat(np.array(tags, np.int32), [len(part) for part in times]),
        np.concatenate(times) + PG_EPOCH_US,
        np.concatenate(numbers),
        np.concatenate(statuses),
    )


def previous(conn: Connection, tag_ids: Sequence[int], at: datetime, readings: int) -> Rows:
    """Return each tag's last row before a time, its last good one, and a register's last readings.

    Of a register there are so many readings that are possible: good and in [0, modulus).
    """
    return _some(conn, "previous_rows", tag_ids, at, readings, (at - _NEAR, _EVER[0]))


def following(conn: Connection, tag_ids: Sequence[int], at: datetime, readings: int) -> Rows:
    """Return the same of each tag from a time on: first row, first good one, first readings."""
    return _some(conn, "next_rows", tag_ids, at, readings, (at + _NEAR, _EVER[1]))


def _some(
    conn: Connection,
    name: str,
    tag_ids: Sequence[int],
    at: datetime,
    readings: int,
    edges: tuple[datetime, datetime],
) -> Rows:
    """Return what lies within the first edge, of tags of which it is too little in the second.

    To plan a question without an edge, the database looks at each chunk of the history.
    """
    values = {"tag_ids": list(tag_ids), "at": at, "readings": readings, "edge": edges[0]}
    with reading():
        near = conn.execute(query(name), values).fetchall()
        lacking = [tag_id for tag_id in tag_ids if not _is_enough(near, tag_id, readings)]
        values |= {"tag_ids": lacking, "edge": edges[1]}
        far = conn.execute(query(name), values).fetchall() if lacking else []
    found = sorted([row for row in near if row[0] not in lacking] + far, key=lambda row: row[:2])
    return Rows(
        np.array([row[0] for row in found], np.int32),
        np.array([(row[1] - _EPOCH) // timedelta(microseconds=1) for row in found], np.int64),
        np.array([np.nan if row[2] is None else row[2] for row in found], np.float64),
        np.array([row[3] for row in found], np.int32),
    )


def _is_enough(rows: Sequence[tuple[Any, ...]], tag_id: int, readings: int) -> bool:
    """Tell whether a good row of a tag is there, and of a register all its readings."""
    good = [row for row in rows if row[0] == tag_id and row[3] >= 0 and row[2] is not None]
    if not good or not good[0][4]:
        return bool(good)
    return len([row for row in good if 0 <= row[2] < row[5]]) >= readings


def newest(conn: Connection, factory_id: int) -> list[NewestRow]:
    """Return the newest row of each tag of a factory, by name."""
    with reading():
        rows = conn.execute(query("newest_rows"), {"factory_id": factory_id})
        return [NewestRow(*row) for row in rows]


def count(conn: Connection) -> tuple[int, int]:
    """Return how many rows and how many batches have been accepted."""
    with reading():
        row = conn.execute(query("count_rows")).fetchone()
    assert row is not None
    return int(row[0]), int(row[1])
