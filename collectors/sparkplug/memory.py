"""What must outlive a restart of the gateway: births with their aliases, and sequence numbers.

A birth is written before its samples are handed on, so that no later value lacks its name. A
sequence number is written after the spool holds the message: what a crash loses in between shows
as a gap. SQLite does not wait for the disk at each write; after a power cut the newest of it may
be missing, which shows as a gap likewise, and never as a wrong name.
"""

import logging
import shutil
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from collectors.context import Context
from collectors.sparkplug.tables import Born, Table
from collectors.sparkplug.topics import Node

_log = logging.getLogger("collectors.sparkplug")

_SCHEMA = Path(__file__).with_name("memory.sql")
_VERSION = 1
_BUSY_S = 5.0
_NAME_LETTERS = 12
_WAL = "-wal"
_BESIDE = (_WAL, "-shm")


@dataclass(slots=True)
class Remembered:
    """An edge node as it was when the gateway ended; due is None where no number was seen."""

    birth_us: int = 0
    bd_seq: int | None = None
    due: int | None = None
    tables: dict[str, Table] = field(default_factory=dict)


class Progress(NamedTuple):
    """How far the messages that follow a birth are stored, and whether some of them were lost."""

    node: Node
    birth_us: int
    due: int | None
    has_gap: bool
    is_dead: bool


def memory_path(context: Context, source: str) -> Path:
    """Return the file of a source; its name may hold what a file name may not."""
    digest = sha256(source.encode()).hexdigest()[:_NAME_LETTERS]
    return context.state / f"sparkplug-{digest}.db"


class Memory:
    """The file of one source; it may be closed and used again, since progress comes late."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._open: sqlite3.Connection | None = None

    def load(self) -> dict[Node, Remembered]:
        """Return all that is known; a file that cannot be read is moved aside, and none is."""
        try:
            with self._connection() as db:
                return _load(db)
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError as error:
            aside = self._path.with_suffix(".damaged")
            self.close()
            self._path.replace(aside)
            for end in _BESIDE:
                self._path.with_name(self._path.name + end).unlink(missing_ok=True)
            _log.warning("%s is damaged (%s); it lies now at %s", self._path.name, error, aside)
            return {}

    def hold(self) -> None:
        """Keep the file open until close."""
        if self._open is None:
            self._open = _connect(self._path)

    def close(self) -> None:
        """Let go of the file."""
        opened, self._open = self._open, None
        if opened is not None:
            opened.close()

    def born(self, node: Node, device: str, table: Table) -> None:
        """Keep the metrics of a device, or of a node that was known already."""
        with self._connection() as db:
            _write_table(db, node, device, table)

    def node_born(
        self, node: Node, birth_us: int, bd_seq: int | None, seq: int, table: Table
    ) -> None:
        """Keep a node's birth in place of all that was known of it; its samples are still due."""
        with self._connection() as db:
            _forget(db, node)
            bd_text = None if bd_seq is None else str(bd_seq)
            db.execute("INSERT INTO node VALUES (?, ?, ?, ?, ?)", (*node, birth_us, bd_text, seq))
            _write_table(db, node, "", table)

    def device_dead(self, node: Node, device: str) -> None:
        """Forget a device."""
        with self._connection() as db:
            _forget(db, node, device)

    def progress(self, made: Iterable[Progress]) -> None:
        """Keep how far the spool has come. A full disk is no error here: it leaves a gap."""
        with suppress(sqlite3.OperationalError), self._connection() as db:
            for one in made:
                _write_progress(db, one)

    def subscribed(self, filters: Iterable[str]) -> set[str]:
        """Keep what the broker is asked for, and return what it was asked for before."""
        with self._connection() as db:
            before = {row[0] for row in db.execute("SELECT filter FROM subscription")}
            db.execute("DELETE FROM subscription")
            db.executemany("INSERT INTO subscription VALUES (?)", ((one,) for one in filters))
        return before

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        """Hold a transaction, on the open connection or on one of its own."""
        db = self._open or _connect(self._path)
        try:
            with db:
                yield db
        finally:
            if db is not self._open:
                db.close()


