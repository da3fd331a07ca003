"""A spool file that is damaged: what can be read is carried into a new one, the loss is stated.

The damaged file stays beside, for whoever has the means to read more of it.
"""

import json
import logging
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from collectors.errors import SpoolError
from collectors.spool.blocks import BlockDamaged, unpacked_block
from collectors.spool.bounds import Bounds, insert_note
from collectors.spool.file import VERSION, open_file, transaction, was_a_spool
from collectors.spool.spool import Spool

_log = logging.getLogger("collectors.spool")

_BUSY_S = 30.0
_ROWS_AT_ONCE = 50
# Where not even the first or last number of a table can be read, it is looked for this far.
_MOST_NUMBERS = 1_000_000
# Small tables come first, and tags before the rows that need them.
_NUMBERED = {
    "tag": "tag_index",
    "held_tag": "tag_index",
    "mark": "tag_index",
    "record": "record_id",
    "aside": "aside_id",
    "quarantined": "quarantined_id",
    "delivered": "delivered_id",
    "batch": "seq",
    "block": "block_id",
    "held": "block_id",
}
_WHOLE = ("lost", "chain", "counter")
_BEYOND = 1 << 62

_Row = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Salvaged:
    """What was carried over and what was not; a loss is None where nobody knows how much it was."""

    damaged_file: str
    rows_kept: int
    rows_lost: int | None
    records_kept: int
    records_lost: int | None
    unanswered_batch_lost: bool | None


def open_sound(path: Path, bounds: Bounds) -> Spool:
    """Open the spool, or what can be read of it where it is damaged; raises SpoolError.

    For the process that holds it alone.
    """
    make_sound(path)
    return Spool(path, bounds)


def make_sound(path: Path) -> Salvaged | None:
    """Check the spool and replace a damaged one by what can be read of it; None where it is sound.

    For the process that holds the spool alone. Raises SpoolError for a file that never was a spool.
    """
    if not path.exists() or path.stat().st_size == 0 or _is_sound(path):
        return None
    if not _has_header(path) and not was_a_spool(path):
        raise SpoolError(f"the spool {path} cannot be used: it is no spool; move it away")
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    beside = path.with_name(f"{path.name}.damaged-{stamp}")
    draft = path.with_name(f"{path.name}.draft")
    for leftover in path.parent.glob(f"{draft.name}*"):
        leftover.unlink()
    found = _carry_over(path, draft, beside.name)
    for suffix in ("", "-wal", "-shm"):
        part = path.with_name(path.name + suffix)
        if part.exists():
            part.rename(beside.with_name(beside.name + suffix))
    draft.rename(path)
    _log.error(
        "the spool was damaged: %d rows and %d records were kept, %s rows and %s records are lost; "
        "the damaged file is %s",
        *(found.rows_kept, found.records_kept),
        *("unknown" if n is None else n for n in (found.rows_lost, found.records_lost)),
        beside,
    )
    return found


def _is_sound(path: Path) -> bool:
    try:
        with closing(sqlite3.connect(path, timeout=_BUSY_S)) as conn:
            (version,) = conn.execute("PRAGMA user_version").fetchone()
            sound: bool = conn.execute("PRAGMA quick_check(1)").fetchone() == ("ok",)
            return sound or version != VERSION
    except sqlite3.OperationalError as error:
        raise SpoolError(f"the spool {path} cannot be used: {error}") from error
    except sqlite3.DatabaseError:
        return False


