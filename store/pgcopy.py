"""PostgreSQL's binary COPY format for fixed-width columns, as whole NumPy arrays.

Format: PostgreSQL documentation, COPY, "Binary Format".
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

PG_EPOCH_US = 946_684_800_000_000  # 2000-01-01 in microseconds since 1970

_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_TRAILER = b"\xff\xff"
# Small enough for a processor's cache, and the server reads one piece while the next is made.
_PIECE_ROWS = 8192


def encode(columns: Mapping[str, npt.NDArray[Any]]) -> Iterator[bytes]:
    """Yield a complete COPY stream piece by piece; a NaN in a float column is written as NULL.

    Column dtypes give the widths: int16/32/64, float64, bool. Rows keep their order, but for
    those with NULL, which come last in their piece of 8,192 rows.
    """
    yield _HEADER
    length = len(next(iter(columns.values())))
    for start in range(0, length, _PIECE_ROWS):
        yield from _tuples({name: c[start : start + _PIECE_ROWS] for name, c in columns.items()})
    yield _TRAILER


def _tuples(columns: Mapping[str, npt.NDArray[Any]]) -> Iterator[bytes]:
    pattern = np.zeros(len(next(iter(columns.values()))), np.int64)
    floats = [name for name, column in columns.items() if column.dtype.kind == "f"]
    for bit, name in enumerate(floats):
        pattern |= np.isnan(columns[name]).astype(np.int64) << bit
    if not pattern.any():
        yield _fixed(columns, set())
        return
    for value in np.unique(pattern):
        chosen = {name: column[pattern == value] for name, column in columns.items()}
        yield _fixed(chosen, {name for bit, name in enumerate(floats) if value >> bit & 1})


def _fixed(columns: Mapping[str, npt.NDArray[Any]], absent: set[str]) -> bytes:
    fields: list[tuple[str, str]] = [("_count", ">i2")]
    for name, column in columns.items():
        fields.append((f"_{name}", ">i4"))
        if name not in absent:
            fields.append((name, column.dtype.newbyteorder(">").str))
    row = np.zeros(1, np.dtype(fields))
    row["_count"] = len(columns)
    for name, column in columns.items():
        row[f"_{name}"] = -1 if name in absent else column.dtype.itemsize
    length = len(next(iter(columns.values())))
    # What is the same in every row is copied as bytes: field by field takes three times as long.
    data = np.empty((length, row.itemsize), np.uint8)
    data[:] = row.view(np.uint8)
    packed = data.view(row.dtype)[:, 0]
    for name, column in columns.items():
        if name not in absent:
            packed[name] = column
    return data.tobytes()


def array_literal(numbers: npt.NDArray[np.integer[Any]]) -> str:
    """Return whole numbers as the text of an SQL array; psycopg adapts a list ten times slower."""
    return "{" + ",".join(map(str, numbers.tolist())) + "}"


def decode(stream: bytes, dtypes: Mapping[str, str]) -> dict[str, npt.NDArray[Any]]:
    """Return the columns of a COPY stream that holds no NULL; dtypes are like `i4`, `f8`."""
    fields: list[tuple[str, str]] = [("_count", ">i2")]
    for name, dtype in dtypes.items():
        fields += [(f"_{name}", ">i4"), (name, f">{dtype}")]
    layout = np.dtype(fields)
    body = memoryview(stream)[len(_HEADER) : len(stream) - len(_TRAILER)]
    if len(body) % layout.itemsize:
        raise ValueError("the stream holds NULL or a column of another width")
    packed = np.frombuffer(body, layout)
    for name, dtype in dtypes.items():
        if not (packed[f"_{name}"] == np.dtype(dtype).itemsize).all():
            raise ValueError(f"column {name} holds NULL or has another width")
    return {name: packed[name].astype(dtype) for name, dtype in dtypes.items()}
