"""What happens at the same time: the tests hold a lock until the others wait for it."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta

import pytest

import store
from store import batches
from store.canonical import Record
from store.errors import StoreUnavailable
from store.queries import query
from tests.store.samples import START, Gateway, count, enrol, findings, one_row, rows_of, stored
from tests.support.waiting import wait_for

_TIMEOUT_S = 30


@pytest.fixture
def third(database_url: str) -> Iterator[store.Connection]:
    with closing(store.connect(database_url)) as conn:
        yield conn


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(3) as pool:
        yield pool


@pytest.fixture
def waiting(database_url: str) -> Iterator[Callable[[int], None]]:
    """Return a function that returns once so many sessions wait for a lock."""
    with closing(store.connect(database_url)) as watcher:

        def sessions() -> int:
            row = watcher.execute(
                "SELECT count(*) FROM pg_stat_activity "
                "WHERE datname = current_database() AND wait_event_type = 'Lock'"
            ).fetchone()
            assert row is not None
            return int(row[0])

        yield lambda number: wait_for(lambda: sessions() == number, f"{number} waiting sessions")


def _outcome(future: Future[batches.Receipt]) -> str:
    return future.result(_TIMEOUT_S).outcome


def test_the_same_batch_at_the_same_time_is_stored_once_and_acknowledged_twice(
    db: store.Connection,
    second: store.Connection,
    third: store.Connection,
    gateway: Gateway,
    threads: ThreadPoolExecutor,
    waiting: Callable[[int], None],
) -> None:
    batch = gateway.batch(rows_of([gateway.tags["M01.total"]]))
    with store.transaction(third):
        third.execute(query("lock_gateway"), {"gateway": gateway.code})
        sent = [threads.submit(batches.accept, conn, batch) for conn in (db, second)]
        waiting(2)
    assert sorted(_outcome(each) for each in sent) == ["accepted", "known"]
    assert count(db, "telemetry.batch") == 1
    assert len(stored(db)) == len(batch.rows)
    assert findings(db) == []


def test_two_gateways_do_not_wait_for_each_other(
    db: store.Connection, second: store.Connection, gateway: Gateway
) -> None:
    other = enrol(db, code="gw-other")
    with store.transaction(second):
        second.execute(query("lock_gateway"), {"gateway": gateway.code})
        batch = other.batch(rows_of([other.tags["M02.total"]]))
        assert batches.accept(db, batch).outcome == "accepted"


def _holding_records(conn: store.Connection, factory_id: int) -> None:
    """Stop every batch with a record after its rows and before its commit."""
    conn.execute(query("lock_records"), {"factory_id": factory_id})


def _with_record(gateway: Gateway, value: float, quantity: int) -> batches.Batch:
    record = Record("order_line", "SO1-1", START, {"quantity": quantity})
    return gateway.batch(one_row(gateway.tags["M01.total"], START, value), (record,))


def test_the_same_row_from_two_gateways_at_once_keeps_the_first_and_lists_the_other(
    db: store.Connection,
    second: store.Connection,
    third: store.Connection,
    gateway: Gateway,
    factory_id: int,
    threads: ThreadPoolExecutor,
    waiting: Callable[[int], None],
) -> None:
    other = enrol(db, code="gw-other")
    with store.transaction(third):
        _holding_records(third, factory_id)
        first = threads.submit(batches.accept, db, _with_record(gateway, 1, 10))
        waiting(1)
        later = threads.submit(batches.accept, second, _with_record(other, 2, 10))
        waiting(2)
    assert first.result(_TIMEOUT_S).conflicts == 0
    assert later.result(_TIMEOUT_S).conflicts == 1
    assert [row[2] for row in stored(db)] == [1]
    assert count(db, "telemetry.record") == 1


def test_versions_of_one_record_from_two_gateways_at_once(
    db: store.Connection,
    second: store.Connection,
    third: store.Connection,
    gateway: Gateway,
    factory_id: int,
    threads: ThreadPoolExecutor,
    waiting: Callable[[int], None],
) -> None:
    other = enrol(db, code="gw-other")
    sent = [
        (db, gateway.batch(records=(Record("cogs", "2026-03", START, {"amount_yuan": 1}),))),
        (second, other.batch(records=(Record("cogs", "2026-03", START, {"amount_yuan": 2}),))),
    ]
    with store.transaction(third):
        _holding_records(third, factory_id)
        running = [threads.submit(batches.accept, conn, batch) for conn, batch in sent]
        waiting(2)
    assert [_outcome(each) for each in running] == ["accepted", "accepted"]
    rows = db.execute("SELECT version FROM telemetry.record ORDER BY version").fetchall()
    assert rows == [(1,), (2,)]


def test_a_connection_that_dies_in_the_middle_leaves_nothing(
    db: store.Connection,
    second: store.Connection,
    third: store.Connection,
    gateway: Gateway,
    factory_id: int,
    threads: ThreadPoolExecutor,
    waiting: Callable[[int], None],
) -> None:
    batch = _with_record(gateway, 1, 10)
    with store.transaction(third):
        _holding_records(third, factory_id)
        dying = threads.submit(batches.accept, second, batch)
        waiting(1)
        db.execute("SELECT pg_terminate_backend(%s, 5000)", (second.info.backend_pid,))
        with pytest.raises(StoreUnavailable):
            dying.result(_TIMEOUT_S)
    for table in ("telemetry.batch", "telemetry.measurement", "kpi.dirty_hour", "telemetry.record"):
        assert count(db, table) == 0, table
    assert batches.accept(db, batch).outcome == "accepted"
    assert len(stored(db)) == 1


def test_gateways_in_parallel_lose_nothing_and_count_nothing_twice(
    db: store.Connection, database_url: str, gateway: Gateway, threads: ThreadPoolExecutor
) -> None:
    # All three send the same ten stretches of time, new chunks among them, each in its own order.
    tag_ids = sorted(gateway.tags.values())
    gateways = [gateway, enrol(db, code="gw-second"), enrol(db, code="gw-third")]
    running = [
        threads.submit(_send_all, database_url, each, tag_ids, offset)
        for offset, each in enumerate(gateways)
    ]
    receipts = [receipt for future in running for receipt in future.result(120)]
    offered, kept = 3 * 10 * 50 * len(tag_ids), 10 * 50 * len(tag_ids)
    absorbed = sum(receipt.absorbed for receipt in receipts)
    conflicts = sum(receipt.conflicts for receipt in receipts)
    assert len(stored(db)) == kept
    assert absorbed + conflicts == offered - kept
    assert conflicts == count(db, "telemetry.conflict")
    # The third gateway differs from the others in each tenth row.
    assert 0 < conflicts <= 2 * kept // 10
    row = db.execute("SELECT sum(row_count) FROM telemetry.absorbed").fetchone()
    assert row == (absorbed,)
    assert count(db, "telemetry.batch") == 30


def _send_all(url: str, gateway: Gateway, tag_ids: list[int], offset: int) -> list[batches.Receipt]:
    receipts = []
    with closing(store.connect(url)) as conn:
        for number in range(10):
            place = (number + 3 * offset) % 10
            rows = rows_of(tag_ids, 50, START + place * timedelta(days=11))
            rows.value[:] = rows.ts_us % 1000
            if offset == 2:
                rows.value[::10] += 1
            receipts.append(_until_accepted(conn, gateway.batch(rows)))
    return receipts


def _until_accepted(conn: store.Connection, batch: batches.Batch) -> batches.Receipt:
    for _ in range(20):
        try:
            return batches.accept(conn, batch)
        except StoreUnavailable:  # two that wait for each other: one is told to come again
            continue
    raise AssertionError("never accepted")


def test_a_gateway_that_waits_too_long_is_told_to_come_again(
    db: store.Connection, second: store.Connection, gateway: Gateway
) -> None:
    batch = gateway.batch(rows_of([gateway.tags["M01.total"]]))
    db.execute("SET lock_timeout = '50ms'")
    with store.transaction(second):
        second.execute(query("lock_gateway"), {"gateway": gateway.code})
        with pytest.raises(StoreUnavailable, match="lock timeout"):
            batches.accept(db, batch)
    assert batches.accept(db, batch).outcome == "accepted"


def test_changing_the_plan_does_not_stop_a_gateway(
    db: store.Connection, second: store.Connection, gateway: Gateway
) -> None:
    with store.transaction(second):
        second.execute("UPDATE registry.factory SET name_en = 'Renamed'")
        second.execute("UPDATE registry.tag SET unit = 'pieces'")
        batch = gateway.batch(rows_of([gateway.tags["M01.total"]]))
        assert batches.accept(db, batch).outcome == "accepted"


def test_a_run_of_a_job_holds_back_no_records_of_the_factory_with_its_number(
    db: store.Connection, second: store.Connection, gateway: Gateway, factory_id: int
) -> None:
    second.execute(query("hold_job_run"), {"run_id": factory_id})
    db.execute("SET lock_timeout = '2s'")
    record = Record("order_line", "SO1-1", START, {"line": "SO1-1"})
    assert batches.accept(db, gateway.batch(records=(record,))).outcome == "accepted"
