"""Columns of numbers as few bytes, without loss and without trust in who made them.

A column becomes its differences (of whole numbers) or its changed bits (of floats), the bytes of
equal weight beside each other, then zlib. Rows are ordered by (tag, time), so that most of these
differences are alike.
"""

import zlib
from typing import Any

import numpy as np
import numpy.typing as npt

from store.canonical import Rows
from store.errors import WireRefused

# Higher levels cost several times the work for a few per cent.
_LEVEL = 6

_UNSIGNED: dict[int, np.dtype[Any]] = {4: np.dtype("<u4"), 8: np.dtype("<u8")}
# The names of the columns in the order in which they are written, and what they hold.
COLUMNS: dict[str, npt.DTypeLike] = {
    "tag_id": np.int32,
    "ts_us": np.int64,
    "value": np.float64,
    "status": np.int32,
}


def pack_rows(rows: Rows) -> list[bytes]:
    """Return the columns of some rows in the order of COLUMNS."""
    return [_pack(np.asarray(getattr(rows, name), dtype)) for name, dtype in COLUMNS.items()]


def unpack_rows(columns: list[bytes], count: int) -> Rows:
    """Return the rows that pack_rows packed; raises WireRefused."""
    pairs = zip(columns, COLUMNS.values(), strict=True)
    return Rows(*(_unpack(data, np.dtype(dtype), count) for data, dtype in pairs))


def deflate(data: bytes) -> bytes:
    """Return data compressed."""
    return zlib.compress(data, _LEVEL)


def inflate(data: bytes, size: int) -> bytes:
    """Return data decompressed; raises WireRefused unless they are exactly of that size.

    Never makes more than one byte above the size, whatever the data claim to be.
    """
    inflater = zlib.decompressobj()
    try:
        found = inflater.decompress(data, size + 1)
    except zlib.error as error:
        raise WireRefused(f"a part is damaged: {error}") from error
    if len(found) != size or not inflater.eof or inflater.unused_data:
        raise WireRefused(f"a part is not of the {size} bytes that were announced")
    return found


def _pack(column: npt.NDArray[Any]) -> bytes:
    bits = column.view(_UNSIGNED[column.itemsize])
    before = np.concatenate((np.zeros(1, bits.dtype), bits[:-1]))
    changes = bits ^ before if column.dtype.kind == "f" else bits - before
    # One row of bytes a weight: the high ones are nearly all alike.
    weights = changes.astype(bits.dtype).view(np.uint8).reshape(len(column), column.itemsize).T
    return deflate(np.ascontiguousarray(weights).tobytes())


def _unpack(data: bytes, dtype: np.dtype[Any], count: int) -> npt.NDArray[Any]:
    weights = np.frombuffer(inflate(data, count * dtype.itemsize), np.uint8)
    across = np.ascontiguousarray(weights.reshape(dtype.itemsize, count).T)
    changes = across.reshape(-1).view(_UNSIGNED[dtype.itemsize])
    add = np.bitwise_xor if dtype.kind == "f" else np.add
    return add.accumulate(changes).astype(changes.dtype, copy=False).view(dtype)
