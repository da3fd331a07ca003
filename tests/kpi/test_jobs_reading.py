"""What a refresh after one dirty hour reads does not grow with the history.

Counted are the rows that the database hands out or looks up, never seconds.
"""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import date, datetime, timedelta

import pytest

import store
from kpi import jobs
from kpi.calendar import add_months
from store import plans, registry
from store.canonical import Record
from tests.kpi.plant import CHINA, Plant, balance, heard, lot, machine_day, sample_plan
from tests.support.database import cloned_database

NOW = datetime(2026, 6, 2, 9, 20, tzinfo=CHINA)
THIS_MONTH = date(2026, 6, 1)


def month_of(first: date, number: int) -> list[Record]:
    """Return a record of each kind that figures read, of one month."""
    day, last = first.replace(day=10), add_months(first, 1) - timedelta(days=1)
    at = datetime(day.year, day.month, day.day, 12, tzinfo=CHINA)
    month = f"{first:%Y-%m}"
    line = {"line": f"SO-{month}", "quantity": 10, "due": f"{day}", "shipments": [[f"{day}", 10]]}
    bill = {"carrier": "electricity", "first_day": f"{first}", "last_day": f"{last}", "quantity": 9}
    project = {"project": f"P-{month}", "approved_on": f"{first}", "released_on": f"{day}"}
    return [
        lot(f"{day}", number % 9),
        *(balance(f"{last}", category, 5 + number) for category in ("raw", "wip", "finished")),
        Record("order_line", f"SO-{month}", at, line),
        Record("cogs", month, at, {"month": month, "amount_yuan": 9.0}),
        Record("headcount", month, at, {"month": month, "employees": 30}),
        Record("output_value", month, at, {"month": month, "value_yuan": 9.0, "price_year": 2020}),
        Record("energy_invoice", month, at, bill),
        Record("rd_project", f"P-{month}", at, project),
    ]


def grown(plant: Plant, months: int) -> Plant:
    """Give a factory so many months with something of everything in each, brought up to date."""
    first = add_months(THIS_MONTH, -months)
    plan = sample_plan()
    renovated = add_months(first, 3)
    plan["factory"] |= {"baseline": [f"{first}", f"{renovated}"], "renovated_on": f"{renovated}"}
    plan["promises"].append({"kpi": "oee", "before": 0.5, "basis": "declared", "expected": 0.9})
    plan["self_reports"] = [
        {
            "kpi": "defect_rate",
            "period": [f"{start}", f"{add_months(start, 12)}"],
            "value": 0.05,
            "reported_at": f"{add_months(start, 12)}T09:00:00+08:00",
        }
        for start in (add_months(renovated, number) for number in range(max(months - 12, 1)))
    ]
    plans.load_plan(plant.conn, plan)
    for number in range(months + 1):
        month = add_months(first, number)
        day = month if month == THIS_MONTH else month.replace(day=10)
        plant.send(machine_day("M01", day.isoformat(), begin=number * 320))
        plant.tell(*month_of(month, number))
    plant.send(heard(first, NOW.date()))
    plant.refresh(NOW)
    plant.conn.execute("VACUUM ANALYZE")
    return plant


def read_by_a_refresh(plant: Plant, at: datetime) -> dict[str, int]:
    """Return the rows that the figures after one late hour look up, by table, chunks as one.

    The session tells what it read in its own transaction. Indices are used where there are any, as
    they are over the rows of a whole city, and every row that one leads to is looked up.
    """
    plant.send({"M01.state": [(at, 3)]})
    plant.facts(NOW)
    factory = registry.factory_by_code(plant.conn, "sample")
    with closing(store.connect(plant.url)) as conn, store.transaction(conn):
        conn.execute("SET LOCAL enable_seqscan = off")
        conn.execute("SET LOCAL enable_indexonlyscan = off")
        assert jobs.refresh_factory(conn, factory, NOW) > 0
        rows = conn.execute(
            "SELECT coalesce(c.hypertable_name, s.relname),"
            " sum(coalesce(s.seq_tup_read, 0) + coalesce(s.idx_tup_fetch, 0))::bigint"
            " FROM pg_stat_xact_user_tables s"
            " LEFT JOIN timescaledb_information.chunks c ON c.chunk_name = s.relname"
            " WHERE s.schemaname NOT IN ('_timescaledb_catalog', '_timescaledb_config')"
            " GROUP BY 1"
        ).fetchall()
    return {name: int(count) for name, count in rows if count}


@pytest.fixture(scope="module")
def long_lived(database_server: str) -> Iterator[Plant]:
    """A factory with three years of history; each test touches another hour of it."""
    with grown_plant(database_server, 36) as plant:
        yield plant


@contextmanager
def grown_plant(server_url: str, months: int) -> Iterator[Plant]:
    """Hold a factory with so many months, in a database of its own."""
    with cloned_database(server_url) as url, closing(store.connect(url)) as conn:
        yield grown(Plant.load(conn, url), months)


def no_more(found: dict[str, int], expected: dict[str, int]) -> bool:
    """Tell whether no table gave more rows than expected; facts as many as expected."""
    more = {name: count for name, count in found.items() if count > expected.get(name, 0)}
    assert more == {}
    return found["fact_hour"] == expected["fact_hour"]


def test_an_hour_of_the_running_month_reads_as_much_after_6_months_as_after_36(
    database_server: str, long_lived: Plant
) -> None:
    at = datetime(2026, 6, 1, 12, 20, tzinfo=CHINA)
    with grown_plant(database_server, 6) as young:
        expected = read_by_a_refresh(young, at)
    assert no_more(read_by_a_refresh(long_lived, at), expected)
    assert expected["fact_hour"] > 0
    assert expected["record"] > 0


def test_an_hour_of_a_closed_month_reads_as_much_after_25_months_as_after_36(
    database_server: str, long_lived: Plant
) -> None:
    at = datetime(2025, 12, 10, 12, 20, tzinfo=CHINA)
    with grown_plant(database_server, 25) as young:
        expected = read_by_a_refresh(young, at)
    assert no_more(read_by_a_refresh(long_lived, at), expected)
    # The years that hold December, and the verdicts on them.
    assert expected["fact_hour"] > 300 * 24
    assert expected["verdict"] > 0
