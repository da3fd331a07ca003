"""Keeping the spool within its bytes and its age: the oldest goes first, and leaves a mark.

Each tag that loses rows gets one row BadDataLost at the time of the first one lost (OPC UA
Part 11: data lost between collection and archive), so that the gap shows in the series itself;
counters and a quarantine entry tell how much it was.
"""

import json
import sqlite3
import time
from dataclasses import dataclass

from collectors import status
from collectors.sample import from_us, now_us
from collectors.spool.file import add_counts, used_bytes

_LOST = status.BAD_DATA_LOST
# After an overflow the spool is emptied to this share, so that the next one is not at once.
_EMPTY_TO = 0.9
_MOST_ROUNDS = 1000
_ROWS_PER_ROUND = 5000
_MOST_QUARANTINED = 10_000


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much may wait: bytes in the file, and seconds since arrival."""

    max_bytes: int
    max_age_s: float


def enforce(conn: sqlite3.Connection, bounds: Bounds) -> None:
    """Drop what exceeds the bounds; runs inside the transaction that added to the spool."""
    _trim_quarantined(conn)
    _drop_old(conn, int(time.time() - bounds.max_age_s))
    if used_bytes(conn) <= bounds.max_bytes:
        return
    target = int(bounds.max_bytes * _EMPTY_TO)
    for _ in range(_MOST_ROUNDS):
        if used_bytes(conn) <= target or not _drop_some(conn):
            return


def _trim_quarantined(conn: sqlite3.Connection) -> None:
    conn.execute(
        "DELETE FROM quarantined "
        "WHERE quarantined_id <= (SELECT max(quarantined_id) FROM quarantined) - ?",
        (_MOST_QUARANTINED,),
    )


def _drop_old(conn: sqlite3.Connection, before_s: int) -> None:
    # Rows stand in the order of arrival, so the oldest tells whether there is anything to do.
    for table, drop in (("sample", _drop_samples), ("record", _drop_records)):
        identity = f"{table}_id"
        oldest = f"SELECT arrived_s FROM {table} ORDER BY {identity} LIMIT 1"
        row = conn.execute(oldest).fetchone()
        if row is None or row[0] >= before_s:
            continue
        query = f"SELECT max({identity}) FROM {table} WHERE arrived_s < ?"
        drop(conn, conn.execute(query, (before_s,)).fetchone()[0], "too old")


def _drop_some(conn: sqlite3.Connection) -> bool:
    """Drop one round of the oldest samples; without any, of records, then of what is aside."""
    query = (
        "SELECT max(sample_id) FROM "
        "(SELECT sample_id FROM sample WHERE status <> ? ORDER BY sample_id LIMIT ?)"
    )
    (upto,) = conn.execute(query, (_LOST, _ROWS_PER_ROUND)).fetchone()
    if upto is not None:
        return _drop_samples(conn, upto, "the spool is full") > 0
    query = "SELECT max(record_id) FROM (SELECT record_id FROM record ORDER BY record_id LIMIT ?)"
    (upto,) = conn.execute(query, (_ROWS_PER_ROUND,)).fetchone()
    if upto is not None:
        return _drop_records(conn, upto, "the spool is full") > 0
    oldest = "DELETE FROM aside WHERE aside_id = (SELECT min(aside_id) FROM aside)"
    return conn.execute(oldest).rowcount > 0


def _drop_samples(conn: sqlite3.Connection, upto: int, why: str) -> int:
    """Drop the samples up to one, except the marks of earlier drops; returns how many."""
    chosen = {"upto": upto, "lost": _LOST}
    span = conn.execute(
        "SELECT count(*), min(ts_us), max(ts_us) FROM sample "
        "WHERE sample_id <= :upto AND status <> :lost",
        chosen,
    ).fetchone()
    if span[0] == 0:
        return 0
    # In SQLite the other columns of a group with min() are those of the row that has it.
    marks = conn.execute(
        "SELECT min(sample_id), tag_index, ts_us, NULL, :lost, arrived_s FROM sample "
        "WHERE sample_id <= :upto AND status <> :lost AND tag_index NOT IN "
        "(SELECT tag_index FROM sample WHERE sample_id <= :upto AND status = :lost) "
        "GROUP BY tag_index",
        chosen,
    ).fetchall()
    conn.execute("DELETE FROM sample WHERE sample_id <= :upto AND status <> :lost", chosen)
    conn.executemany("INSERT INTO sample VALUES (?, ?, ?, ?, ?, ?)", marks)
    add_counts(conn, [("dropped_rows", span[0])])
    _note_gap(conn, f"samples were dropped, oldest first: {why}", span)
    return int(span[0])


def _drop_records(conn: sqlite3.Connection, upto: int, why: str) -> int:
    query = "SELECT kind, key, at FROM record WHERE record_id <= ? ORDER BY record_id LIMIT 100"
    names = conn.execute(query, (upto,)).fetchall()
    count = conn.execute("DELETE FROM record WHERE record_id <= ?", (upto,)).rowcount
    if count:
        add_counts(conn, [("dropped_records", count)])
        payload = json.dumps({"records": count, "first": names}, ensure_ascii=False)
        _insert_note(conn, f"records were dropped, oldest first: {why}", payload)
    return count


def _note_gap(conn: sqlite3.Connection, reason: str, span: tuple[int, int, int]) -> None:
    """Tell of a gap; one that continues an untold gap becomes one with it."""
    count, first_us, last_us = span
    query = "SELECT quarantined_id, payload FROM quarantined WHERE NOT sent AND reason = ?"
    row = conn.execute(query, (reason,)).fetchone()
    if row is not None:
        before = json.loads(row[1])
        count += before["rows"]
        first_us, last_us = min(first_us, before["first_us"]), max(last_us, before["last_us"])
        conn.execute("DELETE FROM quarantined WHERE quarantined_id = ?", (row[0],))
    payload = {
        "rows": count,
        "first": from_us(first_us).isoformat(),
        "last": from_us(last_us).isoformat(),
        "first_us": first_us,
        "last_us": last_us,
    }
    _insert_note(conn, reason, json.dumps(payload))


def _insert_note(conn: sqlite3.Connection, reason: str, payload: str) -> None:
    insert = "INSERT INTO quarantined (source, reason, payload, seen_at_us)"
    conn.execute(f"{insert} VALUES ('spool', ?, ?, ?)", (reason, payload, now_us()))
