"""The content of an accepted batch on its way into the tables."""

from typing import Any

import numpy as np
import numpy.typing as npt
from psycopg.errors import UniqueViolation
from psycopg.types.json import Jsonb

from store.batch_content import span
from store.canonical import Record, Rows
from store.db import Connection
from store.pgcopy import PG_EPOCH_US, array_literal, encode
from store.queries import query

_HOUR_US = 3_600_000_000


def insert_rows(conn: Connection, batch_id: int, rows: Rows) -> tuple[int, int]:
    """Add rows behind the savepoint of the caller; return how many were absorbed and in conflict.

    An absorbed row was there before with the same value; one in conflict has another value, is
    kept out and listed.
    """
    if len(rows) == 0:
        return 0, 0
    try:
        _copy(conn, "copy_measurement", batch_id, rows)
    except UniqueViolation:
        conn.execute(query("undo_rows"))
        return _insert_staged(conn, batch_id, rows)
    return 0, 0


def _insert_staged(conn: Connection, batch_id: int, rows: Rows) -> tuple[int, int]:
    first, last = span(rows)
    conn.execute("SET LOCAL client_min_messages = warning")
    conn.execute(query("create_staging"))
    _copy(conn, "copy_staging", batch_id, rows)
    inserted = conn.execute(query("insert_staged")).rowcount
    offered = {"batch_id": batch_id, "first_ts": first, "last_ts": last}
    conflicts = conn.execute(query("insert_conflicts"), offered).rowcount
    absorbed = len(rows) - inserted - conflicts
    if absorbed:
        conn.execute(query("insert_absorbed"), {"batch_id": batch_id, "row_count": absorbed})
        conn.execute(query("insert_absorbed_rows"), offered)
    return absorbed, conflicts


def _copy(conn: Connection, name: str, batch_id: int, rows: Rows) -> None:
    # COPY takes the bytes as they are: another width would be another number.
    columns: dict[str, npt.NDArray[Any]] = {
        "ts": rows.ts_us.astype(np.int64, copy=False) - PG_EPOCH_US,
        "tag_id": rows.tag_id.astype(np.int32, copy=False),
        "value": rows.value.astype(np.float64, copy=False),
        "status": rows.status.astype(np.int32, copy=False),
        "batch_id": np.full(len(rows), batch_id, np.int64),
    }
    with conn.cursor().copy(query(name)) as copy:
        for piece in encode(columns):
            copy.write(piece)


def insert_records(
    conn: Connection, factory_id: int, batch_id: int, records: tuple[Record, ...], signed: bytes
) -> None:
    """Add a version of each record that differs from the one before it, and mark it dirty.

    Beside them stay the bytes that were signed.
    """
    if not records:
        return
    # Two gateways of one factory would give the same record the same version.
    conn.execute(query("lock_records"), {"factory_id": factory_id})
    values = {
        "factory_id": factory_id,
        "batch_id": batch_id,
        # One document is written and read many times faster than an array of them.
        "records": Jsonb(
            [[record.kind, record.key, record.at.isoformat(), record.body] for record in records]
        ),
    }
    # Planned anew each time: a plan from when the table was small would go on after it has grown.
    conn.execute(query("insert_records"), values, prepare=False)
    content = {"batch_id": batch_id, "content": signed}
    conn.execute(query("insert_signed_records"), content)


def dirty_marks(rows: Rows) -> dict[str, str]:
    """Return the spans of hours (since 1970) that each tag's rows touch, ordered by (tag, time)."""
    hour = rows.ts_us // _HOUR_US
    begins = np.ones(len(rows), dtype=bool)
    begins[1:] = (np.diff(rows.tag_id) != 0) | (np.diff(hour) > 1)
    first = np.flatnonzero(begins)
    last = np.append(first[1:], len(rows)) - 1 if len(rows) else first
    return {
        "tag_ids": array_literal(rows.tag_id[first]),
        "firsts": array_literal(hour[first]),
        "hours": array_literal(hour[last] - hour[first] + 1),
    }
