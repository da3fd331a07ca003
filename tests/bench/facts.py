"""How fast facts are formed in bulk, and what one late row costs after a long history."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from statistics import median
from typing import Any

import numpy as np
import numpy.typing as npt

import store
from kpi import jobs
from kpi.calendar import add_months
from store import facts, plans, registry
from store.canonical import Rows
from store.pgcopy import PG_EPOCH_US, encode
from store.queries import query
from tests.bench.ratio import Ratio, in_turns
from tests.store.samples import START, Gateway, enrol, micros, sample_plan
from tests.support.database import cloned_database

TARGET = 0.50

_REPEATS = 5
_BULK_DAYS = 120
_MINUTE_US = 60_000_000
_LATE_MONTHS = 1, 24
_LATE_REPEATS = 9


@dataclass(frozen=True, slots=True)
class Shop:
    """A database with machines whose three tags said something every minute."""

    url: str
    conn: store.Connection
    gateway: Gateway
    start: datetime
    end: datetime

    @property
    def factory(self) -> registry.Factory:
        """Return its only factory."""
        return registry.factory_by_code(self.conn, "sample")

    def mark(self) -> None:
        """Mark all that was sent."""
        jobs.mark_range(self.conn, [self.factory], None, None, self.end)

    def assets(self) -> list[int]:
        """Return the numbers of the machines with dirty hours."""
        return facts.dirty_assets(self.conn, self.end)


def filled(opened: ExitStack, server_url: str, machines: int, days: int, minutes: int = 1) -> Shop:
    """Fill a database of its own with rows that end where the samples begin."""
    url = opened.enter_context(cloned_database(server_url))
    conn = opened.enter_context(closing(store.connect(url)))
    start = START - timedelta(days=days)
    plans.load_plan(conn, _plan(machines, start.date().replace(day=1)))
    gateway = enrol(conn)
    shop = Shop(url, conn, gateway, start, START)
    # An index that is made at the end takes a third of the time.
    conn.execute("DROP INDEX telemetry.measurement_tag_ts")
    for machine in range(1, machines + 1):
        rows = machine_rows(gateway, f"M{machine:02}", shop.start, days * 1440 // minutes, minutes)
        columns: dict[str, npt.NDArray[Any]] = {
            "ts": rows.ts_us - PG_EPOCH_US,
            "tag_id": rows.tag_id,
            "value": rows.value,
            "status": rows.status,
            "batch_id": np.ones(len(rows), np.int64),
        }
        with conn.cursor().copy(query("copy_measurement")) as copy:
            for piece in encode(columns):
                copy.write(piece)
    conn.execute("SET statement_timeout = 0")
    conn.execute("SET maintenance_work_mem = '500MB'")
    conn.execute("CREATE UNIQUE INDEX measurement_tag_ts ON telemetry.measurement (tag_id, ts)")
    conn.execute("ANALYZE telemetry.measurement")
    return shop


def _plan(machines: int, first: date) -> dict[str, Any]:
    """Return a plan whose first year from the given first of month on is the baseline."""
    plan = sample_plan(machines=machines)
    renovated = add_months(first, 12).isoformat()
    plan["factory"]["baseline"] = [first.isoformat(), renovated]
    plan["factory"]["renovated_on"] = renovated
    plan["self_reports"] = []
    return plan


def machine_rows(gateway: Gateway, code: str, start: datetime, count: int, minutes: int) -> Rows:
    """Return the rows of a machine that now and then stops, counts pieces and draws power."""
    rng = np.random.default_rng(len(code))
    running = rng.random(count) < 0.8
    total = np.cumsum(running * (rng.random(count) < 0.7)).astype(np.float64)
    values = {
        f"{code}.state": np.where(running, 1.0, 3.0),
        f"{code}.total": total,
        f"{code}.power": rng.normal(20.0, 2.0, count),
    }
    order = sorted(values, key=lambda name: gateway.tags[name])
    times = micros(start) + minutes * _MINUTE_US * np.arange(count, dtype=np.int64)
    return Rows(
        np.repeat(np.array([gateway.tags[name] for name in order], np.int32), count),
        np.tile(times, len(order)),
        np.concatenate([values[name] for name in order]),
        np.zeros(len(order) * count, np.int32),
    )


def measure(server_url: str) -> Iterator[Ratio]:
    """Measure the bulk rate, then what a late row costs after a short and a long history."""
    with ExitStack() as opened:
        yield _bulk(filled(opened, server_url, machines=1, days=_BULK_DAYS))
    yield _late(server_url)


def _bulk(shop: Shop) -> Ratio:
    (row,) = shop.conn.execute("SELECT count(*) FROM telemetry.measurement").fetchall()
    count = int(row[0])

    def ours() -> None:
        shop.mark()
        for asset_id in shop.assets():
            jobs.recompute_asset(shop.url, asset_id, shop.end)

    in_turns([(ours, lambda: _copy_out(shop))])
    times = [in_turns([(ours, lambda: _copy_out(shop))]) for _ in range(_REPEATS)]
    rate = count / median(ours_s for ours_s, _ in times)
    return Ratio(
        what=f"facts of {count:,} rows of one machine",
        against="bare COPY TO of the same rows",
        target=TARGET,
        values=tuple(bare_s / ours_s for ours_s, bare_s in times),
        note=f"{rate:,.0f} rows/s",
    )


def _copy_out(shop: Shop) -> None:
    statement = "COPY (SELECT ts, tag_id, value, status FROM telemetry.measurement) TO STDOUT"
    with (
        closing(store.connect(shop.url)) as conn,
        conn.cursor().copy(f"{statement} (FORMAT binary)".encode()) as copy,
    ):
        for _ in copy:
            pass


def _late(server_url: str) -> Ratio:
    """Compare a late row after a month with one after two years; both touch three hours."""
    with ExitStack() as opened:
        shops = [filled(opened, server_url, 1, months * 30, 15) for months in _LATE_MONTHS]
        for shop in shops:
            shop.mark()
            jobs.run_facts(shop.url, shop.end)
        short, long = ([_late_row_s(shop, n) for n in range(_LATE_REPEATS)] for shop in shops)
    return Ratio(
        what=f"one late row after {_LATE_MONTHS[1]} months",
        against=f"after {_LATE_MONTHS[0]} month",
        target=TARGET,
        values=tuple(a / b for (a, _), (b, _) in zip(short, long, strict=True)),
        note=f"{max(hours for _, hours in long)} hours, {median(s for s, _ in long) * 1e3:.0f} ms",
    )


def _late_row_s(shop: Shop, number: int) -> tuple[float, int]:
    """Return how long the hours around a late row take, and how many they are."""
    at = shop.end - timedelta(days=3, minutes=7 + 60 * number, seconds=30)
    tag_id = shop.gateway.tags["M01.state"]
    shop.conn.execute("INSERT INTO telemetry.measurement VALUES (%s, %s, 3, 0, 1)", (at, tag_id))
    (row,) = shop.conn.execute("SELECT asset_id FROM registry.asset WHERE code = 'M01'").fetchall()
    facts.mark_dirty_hour(shop.conn, row[0], jobs.last_full_hour(at))
    start_s = time.perf_counter()
    hours = jobs.recompute_asset(shop.url, row[0], shop.end)
    return time.perf_counter() - start_s, hours
