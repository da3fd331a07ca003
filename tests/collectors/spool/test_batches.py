"""Batches: cut from the oldest into a signed chain, and never the same thing twice."""

import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from collectors.errors import SpoolDamaged
from collectors.sample import Delivery, now_us
from collectors.spool.file import open_for_reading
from collectors.spool.outbox import Outbox
from collectors.spool.spool import Spool
from collectors.status import BAD_TIMEOUT, GOOD
from store.canonical import Record, canonical_bytes, chain_hash
from tests.collectors.spool.held import (
    AT,
    EPOCH,
    IDS,
    WIDE,
    drain,
    make_outbox,
    put,
    rows_of,
    samples,
    waiting,
)


def test_a_batch_is_ordered_signed_and_chained(spool: Spool, outbox: Outbox) -> None:
    put(spool, samples("B", (2, 5.0), (1, None)), samples("A", (3, 1.5)))
    first = outbox.cut(100, 0.25)
    assert rows_of(first) == [(11, 3, 1.5, GOOD), (12, 1, None, BAD_TIMEOUT), (12, 2, 5.0, GOOD)]
    assert first is not None
    assert (first.gateway, first.config_version, first.seq) == ("gw", "v1", 1)
    assert first.clock_skew_s == 0.25
    assert first.prev_sha256 == bytes(32)
    assert first.sha256 == chain_hash(bytes(32), canonical_bytes(first.rows, first.records))
    assert first.signature == b"signed " + first.sha256
    outbox.acknowledge(first)
    put(spool, samples("A", (4, 2.0)))
    second = outbox.cut(100, None)
    assert second is not None
    assert (second.seq, second.prev_sha256) == (2, first.sha256)


def test_nothing_waiting_is_no_batch(outbox: Outbox) -> None:
    assert outbox.cut(100, None) is None
    assert outbox.last() == (0, bytes(32))


def test_an_unanswered_batch_is_the_same_after_a_restart(
    path: Path, spool: Spool, outbox: Outbox
) -> None:
    record = Record("order_line", "SO1", AT, {"line": "SO1", "价": 1.0, "n": 10**20})
    put(spool, samples("A", (1, 1.0), (2, None)), Delivery(records=[record]))
    cut = outbox.cut(100, 0.5)
    put(spool, samples("A", (3, 1.0)))
    again = make_outbox(path)
    again.learn_tags({"A": 99})
    found = again.outstanding()
    again.close()
    assert cut is not None
    assert found is not None
    assert rows_of(found) == rows_of(cut)
    assert found.records == cut.records == (record,)
    assert (found.seq, found.sha256, found.signature) == (cut.seq, cut.sha256, cut.signature)


def test_a_damaged_batch_is_not_sent(path: Path, spool: Spool, outbox: Outbox) -> None:
    put(spool, samples("A", (1, 1.0)))
    outbox.cut(100, None)
    other = sqlite3.connect(path)
    with other:
        other.execute("UPDATE batch SET row_data = zeroblob(24)")
    other.close()
    with pytest.raises(SpoolDamaged):
        outbox.outstanding()


def test_batches_are_cut_from_the_oldest(path: Path, spool: Spool, outbox: Outbox) -> None:
    put(spool, samples("B", (5, 1.0)), samples("A", (1, 1.0), (2, 2.0)))
    assert rows_of(outbox.cut(2, None)) == [(11, 1, 1.0, GOOD), (12, 5, 1.0, GOOD)]
    assert waiting(path) == [("A", 2, 2.0, GOOD)]


def test_a_block_is_cut_where_the_batch_is_full(path: Path, spool: Spool, outbox: Outbox) -> None:
    put(spool, samples("A", *((n, float(n)) for n in range(12_000))))
    found, sizes = [], []
    while (batch := outbox.cut(3_500, None)) is not None:
        sizes.append(len(batch.rows))
        found += rows_of(batch)
        outbox.acknowledge(batch)
    assert sizes == [3_500, 3_500, 3_500, 1_500]
    assert found == [(11, n, float(n), GOOD) for n in range(12_000)]
    assert waiting(path) == []


