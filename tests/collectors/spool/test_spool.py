"""The spool: durable, bounded, cut into a chain, and never the same thing twice."""

import json
import sqlite3
import struct
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from collectors.errors import SpoolBusy, SpoolDamaged, SpoolError
from collectors.sample import Delivery, Message, Refused, Sample, now_us
from collectors.spool.bounds import Bounds
from collectors.spool.file import open_for_reading, sole_use
from collectors.spool.outbox import Outbox, Signer
from collectors.spool.spool import SourceState, Spool
from collectors.status import BAD_DATA_LOST, BAD_TIMEOUT, GOOD
from store.batches import Batch
from store.canonical import Record, canonical_bytes, chain_hash

WIDE = Bounds(max_bytes=100_000_000, max_age_s=1e12)
IDS = {"A": 11, "B": 12, "C": 13}
AT = datetime(2026, 3, 1, tzinfo=UTC)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "spool.db"


@pytest.fixture
def spool(path: Path) -> Iterator[Spool]:
    opened = Spool(path, WIDE)
    yield opened
    opened.close()


@pytest.fixture
def outbox(path: Path, spool: Spool) -> Iterator[Outbox]:
    opened = make_outbox(path)
    opened.learn_tags(IDS)
    yield opened
    opened.close()


def make_outbox(path: Path) -> Outbox:
    return Outbox(path, Signer("gw", "v1", lambda sha256: b"signed " + sha256))


def samples(tag: str, *rows: tuple[int, float | None]) -> Delivery:
    return Delivery(
        samples=[
            Sample(tag, ts, value, BAD_TIMEOUT if value is None else GOOD) for ts, value in rows
        ]
    )


def rows_of(batch: Batch | None) -> list[tuple[int, int, float | None, int]]:
    assert batch is not None
    columns = (batch.rows.tag_id, batch.rows.ts_us, batch.rows.value, batch.rows.status)
    found = zip(*(column.tolist() for column in columns), strict=True)
    return [(tag, ts, None if value != value else value, code) for tag, ts, value, code in found]


def waiting(path: Path) -> list[tuple[str, int, float | None, int]]:
    conn = open_for_reading(path)
    try:
        names: dict[int, str] = dict(conn.execute("SELECT tag_index, name FROM tag"))
        found = [
            row
            for table in ("held", "block")
            for (data,) in conn.execute(f"SELECT row_data FROM {table} ORDER BY block_id")
            for row in struct.iter_unpack("<iqdi", data)
        ]
        ((counted,),) = conn.execute("SELECT value FROM counter WHERE name = 'waiting_rows'")
        assert counted == len(found)
    finally:
        conn.close()
    return [
        (names[tag], ts_us, None if value != value else value, code)
        for tag, ts_us, value, code in found
    ]


def count(path: Path, name: str) -> int:
    conn = open_for_reading(path)
    try:
        row = conn.execute("SELECT value FROM counter WHERE name = ?", (name,)).fetchone()
        return 0 if row is None else int(row[0])
    finally:
        conn.close()


def put(spool: Spool, *deliveries: Delivery) -> None:
    spool.append(spool.unseen([("src", delivery) for delivery in deliveries]))


# --- batches --------------------------------------------------------------------------------------


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


# --- messages -------------------------------------------------------------------------------------


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


# --- bounds ---------------------------------------------------------------------------------------


def fill(spool: Spool, tags: Sequence[str], rows: int, start: int = 0) -> None:
    for tag in tags:
        put(spool, samples(tag, *((start + n, float(n)) for n in range(rows))))


def drain(outbox: Outbox) -> list[tuple[int, int, float | None, int]]:
    """Cut and acknowledge all that waits."""
    found = []
    while (batch := outbox.cut(5_000, None)) is not None:
        found += rows_of(batch)
        outbox.acknowledge(batch)
    return found


def test_a_full_spool_drops_the_oldest_and_says_so(path: Path) -> None:
    spool = Spool(path, Bounds(max_bytes=1_000_000, max_age_s=1e6))
    outbox = make_outbox(path)
    outbox.learn_tags(IDS)
    for start in range(0, 100_000, 5_000):
        fill(spool, ["A", "B"], 2_500, start)
    dropped = count(path, "dropped_rows")
    assert path.stat().st_size < 1_500_000
    kept = drain(outbox)
    marks = [row for row in kept if row[3] == BAD_DATA_LOST]
    values = [row for row in kept if row[3] != BAD_DATA_LOST]
    # The mark stands where the series breaks off.
    assert marks == [(11, 0, None, BAD_DATA_LOST), (12, 0, None, BAD_DATA_LOST)]
    assert dropped > 0
    assert len(values) + dropped == 100_000
    assert values[-1] == (12, 97_499, 2_499.0, GOOD)
    assert min(row[1] for row in values) == values[0][1] > 0
    outbox.close()
    spool.close()


