"""Arrays of the database as NumPy columns, without a Python object a value.

A COPY TO sends a message a row; an array sends a message a column. Format: PostgreSQL's
array_send: dimensions, whether it holds NULL, element type, length and lower bound, elements.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
from psycopg import Cursor
from psycopg.abc import Buffer
from psycopg.adapt import Loader
from psycopg.pq import Format

_HEAD = np.dtype([("dimensions", ">i4"), ("nulls", ">i4"), ("type", ">u4"), ("rest", ">i4", (2,))])
_ELEMENTS = {"int4": "i4", "int8": "i8", "float8": "f8", "timestamptz": "i8"}


def as_columns(cursor: Cursor[Any]) -> None:
    """Let a binary cursor return one-dimensional arrays of numbers and times as NumPy arrays.

    Times are microseconds since 2000-01-01 UTC. Raises ValueError for an array that holds NULL.
    """
    for name, dtype in _ELEMENTS.items():
        loader = type(f"{name.title()}ColumnLoader", (_ColumnLoader,), {"dtype": dtype})
        cursor.adapters.register_loader(cursor.adapters.types[name].array_oid, loader)


class _ColumnLoader(Loader):
    format = Format.BINARY
    dtype = "i4"

    def load(self, data: Buffer) -> npt.NDArray[Any]:
        view = memoryview(data)
        if len(view) < _HEAD.itemsize:
            return np.empty(0, self.dtype)
        head = np.frombuffer(view, _HEAD, 1)[0]
        if head["dimensions"] != 1 or head["nulls"]:
            raise ValueError("only one-dimensional arrays without NULL can become columns")
        layout = np.dtype([("length", ">i4"), ("value", f">{self.dtype}")])
        return np.frombuffer(view[_HEAD.itemsize :], layout)["value"].astype(self.dtype)
