"""A spool of the former version goes on with everything that waits in it."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from collectors.errors import SpoolError
from collectors.spool.bounds import Bounds
from collectors.spool.file import open_for_reading
from collectors.spool.outbox import Outbox, Signer
from collectors.spool.spool import Spool
from collectors.status import BAD_TIMEOUT, GOOD
from store.canonical import Rows, canonical_bytes, chain_hash
from tests.collectors.spool.held import count, rows_of, waiting

FORMER = Path(__file__).parent / "versions" / "1.sql"
ROWS = 6_000


def packed(rows: list[tuple[int, int, float, int]]) -> bytes:
    tag, ts_us, value, code = zip(*rows, strict=True)
    columns = {"tag_id": tag, "ts_us": ts_us, "value": value, "status": code}
    return canonical_bytes(Rows(**{name: np.array(column) for name, column in columns.items()}))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return a spool as the former version left it: rows, a record, a batch, something aside."""
    path = tmp_path / "spool.db"
    data = packed([(11, 1, 1.0, GOOD)])
    names = json.dumps({"11": "A"})
    sha256 = chain_hash(bytes(32), data)
    with closing(sqlite3.connect(path)) as conn, conn:
        conn.executescript(FORMER.read_text(encoding="utf-8"))
        conn.execute("PRAGMA user_version = 1")
        conn.execute("INSERT INTO tag VALUES (1, 'A', 11), (2, 'B', NULL)")
        conn.executemany(
            "INSERT INTO sample VALUES (?, 1, ?, ?, ?, 1772000000)",
            [
                (n, 10 + n, *((float(n), GOOD) if n % 7 else (None, BAD_TIMEOUT)))
                for n in range(ROWS)
            ],
        )
        conn.execute("INSERT INTO sample VALUES (?, 2, 5, 5.0, 0, 1772000100)", (ROWS,))
        at = "2026-03-01T00:00:00+00:00"
        conn.execute("INSERT INTO record VALUES (1, 'k', 'R1', ?, '{\"n\": 1}', 1772000000)", (at,))
        conn.execute(
            "INSERT INTO batch VALUES (5, 'v1', ?, '[]', ?, ?, ?, ?, NULL)",
            (data, names, bytes(32), sha256, bytes(64)),
        )
        conn.execute("UPDATE chain SET seq = 5, sha256 = ?, acked = 4", (sha256,))
        conn.execute(
            "INSERT INTO aside VALUES (1, 7, 4, 'why', 1, ?, '[]', ?)",
            (packed([(11, 2, 2.0, GOOD)]), names),
        )
        conn.execute("INSERT INTO counter VALUES ('rows_sent', 99)")
        conn.execute(
            "INSERT INTO quarantined VALUES (1, 'src', 'not JSON', '{', 1772000000000000, 0)"
        )
    return path


def test_everything_that_waits_is_brought_forward(path: Path) -> None:
    with closing(Spool(path, Bounds(10**9, 1e12))):
        found = waiting(path)
        assert len(found) == ROWS + 1
        assert found[:2] == [("A", 10, None, BAD_TIMEOUT), ("A", 11, 1.0, GOOD)]
        assert found[-1] == ("B", 5, 5.0, GOOD)
        assert count(path, "rows_sent") == 99
        assert count(path, "waiting_records") == 1


def test_the_batch_in_flight_and_what_is_aside_are_brought_forward(path: Path) -> None:
    with closing(Outbox(path, Signer("gw", "v2", lambda sha256: sha256))) as outbox:
        flying = outbox.outstanding()
        assert flying is not None
        assert (flying.seq, rows_of(flying)) == (5, [(11, 1, 1.0, GOOD)])
        outbox.learn_tags({"A": 12, "B": 13})
        outbox.dissolve(flying)
        assert outbox.take_back() == (1, 0)
        batches = []
        while (batch := outbox.cut(10_000, None)) is not None:
            batches.append(batch)
            outbox.acknowledge(batch)
        found = [row for batch in batches for row in rows_of(batch)]
        assert sorted(found)[:2] == [(12, 1, 1.0, GOOD), (12, 2, 2.0, GOOD)]
        assert len(found) == ROWS + 3
        assert [record.key for batch in batches for record in batch.records] == ["R1"]
        assert (batches[0].seq, batches[0].prev_sha256) == (5, bytes(32))
        assert [one.reason for _, _, one in outbox.quarantined(10)] == ["not JSON"]


def test_the_state_of_a_spool_that_waits_for_its_update_is_told(path: Path) -> None:
    with pytest.raises(SpoolError, match="start the gateway"):
        open_for_reading(path)
