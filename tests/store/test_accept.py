"""A batch that fits is stored whole, is acknowledged, and is known when it comes again."""

from datetime import timedelta
from typing import Any

import numpy as np
import pytest

import store
from store import batches, measurements
from store.canonical import FIRST_PREVIOUS, Rows
from tests.store.samples import (
    BAD,
    START,
    Gateway,
    count,
    enrol,
    findings,
    one_row,
    rows_of,
    stored,
)


def test_a_batch_is_stored_whole(db: store.Connection, gateway: Gateway) -> None:
    tag_ids = sorted(gateway.tags.values())
    rows = rows_of(tag_ids, 7)
    rows.value[3], rows.status[3] = np.nan, BAD
    receipt = batches.accept(db, gateway.batch(rows))
    assert receipt.outcome == "accepted"
    assert (receipt.absorbed, receipt.conflicts) == (0, 0)
    found = measurements.read(db, tag_ids, START, START + timedelta(days=1))
    assert found.tag_id.tolist() == rows.tag_id.tolist()
    assert found.ts_us.tolist() == rows.ts_us.tolist()
    assert np.array_equal(found.value, rows.value, equal_nan=True)
    assert found.status.tolist() == rows.status.tolist()
    assert {row[4] for row in stored(db)} == {receipt.batch_id}
    assert [row[2] for row in stored(db)][3] is None


def test_the_ledger_says_what_came(db: store.Connection, gateway: Gateway) -> None:
    rows = rows_of([gateway.tags["M01.total"]], 3)
    batch = gateway.batch(rows, clock_skew_s=0.25, imported=True)
    batches.accept(db, batch)
    row = db.execute(
        "SELECT seq, config_version, imported, row_count, record_count, first_ts, last_ts, sha256, "
        "prev_sha256, signature, clock_skew_s FROM telemetry.batch"
    ).fetchone()
    last_ts = START + timedelta(minutes=2)
    assert row == (
        1, "v1", True, 3, 0, START, last_ts, batch.sha256, FIRST_PREVIOUS, batch.signature, 0.25
    )  # fmt: skip


def test_a_batch_without_rows_keeps_the_chain(db: store.Connection, gateway: Gateway) -> None:
    empty, full = gateway.batch(), gateway.batch(rows_of([gateway.tags["M01.total"]], 1))
    assert batches.accept(db, empty).outcome == "accepted"
    assert batches.accept(db, full).outcome == "accepted"
    assert batches.last(db, gateway.code) == (2, full.sha256)
    assert count(db, "kpi.dirty_hour") == 1
    assert measurements.count(db) == (1, 2)


def test_the_same_batch_again_is_acknowledged_and_stored_once(
    db: store.Connection, gateway: Gateway
) -> None:
    batch = gateway.batch(rows_of([gateway.tags["M01.total"]]))
    first = batches.accept(db, batch)
    before = stored(db)
    db.execute("DELETE FROM kpi.dirty_hour")
    again = batches.accept(db, batch)
    assert (again.outcome, again.batch_id) == ("known", first.batch_id)
    assert stored(db) == before
    assert count(db, "telemetry.batch") == 1
    assert count(db, "kpi.dirty_hour") == 0
    assert findings(db) == []


def test_a_known_batch_is_acknowledged_after_the_key_was_changed(
    db: store.Connection, gateway: Gateway
) -> None:
    batch = gateway.batch(rows_of([gateway.tags["M01.total"]]))
    batches.accept(db, batch)
    enrol(db, code=gateway.code)
    assert batches.accept(db, batch).outcome == "known"


def test_a_gateway_without_batches_has_no_last(db: store.Connection, gateway: Gateway) -> None:
    assert batches.last(db, gateway.code) is None
    assert batches.last(db, "gw-unheard-of") is None


def test_a_gap_in_the_sequence_is_taken_and_found(db: store.Connection, gateway: Gateway) -> None:
    tag_id = gateway.tags["M01.total"]
    batches.accept(db, gateway.batch(one_row(tag_id, START, 1)))
    missed = gateway.batch(one_row(tag_id, START + timedelta(minutes=1), 2))
    later = gateway.batch(one_row(tag_id, START + timedelta(minutes=2), 3))
    assert batches.accept(db, later).outcome == "accepted"
    assert findings(db) == [("SequenceGap", {"seq": 3})]
    # The missing one fits between the two and closes the gap.
    assert batches.accept(db, missed).outcome == "accepted"
    assert len(stored(db)) == 3


def test_the_direct_path_needs_no_staging_table(db: store.Connection, gateway: Gateway) -> None:
    tag_id = gateway.tags["M01.power"]
    batches.accept(db, gateway.batch(rows_of([tag_id], 5)))
    assert not _has_staging(db)
    # The staging path makes one: the statement above can see it.
    batches.accept(db, gateway.batch(rows_of([tag_id], 6)))
    assert _has_staging(db)


def _has_staging(db: store.Connection) -> bool:
    row = db.execute("SELECT to_regclass('pg_temp.staged_measurement') IS NOT NULL").fetchone()
    return row == (True,)


@pytest.mark.parametrize("size", [8191, 8192, 8193, 20_000])
def test_no_row_is_lost_between_the_pieces_of_a_large_batch(
    db: store.Connection, gateway: Gateway, size: int
) -> None:
    rows = rows_of([gateway.tags["M01.power"]], size, step=timedelta(seconds=1))
    rows.value[::97] = np.nan
    batches.accept(db, gateway.batch(rows))
    found = measurements.read(
        db, [gateway.tags["M01.power"]], START, START + timedelta(seconds=size)
    )
    assert np.array_equal(found.ts_us, rows.ts_us)
    assert np.array_equal(found.value, rows.value, equal_nan=True)


def test_a_column_of_another_width_keeps_its_numbers(
    db: store.Connection, gateway: Gateway
) -> None:
    rows = rows_of([gateway.tags["M01.power"]], 3)
    # As a caller that is not type-checked could pass them.
    tag_id: Any = rows.tag_id.astype(np.int64)
    value: Any = rows.value.astype(np.int64)
    wide = Rows(tag_id, rows.ts_us, value, rows.status)
    batches.accept(db, gateway.batch(wide))
    assert [row[2] for row in stored(db)] == [0, 1, 2]


def test_rows_far_apart_in_time_share_a_batch(db: store.Connection, gateway: Gateway) -> None:
    rows = rows_of([gateway.tags["M01.power"]], 12, step=timedelta(days=60))
    batches.accept(db, gateway.batch(rows))
    assert len(stored(db)) == 12
