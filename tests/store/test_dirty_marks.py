"""What a batch touches is marked in its own transaction, or not at all."""

from datetime import datetime, timedelta

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import store
from store import batches
from store.canonical import Record, Rows
from store.errors import Refused
from tests.store.samples import START, Gateway, count, findings, one_row, rows_of, stored

_HOUR = timedelta(hours=1)


def marks(db: store.Connection) -> list[tuple[str, datetime]]:
    """Return the dirty hours as (asset code, hour), in the order in which they were added."""
    return [
        (code, hour + index * _HOUR) for code, hour, hours in spans(db) for index in range(hours)
    ]


def spans(db: store.Connection) -> list[tuple[str, datetime, int]]:
    """Return the marks as (asset code, first hour, hours), in the order of their adding."""
    return db.execute(
        "SELECT a.code, d.hour, d.hours FROM kpi.dirty_hour d JOIN registry.asset a "
        "USING (asset_id) ORDER BY dirty_id"
    ).fetchall()


def test_each_asset_hour_is_marked_once(db: store.Connection, gateway: Gateway) -> None:
    tags = [gateway.tags[name] for name in ("M01.total", "M01.power", "M02.total")]
    batches.accept(db, gateway.batch(rows_of(tags, 150)))
    hours = [START, START + _HOUR, START + 2 * _HOUR]
    assert marks(db) == [(code, hour) for code in ("M01", "M02") for hour in hours]


def test_hours_in_a_row_are_one_mark(db: store.Connection, gateway: Gateway) -> None:
    one, two = gateway.tags["M01.total"], gateway.tags["M01.power"]
    rows = [one_row(one, START + hour * _HOUR, 1) for hour in (0, 1, 2, 5, 9, 10)]
    rows += [one_row(two, START + hour * _HOUR, 1) for hour in (1, 2, 3, 4, 20)]
    batches.accept(db, gateway.batch(_joined(rows)))
    assert spans(db) == [
        ("M01", START, 6), ("M01", START + 9 * _HOUR, 2), ("M01", START + 20 * _HOUR, 1)
    ]  # fmt: skip


@given(st.dictionaries(st.integers(0, 5), st.sets(st.integers(-30, 30), min_size=1), min_size=1))
@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_the_marks_are_the_hours_of_the_rows(
    db: store.Connection, gateway: Gateway, hours_of: dict[int, set[int]]
) -> None:
    db.execute("TRUNCATE kpi.dirty_hour, telemetry.measurement")
    names = sorted(gateway.tags, key=lambda name: gateway.tags[name])
    found = {names[place]: hours for place, hours in hours_of.items()}
    rows = [
        one_row(gateway.tags[name], START + hour * _HOUR, 1)
        for name in sorted(found, key=lambda name: gateway.tags[name])
        for hour in sorted(found[name])
    ]
    batches.accept(db, gateway.batch(_joined(rows)))
    assert sorted(marks(db)) == sorted(
        {(name[:3], START + hour * _HOUR) for name, hours in found.items() for hour in hours}
    )


def _joined(parts: list[Rows]) -> Rows:
    return Rows(
        np.concatenate([part.tag_id for part in parts]),
        np.concatenate([part.ts_us for part in parts]),
        np.concatenate([part.value for part in parts]),
        np.concatenate([part.status for part in parts]),
    )


def test_an_hour_begins_with_its_first_microsecond(db: store.Connection, gateway: Gateway) -> None:
    tag_id = gateway.tags["M01.total"]
    batches.accept(db, gateway.batch(one_row(tag_id, START, 1)))
    before = START - timedelta(microseconds=1)
    batches.accept(db, gateway.batch(one_row(tag_id, before, 1)))
    assert marks(db) == [("M01", START), ("M01", START - _HOUR)]


def test_a_mark_is_added_though_one_is_there(db: store.Connection, gateway: Gateway) -> None:
    # A job may hold the first and would remove it without seeing the second batch.
    tag_id = gateway.tags["M01.total"]
    batches.accept(db, gateway.batch(one_row(tag_id, START, 1)))
    batches.accept(db, gateway.batch(one_row(tag_id, START + timedelta(minutes=1), 1)))
    assert marks(db) == [("M01", START), ("M01", START)]


@pytest.mark.parametrize("text", ["\x00", "late \x00 fault"])
def test_a_batch_that_fails_late_leaves_nothing(
    db: store.Connection, gateway: Gateway, text: str
) -> None:
    # Records come after rows and marks, and jsonb holds no zero character.
    rows = rows_of(sorted(gateway.tags.values()))
    record = Record("order_line", "SO1-1", START, {"note": text})
    with pytest.raises(Refused):
        batches.accept(db, gateway.batch(rows, (record,)))
    for table in (
        "telemetry.batch", "telemetry.measurement", "kpi.dirty_hour", "telemetry.record",
        "kpi.dirty_record", "telemetry.absorbed", "telemetry.conflict",
    ):  # fmt: skip
        assert count(db, table) == 0, table
    assert findings(db) == []


def test_a_late_failure_on_the_staging_path_leaves_nothing(
    db: store.Connection, gateway: Gateway
) -> None:
    tag_id = gateway.tags["M01.total"]
    batches.accept(db, gateway.batch(one_row(tag_id, START, np.nan)))
    before, marked = stored(db), marks(db)
    record = Record("order_line", "SO1-1", START, {"note": "\x00"})
    with pytest.raises(Refused):
        batches.accept(db, gateway.batch(rows_of([tag_id], 5), (record,)))
    assert (stored(db), marks(db)) == (before, marked)
    assert count(db, "telemetry.conflict") == 0
