"""Accepting a batch against the bare COPY of the same rows.

Ours is all that `store.batches.accept` does: hash, signature, ledger, tags, dirty marks, savepoint,
COPY stream, commit. The bare way sends a COPY stream made beforehand and commits. Each writes
into a database of its own with the same hypertable, index and content. The cluster does not wait
for the disk, which would hide our part.
"""

from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from statistics import median
from typing import Any

import numpy as np
import numpy.typing as npt

import store
from store import batches
from store.canonical import Rows
from store.pgcopy import PG_EPOCH_US, encode
from store.queries import query
from tests.bench.ratio import Ratio, Work, in_turns
from tests.store.samples import BAD, START, Gateway, enrol, rows_of, with_plan
from tests.support.database import cloned_database

TARGET = 0.80

_MACHINES = 34  # with three tags each
_REPEATS = 9
_BAD_SHARE = 0.01


@dataclass(frozen=True, slots=True)
class _Shape:
    """How rows come: `rows_a_tag` of each tag in one batch, `step` apart."""

    name: str
    rows_a_tag: int
    step: timedelta
    batches_a_repeat: int


_SHAPES = (
    _Shape("live", 49, timedelta(seconds=1), 20),
    _Shape("history", 490, timedelta(minutes=15), 4),
)


@dataclass
class _Course:
    """Two databases that are fed with the same rows, and the time that they have come to."""

    shape: _Shape
    ours: store.Connection
    bare: store.Connection
    gateway: Gateway
    rng: np.random.Generator = field(default_factory=lambda: np.random.default_rng(1))
    number: int = 0

    def pairs(self) -> list[tuple[Work, Work]]:
        """Return the next batches of a repeat, each for ours and as a bare stream."""
        return [self._pair() for _ in range(self.shape.batches_a_repeat)]

    def _pair(self) -> tuple[Work, Work]:
        rows = self._next_rows()
        batch = self.gateway.batch(rows)
        return partial(batches.accept, self.ours, batch), partial(_copy, self.bare, _stream(rows))

    def _next_rows(self) -> Rows:
        shape = self.shape
        start = START + self.number * shape.rows_a_tag * shape.step
        self.number += 1
        rows = rows_of(list(self.gateway.tags.values()), shape.rows_a_tag, start, shape.step)
        rows.value[:] = self.rng.normal(size=len(rows))
        bad = self.rng.random(len(rows)) < _BAD_SHARE
        rows.value[bad], rows.status[bad] = np.nan, BAD
        return rows

    @property
    def rows_a_batch(self) -> int:
        """Return how many rows one batch has."""
        return self.shape.rows_a_tag * len(self.gateway.tags)


def measure(server_url: str) -> Iterator[Ratio]:
    """Measure each shape of batch on a server with the migrated template."""
    for shape in _SHAPES:
        with ExitStack() as opened:
            urls = [opened.enter_context(cloned_database(server_url)) for _ in range(2)]
            ours, bare = (opened.enter_context(closing(store.connect(url))) for url in urls)
            for conn in (ours, bare):
                with_plan(conn, machines=_MACHINES)
            yield _run(_Course(shape, ours, bare, enrol(ours)))


def _run(course: _Course) -> Ratio:
    in_turns(course.pairs())  # chunks, caches and prepared statements
    times = [in_turns(course.pairs()) for _ in range(_REPEATS)]
    rows = course.rows_a_batch * course.shape.batches_a_repeat
    rate = rows / median(ours_s for ours_s, _ in times)
    return Ratio(
        what=f"accepting batches of {course.rows_a_batch:,} rows ({course.shape.name})",
        against="bare binary COPY",
        target=TARGET,
        values=tuple(bare_s / ours_s for ours_s, bare_s in times),
        note=f"{rate:,.0f} rows/s",
    )


def _stream(rows: Rows) -> list[bytes]:
    columns: dict[str, npt.NDArray[Any]] = {
        "ts": rows.ts_us - PG_EPOCH_US,
        "tag_id": rows.tag_id,
        "value": rows.value,
        "status": rows.status,
        "batch_id": np.ones(len(rows), np.int64),
    }
    return list(encode(columns))


def _copy(conn: store.Connection, stream: list[bytes]) -> None:
    with conn.cursor().copy(query("copy_measurement")) as copy:
        for piece in stream:
            copy.write(piece)
