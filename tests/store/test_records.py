"""Records are versions by natural key: what differs is added, what is the same is not."""

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

import store
from store import batches, records
from store.canonical import Record
from store.queries import query
from tests.store.samples import START, Gateway, count, enrol, with_plan

_DAY = timedelta(days=1)


def order(quantity: int, key: str = "SO1-1", at: datetime = START, **more: Any) -> Record:
    """Return a version of an order line."""
    return Record("order_line", key, at, {"line": key, "quantity": quantity, **more})


def versions(db: store.Connection) -> list[tuple[str, int, Any]]:
    """Return all versions as (key, version, quantity)."""
    rows = db.execute(
        "SELECT key, version, body ->> 'quantity' FROM telemetry.record ORDER BY key, version"
    )
    return [(key, version, int(quantity)) for key, version, quantity in rows]


def latest(db: store.Connection, factory_id: int, days: int = 365) -> list[tuple[str, int]]:
    found = records.latest(db, factory_id, "order_line", START, START + days * _DAY)
    return [(one.key, one.version) for one in found]


def test_a_version_is_added_only_where_the_body_differs(
    db: store.Connection, gateway: Gateway, factory_id: int
) -> None:
    for quantity in (100, 100, 120, 120, 100):
        batches.accept(db, gateway.batch(records=(order(quantity),)))
    assert versions(db) == [("SO1-1", 1, 100), ("SO1-1", 2, 120), ("SO1-1", 3, 100)]
    assert count(db, "kpi.dirty_record") == 3
    assert latest(db, factory_id) == [("SO1-1", 3)]


def test_the_order_of_keys_and_the_way_of_numbers_do_not_make_a_version(
    db: store.Connection, gateway: Gateway
) -> None:
    batches.accept(db, gateway.batch(records=(Record("cogs", "2026-03", START, {"a": 1, "b": 2}),)))
    again = Record("cogs", "2026-03", START, {"b": 2.0, "a": 1})
    batches.accept(db, gateway.batch(records=(again,)))
    assert count(db, "telemetry.record") == 1


def test_versions_of_one_key_within_a_batch(
    db: store.Connection, gateway: Gateway, factory_id: int
) -> None:
    batches.accept(db, gateway.batch(records=(order(1),)))
    offered = (order(1), order(2), order(9, "SO1-2"), order(2), order(3), order(1), order(1))
    batches.accept(db, gateway.batch(records=offered))
    assert versions(db) == [
        ("SO1-1", 1, 1), ("SO1-1", 2, 2), ("SO1-1", 3, 3), ("SO1-1", 4, 1), ("SO1-2", 1, 9),
    ]  # fmt: skip
    assert latest(db, factory_id) == [("SO1-1", 4), ("SO1-2", 1)]


def test_a_record_is_found_by_its_key_where_the_server_has_no_statistics(
    db: store.Connection, gateway: Gateway
) -> None:
    """A bulk import is faster than the first analysis; each record would read all of its kind."""
    db.execute("ALTER TABLE telemetry.record SET (autovacuum_enabled = off)")
    offered = tuple(
        Record(f"kind{number % 10}", f"K{number}", START, {"at": number, "more": "x" * 200})
        for number in range(1200)
    )
    for at in range(0, 1200, 200):
        batches.accept(db, gateway.batch(records=offered[at : at + 200]))
    assert "record_factory_id_kind_key_version_key" in _lookup(db)
    kept = db.execute("SELECT statement FROM pg_prepared_statements").fetchall()
    assert kept
    assert not [text for (text,) in kept if "telemetry.record r" in text]


def test_the_newest_version_is_found_by_its_key_where_the_server_has_no_statistics(
    db: store.Connection, gateway: Gateway, factory_id: int
) -> None:
    """What is read after a bulk import; each record would be held against all of its kind."""
    db.execute("ALTER TABLE telemetry.record SET (autovacuum_enabled = off)")
    offered = tuple(Record("order_line", f"K{number}", START, {}) for number in range(1200))
    batches.accept(db, gateway.batch(records=offered))
    values = {"factory_id": factory_id, "kind": "order_line", "start": START, "end": START + _DAY}
    lines = db.execute("EXPLAIN " + query("latest_records"), values).fetchall()
    (line,) = [line for (line,) in lines if " on record n" in line]
    assert "record_factory_id_kind_key_version_key" in line


def _lookup(db: store.Connection) -> str:
    """Return how the server means to look for the records of a batch."""
    values = {"factory_id": 1, "batch_id": 1, "records": "[]"}
    lines = db.execute("EXPLAIN " + query("insert_records"), values).fetchall()
    (line,) = [line for (line,) in lines if " on record r " in line]
    return str(line)


def test_the_ledger_counts_what_was_offered(db: store.Connection, gateway: Gateway) -> None:
    batches.accept(db, gateway.batch(records=(order(1), order(1), order(2))))
    assert db.execute("SELECT record_count FROM telemetry.batch").fetchall() == [(3,)]


