"""A full pool: its pages against their bare SQL, and the night against reading the same rows."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta
from statistics import quantiles
from typing import Any, TypeVar

import httpx

import store
import store.night
from api.pages.todos import NEW, SOON
from api.pictures.render import WarmUp
from api.pool import night, policy, todos, workdays
from deploy.demo import sample_city
from store.acting import acting, key_of
from store.night import Asked
from store.queries import query
from tests.api.conftest import served
from tests.api.people import client_of, secret_of
from tests.bench.ratio import Ratio
from tests.support.database import cloned_database
from tests.support.waiting import wait_for

T = TypeVar("T")

TARGET = 1 / 3
NIGHT_TARGET = 0.2
NIGHT_S = 120.0

# What a page asks, as (statement, values).
Asks = Sequence[tuple[str, dict[str, Any]]]
_OVERVIEW: Asks = (("list_regions", {}), ("pool_standings", {"factory": None, "region": None}))
_MONTHS = 36
_REPEATS = 20
_NIGHTS = 3


def measure(server_url: str, factories: int) -> Iterator[Ratio]:
    """Make a city, judge it, and look at its pages again and again."""
    with ExitStack() as opened:
        url = opened.enter_context(cloned_database(server_url))
        conn = opened.enter_context(closing(store.connect(url)))
        now = datetime.now(UTC)
        sample_city.generate(conn, factories=factories, months=_MONTHS, seed=1, now=now)
        city = f"{factories} factories x {_MONTHS} months"
        yield _night(conn, now, city)
        todos.turn(conn, now=now)
        client = opened.enter_context(_client(opened, url, secret := secret_of(url)))
        yield _page(client, "overview", "/", lambda: _bare(conn, secret, _OVERVIEW))
        yield _page(client, "to-dos", "/todos", lambda: _bare(conn, secret, _todos(now)))


def _night(conn: store.Connection, now: datetime, city: str) -> Ratio:
    first_s, found = _timed(lambda: night.run(conn, now))
    assert found is not None
    assert not found.failures, found.failures
    values = []
    for _ in range(_NIGHTS):
        again_s, _ = _timed(lambda: night.run(conn, now))
        bare_s, _ = _timed(lambda: _read(conn, now))
        values.append(bare_s / again_s)
    return Ratio(
        what=f"the night's rules, {city}",
        against="reading the same rows",
        target=NIGHT_TARGET,
        values=tuple(values),
        note=f"{first_s:.1f} s the first time (meant: {NIGHT_S:.0f} s), {found.warned:,} warnings",
    )


def _read(conn: store.Connection, now: datetime) -> None:
    """Read what the rules see in the same pieces, and do nothing with it."""
    today = workdays.today(now)
    held = policy.merged(today, [])
    asked = Asked(
        now=now,
        first=today - timedelta(days=held.count("warning.completeness_days")),
        end=today,
        quarters_from=workdays.add_months(today, -9),
        rules=tuple(held.text("warning.findings").split()),
        handling=(),
    )
    after = 0
    while members := store.night.members(conn, now, (), after=after, most=night.CHUNK):
        after = members[-1].factory_id
        store.night.read(conn, [each.factory_id for each in members], asked)


def _client(opened: ExitStack, url: str, secret: str) -> httpx.Client:
    """Return a client of a server that has started whole, drawing of pictures included."""
    address = opened.enter_context(served(url))
    wait_for(lambda: not _is_warming_up(), "the drawing of pictures to be ready", 60.0)
    return client_of(address, secret)


def _is_warming_up() -> bool:
    return any(isinstance(each, WarmUp) for each in threading.enumerate())


def _page(client: httpx.Client, name: str, path: str, bare: Callable[[], int]) -> Ratio:
    """Ask for a page as a city officer, and for what it shows by its bare statements."""
    pages_s, bare_s = [], []
    for number in range(_REPEATS + 1):
        page_s, answer = _timed(lambda: client.get(path))
        assert answer.status_code == 200, answer.status_code
        assert "示例企业" in answer.text
        sql_s, rows = _timed(bare)
        assert rows, f"{name}: no rows"
        if number:  # the first one fills caches on either side
            pages_s.append(page_s)
            bare_s.append(sql_s)
    page_ms, sql_ms = 1000 * _p95(pages_s), 1000 * _p95(bare_s)
    return Ratio(
        what=f"page of {name}: p95",
        against="its bare SQL",
        target=TARGET,
        values=(sql_ms / page_ms,),
        note=f"{page_ms:.0f} ms, SQL {sql_ms:.0f} ms",
    )


def _todos(now: datetime) -> Asks:
    today, whose = workdays.today(now), {"role": "city_officer", "factory": None}
    return (
        ("list_todos", {**whose, "after_due": None, "after_id": None, "most": 101}),
        ("count_todos", {**whose, "today": today, "soon": today + SOON, "since": now - NEW}),
        ("count_unread", {"account_id": 0}),
    )


def _bare(conn: store.Connection, secret: str, asks: Asks) -> int:
    with acting(conn, key_of(secret)):
        found = [conn.execute(query(name), values).fetchall() for name, values in asks]
    return min(len(rows) for rows in found)


def _p95(seconds: list[float]) -> float:
    return quantiles(seconds, n=20)[-1]


def _timed(work: Callable[[], T]) -> tuple[float, T]:
    begin_s = time.perf_counter()
    found = work()
    return time.perf_counter() - begin_s, found
