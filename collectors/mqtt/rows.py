"""Values as they are taken out of messages, until they become columns."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from collectors.columns import Columns, TagTable

NO_VALUE = float("nan")


class Scales:
    """What the numbers of tags are multiplied by, and what is added then."""

    def __init__(self) -> None:
        self._of: dict[int, tuple[float, float]] = {}
        self._table = np.empty((0, 2))

    def set(self, tag: int, scale: float, offset: float) -> None:
        """Give a tag its scale and offset."""
        if (scale, offset) != (1.0, 0.0):
            self._of[tag] = (scale, offset)
            self._table = np.empty((0, 2))

    def apply(
        self, tags: npt.NDArray[np.int32], values: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.float64]:
        """Return the values of tags in their units."""
        if not self._of or not len(tags):
            return values
        if len(self._table) <= tags.max():
            self._table = np.tile((1.0, 0.0), (int(tags.max()) + 1, 1))
            for tag, pair in self._of.items():
                if tag < len(self._table):
                    self._table[tag] = pair
        scaled: npt.NDArray[np.float64] = values * self._table[tags, 0] + self._table[tags, 1]
        return scaled


class Rows:
    """Rows in the order of arrival; those that share time and status are added together."""

    def __init__(self) -> None:
        self._tags: list[int] = []
        self._values: list[Any] = []
        self._runs: list[tuple[int, int, int]] = []

    def __len__(self) -> int:
        return len(self._tags)

    def add(self, tags: Sequence[int], values: Iterable[Any], ts_us: int, code: int) -> None:
        """Add numbers or booleans, one for each tag."""
        self._tags.extend(tags)
        self._values.extend(values)
        self._runs.append((len(tags), ts_us, code))

    def columns(self, table: TagTable, scales: Scales) -> Columns:
        """Return all rows as columns."""
        counts, ts_us, codes = np.array(self._runs, np.int64).reshape(-1, 3).T
        tags = np.array(self._tags, np.int32)
        return Columns(
            table,
            tags,
            np.repeat(ts_us, counts),
            scales.apply(tags, _numbers(self._values)),
            np.repeat(codes, counts).astype(np.int32),
        )


def _numbers(values: Sequence[Any]) -> npt.NDArray[np.float64]:
    try:
        return np.array(values, np.float64)
    except OverflowError:
        return np.array([_float(value) for value in values], np.float64)


def _float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        # An integer beyond all floats; infinity is stored as out of range.
        return float("inf")
