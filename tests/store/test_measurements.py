"""Reading rows back: windows, neighbours and the newest, against the same thought in Python."""

from datetime import timedelta

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import store
from store import batches, measurements
from store.canonical import Rows
from tests.store.samples import BAD, START, Gateway, enrol, micros, one_row, rows_of, with_plan

_MINUTE = timedelta(minutes=1)
_UNCERTAIN = 0x4000_0000
_Row = tuple[int, float, int]  # minute, value (NaN for none), status


def accept(db: store.Connection, gateway: Gateway, tag_id: int, rows: list[_Row]) -> None:
    minutes, values, statuses = zip(*rows, strict=True)
    batches.accept(
        db,
        gateway.batch(
            Rows(
                np.full(len(rows), tag_id, np.int32),
                micros(START) + 60_000_000 * np.array(minutes, np.int64),
                np.array(values, np.float64),
                np.array(statuses, np.int32),
            )
        ),
    )


def minutes(rows: Rows) -> list[int]:
    return [(ts_us - micros(START)) // 60_000_000 for ts_us in rows.ts_us.tolist()]


def test_a_window_is_half_open_and_of_the_named_tags(
    db: store.Connection, gateway: Gateway
) -> None:
    tags = sorted(gateway.tags.values())
    batches.accept(db, gateway.batch(rows_of(tags, 10)))
    found = measurements.read(db, tags[1:3], START + 2 * _MINUTE, START + 5 * _MINUTE)
    assert found.tag_id.tolist() == [tags[1]] * 3 + [tags[2]] * 3
    assert minutes(found) == [2, 3, 4] * 2
    assert found.value.tolist() == [12, 13, 14, 22, 23, 24]


def test_rows_come_in_order_whatever_order_they_came_in(
    db: store.Connection, gateway: Gateway
) -> None:
    tag_id = gateway.tags["M01.power"]
    for days in (45, 0, 90, 10, 44):
        batches.accept(db, gateway.batch(one_row(tag_id, START + timedelta(days=days), days)))
    found = measurements.read(db, [tag_id], START, START + timedelta(days=100))
    assert found.value.tolist() == [0, 10, 44, 45, 90]


def test_a_window_without_rows(db: store.Connection, gateway: Gateway) -> None:
    tag_id = gateway.tags["M01.power"]
    for tag_ids in ([tag_id], [], [4711]):
        assert len(measurements.read(db, tag_ids, START, START + _MINUTE)) == 0
        assert len(measurements.previous(db, tag_ids, START, 3)) == 0
        assert len(measurements.following(db, tag_ids, START, 3)) == 0
    assert [column.dtype for column in _columns(Rows.empty())] == [
        column.dtype for column in _columns(measurements.read(db, [tag_id], START, START))
    ]


def _columns(rows: Rows) -> list[np.ndarray]:
    return [rows.tag_id, rows.ts_us, rows.value, rows.status]


def test_columns_have_the_widths_that_the_hash_needs(
    db: store.Connection, gateway: Gateway
) -> None:
    tag_id = gateway.tags["M01.power"]
    rows = rows_of([tag_id], 5)
    rows.value[1], rows.status[1] = np.nan, BAD
    batches.accept(db, gateway.batch(rows))
    for found in (
        measurements.read(db, [tag_id], START, START + timedelta(hours=1)),
        measurements.previous(db, [tag_id], START + timedelta(hours=1), 9),
    ):
        assert [column.dtype for column in _columns(found)] == [
            np.int32, np.int64, np.float64, np.int32
        ]  # fmt: skip


_rows = st.dictionaries(
    st.integers(-60, 60),
    st.tuples(
        st.sampled_from([np.nan, -1.0, 0.0, 5.0, 99.0, 100.0, 101.0]),
        st.sampled_from([0, _UNCERTAIN, BAD]),
    ),
    min_size=1,
    max_size=12,
)


def _expected(rows: list[_Row], register: bool, readings: int) -> list[int]:
    """Return the minutes of the neighbours among rows that are ordered from the near to the far."""
    good = [row for row in rows if row[2] >= 0 and not np.isnan(row[1])]
    possible = [row for row in good if 0 <= row[1] < 100] if register else []
    return sorted({row[0] for row in (*rows[:1], *good[:1], *possible[:readings])})


# In minutes all lie near; in steps of five days some lie beyond the days that are searched first.
@pytest.mark.parametrize("name", ["M01.total", "M01.power"])
@pytest.mark.parametrize("step", [1, 5 * 1440])
@given(rows=_rows, readings=st.integers(1, 4))
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_neighbours_are_the_nearest_row_the_nearest_good_one_and_possible_readings(
    db: store.Connection,
    gateway: Gateway,
    name: str,
    step: int,
    rows: dict[int, tuple[float, int]],
    readings: int,
) -> None:
    db.execute("TRUNCATE telemetry.measurement")
    db.execute("UPDATE registry.tag SET modulus = 100 WHERE role = 'total_count'")
    listed = [(step * number, *rows[number]) for number in sorted(rows)]
    accept(db, gateway, gateway.tags[name], listed)
    register = name == "M01.total"
    before = [row for row in listed[::-1] if row[0] < 0]
    after = [row for row in listed if row[0] >= 0]
    tags = [gateway.tags[name]]
    found = measurements.previous(db, tags, START, readings)
    assert minutes(found) == _expected(before, register, readings)
    found = measurements.following(db, tags, START, readings)
    assert minutes(found) == _expected(after, register, readings)


def test_neighbours_are_found_over_many_chunks(db: store.Connection, gateway: Gateway) -> None:
    tag_id = gateway.tags["M01.total"]
    batches.accept(db, gateway.batch(rows_of([tag_id], 26, step=timedelta(days=30))))
    end = START + timedelta(days=26 * 30)
    assert measurements.previous(db, [tag_id], end, 3).value.tolist() == [23, 24, 25]
    assert measurements.following(db, [tag_id], START, 3).value.tolist() == [0, 1, 2]
    middle = START + timedelta(days=10 * 30)
    assert measurements.previous(db, [tag_id], middle, 1).value.tolist() == [9]
    assert measurements.following(db, [tag_id], middle, 1).value.tolist() == [10]


def test_the_newest_row_of_each_tag_of_a_factory(db: store.Connection, gateway: Gateway) -> None:
    with_plan(db, "other")
    other = enrol(db, "other", "gw-other")
    batches.accept(db, other.batch(rows_of(sorted(other.tags.values()), 1)))
    total, power = gateway.tags["M01.total"], gateway.tags["M01.power"]
    batches.accept(db, gateway.batch(rows_of([total, power], 3)))
    at = START + timedelta(days=40)
    batches.accept(db, gateway.batch(one_row(power, at, np.nan, BAD)))
    (factory_id,) = db.execute(
        "SELECT factory_id FROM registry.factory WHERE code = 'sample'"
    ).fetchone() or (0,)
    assert measurements.newest(db, factory_id) == [
        measurements.NewestRow(power, "M01.power", at, None, BAD),
        measurements.NewestRow(total, "M01.total", START + 2 * _MINUTE, 2.0, 0),
    ]


def test_what_was_accepted_is_counted(db: store.Connection, gateway: Gateway) -> None:
    assert measurements.count(db) == (0, 0)
    batches.accept(db, gateway.batch(rows_of([gateway.tags["M01.power"]], 3)))
    batches.accept(db, gateway.batch())
    assert measurements.count(db) == (3, 2)
