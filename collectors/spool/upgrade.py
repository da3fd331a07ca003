"""Bringing the spool of an earlier version forward with everything that waits in it."""

import json
import sqlite3
import struct
import zlib

_ROW = struct.Struct("<iqdi")
_ROWS_PER_BLOCK = 5000

_Row = tuple[int, int, float | None, int, int]


def from_version_1(conn: sqlite3.Connection, schema: list[str]) -> None:
    """Turn single rows into blocks, and tag names into indexes; runs inside a transaction."""
    for table in ("sample", "record", "batch", "aside", "counter", "chain"):
        conn.execute(f"ALTER TABLE {table} RENAME TO old_{table}")
    kept = {name for (name,) in conn.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    for statement in schema:
        if not any(f"CREATE TABLE {name} " in statement for name in kept):
            conn.execute(statement)
    _move_samples(conn)
    conn.execute(
        "INSERT INTO record SELECT record_id, kind, key, at, body, arrived_s * 1000000 "
        "FROM old_record"
    )
    indexes = dict(conn.execute("SELECT name, tag_index FROM tag"))
    for row in conn.execute("SELECT * FROM old_batch").fetchall():
        values = (*row[:4], _tags(row[4], indexes), *row[5:], None, None)
        conn.execute("INSERT INTO batch VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", values)
    for row in conn.execute("SELECT * FROM old_aside").fetchall():
        values = (*row[:7], _tags(row[7], indexes), None, None)
        conn.execute("INSERT INTO aside VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", values)
    conn.execute("INSERT INTO counter SELECT name, value FROM old_counter")
    for name, waiting in (
        ("waiting_rows", "SELECT coalesce(sum(row_count), 0) FROM block"),
        ("waiting_records", "SELECT count(*) FROM record"),
    ):
        conn.execute(f"UPDATE counter SET value = ({waiting}) WHERE name = ?", (name,))
    conn.execute("REPLACE INTO chain SELECT * FROM old_chain")
    for table in ("sample", "record", "batch", "aside", "counter", "chain"):
        conn.execute(f"DROP TABLE old_{table}")


def _move_samples(conn: sqlite3.Connection) -> None:
    rows = conn.execute(
        "SELECT tag_index, ts_us, value, status, arrived_s FROM old_sample ORDER BY sample_id"
    )
    # A block holds what arrived within a minute.
    block: list[_Row] = []
    for row in rows:
        if block and (len(block) == _ROWS_PER_BLOCK or not 0 <= row[4] - block[0][4] < 60):
            _insert_block(conn, block)
            block = []
        block.append(row)
    if block:
        _insert_block(conn, block)


def _insert_block(conn: sqlite3.Connection, rows: list[_Row]) -> None:
    data = b"".join(
        _ROW.pack(tag, ts_us, float("nan") if value is None else value, status)
        for tag, ts_us, value, status, _ in rows
    )
    arrived_s = [row[4] for row in rows]
    times_us = [row[1] for row in rows]
    conn.execute(
        "INSERT INTO block VALUES (NULL, ?, ?, ?, ?, ?, ?, ?)",
        (
            min(arrived_s) * 1_000_000,
            max(arrived_s) * 1_000_000,
            len(rows),
            min(times_us),
            max(times_us),
            zlib.crc32(data),
            data,
        ),
    )


def _tags(names: str, indexes: dict[str, int]) -> bytes:
    pairs = [(int(tag_id), indexes[name]) for tag_id, name in json.loads(names).items()]
    return b"".join(struct.pack("<ii", *pair) for pair in pairs)