def test_a_batch_says_when_its_content_arrived(spool: Spool, outbox: Outbox) -> None:
    for arrived_us in (5_000_000, 6_000_000):
        delivery = samples("A", (arrived_us, 1.0))
        delivery.arrived_us = arrived_us
        put(spool, delivery)
    batch = outbox.cut(10, None)
    assert batch is not None
    assert batch.collected_from == EPOCH + timedelta(seconds=5)
    assert batch.collected_to == EPOCH + timedelta(seconds=6)
    assert outbox.outstanding() is not None
    assert (outbox.outstanding() or batch).collected_from == batch.collected_from
    outbox.dissolve(batch)
    again = outbox.cut(10, None)
    assert again is not None
    assert (again.collected_from, again.collected_to) == (batch.collected_from, batch.collected_to)


def test_a_backlog_is_cut_so_that_a_batch_arrived_within_a_minute(
    spool: Spool, outbox: Outbox
) -> None:
    for minute_us in range(0, 600_000_000, 20_000_000):
        delivery = samples("A", (minute_us, 1.0))
        delivery.records = [Record("k", str(minute_us), AT, {})]
        delivery.arrived_us = minute_us + 1
        put(spool, delivery)
    batches = []
    while (batch := outbox.cut(1_000, None)) is not None:
        batches.append(batch)
        outbox.acknowledge(batch)
    spans = [
        batch.collected_to - batch.collected_from
        for batch in batches
        if batch.collected_to is not None and batch.collected_from is not None
    ]
    assert len(spans) == len(batches)
    assert max(spans) == timedelta(seconds=60)
    assert sum(len(batch.rows) for batch in batches) == 30
    assert sum(len(batch.records) for batch in batches) == 30


def test_what_a_jump_of_the_clock_stretched_is_sent_all_the_same(
    spool: Spool, outbox: Outbox
) -> None:
    before, after = samples("A", (1, 1.0)), samples("A", (2, 1.0))
    before.arrived_us, after.arrived_us = 1, 7_200_000_000
    put(spool, before, after)
    assert len(rows_of(outbox.cut(10, None))) == 2


def test_no_version_of_a_record_overtakes_another_where_the_clock_was_set_back(
    spool: Spool, outbox: Outbox
) -> None:
    hour_us = 3_600_000_000
    first = Delivery(records=[Record("k", "1", AT, {"n": 1})], arrived_us=2 * hour_us)
    second = samples("A", (1, 1.0))
    second.records, second.arrived_us = [Record("k", "1", AT, {"n": 2})], hour_us
    put(spool, first)
    put(spool, second)
    found = []
    while (batch := outbox.cut(100, None)) is not None:
        found += [one.body["n"] for one in batch.records]
        outbox.acknowledge(batch)
    assert found == [1, 2]


def test_rows_from_before_the_clock_was_set_back_wait_for_nothing(
    spool: Spool, outbox: Outbox
) -> None:
    """Else they would wait until that time comes, while records go on coming."""
    early = samples("A", (1, 1.0))
    early.arrived_us = now_us() + 36_000_000_000
    put(spool, early)
    put(spool, Delivery(records=[Record("k", "1", AT, {})], arrived_us=now_us()))
    batch = outbox.cut(100, None)
    assert batch is not None
    assert (len(batch.rows), len(batch.records)) == (1, 1)


def test_an_equal_repeat_goes_and_a_different_one_waits(
    path: Path, spool: Spool, outbox: Outbox
) -> None:
    put(spool, samples("A", (1, 1.0), (1, 1.0), (1, 2.0), (2, None), (2, None)))
    first = outbox.cut(100, None)
    assert rows_of(first) == [(11, 1, 1.0, GOOD), (11, 2, None, BAD_TIMEOUT)]
    assert waiting(path) == [("A", 1, 2.0, GOOD)]
    assert first is not None
    outbox.acknowledge(first)
    assert rows_of(outbox.cut(100, None)) == [(11, 1, 2.0, GOOD)]


def test_rows_of_tags_outside_the_plan_wait_for_it(
    path: Path, spool: Spool, outbox: Outbox
) -> None:
    put(spool, samples("new", (1, 1.0)), samples("A", (2, 1.0)))
    first = outbox.cut(100, None)
    assert outbox.unknown_tags() == ["new"]
    assert waiting(path) == [("new", 1, 1.0, GOOD)]
    assert rows_of(first) == [(11, 2, 1.0, GOOD)]
    assert first is not None
    outbox.acknowledge(first)
    outbox.learn_tags(IDS | {"new": 14})
    assert rows_of(outbox.cut(100, None)) == [(14, 1, 1.0, GOOD)]
    assert waiting(path) == []


