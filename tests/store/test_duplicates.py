"""Rows that were there before: equal ones are absorbed, others are kept out and listed."""

from datetime import timedelta

import numpy as np

import store
from store import batches
from store.canonical import Rows
from tests.store.samples import BAD, START, Gateway, count, one_row, rows_of, stored


def test_equal_rows_are_absorbed_and_counted(db: store.Connection, gateway: Gateway) -> None:
    tag_id = gateway.tags["M01.power"]
    first = rows_of([tag_id], 5)
    first.value[2], first.status[2] = np.nan, BAD
    batches.accept(db, gateway.batch(first))
    before = stored(db)
    longer = rows_of([tag_id], 8)
    longer.value[2], longer.status[2] = np.nan, BAD
    receipt = batches.accept(db, gateway.batch(longer))
    assert (receipt.outcome, receipt.absorbed, receipt.conflicts) == ("accepted", 5, 0)
    assert stored(db)[:5] == before
    assert len(stored(db)) == 8
    assert db.execute("SELECT * FROM telemetry.absorbed").fetchall() == [(receipt.batch_id, 5)]
    assert count(db, "telemetry.conflict") == 0


def test_another_value_is_kept_out_and_listed(db: store.Connection, gateway: Gateway) -> None:
    tag_id = gateway.tags["M01.power"]
    kept = batches.accept(db, gateway.batch(one_row(tag_id, START, 1.5)))
    offered = rows_of([tag_id], 3)
    offered.value[:] = 7
    receipt = batches.accept(db, gateway.batch(offered))
    assert (receipt.absorbed, receipt.conflicts) == (0, 1)
    assert [row[2] for row in stored(db)] == [1.5, 7, 7]
    assert db.execute("SELECT * FROM telemetry.conflict").fetchall() == [
        (tag_id, START, 1.5, 0, kept.batch_id, 7, 0, receipt.batch_id)
    ]
    assert count(db, "telemetry.absorbed") == 0


def test_a_value_where_there_was_none_is_a_conflict(db: store.Connection, gateway: Gateway) -> None:
    tag_id = gateway.tags["M01.power"]
    batches.accept(db, gateway.batch(one_row(tag_id, START, np.nan, BAD)))
    receipt = batches.accept(db, gateway.batch(one_row(tag_id, START, 1.0, BAD)))
    assert receipt.conflicts == 1
    receipt = batches.accept(db, gateway.batch(one_row(tag_id, START, np.nan, 0)))
    assert receipt.conflicts == 1
    assert [row[2:4] for row in stored(db)] == [(None, BAD)]
    kept_and_offered = "kept_value, kept_status, offered_value, offered_status"
    assert db.execute(f"SELECT {kept_and_offered} FROM telemetry.conflict".encode()).fetchall() == [
        (None, BAD, 1.0, BAD),
        (None, BAD, None, 0),
    ]


def test_all_sorts_in_one_batch_over_many_chunks(db: store.Connection, gateway: Gateway) -> None:
    one, two = sorted(gateway.tags.values())[:2]
    every = timedelta(days=20)  # a chunk holds 30 days
    batches.accept(db, gateway.batch(rows_of([one], 24, step=every)))
    first = rows_of([one], 24, step=every)
    second = rows_of([two], 24, step=every)
    first.value[5] += 1
    first.value[17] = np.nan
    both = Rows(
        np.concatenate([first.tag_id, second.tag_id]),
        np.concatenate([first.ts_us, second.ts_us]),
        np.concatenate([first.value, second.value]),
        np.concatenate([first.status, second.status]),
    )
    receipt = batches.accept(db, gateway.batch(both))
    assert (receipt.absorbed, receipt.conflicts) == (22, 2)
    rows = stored(db)
    assert [row[2] for row in rows if row[0] == one] == list(range(24))
    assert [row[4] for row in rows if row[0] == two] == [receipt.batch_id] * 24
    conflicts = db.execute("SELECT ts FROM telemetry.conflict ORDER BY ts").fetchall()
    assert conflicts == [(START + 5 * every,), (START + 17 * every,)]


def test_a_replayed_day_under_a_new_number(db: store.Connection, gateway: Gateway) -> None:
    rows = rows_of(sorted(gateway.tags.values()), 100)
    batches.accept(db, gateway.batch(rows))
    before = stored(db)
    for _ in range(3):
        receipt = batches.accept(db, gateway.batch(rows))
        assert (receipt.absorbed, receipt.conflicts) == (len(rows), 0)
    assert stored(db) == before


def test_minus_zero_is_zero(db: store.Connection, gateway: Gateway) -> None:
    tag_id = gateway.tags["M01.power"]
    batches.accept(db, gateway.batch(one_row(tag_id, START, 0.0)))
    receipt = batches.accept(db, gateway.batch(one_row(tag_id, START, -0.0)))
    assert (receipt.absorbed, receipt.conflicts) == (1, 0)


def test_staged_rows_of_one_batch_do_not_reach_the_next(
    db: store.Connection, gateway: Gateway
) -> None:
    tag_id = gateway.tags["M01.power"]
    batches.accept(db, gateway.batch(rows_of([tag_id], 2)))
    for size in (3, 4, 5):
        batches.accept(db, gateway.batch(rows_of([tag_id], size)))
        assert len(stored(db)) == size
    assert count(db, "telemetry.conflict") == 0


def test_the_staging_path_inside_a_callers_transaction(
    db: store.Connection, gateway: Gateway
) -> None:
    tag_id = gateway.tags["M01.power"]
    batches.accept(db, gateway.batch(rows_of([tag_id], 2)))
    different = rows_of([tag_id], 3)
    different.value[0] = 9
    with store.transaction(db):
        first = batches.accept(db, gateway.batch(different))
        second = batches.accept(db, gateway.batch(rows_of([tag_id], 4)))
    assert (first.absorbed, first.conflicts) == (1, 1)
    assert (second.absorbed, second.conflicts) == (3, 0)
    assert len(stored(db)) == 4
    assert count(db, "telemetry.conflict") == 1
