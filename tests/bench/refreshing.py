"""What the database does when one hour of one factory of a whole city becomes dirty."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import timedelta

import store
from kpi import jobs
from store import facts, plans
from tests.bench.facts import Shop, filled
from tests.bench.ratio import Ratio
from tests.store.samples import sample_plan

TARGET = 0.8

_SHORT, _LONG = 14, 36  # months; a year that can be judged by the one before needs more than 13
_REPEATS = 3


@dataclass(frozen=True, slots=True)
class _Work:
    """Pages that the database looked at, rows that it gave or fetched, and seconds."""

    pages: int
    rows: int
    seconds: float


def measure(server_url: str, factories: int) -> Iterator[Ratio]:
    """Compare the work after a short and a long history of so many factories."""
    short, long = (_works(server_url, factories, months) for months in (_SHORT, _LONG))
    for name, unit in (("pages", "pages"), ("rows", "rows read")):
        pairs = list(zip(short, long, strict=True))
        yield Ratio(
            what=f"figures after one dirty hour, {factories} factories x {_LONG} months: {unit}",
            against=f"x {_SHORT} months",
            target=TARGET,
            values=tuple(getattr(a, name) / getattr(b, name) for a, b in pairs),
            note=f"{min(getattr(b, name) for _, b in pairs):,}, "
            f"{min(b.seconds for _, b in pairs):.2f} s",
        )


def _works(server_url: str, factories: int, months: int) -> list[_Work]:
    with ExitStack() as opened:
        shop = filled(opened, server_url, 2, months * 365 // 12, 15)
        shop.mark()
        jobs.run_facts(shop.url, shop.end)
        jobs.run_figures(shop.url, shop.end)
        _more_factories(shop, factories - 1)
        _one_dirty_hour(shop, 0)  # plans and caches
        return [_one_dirty_hour(shop, number) for number in range(1, _REPEATS + 1)]


def _more_factories(shop: Shop, count: int) -> None:
    """Give other factories the figures of the first."""
    for number in range(count):
        plans.load_plan(shop.conn, sample_plan(f"other-{number:04}", machines=1))
    shop.conn.execute(
        "INSERT INTO kpi.figure (factory_id, kpi, period_kind, period_start, period_end, revision,"
        " unit, point, low, high, coverage, grade, reason, method_version, coefficient_version,"
        " inputs, inputs_sha256)"
        " SELECT f.factory_id, g.kpi, g.period_kind, g.period_start, g.period_end, g.revision,"
        " g.unit, g.point, g.low, g.high, g.coverage, g.grade, g.reason, g.method_version,"
        " g.coefficient_version, g.inputs, g.inputs_sha256"
        " FROM registry.factory f, kpi.figure g WHERE f.code LIKE 'other-%%'"
    )
    shop.conn.execute("ANALYZE kpi.figure")
    shop.conn.execute("ANALYZE kpi.fact_hour")


def _one_dirty_hour(shop: Shop, number: int) -> _Work:
    at = shop.end - timedelta(days=40, minutes=7 + 60 * number)
    (row,) = shop.conn.execute(
        "SELECT asset_id, tag_id FROM registry.tag WHERE name = 'M01.state' ORDER BY tag_id LIMIT 1"
    ).fetchall()
    shop.conn.execute("INSERT INTO telemetry.measurement VALUES (%s, %s, 3, 0, 1)", (at, row[1]))
    facts.mark_dirty_hour(shop.conn, row[0], jobs.last_full_hour(at))
    before = _looked_at(shop.url)
    begin_s = time.perf_counter()
    jobs.run_facts(shop.url, shop.end)
    jobs.run_figures(shop.url, shop.end)
    seconds = time.perf_counter() - begin_s
    after = _looked_at(shop.url)
    return _Work(after[0] - before[0], after[1] - before[1], seconds)


def _looked_at(url: str) -> tuple[int, int]:
    """Return pages and rows so far; a connection tells what it did when it ends."""
    found = (-1, -1)
    for _ in range(50):
        time.sleep(0.1)
        with closing(store.connect(url)) as conn:
            (row,) = conn.execute(
                "SELECT (SELECT sum(heap_blks_read + heap_blks_hit + coalesce(idx_blks_read, 0)"
                " + coalesce(idx_blks_hit, 0))::bigint FROM pg_statio_user_tables),"
                " (SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0))::bigint"
                " FROM pg_stat_user_tables)"
            ).fetchall()
        if found == row:
            break
        found = (int(row[0]), int(row[1]))
    return found
