"""A damaged spool: what can be read is kept, the loss is stated, and the gateway goes on."""

import json
import logging
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from collectors.errors import SpoolError
from collectors.sample import Delivery, Sample
from collectors.spool.bounds import Bounds
from collectors.spool.file import sole_use
from collectors.spool.outbox import Outbox, Signer
from collectors.spool.salvage import make_sound
from collectors.spool.spool import Spool
from collectors.status import GOOD
from store.canonical import Record

PAGE = 4096
WIDE = Bounds(max_bytes=100_000_000, max_age_s=1e6)
WRITES, ROWS, RECORDS = 60, 1_000, 400


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "spool.db"


@pytest.fixture
def filled(path: Path) -> Path:
    """Return a spool with 60 writes of a thousand rows and 400 records."""
    with closing(Spool(path, WIDE)) as spool:
        at = datetime(2026, 3, 1, tzinfo=UTC)
        records = [Record("k", f"R{n}", at, {"n": n, "text": "x" * 300}) for n in range(RECORDS)]
        spool.append([("src", Delivery(records=records))])
        for write in range(WRITES):
            first = write * ROWS
            samples = [Sample("A", n, float(n), GOOD) for n in range(first, first + ROWS)]
            spool.append([("src", Delivery(samples=samples))])
    return path


def make_outbox(path: Path) -> Outbox:
    outbox = Outbox(path, Signer("gw", "v1", lambda sha256: sha256))
    outbox.learn_tags({"A": 11})
    return outbox


@pytest.fixture
def outbox(filled: Path) -> Iterator[Outbox]:
    with closing(make_outbox(filled)) as opened:
        yield opened


def overwrite(path: Path, first: int, count: int) -> None:
    """Overwrite pages with what no disk block of SQLite looks like."""
    with path.open("r+b") as file:
        file.seek(first * PAGE)
        file.write(b"\xa5" * PAGE * count)


def drained(path: Path) -> tuple[list[int], list[str], list[tuple[str, dict[str, Any]]]]:
    """Return times of rows, keys of records, and notes that a spool gives out."""
    times: list[int] = []
    keys: list[str] = []
    with closing(make_outbox(path)) as outbox:
        while (batch := outbox.cut(5_000, None)) is not None:
            times += batch.rows.ts_us.tolist()
            keys += [record.key for record in batch.records]
            assert batch.rows.value.tolist() == [float(ts_us) for ts_us in batch.rows.ts_us]
            outbox.acknowledge(batch)
        notes = [(one.reason, json.loads(one.payload)) for _, _, one in outbox.quarantined(100)]
    return times, keys, notes


def test_a_sound_spool_is_left_alone(filled: Path) -> None:
    before = filled.read_bytes()
    assert make_sound(filled) is None
    assert filled.read_bytes() == before
    assert make_sound(filled.with_name("none.db")) is None


@pytest.mark.parametrize("part", range(1, 10))
def test_pages_overwritten_in_the_middle(
    filled: Path, part: int, caplog: pytest.LogCaptureFixture
) -> None:
    pages = filled.stat().st_size // PAGE
    overwrite(filled, pages * part // 10, 8)
    found = make_sound(filled)
    assert found is not None
    times, keys, notes = drained(filled)
    assert len(times) == len(set(times)) == found.rows_kept
    assert len(keys) == len(set(keys)) == found.records_kept
    assert found.rows_kept + (found.rows_lost or 0) == WRITES * ROWS
    assert found.records_kept + (found.records_lost or 0) == RECORDS
    assert found.rows_kept >= (WRITES - 4) * ROWS
    assert found.records_kept >= RECORDS - 120
    assert (found.rows_lost or 0) + (found.records_lost or 0) > 0
    assert notes[0][0] == "the spool file was damaged: what could be read was kept"
    assert notes[0][1]["rows_lost"] == found.rows_lost
    assert filled.with_name(found.damaged_file).exists()
    (line,) = [one.getMessage() for one in caplog.records if one.levelno == logging.ERROR]
    assert f"{found.rows_lost} rows and {found.records_lost} records are lost" in line


def test_a_block_whose_bytes_changed_is_told_and_the_others_go_on(filled: Path) -> None:
    """No page is broken, so that SQLite sees nothing; the checksum of the block does."""
    with closing(sqlite3.connect(filled)) as conn, conn:
        conn.execute("UPDATE block SET row_data = zeroblob(24000) WHERE block_id = 7")
    assert make_sound(filled) is None
    times, keys, notes = drained(filled)
    assert len(times) == (WRITES - 1) * ROWS
    assert len(keys) == RECORDS
    ((reason, gap),) = notes
    assert reason == "rows were lost in the damaged spool file"
    assert gap["rows"] == ROWS
    assert gap["first"] == "1970-01-01T00:00:00.006000+00:00"


def test_the_first_page_of_a_spool_is_lost(filled: Path, tmp_path: Path) -> None:
    """Nothing can be read then: the gateway starts anew, and the file stays beside."""
    overwrite(filled, 0, 1)
    found = make_sound(filled)
    assert found is not None
    assert (found.rows_kept, found.rows_lost) == (0, None)
    assert (tmp_path / found.damaged_file).stat().st_size > WRITES * ROWS * 24
    times, _, notes = drained(filled)
    assert times == []
    assert notes[0][1]["rows_lost"] is None


def test_a_file_that_never_was_a_spool_is_not_touched(path: Path) -> None:
    path.write_bytes(b"somebody's notes " * 1000)
    with sole_use(path), pytest.raises(SpoolError, match="it is no spool"):
        make_sound(path)
    assert path.read_bytes() == b"somebody's notes " * 1000


def test_a_chain_goes_on_behind_what_was_acknowledged(filled: Path, outbox: Outbox) -> None:
    first = outbox.cut(5_000, None)
    assert first is not None
    outbox.acknowledge(first)
    outbox.close()
    overwrite(filled, filled.stat().st_size // PAGE // 2, 4)
    assert make_sound(filled) is not None
    with closing(make_outbox(filled)) as again:
        assert again.last() == (1, first.sha256)
