"""The spool as a file: each message once, durable, and used by one gateway alone."""

import fcntl
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from collectors.errors import SpoolBusy, SpoolError
from collectors.sample import Delivery, Message
from collectors.spool.file import is_in_use, lock_path, open_for_reading, sole_use
from collectors.spool.spool import SourceState, Spool
from collectors.status import GOOD
from store.canonical import Record
from tests.collectors.spool.held import AT, WIDE, put, samples, waiting


def message(digest: bytes, *, repeated: bool, value: float) -> Delivery:
    delivery = samples("A", (int(value), value))
    delivery.message = Message(digest, repeated)
    return delivery


def test_a_message_delivered_again_adds_nothing(path: Path, spool: Spool) -> None:
    put(spool, message(b"one", repeated=False, value=1))
    put(spool, message(b"one", repeated=True, value=1), message(b"two", repeated=True, value=2))
    assert [row[1] for row in waiting(path)] == [1, 2]


def test_the_same_message_sent_twice_is_stored_twice(path: Path, spool: Spool) -> None:
    put(spool, message(b"one", repeated=False, value=1))
    put(spool, message(b"one", repeated=False, value=1))
    assert [row[1] for row in waiting(path)] == [1, 1]


def test_what_fails_is_stored_not_at_all(path: Path, spool: Spool) -> None:
    broken = Delivery(records=[Record("k", "1", AT, {"n": float("inf")})])
    with pytest.raises(ValueError, match="JSON"):
        put(spool, samples("fresh", (1, 1.0)), broken)
    assert waiting(path) == []
    put(spool, samples("fresh", (1, 1.0)))
    assert waiting(path) == [("fresh", 1, 1.0, GOOD)]


def test_two_gateways_cannot_use_one_spool(path: Path) -> None:
    with sole_use(path), pytest.raises(SpoolBusy, match="another gateway"), sole_use(path):
        raise AssertionError("both got it")
    with sole_use(path):
        pass


def test_whoever_looks_at_a_spool_keeps_no_gateway_from_starting(path: Path) -> None:
    """To tell whether a gateway runs, its status tries the lock for a moment."""
    with lock_path(path).open("a") as lock, ThreadPoolExecutor(1) as looking:
        fcntl.flock(lock, fcntl.LOCK_SH)
        started = looking.submit(_use, path)
        with suppress(TimeoutError):
            started.result(0.1)
        fcntl.flock(lock, fcntl.LOCK_UN)
        started.result(20)


def _use(path: Path) -> None:
    with sole_use(path):
        assert is_in_use(path)


def test_a_spool_of_another_version_is_left_alone(path: Path, spool: Spool) -> None:
    spool.close()
    other = sqlite3.connect(path)
    other.execute("PRAGMA user_version = 99")
    other.close()
    with pytest.raises(SpoolError, match="another version"):
        Spool(path, WIDE)


def test_what_is_no_spool_is_told(path: Path) -> None:
    path.write_bytes(b"no database at all, " * 100)
    with pytest.raises(SpoolError, match="cannot be used"):
        Spool(path, WIDE)
    with pytest.raises(SpoolError, match="cannot be read"):
        open_for_reading(path)


def test_states_are_kept_in_order(path: Path, spool: Spool) -> None:
    spool.save_sources([SourceState("b", "up", 1, 2, None), SourceState("a", "down", 3, None, "x")])
    conn = open_for_reading(path)
    assert conn.execute("SELECT * FROM source ORDER BY rowid").fetchall() == [
        ("b", "up", 1, 2, None),
        ("a", "down", 3, None, "x"),
    ]
    conn.close()
