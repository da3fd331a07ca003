"""What is refused leaves nothing behind but, where a person must see it, a finding."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

import store
from store import batches, signing
from store.batches import Batch
from store.canonical import Record, Rows
from store.errors import (
    BadHash,
    BadSignature,
    Refused,
    SequenceConflict,
    UnknownGateway,
    UnknownTag,
)
from tests.store.samples import (
    START,
    Gateway,
    count,
    enrol,
    findings,
    one_row,
    rows_of,
    stored,
    with_plan,
)


@pytest.fixture
def tag_id(gateway: Gateway) -> int:
    """A tag that the gateway may send."""
    return gateway.tags["M01.total"]


def assert_nothing_stored(db: store.Connection) -> None:
    for table in ("telemetry.batch", "telemetry.measurement", "kpi.dirty_hour", "telemetry.record"):
        assert count(db, table) == 0, table


def test_a_sequence_number_used_for_other_content(
    db: store.Connection, gateway: Gateway, tag_id: int
) -> None:
    batches.accept(db, gateway.batch(one_row(tag_id, START, 1)))
    before = stored(db)
    copy = replace(gateway, seq=0, previous=bytes(32))
    with pytest.raises(SequenceConflict, match=r"batch 1 of gw-sample.*copy of the gateway"):
        batches.accept(db, copy.batch(one_row(tag_id, START, 2)))
    assert stored(db) == before
    assert findings(db) == [("SequenceConflict", {"seq": 1})]


def test_a_row_that_was_altered(db: store.Connection, gateway: Gateway, tag_id: int) -> None:
    batch = gateway.batch(rows_of([tag_id]))
    batch.rows.value[4] += 1e-9
    with pytest.raises(BadHash, match="the hash is not that of the rows"):
        batches.accept(db, batch)
    assert_nothing_stored(db)
    assert findings(db) == [("BadHash", {"seq": 1})]


def test_a_known_batch_that_was_altered_on_its_way(
    db: store.Connection, gateway: Gateway, tag_id: int
) -> None:
    batch = gateway.batch(rows_of([tag_id]))
    batches.accept(db, batch)
    batch.rows.status[0] = 1
    with pytest.raises(BadHash):
        batches.accept(db, batch)


def test_a_record_that_was_altered(db: store.Connection, gateway: Gateway) -> None:
    batch = gateway.batch(records=(Record("order_line", "SO1-1", START, {"quantity": 1}),))
    batch.records[0].body["quantity"] = 2
    with pytest.raises(BadHash):
        batches.accept(db, batch)
    assert_nothing_stored(db)


def test_the_key_of_someone_else(db: store.Connection, gateway: Gateway, tag_id: int) -> None:
    stranger = replace(gateway, seed=signing.generate_key())
    with pytest.raises(BadSignature, match="not signed with the key that is enrolled"):
        batches.accept(db, stranger.batch(rows_of([tag_id])))
    assert_nothing_stored(db)
    assert findings(db) == [("BadSignature", {"seq": 1})]


def test_a_stranger_cannot_accuse_a_gateway_of_a_conflict(
    db: store.Connection, gateway: Gateway, tag_id: int
) -> None:
    batches.accept(db, gateway.batch(one_row(tag_id, START, 1)))
    stranger = replace(gateway, seed=signing.generate_key(), seq=0, previous=bytes(32))
    with pytest.raises(BadSignature):
        batches.accept(db, stranger.batch(one_row(tag_id, START, 2)))
    assert [rule for rule, _ in findings(db)] == ["BadSignature"]


def test_a_gateway_that_is_not_enrolled(db: store.Connection, gateway: Gateway) -> None:
    with pytest.raises(UnknownGateway, match="gw-other is not enrolled; run `millpond"):
        batches.accept(db, gateway.batch(gateway="gw-other"))
    assert_nothing_stored(db)


def test_a_gateway_that_was_revoked(db: store.Connection, gateway: Gateway, tag_id: int) -> None:
    db.execute("UPDATE registry.gateway SET revoked_at = now()")
    with pytest.raises(UnknownGateway, match="gw-sample was revoked"):
        batches.accept(db, gateway.batch(rows_of([tag_id])))
    assert_nothing_stored(db)


def test_a_tag_that_nobody_has(db: store.Connection, gateway: Gateway, tag_id: int) -> None:
    with pytest.raises(UnknownTag, match=r"tags \[4711\] are not in the plan"):
        batches.accept(db, gateway.batch(rows_of([tag_id, 4711])))
    assert_nothing_stored(db)


def test_a_tag_of_another_factory(db: store.Connection, gateway: Gateway, tag_id: int) -> None:
    with_plan(db, "other")
    other = enrol(db, "other", "gw-other")
    with pytest.raises(UnknownTag):
        batches.accept(db, other.batch(rows_of([tag_id])))
    assert_nothing_stored(db)


def test_the_chain_is_broken(db: store.Connection, gateway: Gateway, tag_id: int) -> None:
    batches.accept(db, gateway.batch(one_row(tag_id, START, 1)))
    broken = gateway.batch(one_row(tag_id, START, 2), prev_sha256=b"x" * 32)
    with pytest.raises(BadHash, match=r"batch 2 .* does not follow the batch before it"):
        batches.accept(db, broken)
    assert count(db, "telemetry.batch") == 1
    assert findings(db) == [("BadHash", {"seq": 2})]


def test_the_first_batch_follows_nothing(
    db: store.Connection, gateway: Gateway, tag_id: int
) -> None:
    with pytest.raises(BadHash):
        batches.accept(db, gateway.batch(one_row(tag_id, START, 1), prev_sha256=b"x" * 32))
    assert_nothing_stored(db)


def test_a_late_batch_must_fit_the_one_behind_it(
    db: store.Connection, gateway: Gateway, tag_id: int
) -> None:
    gateway.batch(one_row(tag_id, START, 1))
    batches.accept(db, gateway.batch(one_row(tag_id, START, 2)))
    other = replace(gateway, seq=0, previous=bytes(32))
    with pytest.raises(BadHash, match="the batch after it"):
        batches.accept(db, other.batch(one_row(tag_id, START, 3)))
    assert count(db, "telemetry.batch") == 1


def _shuffled(rows: Rows) -> Rows:
    return rows.take(np.arange(len(rows))[::-1])


def _twice(rows: Rows) -> Rows:
    return rows.take(np.repeat(np.arange(len(rows)), 2))


def _infinite(rows: Rows) -> Rows:
    rows.value[1] = np.inf
    return rows


def _of_another_age(rows: Rows) -> Rows:
    return Rows(rows.tag_id, rows.ts_us + 10**16, rows.value, rows.status)


def _before_1970(rows: Rows) -> Rows:
    return Rows(rows.tag_id, rows.ts_us - 2 * 10**15, rows.value, rows.status)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_shuffled, "not ordered"),
        (_twice, "not ordered by unique"),
        (_infinite, "a value is infinite"),
        (_of_another_age, "see the clock of its source"),
        (_before_1970, "see the clock of its source"),
    ],
)
def test_rows_that_no_gateway_may_send(
    db: store.Connection,
    gateway: Gateway,
    tag_id: int,
    change: Callable[[Rows], Rows],
    words: str,
) -> None:
    with pytest.raises(Refused, match=words):
        batches.accept(db, gateway.batch(change(rows_of([tag_id]))))
    assert_nothing_stored(db)


@pytest.mark.parametrize(
    "changed",
    [{"seq": 0}, {"seq": 2**63}, {"config_version": "v\x00"}, {"config_version": "\ud800"}],
    ids=lambda changed: str(next(iter(changed))),
)
def test_a_field_that_the_ledger_cannot_hold(
    db: store.Connection, gateway: Gateway, changed: dict[str, Any]
) -> None:
    with pytest.raises(Refused):
        batches.accept(db, gateway.batch(**changed))
    assert_nothing_stored(db)


@pytest.mark.parametrize(
    "at", ["1969-12-31T23:59:59+00:00", "2200-01-01T00:00:00+00:00", "0001-01-01T00:00:00+08:00"]
)
def test_a_record_that_is_dated_as_no_row_may_be(
    db: store.Connection, gateway: Gateway, at: str
) -> None:
    """The first moment of the calendar has no counterpart in UTC."""
    record = Record("order_line", "SO1-1", datetime.fromisoformat(at), {})
    with pytest.raises(Refused, match="order_line SO1-1 is not in"):
        batches.accept(db, _unchecked(gateway, record))
    assert_nothing_stored(db)


@pytest.mark.parametrize("text", ["a\x00b", "a\ud800b"])
def test_a_record_that_json_of_the_database_cannot_hold(
    db: store.Connection, gateway: Gateway, text: str
) -> None:
    record = Record("order_line", "SO1-1", START, {"note": text})
    with pytest.raises(Refused):
        batches.accept(db, _unchecked(gateway, record))
    assert_nothing_stored(db)


def _unchecked(gateway: Gateway, record: Record) -> Batch:
    """Return a batch whose content the gateway could not hash, as a broken one might send."""
    return replace(gateway.batch(), records=(record,))


def test_times_have_a_zone() -> None:
    with pytest.raises(ValueError, match="aware"):
        Record("order_line", "SO1-1", datetime(2026, 3, 1), {})  # noqa: DTZ001 -- the fault itself


def test_a_refusal_does_not_hurt_the_connection(
    db: store.Connection, gateway: Gateway, tag_id: int
) -> None:
    bad = replace(gateway, seed=signing.generate_key())
    for _ in range(3):
        with pytest.raises(BadSignature):
            batches.accept(db, replace(bad).batch(rows_of([tag_id])))
    assert batches.accept(db, gateway.batch(rows_of([tag_id]))).outcome == "accepted"


def test_quarantine_keeps_what_it_can(db: store.Connection, gateway: Gateway) -> None:
    batches.quarantine(db, gateway.code, "line1", "not \x00 JSON", "\x00\ud800" + "x" * 100_000)
    row = db.execute(
        "SELECT source, reason, left(payload, 3), length(payload) FROM telemetry.quarantine"
    ).fetchone()
    assert row == ("line1", "not \ufffd JSON", "\ufffd?x", 65_536)


def test_quarantine_of_a_gateway_that_is_not_enrolled(db: store.Connection) -> None:
    with pytest.raises(UnknownGateway):
        batches.quarantine(db, "gw-other", "line1", "reason", "payload")


def test_the_limits_of_time_belong_to_the_window(
    db: store.Connection, gateway: Gateway, tag_id: int
) -> None:
    first = datetime(1970, 1, 1, tzinfo=UTC)
    last = datetime(2200, 1, 1, tzinfo=UTC) - timedelta(microseconds=1)
    batches.accept(db, gateway.batch(one_row(tag_id, first, 1)))
    batches.accept(db, gateway.batch(one_row(tag_id, last, 2)))
    assert [row[1] for row in stored(db)] == [first, last]
