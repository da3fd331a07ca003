"""The spool's SQLite file: opening, locking, transactions, counters."""

import fcntl
import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import TextIO

from collectors.errors import SpoolBusy, SpoolError
from collectors.spool.upgrade import from_version_1

VERSION = 2
# Written into the lock file by whoever made the spool: a file beside it that is no SQLite database
# any more was one.
_MADE = "made by millpond"
_BUSY_S = 30.0
_LOCK_TRIES, _LOCK_TRY_S = 10, 0.05
_WAL_BYTES = 16 * 1024 * 1024


def open_file(path: Path) -> sqlite3.Connection:
    """Open the spool for writing and make its tables where it is new; raises SpoolError.

    synchronous=FULL: a message is acknowledged to its broker after the commit, so the commit
    must outlive a power cut, not only a crash of this program.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        conn = sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
    except (sqlite3.Error, OSError) as error:
        raise SpoolError(f"the spool {path} cannot be used: {error}") from error
    try:
        conn.execute("PRAGMA journal_mode = WAL")
        conn.execute("PRAGMA synchronous = FULL")
        conn.execute(f"PRAGMA journal_size_limit = {_WAL_BYTES}")
        _prepare(conn, path)
    except SpoolError:
        conn.close()
        raise
    except sqlite3.Error as error:
        conn.close()
        raise SpoolError(f"the spool {path} cannot be used: {error}") from error
    return conn


def open_for_reading(path: Path) -> sqlite3.Connection:
    """Open the spool of a gateway that may be running; raises SpoolError where there is none."""
    if not path.exists():
        raise SpoolError(f"there is no spool at {path}: this gateway has not run yet")
    conn = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", timeout=5, uri=True)
    try:
        (version,) = conn.execute("PRAGMA user_version").fetchone()
    except sqlite3.Error as error:
        conn.close()
        raise SpoolError(f"the spool {path} cannot be read: {error}") from error
    if version != VERSION:
        conn.close()
        raise SpoolError(
            f"the spool {path} is of another version; start the gateway to bring it up"
        )
    return conn


def _prepare(conn: sqlite3.Connection, path: Path) -> None:
    with transaction(conn):
        (version,) = conn.execute("PRAGMA user_version").fetchone()
        if version == VERSION:
            return
        if version not in (0, 1):
            raise SpoolError(f"the spool {path} was written by another version of Millpond")
        if version == 1:
            from_version_1(conn, list(_statements()))
        else:
            for statement in _statements():
                conn.execute(statement)
        conn.execute(f"PRAGMA user_version = {VERSION}")
    lock_path(path).write_text(_MADE, encoding="utf-8")


def _statements() -> Iterator[str]:
    # Not executescript: it would commit the transaction that it runs in.
    text = files("collectors.spool").joinpath("schema.sql").read_text(encoding="utf-8")
    lines = (line for line in text.splitlines() if not line.startswith("--"))
    yield from (part for part in "\n".join(lines).split(";") if part.strip())


@contextmanager
def transaction(conn: sqlite3.Connection) -> Iterator[None]:
    """Commit at the end of the block, roll back when it raises."""
    conn.execute("BEGIN IMMEDIATE")
    try:
        yield
        conn.execute("COMMIT")
    except BaseException:
        if conn.in_transaction:
            conn.execute("ROLLBACK")
        raise


def lock_path(path: Path) -> Path:
    """Return the lock file of a spool."""
    return path.with_name(f"{path.name}.lock")


def was_a_spool(path: Path) -> bool:
    """Tell whether a spool was made at this place, whatever the file is now."""
    try:
        return lock_path(path).read_text(encoding="utf-8") == _MADE
    except (OSError, UnicodeDecodeError):
        return False


@contextmanager
def sole_use(path: Path) -> Iterator[None]:
    """Hold the spool for this process alone; raises SpoolBusy. The lock dies with the process."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with lock_path(path).open("a") as lock:
        if not _take_lock(lock):
            raise SpoolBusy(f"another gateway uses the spool {path}; stop it first")
        yield


def _take_lock(lock: TextIO) -> bool:
    """Tell whether the lock could be taken; who only looks at a gateway has it but for a moment."""
    for tries_left in reversed(range(_LOCK_TRIES)):
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            if tries_left:
                time.sleep(_LOCK_TRY_S)
        else:
            return True
    return False


def is_in_use(path: Path) -> bool:
    """Tell whether a gateway is running with the spool."""
    try:
        with lock_path(path).open() as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False


def add_counts(conn: sqlite3.Connection, counts: Iterable[tuple[str, int]]) -> None:
    """Raise counters by name."""
    conn.executemany(
        "INSERT INTO counter (name, value) VALUES (?, ?) "
        "ON CONFLICT (name) DO UPDATE SET value = value + excluded.value",
        [(name, number) for name, number in counts if number],
    )


def used_bytes(conn: sqlite3.Connection) -> int:
    """Return the bytes that data take in the file, without the room that deletions left."""
    (pages,) = conn.execute("PRAGMA page_count").fetchone()
    (free,) = conn.execute("PRAGMA freelist_count").fetchone()
    (size,) = conn.execute("PRAGMA page_size").fetchone()
    return int((pages - free) * size)