def test_rows_held_back_come_in_their_old_place_and_keep_few_blocks(
    path: Path, spool: Spool, outbox: Outbox
) -> None:
    for n in range(50):
        put(spool, samples("new", (n, 1.0)), samples("A", (n, 1.0)), samples("other", (n, 1.0)))
    while (batch := outbox.cut(20, None)) is not None:
        assert {row[0] for row in rows_of(batch)} == {11}
        outbox.acknowledge(batch)
    assert outbox.unknown_tags() == ["new", "other"]
    with closing(open_for_reading(path)) as conn:
        assert conn.execute("SELECT count(*) FROM held").fetchone()[0] <= 3
    put(spool, samples("A", (99, 1.0)))
    outbox.learn_tags(IDS | {"new": 14})
    assert rows_of(outbox.cut(20, None)) == [(14, n, 1.0, GOOD) for n in range(20)]
    assert [row[0] for row in waiting(path)].count("other") == 50
    cut = outbox.outstanding()
    assert cut is not None
    outbox.acknowledge(cut)
    rest = drain(outbox)
    assert rest == [(11, 99, 1.0, GOOD)] + [(14, n, 1.0, GOOD) for n in range(20, 50)]
    assert outbox.unknown_tags() == ["other"]


def test_tag_numbers_are_known_before_the_database_is(path: Path, outbox: Outbox) -> None:
    outbox.close()
    spool = Spool(path, WIDE)
    put(spool, samples("B", (1, 1.0)))
    spool.close()
    outbox = make_outbox(path)
    assert rows_of(outbox.cut(10, None)) == [(12, 1, 1.0, GOOD)]
    outbox.close()


def test_dissolving_puts_everything_back_in_front(path: Path, spool: Spool, outbox: Outbox) -> None:
    records = [Record("k", str(n), AT, {"n": n}) for n in range(2)]
    put(spool, samples("A", (1, 1.0), (2, None)), Delivery(records=records))
    put(spool, samples("B", (9, 9.0)))
    batch = outbox.cut(4, None)
    assert batch is not None
    outbox.dissolve(batch)
    assert outbox.outstanding() is None
    assert outbox.last() == (0, bytes(32))
    assert [row[:2] for row in waiting(path)] == [("A", 1), ("A", 2), ("B", 9)]
    outbox.learn_tags(IDS | {"A": 77})
    again = outbox.cut(100, None)
    assert again is not None
    assert again.seq == 1
    assert again.records == tuple(records)
    assert [row[:2] for row in rows_of(again)] == [(12, 9), (77, 1), (77, 2)]


def test_what_is_set_aside_gives_its_number_back(path: Path, spool: Spool, outbox: Outbox) -> None:
    put(spool, samples("A", (1, 1.0)))
    refused = outbox.cut(100, None)
    assert refused is not None
    outbox.set_aside(refused, "because")
    put(spool, samples("A", (2, 1.0)))
    following = outbox.cut(100, None)
    assert following is not None
    assert (following.seq, following.prev_sha256) == (1, bytes(32))
    conn = open_for_reading(path)
    assert conn.execute("SELECT seq, reason, row_count FROM aside").fetchall() == [
        (1, "because", 1)
    ]
    conn.close()


def test_the_chain_can_follow_the_ledger(spool: Spool, outbox: Outbox) -> None:
    outbox.follow((41, b"x" * 32))
    put(spool, samples("A", (1, 1.0)))
    batch = outbox.cut(1, None)
    assert batch is not None
    assert (batch.seq, batch.prev_sha256) == (42, b"x" * 32)


def test_what_was_set_aside_can_be_sent_again(path: Path, spool: Spool, outbox: Outbox) -> None:
    for n in range(3):
        put(spool, samples("A", (n, 1.0)), Delivery(records=[Record("k", str(n), AT, {"n": n})]))
        batch = outbox.cut(100, None)
        assert batch is not None
        outbox.set_aside(batch, "a rule of the city that was wrong")
    put(spool, samples("A", (9, 1.0)))
    assert outbox.take_back() == (3, 3)
    again = outbox.cut(100, None)
    assert again is not None
    assert [row[1] for row in rows_of(again)] == [0, 1, 2, 9]
    assert [record.key for record in again.records] == ["0", "1", "2"]
    assert outbox.take_back() == (0, 0)