def test_what_was_dropped_is_told_by_tag(path: Path) -> None:
    spool = Spool(path, Bounds(max_bytes=1_000_000, max_age_s=1e6))
    outbox = make_outbox(path)
    for start in range(0, 100_000, 5_000):
        fill(spool, ["A", "B"], 2_500, start)
    ((number, source, gap),) = outbox.quarantined(10)
    told = json.loads(gap.payload)
    assert (source, gap.reason) == (
        "spool",
        "samples were dropped, oldest first: the spool is full",
    )
    assert told["rows"] == count(path, "dropped_rows")
    assert told["rows"] == told["tags"]["A"]["rows"] + told["tags"]["B"]["rows"]
    assert told["first"] == told["tags"]["A"]["first"] == "1970-01-01T00:00:00+00:00"
    assert told["tags"]["A"]["last"] <= told["last"]
    outbox.quarantined_sent([number])
    assert outbox.quarantined(10) == []
    outbox.close()
    spool.close()


def test_marks_do_not_pile_up(path: Path) -> None:
    """More tags than fit: each keeps one mark, and the drop still comes to an end."""
    spool = Spool(path, Bounds(max_bytes=300_000, max_age_s=1e6))
    outbox = make_outbox(path)
    tags = [f"T{n}" for n in range(1_000)]
    outbox.learn_tags({tag: n for n, tag in enumerate(tags)})
    for start in range(40):
        put(spool, *(samples(tag, (start, 1.0)) for tag in tags))
    marks = [row[0] for row in drain(outbox) if row[3] == BAD_DATA_LOST]
    assert sorted(marks) == list(range(1_000))
    outbox.close()
    spool.close()


def test_what_is_too_old_goes(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spool = Spool(path, Bounds(max_bytes=10_000_000, max_age_s=3600))
    outbox = make_outbox(path)
    outbox.learn_tags(IDS)
    put(spool, samples("A", (1, 1.0), (2, 2.0)))
    put(spool, Delivery(records=[Record("k", "1", AT, {})]))
    later = now_us() + 3_700_000_000
    monkeypatch.setattr("collectors.spool.bounds.now_us", lambda: later)
    monkeypatch.setattr("collectors.spool.spool.now_us", lambda: later)
    put(spool, samples("A", (3, 3.0)))
    assert drain(outbox) == [(11, 1, None, BAD_DATA_LOST), (11, 3, 3.0, GOOD)]
    assert (count(path, "dropped_rows"), count(path, "dropped_records")) == (2, 1)
    outbox.close()
    spool.close()


def test_a_batch_that_is_cut_is_never_dropped(path: Path) -> None:
    spool = Spool(path, Bounds(max_bytes=300_000, max_age_s=1e6))
    outbox = make_outbox(path)
    outbox.learn_tags(IDS)
    fill(spool, ["A"], 1_000)
    cut = outbox.cut(1_000, None)
    for start in range(1_000, 40_000, 1_000):
        fill(spool, ["A"], 1_000, start)
    assert count(path, "dropped_rows") > 0
    assert rows_of(outbox.outstanding()) == rows_of(cut)
    outbox.close()
    spool.close()


def test_records_stay_longer_than_samples(path: Path) -> None:
    spool = Spool(path, Bounds(max_bytes=300_000, max_age_s=1e6))
    put(spool, Delivery(records=[Record("k", "1", AT, {"n": 1})]))
    fill(spool, ["A"], 20_000)
    assert count(path, "dropped_rows") > 0
    assert count(path, "dropped_records") == 0
    spool.close()


def test_records_alone_are_bounded_too(path: Path) -> None:
    spool = Spool(path, Bounds(max_bytes=300_000, max_age_s=1e6))
    body = {"text": "x" * 1000}
    for start in range(0, 12_000, 1_000):
        put(
            spool,
            Delivery(records=[Record("k", str(n), AT, body) for n in range(start, start + 1_000)]),
        )
    assert count(path, "dropped_records") > 0
    assert path.stat().st_size < 3_000_000
    spool.close()


def test_quarantine_is_bounded_and_its_payloads_are_cut(path: Path, spool: Spool) -> None:
    for _ in range(3):
        put(spool, Delivery(refused=[Refused("why", "x" * 5_000)] * 5_000))
    conn = open_for_reading(path)
    kept, longest = conn.execute(
        "SELECT count(*), max(length(payload)) FROM quarantined"
    ).fetchone()
    conn.close()
    assert (kept, longest) == (10_000, 4096)
    assert count(path, "refused") == 15_000


# --- the file -------------------------------------------------------------------------------------


def test_two_gateways_cannot_use_one_spool(path: Path) -> None:
    with sole_use(path), pytest.raises(SpoolBusy, match="another gateway"), sole_use(path):
        raise AssertionError("both got it")
    with sole_use(path):
        pass


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
