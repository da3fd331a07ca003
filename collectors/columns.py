"""Values as columns: what a thousand samples are when they are not a thousand objects.

A source interns the names of its tags once, in its TagTable, and from then on speaks of them by
number. NumPy does the rest for a whole block at once: the change filter, the spool, the batch.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from collectors.sample import Sample


class TagTable:
    """Numbers the tags of one source from 0 on, in the order in which they were first named.

    One table lives as long as its adapter, over every reconnect. A tag keeps its number.
    """

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._numbers: dict[str, int] = {}
        for name in names:
            self.number(name)

    def __len__(self) -> int:
        return len(self._numbers)

    @property
    def names(self) -> list[str]:
        """The names in the order of their numbers."""
        return list(self._numbers)

    def number(self, name: str) -> int:
        """Return the number of a tag; one that was never named gets the next."""
        return self._numbers.setdefault(name, len(self._numbers))

    def numbers(self, names: Iterable[str]) -> npt.NDArray[np.int32]:
        """Return the numbers of tags as the index of a block: make it once, use it for ever."""
        return np.array([self.number(name) for name in names], np.int32)


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """Values in the order of arrival, as arrays of one length.

    index numbers the tags in the source's own table; ts_us is source time in µs since 1970 UTC;
    value is NaN where there is none; status is a signed OPC UA status. A tag may occur many times.
    What is infinite, or NaN with a status that is not bad, is stored as BadOutOfRange.
    """

    table: TagTable
    index: npt.NDArray[np.int32]
    ts_us: npt.NDArray[np.int64]
    value: npt.NDArray[np.float64]
    status: npt.NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.index)

    @classmethod
    def of(
        cls,
        table: TagTable,
        index: Sequence[int] | npt.NDArray[np.int32],
        ts_us: int | Sequence[int] | npt.NDArray[np.int64],
        value: Sequence[float | None] | npt.NDArray[np.float64],
        status: int | Sequence[int] | npt.NDArray[np.int32],
    ) -> "Columns":
        """Return columns made of sequences; one ts_us or status may stand for all rows."""
        count = len(index)
        return cls(
            table,
            np.asarray(index, np.int32),
            np.broadcast_to(np.asarray(ts_us, np.int64), count),
            np.asarray(value, np.float64),
            np.broadcast_to(np.asarray(status, np.int32), count),
        )

    @classmethod
    def of_samples(cls, table: TagTable, samples: Sequence[Sample]) -> "Columns":
        """Return samples as columns."""
        if not samples:
            return cls.of(table, [], [], [], [])
        names, ts_us, value, status = zip(*samples, strict=True)
        return cls.of(table, [table.number(name) for name in names], ts_us, value, status)

    def take(self, chosen: npt.NDArray[Any]) -> "Columns":
        """Return the rows that an index or a mask picks."""
        return Columns(
            self.table,
            self.index[chosen],
            self.ts_us[chosen],
            self.value[chosen],
            self.status[chosen],
        )

    def samples(self) -> list[Sample]:
        """Return the rows one by one, for a person or a test to look at."""
        names = self.table.names
        columns = (self.index, self.ts_us, self.value, self.status)
        return [
            Sample(names[number], ts_us, None if value != value else value, status)
            for number, ts_us, value, status in zip(*(c.tolist() for c in columns), strict=True)
        ]


def joined(table: TagTable, parts: Sequence[Columns]) -> Columns:
    """Return several blocks of one source as one, in their order."""
    if len(parts) == 1:
        return parts[0]
    return Columns.of(
        table,
        *(
            np.concatenate([getattr(part, name) for part in parts]) if parts else []
            for name in ("index", "ts_us", "value", "status")
        ),
    )
