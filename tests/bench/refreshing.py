"""What the database does when one hour of one factory of a whole city becomes dirty."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta

import store
from kpi import jobs
from store import facts
from tests.bench.facts import Shop, filled
from tests.bench.ratio import Ratio
from tests.support.waiting import wait_for

TARGET = 0.8

_SHORT, _LONG = 14, 36  # months; a year that can be judged by the one before needs more than 13
_REPEATS = 5


@dataclass(frozen=True, slots=True)
class _Work:
    """Pages that the database looked at, rows that it gave or fetched, and seconds."""

    pages: int
    rows: int
    seconds: float


def measure(server_url: str, factories: int) -> Iterator[Ratio]:
    """Compare the work after a short and a long history, and in a small and a large city."""
    few = max(factories // 10, 1)
    with ExitStack() as opened:
        cities = [
            _city(opened, server_url, each, months)
            for each, months in ((factories, _SHORT), (few, _LONG), (factories, _LONG))
        ]
        for shop in cities:
            _one_dirty_hour(shop, 0)  # plans and caches
        # In turns, so that all meet the same machine.
        rounds = [[_one_dirty_hour(shop, n) for shop in cities] for n in range(1, _REPEATS + 1)]
    short, small, long = (list(works) for works in zip(*rounds, strict=True))
    city = f"{factories} factories x {_LONG} months"
    yield from _ratios(long, short, city, f"x {_SHORT} months")
    yield from _ratios(long, small, city, f"{few} factories")


def _ratios(of: list[_Work], against: list[_Work], what: str, than: str) -> Iterator[Ratio]:
    for name, unit in (("pages", "pages"), ("rows", "rows read"), ("seconds", "seconds")):
        pairs = list(zip(against, of, strict=True))
        yield Ratio(
            what=f"figures after one dirty hour, {what}: {unit}",
            against=than,
            target=TARGET,
            values=tuple(getattr(a, name) / getattr(b, name) for a, b in pairs),
            note=f"{min(b.rows for _, b in pairs):,} rows, "
            f"{min(b.seconds for _, b in pairs):.2f} s",
        )


def _city(opened: ExitStack, server_url: str, factories: int, months: int) -> Shop:
    """Return a database with so many factories whose figures are up to date."""
    shop = filled(opened, server_url, 2, months * 365 // 12, 15)
    shop.mark()
    jobs.run_facts(shop.url, shop.end)
    jobs.run_figures(shop.url, shop.end)
    _more_factories(shop, 1, factories - 1)
    return shop


def _more_factories(shop: Shop, first: int, last: int) -> None:
    """Give other factories what the first has: its figures and verdicts."""
    others = {"first": first, "last": last}
    for text in (
        "INSERT INTO registry.enterprise (name_zh, name_en) SELECT '示例企业 ' || n, 'Sample ' || n"
        " FROM generate_series(%(first)s::int, %(last)s::int) n",
        "INSERT INTO registry.factory (code, enterprise_id, region_code, name_zh, name_en, kind,"
        " timezone, baseline_from, baseline_to, renovated_on)"
        " SELECT 'other-' || n, e.enterprise_id, f.region_code, f.name_zh, f.name_en, f.kind,"
        " f.timezone, f.baseline_from, f.baseline_to, f.renovated_on"
        " FROM generate_series(%(first)s::int, %(last)s::int) n"
        " JOIN registry.enterprise e ON e.name_en = 'Sample ' || n"
        " CROSS JOIN registry.factory f WHERE f.code = 'sample'",
        _copied("kpi.figure", _FIGURE),
        _copied("kpi.verdict", _VERDICT),
        _FORMED,
    ):
        shop.conn.execute(text.encode(), others)
    shop.conn.execute("VACUUM ANALYZE")


_FIGURE = (
    "kpi, period_kind, period_start, period_end, revision, unit, point, low, high, coverage, grade,"
    " reason, method_version, coefficient_version, inputs, inputs_sha256"
)
_VERDICT = (
    "kpi, period_start, period_end, figure_id, before_value, before_basis, expected_value,"
    " reported_value, fulfilment, fulfilment_low, fulfilment_high, fulfilment_verdict, deviation,"
    " consistency_verdict, policy_version, reasons"
)

# The copied figures go up to the same hour; nothing of these factories is due before the next one.
_FORMED = (
    "UPDATE kpi.due d SET due_at = s.due_at FROM kpi.due s"
    " JOIN registry.factory f USING (factory_id)"
    " WHERE f.code = 'sample' AND s.job = d.job AND d.job = 'figures'"
)


def _copied(table: str, columns: str) -> str:
    return (
        f"INSERT INTO {table} (factory_id, {columns}) SELECT o.factory_id, {columns}"
        f" FROM registry.factory o CROSS JOIN {table} g"
        " WHERE g.factory_id = (SELECT factory_id FROM registry.factory WHERE code = 'sample')"
        " AND o.code IN (SELECT 'other-' || n"
        " FROM generate_series(%(first)s::int, %(last)s::int) n)"
    )


def _one_dirty_hour(shop: Shop, number: int) -> _Work:
    at = shop.end - timedelta(days=40, minutes=7 + 60 * number)
    (row,) = shop.conn.execute(
        "SELECT asset_id, tag_id FROM registry.tag WHERE name = 'M01.state' ORDER BY tag_id LIMIT 1"
    ).fetchall()
    shop.conn.execute("INSERT INTO telemetry.measurement VALUES (%s, %s, 3, 0, 1)", (at, row[1]))
    facts.mark_dirty_hour(shop.conn, row[0], jobs.last_full_hour(at))
    before = _looked_at(shop.conn)
    begin_s = time.perf_counter()
    jobs.run_facts(shop.url, shop.end)
    jobs.run_figures(shop.url, shop.end)
    seconds = time.perf_counter() - begin_s
    after = _looked_at(shop.conn)
    return _Work(after[0] - before[0], after[1] - before[1], seconds)


def _looked_at(conn: store.Connection) -> tuple[int, int]:
    """Return pages and rows so far.

    A connection hands in what it did when it ends, before it leaves the list of those there are;
    the one that asks is told to.
    """
    wait_for(lambda: _others(conn) == 0, "the jobs' connections to end")
    conn.execute("SELECT pg_stat_force_next_flush()")
    (row,) = conn.execute(
        "SELECT (SELECT sum(heap_blks_read + heap_blks_hit + coalesce(idx_blks_read, 0)"
        " + coalesce(idx_blks_hit, 0))::bigint FROM pg_statio_user_tables),"
        " (SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0))::bigint"
        " FROM pg_stat_user_tables)"
    ).fetchall()
    return int(row[0]), int(row[1])


def _others(conn: store.Connection) -> int:
    (row,) = conn.execute(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        " AND backend_type = 'client backend'"
    ).fetchall()
    return int(row[0])
