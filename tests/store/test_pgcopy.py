"""The binary COPY format both ways, through a real table."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import store
from store.pgcopy import PG_EPOCH_US, array_literal, decode, encode

_COLUMNS = "small, medium, large, real, other, yes"
_LAYOUT = {"small": "i2", "medium": "i4", "large": "i8", "real": "f8", "other": "f8", "yes": "i1"}

_row = st.tuples(
    st.integers(-(2**15), 2**15 - 1),
    st.integers(-(2**31), 2**31 - 1),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False) | st.none(),
    st.floats(allow_nan=False) | st.none(),
    st.booleans(),
)
_Row = tuple[int, int, int, float | None, float | None, bool]


@pytest.fixture
def table(db: store.Connection) -> store.Connection:
    """A session with a table of one column a type."""
    db.execute(
        "CREATE TEMPORARY TABLE sample (small int2, medium int4, large int8, real float8, "
        "other float8, yes bool)"
    )
    return db


def columns(rows: list[_Row]) -> dict[str, npt.NDArray[Any]]:
    small, medium, large, real, other, yes = zip(*rows, strict=True) if rows else ([],) * 6
    return {
        "small": np.array(small, np.int16),
        "medium": np.array(medium, np.int32),
        "large": np.array(large, np.int64),
        "real": np.array(real, np.float64),
        "other": np.array(other, np.float64),
        "yes": np.array(yes, np.bool_),
    }


def write(conn: store.Connection, data: dict[str, npt.NDArray[Any]]) -> None:
    conn.execute("TRUNCATE sample")
    with conn.cursor().copy(f"COPY sample ({_COLUMNS}) FROM STDIN (FORMAT binary)".encode()) as to:
        for piece in encode(data):
            to.write(piece)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(rows=st.lists(_row, max_size=30))
def test_what_is_written_is_what_the_database_reads(
    table: store.Connection, rows: list[_Row]
) -> None:
    write(table, columns(rows))
    found = table.execute(f"SELECT {_COLUMNS} FROM sample".encode()).fetchall()
    assert sorted(map(repr, found)) == sorted(map(repr, rows))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(rows=st.lists(_row.filter(lambda row: None not in row), max_size=30))
def test_what_the_database_writes_is_what_is_read(
    table: store.Connection, rows: list[_Row]
) -> None:
    data = columns(rows)
    write(table, data)
    with table.cursor().copy(
        f"COPY (SELECT {_COLUMNS} FROM sample) TO STDOUT (FORMAT binary)".encode()
    ) as source:
        found = decode(b"".join(source), _LAYOUT)
    assert list(found) == list(data)
    for name, column in data.items():
        assert found[name].tolist() == column.tolist()


@pytest.mark.parametrize("size", [0, 1, 8191, 8192, 8193, 16_384, 20_001])
def test_pieces_join_without_a_seam(table: store.Connection, size: int) -> None:
    large = np.arange(size, dtype=np.int64)
    real = large.astype(np.float64)
    real[::3] = np.nan
    small, yes = np.zeros(size, np.int16), np.zeros(size, np.bool_)
    data: dict[str, npt.NDArray[Any]] = {
        "small": small,
        "medium": large.astype(np.int32),
        "large": large,
        "real": real,
        "other": real,
        "yes": yes,
    }
    write(table, data)
    row = table.execute(
        "SELECT count(*), count(real), count(other), coalesce(sum(large), 0), "
        "count(*) FILTER (WHERE real IS NOT NULL AND real <> large) FROM sample"
    ).fetchone()
    present = int((~np.isnan(real)).sum())
    assert row == (size, present, present, int(large.sum()), 0)


def test_null_is_refused_where_none_can_be_shown(table: store.Connection) -> None:
    write(table, columns([(1, 2, 3, None, 5.0, True)]))
    with table.cursor().copy("COPY sample (real) TO STDOUT (FORMAT binary)") as source:
        stream = b"".join(source)
    with pytest.raises(ValueError, match="holds NULL"):
        decode(stream, {"real": "f8"})


def test_another_width_is_refused(table: store.Connection) -> None:
    write(table, columns([(1, 2, 3, 4.0, 5.0, True), (1, 2, 3, 4.0, 5.0, True)]))
    with table.cursor().copy("COPY sample (large, small) TO STDOUT (FORMAT binary)") as source:
        stream = b"".join(source)
    with pytest.raises(ValueError, match="another width"):
        decode(stream, {"large": "i4", "small": "i2"})
    # Widths that happen to add up are seen as well.
    with pytest.raises(ValueError, match="column large holds NULL or has another width"):
        decode(stream, {"large": "i2", "small": "i8"})


def test_an_array_literal_is_read_as_an_array(db: store.Connection) -> None:
    numbers = np.array([3, -(2**31), 2**31 - 1])
    for given_numbers in (numbers, numbers[:0]):
        row = db.execute("SELECT %s::int[]", (array_literal(given_numbers),)).fetchone()
        assert row == (given_numbers.tolist(),)


def test_the_epoch_of_postgresql(db: store.Connection) -> None:
    row = db.execute(
        "SELECT (extract(epoch FROM TIMESTAMPTZ '2000-01-01 00:00:00Z') * 1000000)::bigint"
    ).fetchone()
    assert row == (PG_EPOCH_US,)
