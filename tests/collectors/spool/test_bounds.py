"""The bounds of a spool: what goes first, and how the loss is told."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from collectors.sample import Delivery, Refused, now_us
from collectors.spool.age import AgeClock
from collectors.spool.bounds import Bounds
from collectors.spool.file import open_for_reading
from collectors.spool.spool import Spool
from collectors.status import BAD_DATA_LOST, GOOD
from store.canonical import Record
from tests.collectors.spool.held import (
    AT,
    IDS,
    count,
    drain,
    make_outbox,
    put,
    rows_of,
    samples,
)


def fill(spool: Spool, tags: Sequence[str], rows: int, start: int = 0) -> None:
    for tag in tags:
        put(spool, samples(tag, *((start + n, float(n)) for n in range(rows))))


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
    passed_us = [0]
    age = AgeClock(3600, lambda: now_us() + passed_us[0], lambda: passed_us[0])
    spool = Spool(path, Bounds(max_bytes=10_000_000, max_age_s=3600), age)
    outbox = make_outbox(path)
    outbox.learn_tags(IDS)
    put(spool, samples("A", (1, 1.0), (2, 2.0)))
    put(spool, Delivery(records=[Record("k", "1", AT, {})]))
    passed_us[0] = 3_700_000_000
    later = now_us() + passed_us[0]
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
