"""Keeping the spool within its bytes and its age: the oldest goes first, and leaves a mark.

The policy, in the order in which things go: what is older than the age; then, while the file has
too many bytes, whole blocks of rows from the oldest on; without any, records; then what is aside.
A batch that is cut is never dropped. Each tag that loses rows gets one row BadDataLost at the time
of the first one lost (OPC UA Part 11: data lost between collection and archive), so that the gap
shows in the series itself; counters, and notes with rows, first and last time of each tag, tell
how much it was.
"""

import json
import sqlite3
from dataclasses import dataclass

import numpy as np

from collectors import status
from collectors.sample import from_us, now_us
from collectors.spool import blocks
from collectors.spool.blocks import BlockDamaged, Table
from collectors.spool.file import add_counts, used_bytes
from store.canonical import Rows

# After an overflow the spool is emptied to this share, so that the next one is not at once.
_EMPTY_TO = 0.9
_MOST_ROUNDS = 100_000
_RECORDS_PER_ROUND = 5000
_MOST_QUARANTINED = 10_000
_TAGS_PER_NOTE = 200

_FULL = "the spool is full"
_OLD = "too old"


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much may wait: bytes in the file, and seconds since arrival."""

    max_bytes: int
    max_age_s: float


def enforce(conn: sqlite3.Connection, bounds: Bounds, too_old_us: int) -> None:
    """Drop what exceeds the bounds; runs inside the transaction that added to the spool.

    Everything that arrived before too_old_us, in µs since 1970 UTC, is too old.
    """
    _trim_quarantined(conn)
    _drop_old(conn, too_old_us)
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


def _drop_old(conn: sqlite3.Connection, before_us: int) -> None:
    for _ in range(_MOST_ROUNDS):
        oldest = _oldest(conn)
        if oldest is None or oldest[2] >= before_us:
            break
        _drop_block(conn, oldest[0], oldest[1], _OLD)
    # Records stand in the order of arrival, so the oldest tells whether there is anything to do.
    row = conn.execute("SELECT arrived_us FROM record ORDER BY record_id LIMIT 1").fetchone()
    if row is not None and row[0] < before_us:
        query = "SELECT max(record_id) FROM record WHERE arrived_us < ?"
        _drop_records(conn, conn.execute(query, (before_us,)).fetchone()[0], _OLD)


def _drop_some(conn: sqlite3.Connection) -> bool:
    """Drop the oldest block; without any, some records; without those, the oldest set aside."""
    oldest = _oldest(conn)
    if oldest is not None:
        _drop_block(conn, oldest[0], oldest[1], _FULL)
        return True
    query = "SELECT max(record_id) FROM (SELECT record_id FROM record ORDER BY record_id LIMIT ?)"
    (upto,) = conn.execute(query, (_RECORDS_PER_ROUND,)).fetchone()
    if upto is not None:
        _drop_records(conn, upto, _FULL)
        return True
    aside = "DELETE FROM aside WHERE aside_id = (SELECT min(aside_id) FROM aside)"
    return conn.execute(aside).rowcount > 0


def _oldest(conn: sqlite3.Connection) -> tuple[Table, int, int] | None:
    """Return table, number and arrival of the oldest block."""
    found: list[tuple[Table, int, int]] = []
    tables: tuple[Table, ...] = ("block", "held")
    for table in tables:
        query = f"SELECT block_id, arrived_to_us FROM {table} ORDER BY block_id LIMIT 1"
        row = conn.execute(query).fetchone()
        if row is not None:
            found.append((table, *row))
    return min(found, key=lambda one: (one[2], one[1])) if found else None


def _drop_block(conn: sqlite3.Connection, table: Table, block_id: int, why: str) -> None:
    try:
        rows = blocks.take(conn, table, block_id).rows
    except BlockDamaged as damage:
        blocks.tell_damage(conn, damage)
        return
    # What tells of an earlier loss is no loss of its own: it becomes a mark again.
    is_mark = rows.status == status.BAD_DATA_LOST
    _mark(conn, rows)
    lost = rows.take(~is_mark)
    if len(lost) == 0:
        return
    blocks.add_lost(conn, f"samples were dropped, oldest first: {why}", _by_tag(lost))
    add_counts(conn, [("dropped_rows", len(lost))])


def _by_tag(rows: Rows) -> list[tuple[int, int, int, int]]:
    """Return (tag index, rows, first and last µs) of each tag."""
    order = np.lexsort((rows.ts_us, rows.tag_id))
    tag, ts_us = rows.tag_id[order], rows.ts_us[order]
    starts = np.flatnonzero(np.append(True, tag[1:] != tag[:-1]))
    ends = np.append(starts[1:], len(tag))
    columns = (tag[starts], ends - starts, ts_us[starts], ts_us[ends - 1])
    return list(zip(*(column.tolist() for column in columns), strict=True))


def _mark(conn: sqlite3.Connection, rows: Rows) -> None:
    """Note for each tag where it breaks off, unless that is noted."""
    conn.executemany(
        "INSERT INTO mark (tag_index, ts_us) VALUES (?, ?) ON CONFLICT DO NOTHING",
        [(tag, first_us) for tag, _, first_us, _ in _by_tag(rows)],
    )


def _drop_records(conn: sqlite3.Connection, upto: int, why: str) -> None:
    query = "SELECT kind, key, at FROM record WHERE record_id <= ? ORDER BY record_id LIMIT 100"
    names = conn.execute(query, (upto,)).fetchall()
    count = conn.execute("DELETE FROM record WHERE record_id <= ?", (upto,)).rowcount
    add_counts(conn, [("dropped_records", count), ("waiting_records", -count)])
    payload = json.dumps({"records": count, "first": names}, ensure_ascii=False)
    insert_note(conn, f"records were dropped, oldest first: {why}", payload)


def note_gaps(conn: sqlite3.Connection) -> None:
    """Turn what is lost and untold into notes: rows, first and last time, in all and by tag."""
    found = conn.execute(
        "SELECT reason, name, row_count, first_us, last_us FROM lost "
        "LEFT JOIN tag USING (tag_index) ORDER BY reason, name"
    ).fetchall()
    conn.execute("DELETE FROM lost")
    for reason in dict.fromkeys(row[0] for row in found):
        tags = [row[1:] for row in found if row[0] == reason]
        for start in range(0, len(tags), _TAGS_PER_NOTE):
            insert_note(conn, reason, _gap_text(tags[start : start + _TAGS_PER_NOTE]))


def _gap_text(tags: list[tuple[str | None, int, int, int]]) -> str:
    def span(first_us: int, last_us: int) -> dict[str, str]:
        return {"first": from_us(first_us).isoformat(), "last": from_us(last_us).isoformat()}

    whole = {
        "rows": sum(tag[1] for tag in tags),
        **span(min(tag[2] for tag in tags), max(tag[3] for tag in tags)),
        "tags": {tag[0] or "?": {"rows": tag[1], **span(tag[2], tag[3])} for tag in tags},
    }
    return json.dumps(whole, ensure_ascii=False)


def insert_note(conn: sqlite3.Connection, reason: str, payload: str) -> None:
    """Tell of something that happened to the spool itself."""
    insert = "INSERT INTO quarantined (source, reason, payload, seen_at_us)"
    conn.execute(f"{insert} VALUES ('spool', ?, ?, ?)", (reason, payload, now_us()))