class ProbeMemory(Memory):
    """The same knowledge, used without leaving a trace: a copy that nobody keeps."""

    def __init__(self, path: Path) -> None:
        self._folder = TemporaryDirectory(prefix="millpond-probe-")
        copy = Path(self._folder.name, path.name)
        for end in ("", _WAL):
            with suppress(FileNotFoundError):
                shutil.copy(path.with_name(path.name + end), copy.with_name(copy.name + end))
        super().__init__(copy)

    def progress(self, made: Iterable[Progress]) -> None:
        """Keep nothing: what a probe has seen counts for nobody."""

    def close(self) -> None:
        """Remove the copy."""
        super().close()
        self._folder.cleanup()


def _connect(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True)
    db = sqlite3.connect(path, timeout=_BUSY_S)
    try:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = NORMAL")
        (version,) = db.execute("PRAGMA user_version").fetchone()
        if version != _VERSION:
            schema = _SCHEMA.read_text(encoding="utf-8")
            db.executescript(f"BEGIN; {schema} PRAGMA user_version = {_VERSION}; COMMIT;")
    except BaseException:
        db.close()
        raise
    return db


def _load(db: sqlite3.Connection) -> dict[Node, Remembered]:
    found: dict[Node, Remembered] = {}
    nodes = db.execute("SELECT grp, node, birth, bd_seq, due FROM node")
    for group, name, birth_us, bd_seq, due in nodes:
        found[Node(group, name)] = Remembered(
            birth_us, None if bd_seq is None else int(bd_seq), due
        )
    owners = db.execute("SELECT grp, node, device, is_certain FROM owner").fetchall()
    for group, name, device, is_certain in owners:
        rows = db.execute(
            "SELECT name, alias, datatype FROM metric "
            "WHERE grp = ? AND node = ? AND device = ? ORDER BY place",
            (group, name, device),
        )
        born = [Born(row[0], None if row[1] is None else int(row[1]), row[2]) for row in rows]
        known = found.setdefault(Node(group, name), Remembered())
        known.tables[device] = Table(born, is_certain=bool(is_certain))
    return found


def _write_table(db: sqlite3.Connection, node: Node, device: str, table: Table) -> None:
    _forget(db, node, device)
    db.execute("INSERT INTO owner VALUES (?, ?, ?, ?)", (*node, device, table.is_certain))
    db.executemany(
        "INSERT INTO metric VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            (*node, device, place, one.name, None if one.alias is None else str(one.alias),
             one.datatype)
            for place, one in enumerate(table.by_name.values())
        ),
    )  # fmt: skip


def _write_progress(db: sqlite3.Connection, made: Progress) -> None:
    """Keep the progress since a birth, unless another birth has taken its place meanwhile."""
    db.execute(
        "INSERT INTO node (grp, node, birth, due) VALUES (?, ?, ?, ?) "
        "ON CONFLICT DO UPDATE SET due = excluded.due WHERE birth = excluded.birth",
        (*made.node, made.birth_us, made.due),
    )
    (birth_us,) = db.execute(
        "SELECT birth FROM node WHERE grp = ? AND node = ?", made.node
    ).fetchone()
    if birth_us != made.birth_us:
        return
    if made.is_dead:
        _forget(db, made.node)
    elif made.has_gap:
        db.execute("UPDATE owner SET is_certain = 0 WHERE grp = ? AND node = ?", made.node)


def _forget(db: sqlite3.Connection, node: Node, device: str | None = None) -> None:
    if device is None:
        db.execute("DELETE FROM node WHERE grp = ? AND node = ?", node)
    for table in ("owner", "metric"):
        if device is None:
            db.execute(f"DELETE FROM {table} WHERE grp = ? AND node = ?", node)
        else:
            db.execute(
                f"DELETE FROM {table} WHERE grp = ? AND node = ? AND device = ?", (*node, device)
            )
