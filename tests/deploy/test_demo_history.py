"""The past of a simulated factory on its way into a real database, a few days of it."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import date, datetime
from itertools import islice

import numpy as np
import pytest

import simulators.scenarios
import store
import store.reports
from api.pool import report_opening
from deploy.demo.history import Sender, enter_pool, last_quarter
from simulators.history import Chunk
from simulators.plant import Plant, build
from store import batches, memberships, plans, registry, signing
from store.batches import Batch, Receipt
from store.canonical import FIRST_PREVIOUS, Record, Rows, canonical_bytes, chain_hash
from tests.support.database import cloned_database

AS_OF = datetime.fromisoformat("2026-03-10T10:37:20+08:00")
DAYS, CHUNKS = 2, 3


@pytest.fixture(scope="module")
def plant() -> Plant:
    return build(simulators.scenarios.load("fibre"), AS_OF)


@pytest.fixture(scope="module")
def chunks(plant: Plant) -> list[Chunk]:
    return list(islice(plant.history(DAYS), CHUNKS))


@pytest.fixture(scope="module")
def loaded(
    database_server: str, plant: Plant, chunks: list[Chunk]
) -> Iterator[tuple[str, list[Batch]]]:
    """A database that holds the chunks, and the batches that carried them."""
    with cloned_database(database_server) as url, closing(store.connect(url)) as conn:
        plans.load_plan(conn, plant.plan())
        made = [batch for batch, _ in _send(conn, plant, "first", chunks)]
        yield url, made


def _send(
    conn: store.Connection, plant: Plant, gateway: str, chunks: list[Chunk]
) -> list[tuple[Batch, Receipt]]:
    sender = Sender(conn, plant.scenario.factory.code, gateway)
    tag_ids = sender.tag_ids([tag.name for tag in plant.tags])
    made = [batch for chunk in chunks for batch in sender.cut(tag_ids, chunk)]
    return [(batch, batches.accept(conn, batch)) for batch in made]


def _counts(conn: store.Connection) -> tuple[int, int]:
    rows = conn.execute("SELECT count(*) FROM telemetry.measurement").fetchone()
    records = conn.execute("SELECT count(*) FROM telemetry.record").fetchone()
    assert rows is not None
    assert records is not None
    return rows[0], records[0]


def test_every_row_and_every_record_is_stored(
    loaded: tuple[str, list[Batch]], chunks: list[Chunk]
) -> None:
    url, _ = loaded
    with closing(store.connect(url)) as conn:
        rows, records = _counts(conn)
        assert rows == sum(len(chunk) for chunk in chunks) > 10_000
        assert records == sum(len(chunk.records) for chunk in chunks) > 100
        good = conn.execute(
            "SELECT count(*), sum(value) FROM telemetry.measurement WHERE value IS NOT NULL"
        ).fetchone()
    assert good is not None
    values = np.concatenate([chunk.value for chunk in chunks])
    assert good[0] == np.count_nonzero(~np.isnan(values))
    assert good[1] == pytest.approx(np.nansum(values))


def test_the_stored_rows_give_the_hashes_of_the_ledger(loaded: tuple[str, list[Batch]]) -> None:
    """Whoever holds the database alone can check the chain from its first batch to its last."""
    url, made = loaded
    with closing(store.connect(url)) as conn:
        ledger = conn.execute(
            "SELECT batch_id, seq, sha256, prev_sha256, signature, imported "
            "FROM telemetry.batch ORDER BY seq"
        ).fetchall()
        key = conn.execute("SELECT public_key FROM registry.gateway").fetchone()
        assert key is not None
        assert [entry[1] for entry in ledger] == list(range(1, len(made) + 1))
        previous = FIRST_PREVIOUS
        for batch_id, _, sha256, prev_sha256, signature, imported in ledger:
            content = canonical_bytes(_rows(conn, batch_id), _records(conn, batch_id))
            assert prev_sha256 == previous
            assert sha256 == chain_hash(previous, content)
            assert signing.verify(key[0], sha256, signature)
            assert imported
            previous = sha256


def _rows(conn: store.Connection, batch_id: int) -> Rows:
    found = conn.execute(
        "SELECT tag_id, (extract(epoch FROM ts) * 1000000)::int8, "
        "coalesce(value, 'NaN'::float8), status "
        "FROM telemetry.measurement WHERE batch_id = %s ORDER BY tag_id, ts",
        (batch_id,),
    ).fetchall()
    tags, times, values, statuses = zip(*found, strict=True)
    return Rows(
        np.array(tags, np.int32),
        np.array(times, np.int64),
        np.array(values, np.float64),
        np.array(statuses, np.int32),
    )


def _records(conn: store.Connection, batch_id: int) -> list[Record]:
    found = conn.execute(
        "SELECT kind, key, at, body FROM telemetry.record WHERE batch_id = %s ORDER BY record_id",
        (batch_id,),
    ).fetchall()
    return [Record(*row) for row in found]


def test_the_same_past_again_adds_no_row_and_moves_no_record(
    loaded: tuple[str, list[Batch]], plant: Plant, chunks: list[Chunk]
) -> None:
    url, _ = loaded
    with closing(store.connect(url)) as conn:
        rows, newest = _counts(conn)[0], _newest(conn)
        for batch, receipt in _send(conn, plant, "again", chunks):
            assert (receipt.outcome, receipt.conflicts) == ("accepted", 0)
            assert receipt.absorbed == len(batch.rows)
        assert _counts(conn)[0] == rows
        assert _newest(conn) == newest


def _newest(conn: store.Connection) -> list[tuple[str, str, object]]:
    return conn.execute(
        "SELECT DISTINCT ON (kind, key) kind, key, body FROM telemetry.record "
        "ORDER BY kind, key, version DESC"
    ).fetchall()


def test_a_key_given_again_goes_into_a_batch_of_its_own(
    loaded: tuple[str, list[Batch]], plant: Plant, chunks: list[Chunk]
) -> None:
    """Three values of one tag and time: the first stays, the others are kept as conflicts."""
    url, _ = loaded
    first = chunks[0]
    one = np.flatnonzero(~np.isnan(first.value))[:1]
    again = [
        replace(
            first,
            tag_index=first.tag_index[one],
            ts_us=first.ts_us[one],
            value=first.value[one] + offset,
            status=first.status[one],
            records=[],
        )
        for offset in (0, 1, 2)
    ]
    thrice = replace(
        again[0],
        tag_index=np.concatenate([each.tag_index for each in again]),
        ts_us=np.concatenate([each.ts_us for each in again]),
        value=np.concatenate([each.value for each in again]),
        status=np.concatenate([each.status for each in again]),
    )
    with closing(store.connect(url)) as conn:
        before = _counts(conn)
        sent = _send(conn, plant, "thrice", [thrice])
        receipts = [(receipt.absorbed, receipt.conflicts) for _, receipt in sent]
        assert receipts == [(1, 0), (0, 1), (0, 1)]
        assert _counts(conn) == before


def test_the_factory_enters_the_pool_after_its_baseline(db: store.Connection, plant: Plant) -> None:
    factory_id = plans.load_plan(db, plant.plan())
    code = plant.scenario.factory.code
    enter_pool(db, code, AS_OF)
    found = memberships.newest(db, factory_id)
    assert found is not None
    assert found.state == "cultivating"
    assert found.entered_on == registry.factory_by_code(db, code).baseline_to


def test_the_demo_opens_with_a_quarter_to_report(db: store.Connection, plant: Plant) -> None:
    plans.load_plan(db, plant.plan())
    enter_pool(db, plant.scenario.factory.code, AS_OF)
    opened = report_opening.open_due(db, now=AS_OF)
    found = [store.reports.report(db, each) for each in opened]
    ends = {(each.kind, each.period_end) for each in found if each is not None}
    # In a first quarter the year that ended is to be reported as well.
    assert ends == {("Q", date(2026, 1, 1)), ("Y", date(2026, 1, 1))}
    assert all(each is not None and each.due_on > AS_OF.date() for each in found)


@pytest.mark.parametrize(
    ("day", "began"),
    [("2026-11-23", "2026-07-01"), ("2026-10-01", "2026-07-01"), ("2026-01-01", "2025-10-01")],
)
def test_the_last_quarter_is_the_newest_that_ended(day: str, began: str) -> None:
    as_of = datetime.fromisoformat(f"{day}T00:30:00+08:00")
    assert last_quarter(as_of).isoformat() == f"{began}T00:00:00+08:00"
