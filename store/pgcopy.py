"""PostgreSQL's binary COPY format for fixed-width columns, as whole NumPy arrays.

Format: PostgreSQL documentation, COPY, "Binary Format".
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

PG_EPOCH_US = 946_684_800_000_000  # 2000-01-01 in microseconds since 1970

_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_TRAILER = b"\xff\xff"


def encode(columns: Mapping[str, npt.NDArray[Any]]) -> bytes:
    """Return a complete COPY stream; a NaN in a float column is written as NULL.

    Column dtypes give the widths: int16/32/64, float64, bool.
    """
    parts = [_HEADER, *_tuples(columns), _TRAILER]
    return b"".join(parts)


def _tuples(columns: Mapping[str, npt.NDArray[Any]]) -> list[bytes]:
    missing = {
        name: np.isnan(column) for name, column in columns.items() if column.dtype.kind == "f"
    }
    length = len(next(iter(columns.values())))
    pattern = np.zeros(length, np.int64)
    for bit, mask in enumerate(missing.values()):
        pattern |= mask.astype(np.int64) << bit
    parts = []
    for value in np.unique(pattern):
        absent = {name for bit, name in enumerate(missing) if value >> bit & 1}
        chosen = pattern == value if len(missing) and pattern.any() else slice(None)
        parts.append(_fixed(columns, chosen, absent))
    return parts


def _fixed(columns: Mapping[str, npt.NDArray[Any]], chosen: Any, absent: set[str]) -> bytes:
    fields: list[tuple[str, str]] = [("_count", ">i2")]
    for name, column in columns.items():
        fields.append((f"_{name}", ">i4"))
        if name not in absent:
            fields.append((name, column.dtype.newbyteorder(">").str))
    first = next(iter(columns.values()))[chosen]
    packed = np.empty(len(first), np.dtype(fields))
    packed["_count"] = len(columns)
    for name, column in columns.items():
        packed[f"_{name}"] = -1 if name in absent else column.dtype.itemsize
        if name not in absent:
            packed[name] = column[chosen]
    return packed.tobytes()


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
    packed = np.frombuffer(body, layout)
    for name, dtype in dtypes.items():
        if not (packed[f"_{name}"] == np.dtype(dtype).itemsize).all():
            raise ValueError(f"column {name} holds NULL or another width")
    return {name: packed[name].astype(dtype) for name, dtype in dtypes.items()}
