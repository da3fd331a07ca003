"""The past of a simulated factory, sent through the same batches as live data."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

import numpy as np
import numpy.typing as npt

import simulators.plant
import simulators.scenarios
import store
from api.pool import membership, settings, workdays
from simulators.history import Chunk
from store import batches, plans, registry, signing
from store.acting import Actor
from store.canonical import (
    FIRST_PREVIOUS,
    Record,
    Rows,
    canonical_bytes,
    chain_hash,
    unique_sorted,
)

_CLERK = Actor(None, "demo", "operator")

# Told how many rows have been accepted so far, and which share of the time that is.
Progress = Callable[[int, float], None]


@dataclass(frozen=True, slots=True)
class Loaded:
    """What was loaded for one factory, and the truth that its figures must show."""

    scenario: str
    factory_code: str
    row_count: int
    record_count: int
    batch_count: int
    truth: dict[str, dict[str, Any]]


def load_history(url: str, scenario: str, as_of: datetime, progress: Progress) -> Loaded:
    """Store the plan of a scenario and accept its whole past, up to `as_of`, batch by batch."""
    plant = simulators.plant.build(simulators.scenarios.load(scenario), as_of)
    plan = plant.plan()
    factory_code = plan["factory"]["code"]
    rows = records = count = 0
    with closing(store.connect(url)) as conn:
        plans.load_plan(conn, plan)
        enter_pool(conn, factory_code, as_of)
        sender = Sender(conn, factory_code, f"{factory_code}-history")
        tag_ids = sender.tag_ids([tag.name for tag in plant.tags])
        made = (batch for chunk in plant.history() for batch in sender.cut(tag_ids, chunk))
        for batch in _one_ahead(made):
            batches.accept(conn, batch)
            rows, records, count = rows + len(batch.rows), records + len(batch.records), count + 1
            progress(rows, _share(plant, batch.rows))
    return Loaded(scenario, factory_code, rows, records, count, plant.truth())


def enter_pool(conn: store.Connection, factory_code: str, as_of: datetime) -> None:
    """Let a factory that has a plan enter the pool on the first day after its baseline.

    The pool takes it in as the newest quarter that ended began, so that there is a report to fill.
    """
    factory = registry.factory_by_code(conn, factory_code)
    with store.transaction(conn):
        policy = settings.current(conn, workdays.today(as_of))
        membership.enter(
            conn, _CLERK, factory.factory_id, factory.baseline_to, policy,
            comment="示例入库", now=last_quarter(as_of),
        )  # fmt: skip


def last_quarter(as_of: datetime) -> datetime:
    """Return when the newest quarter that ended before a time began, in the city."""
    today = workdays.today(as_of)
    this = date(today.year, (today.month - 1) // 3 * 3 + 1, 1)
    return datetime.combine(workdays.add_months(this, -3), time(), workdays.ZONE)


def _one_ahead(made: Iterator[batches.Batch]) -> Iterator[batches.Batch]:
    """Yield batches while the next one is being made: the database need not wait for it."""
    with ThreadPoolExecutor(1) as maker:
        coming = maker.submit(next, made, None)
        while (batch := coming.result()) is not None:
            coming = maker.submit(next, made, None)
            yield batch


def _share(plant: simulators.plant.Plant, rows: Rows) -> float:
    end_us = int(rows.ts_us.max(initial=plant.origin_us))
    return (end_us - plant.origin_us) / (plant.as_of_us - plant.origin_us)


class Sender:
    """Cuts rows into signed, chained batches, as a gateway that imports the past does."""

    def __init__(self, conn: store.Connection, factory_code: str, gateway: str) -> None:
        self._conn = conn
        self._gateway = gateway
        self._seed = signing.generate_key()
        registry.register_gateway(conn, factory_code, gateway, signing.public_key(self._seed))
        self._seq, self._previous = batches.last(conn, gateway) or (0, FIRST_PREVIOUS)

    def tag_ids(self, names: list[str]) -> npt.NDArray[np.int32]:
        """Return the tag numbers of the names, in their order."""
        known = registry.gateway_tags(self._conn, self._gateway)
        return np.array([known[name] for name in names], np.int32)

    def cut(self, tag_ids: npt.NDArray[np.int32], chunk: Chunk) -> Iterator[batches.Batch]:
        """Yield the batches of a chunk; a key given again goes into one of its own."""
        rows = Rows(tag_ids[chunk.tag_index], chunk.ts_us, chunk.value, chunk.status)
        records = tuple(
            Record(each["kind"], each["key"], datetime.fromisoformat(each["at"]), each["body"])
            for each in chunk.records
        )
        rows, left = unique_sorted(rows)
        yield self._batch(rows, records)
        while len(left):
            rows, left = unique_sorted(left)
            yield self._batch(rows, ())

    def _batch(self, rows: Rows, records: tuple[Record, ...]) -> batches.Batch:
        previous = self._previous
        sha256 = chain_hash(previous, canonical_bytes(rows, records))
        self._seq, self._previous = self._seq + 1, sha256
        return batches.Batch(
            gateway=self._gateway,
            seq=self._seq,
            config_version="history",
            rows=rows,
            records=records,
            prev_sha256=previous,
            sha256=sha256,
            signature=signing.sign(self._seed, sha256),
            imported=True,
        )