def _has_header(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(16) == b"SQLite format 3\0"


def _carry_over(path: Path, draft: Path, beside: str) -> Salvaged:
    with closing(open_file(draft)) as new, closing(sqlite3.connect(path)) as old:
        old.execute("PRAGMA cell_size_check = ON")
        with transaction(new):
            for table in _WHOLE:
                _insert(new, table, _whole(old, table))
            stated = dict(new.execute("SELECT name, value FROM counter"))
            for table, key in _NUMBERED.items():
                _insert(new, table, _readable(old, table, key))
            _leave_out_damaged(new)
            found = _account(new, stated, beside)
            insert_note(
                new,
                "the spool file was damaged: what could be read was kept",
                json.dumps(asdict(found)),
            )
        new.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return found


def _insert(new: sqlite3.Connection, table: str, rows: Iterator[_Row]) -> None:
    for row in rows:
        places = ", ".join("?" * len(row))
        new.execute(f"REPLACE INTO {table} VALUES ({places})", row)


def _whole(old: sqlite3.Connection, table: str) -> Iterator[_Row]:
    try:
        yield from old.execute(f"SELECT * FROM {table}").fetchall()
    except sqlite3.DatabaseError:
        return


def _readable(old: sqlite3.Connection, table: str, key: str) -> Iterator[_Row]:
    """Return the rows of a table that can be read, going round those that cannot."""
    low, high = _ends(old, table, key)
    at = low
    while at <= high:
        query = f"SELECT {key}, * FROM {table} WHERE {key} >= ? ORDER BY {key} LIMIT ?"
        rows = _try(old, query, (at, _ROWS_AT_ONCE))
        if rows is None:
            beyond = at + _ROWS_AT_ONCE
            for number in range(at, beyond):
                one = _try(old, f"SELECT * FROM {table} WHERE {key} = ?", (number,))
                yield from one or []
            at = beyond
        elif rows:
            yield from (row[1:] for row in rows)
            at = rows[-1][0] + 1
        else:
            return


def _ends(old: sqlite3.Connection, table: str, key: str) -> tuple[int, int]:
    """Return the first and the last number of a table, guessed where they cannot be read."""
    ends = []
    for order in ("ASC", "DESC"):
        query = f"SELECT {key} FROM {table} ORDER BY {key} {order} LIMIT 1"
        ends.append(_try(old, query, ()))
    first, last = (None if end is None else (end[0][0] if end else _BEYOND) for end in ends)
    if first is None and last is None:
        return 0, -1
    if first is None:
        assert last is not None
        return last - _MOST_NUMBERS, last
    return first, first + _MOST_NUMBERS if last is None else last


def _try(
    old: sqlite3.Connection, query: str, values: tuple[int, ...]
) -> list[tuple[int, ...]] | None:
    try:
        return old.execute(query, values).fetchall()
    except sqlite3.DatabaseError:
        return None


def _leave_out_damaged(new: sqlite3.Connection) -> None:
    """Leave out blocks whose bytes are not those that were written, or whose tags are lost."""
    tags = {number for (number,) in new.execute("SELECT tag_index FROM tag")}
    for table in ("block", "held"):
        for (block_id,) in new.execute(f"SELECT block_id FROM {table}").fetchall():
            query = f"SELECT * FROM {table} WHERE block_id = ?"
            try:
                block = unpacked_block(new.execute(query, (block_id,)).fetchone())
                is_whole = tags.issuperset(set(block.rows.tag_id.tolist()))
            except (BlockDamaged, TypeError, ValueError):
                is_whole = False
            if not is_whole:
                new.execute(f"DELETE FROM {table} WHERE block_id = ?", (block_id,))


def _account(new: sqlite3.Connection, stated: dict[str, int], beside: str) -> Salvaged:
    """Compare what was carried over with what the counters say, and put these right."""
    rows = sum(
        new.execute(f"SELECT coalesce(sum(row_count), 0) FROM {table}").fetchone()[0]
        for table in ("block", "held")
    )
    (records,) = new.execute("SELECT count(*) FROM record").fetchone()
    (batches,) = new.execute("SELECT count(*) FROM batch").fetchone()
    seq, acked = new.execute("SELECT seq, acked FROM chain").fetchone()
    for name, waiting in (("waiting_rows", rows), ("waiting_records", records)):
        new.execute("REPLACE INTO counter VALUES (?, ?)", (name, waiting))
    batch_lost = None if seq == 0 else seq > acked and not batches
    if batch_lost:
        # Whether the database has it, its ledger knows: the chain continues where that stands.
        new.execute("UPDATE chain SET seq = 0, sha256 = zeroblob(32), acked = 0")
    rows_lost, records_lost = (
        None if len(stated) <= 2 else stated.get(name, 0) - kept
        for name, kept in (("waiting_rows", rows), ("waiting_records", records))
    )
    return Salvaged(beside, rows, rows_lost, records, records_lost, batch_lost)