def test_kinds_and_factories_do_not_share_keys(
    db: store.Connection, gateway: Gateway, factory_id: int
) -> None:
    other_id = with_plan(db, "other")
    other = enrol(db, "other", "gw-other")
    batches.accept(db, gateway.batch(records=(order(1), Record("cogs", "SO1-1", START, {}))))
    batches.accept(db, other.batch(records=(order(5),)))
    assert latest(db, factory_id) == [("SO1-1", 1)]
    assert latest(db, other_id) == [("SO1-1", 1)]
    assert sorted(records.dirty_factories(db)) == sorted([factory_id, other_id])


def test_a_record_comes_back_as_it_was_sent(
    db: store.Connection, gateway: Gateway, factory_id: int
) -> None:
    body = {
        "line": "SO1-1",
        "confirmed": ["2026-03-12"],
        "shipments": [["2026-03-11", 60]],
        "note": '备注 ½ "quoted" \\',
        "none": None,
        "deep": {"x": [1, 2.5, True]},
    }
    at = datetime(2026, 3, 10, tzinfo=timezone(timedelta(hours=8)))
    batches.accept(db, gateway.batch(records=(Record("order_line", "SO1-1", at, body),)))
    (found,) = records.latest(db, factory_id, "order_line", START, START + 30 * _DAY)
    assert (found.body, found.at, found.version) == (body, at, 1)


def test_the_window_is_half_open(db: store.Connection, gateway: Gateway, factory_id: int) -> None:
    sent = (order(1, "a", START), order(1, "b", START + _DAY), order(1, "c", START - _DAY))
    batches.accept(db, gateway.batch(records=sent))
    found = records.latest(db, factory_id, "order_line", START, START + _DAY)
    assert [one.key for one in found] == ["a"]


def test_a_newer_version_takes_a_record_out_of_its_old_window(
    db: store.Connection, gateway: Gateway, factory_id: int
) -> None:
    batches.accept(db, gateway.batch(records=(order(1, at=START),)))
    moved = order(1, at=START + 40 * _DAY, due="later")
    batches.accept(db, gateway.batch(records=(moved,)))
    assert latest(db, factory_id, days=30) == []
    assert latest(db, factory_id, days=60) == [("SO1-1", 2)]


def test_dirty_records_are_taken_with_what_they_replace(
    db: store.Connection, gateway: Gateway, factory_id: int
) -> None:
    batches.accept(db, gateway.batch(records=(order(1),)))
    assert [one.body["quantity"] for one in records.take_dirty(db, factory_id)[0]] == [1]
    batches.accept(db, gateway.batch(records=(order(2, at=START + 40 * _DAY),)))
    taken, months = records.take_dirty(db, factory_id)
    assert sorted((one.at, one.body["quantity"]) for one in taken) == [
        (START, 1), (START + 40 * _DAY, 2)
    ]  # fmt: skip
    assert months == []
    assert records.take_dirty(db, factory_id) == ([], [])


def test_marks_stay_when_the_job_fails(
    db: store.Connection, gateway: Gateway, factory_id: int
) -> None:
    batches.accept(db, gateway.batch(records=(order(1),)))
    with pytest.raises(RuntimeError):
        _fail_with_the_marks(db, factory_id)
    assert records.dirty_factories(db) == [factory_id]


def _fail_with_the_marks(db: store.Connection, factory_id: int) -> None:
    with store.transaction(db):
        records.take_dirty(db, factory_id)
        raise RuntimeError("the job fails")


def test_one_worker_at_a_time_has_a_factory(
    db: store.Connection, database_url: str, factory_id: int
) -> None:
    with store.connect(database_url) as other:
        with store.transaction(db):
            assert records.try_lock_factory(db, factory_id)
            with store.transaction(other):
                assert not records.try_lock_factory(other, factory_id)
                assert records.try_lock_factory(other, factory_id + 1)
        with store.transaction(other):
            assert records.try_lock_factory(other, factory_id)


def test_a_record_of_which_only_the_time_was_mended_is_a_new_version(
    db: store.Connection, gateway: Gateway, factory_id: int
) -> None:
    """A file read again with the right zone, or another path to the time, says the same body."""
    for at in (START, START, START + 40 * _DAY):
        batches.accept(db, gateway.batch(records=(order(1, at=at),)))
    assert versions(db) == [("SO1-1", 1, 1), ("SO1-1", 2, 1)]
    assert latest(db, factory_id, days=30) == []
    assert latest(db, factory_id) == [("SO1-1", 2)]
    both = order(1, at=START), order(1, at=START + _DAY)
    batches.accept(db, gateway.batch(records=both))
    assert [version for _, version, _ in versions(db)] == [1, 2, 3, 4]
