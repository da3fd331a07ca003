"""Blocks: the rows of one write, packed, so that a row costs bytes and no work of its own.

A packed row has 24 bytes, little-endian: tag int32, ts int64 in µs since 1970 UTC, value float64
(NaN where there is none), status int32. The tag is the spool's own index of it.
"""

import sqlite3
import zlib
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from collectors.spool.file import add_counts
from store.canonical import Rows

# A fifth of a second of what a gateway can take; the least that an overflow drops at once.
MOST_ROWS = 5000
ROW_BYTES = 24

_ROW = np.dtype([("tag", "<i4"), ("ts", "<i8"), ("value", "<f8"), ("status", "<i4")])
_COLUMNS = "block_id, arrived_from_us, arrived_to_us, row_count, first_us, last_us, crc, row_data"

Table = Literal["block", "held"]


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Rows with the span, in µs since 1970 UTC, in which the gateway received them.

    tag_id of the rows is the spool's index of the tag.
    """

    arrived_from_us: int
    arrived_to_us: int
    rows: Rows

    def take(self, chosen: Any) -> "Block":
        """Return a block of the rows that an index, a slice or a mask picks."""
        return Block(self.arrived_from_us, self.arrived_to_us, self.rows.take(chosen))


class BlockDamaged(Exception):
    """The bytes of a block are not those that were written; its rows are lost."""

    def __init__(self, row_count: int, first_us: int, last_us: int) -> None:
        super().__init__(f"{row_count} rows")
        self.row_count, self.first_us, self.last_us = row_count, first_us, last_us


def pack(rows: Rows) -> bytes:
    """Return rows as bytes."""
    packed = np.empty(len(rows), _ROW)
    packed["tag"], packed["ts"] = rows.tag_id, rows.ts_us
    packed["value"], packed["status"] = rows.value, rows.status
    return packed.tobytes()


def unpack(data: bytes) -> Rows:
    """Return the rows that bytes hold."""
    packed = np.frombuffer(data, _ROW)
    return Rows(packed["tag"], packed["ts"], packed["value"], packed["status"])


def concatenated(parts: list[Rows]) -> Rows:
    """Return several rows as one, in their order."""
    if not parts:
        return Rows.empty()
    return Rows(
        np.concatenate([part.tag_id for part in parts]),
        np.concatenate([part.ts_us for part in parts]),
        np.concatenate([part.value for part in parts]),
        np.concatenate([part.status for part in parts]),
    )


def append(conn: sqlite3.Connection, block: Block) -> None:
    """Add a block behind all that wait, in pieces of at most MOST_ROWS."""
    count = len(block.rows)
    for start in range(0, count, MOST_ROWS):
        _insert(conn, "block", None, block.take(slice(start, start + MOST_ROWS)))


def put_in_front(conn: sqlite3.Connection, block: Block) -> None:
    """Add a block in front of all that wait."""
    if len(block.rows) == 0:
        return
    first = conn.execute("SELECT coalesce(min(block_id), 1) FROM block").fetchone()[0]
    _insert(conn, "block", first - 1, block)


def hold(conn: sqlite3.Connection, block_id: int, block: Block) -> None:
    """Keep rows, which were in the block of that number, until their tags are known."""
    marks = [(tag,) for tag in np.unique(block.rows.tag_id).tolist()]
    conn.executemany("INSERT OR IGNORE INTO held_tag VALUES (?)", marks)
    _merge(conn, "held", block_id, block)


def release(conn: sqlite3.Connection) -> None:
    """Put all rows that were held back to where they came from."""
    for (block_id,) in conn.execute("SELECT block_id FROM held").fetchall():
        try:
            block = take(conn, "held", block_id)
        except BlockDamaged as damage:
            tell_damage(conn, damage)
            continue
        _merge(conn, "block", block_id, block)
    conn.execute("DELETE FROM held_tag")


def take(conn: sqlite3.Connection, table: Table, block_id: int) -> Block:
    """Take a block out; raises BlockDamaged after taking it out."""
    query = f"SELECT {_COLUMNS} FROM {table} WHERE block_id = ?"
    row = conn.execute(query, (block_id,)).fetchone()
    conn.execute(f"DELETE FROM {table} WHERE block_id = ?", (block_id,))
    add_counts(conn, [("waiting_rows", -row[3])])
    return unpacked_block(row)


def replace(conn: sqlite3.Connection, block_id: int, block: Block) -> None:
    """Put what is left of a block that was taken out back in its place."""
    if len(block.rows):
        _insert(conn, "block", block_id, block)


def unpacked_block(row: tuple[Any, ...]) -> Block:
    """Return the block that a database row, whole, stands for; raises BlockDamaged."""
    _, from_us, to_us, count, first_us, last_us, crc, data = row
    if zlib.crc32(data) != crc or len(data) != count * ROW_BYTES:
        raise BlockDamaged(count, first_us, last_us)
    return Block(from_us, to_us, unpack(data))


def tell_damage(conn: sqlite3.Connection, damage: BlockDamaged) -> None:
    """Keep what is known of the rows of a damaged block, for the report of what was lost."""
    add_lost(conn, "rows were lost in the damaged spool file", [
        (-1, damage.row_count, damage.first_us, damage.last_us)
    ])  # fmt: skip


def add_lost(conn: sqlite3.Connection, reason: str, lost: list[tuple[int, int, int, int]]) -> None:
    """Note (tag index, rows, first and last µs) that are lost, in one with what is untold."""
    conn.executemany(
        "INSERT INTO lost (reason, tag_index, row_count, first_us, last_us) "
        "VALUES (?, ?, ?, ?, ?) ON CONFLICT (tag_index, reason) DO UPDATE SET "
        "row_count = row_count + excluded.row_count, "
        "first_us = min(first_us, excluded.first_us), last_us = max(last_us, excluded.last_us)",
        [(reason, *one) for one in lost],
    )


def _merge(conn: sqlite3.Connection, table: Table, block_id: int, block: Block) -> None:
    """Add a block under a number; in front of a block that has the number already."""
    found = conn.execute(f"SELECT 1 FROM {table} WHERE block_id = ?", (block_id,)).fetchone()
    if found is not None:
        try:
            other = take(conn, table, block_id)
        except BlockDamaged as damage:
            tell_damage(conn, damage)
        else:
            block = Block(
                min(block.arrived_from_us, other.arrived_from_us),
                max(block.arrived_to_us, other.arrived_to_us),
                concatenated([block.rows, other.rows]),
            )
    _insert(conn, table, block_id, block)


def _insert(conn: sqlite3.Connection, table: Table, block_id: int | None, block: Block) -> None:
    data = pack(block.rows)
    first_us, last_us = int(block.rows.ts_us.min()), int(block.rows.ts_us.max())
    span = (block.arrived_from_us, block.arrived_to_us)
    conn.execute(
        f"INSERT INTO {table} ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (block_id, *span, len(block.rows), first_us, last_us, zlib.crc32(data), data),
    )
    add_counts(conn, [("waiting_rows", len(block.rows))])
