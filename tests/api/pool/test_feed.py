"""The feed tells of the follow-up and of findings too, in the scope of whoever asks."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime

import httpx
import pytest

import store
import store.feed
import store.findings
from store.findings import NewFinding
from tests.api.conftest import served
from tests.api.people import client_of, secret_of
from tests.api.pool.pooled import OTHER_COUNTY, Pooled

FEED = "/api/v1/follow-up"
_MONTH = (date(2026, 3, 1), date(2026, 4, 1))
_FOUND = NewFinding(
    "PL-01", "1", "warn", "M01.power", None, None, 1.5, 1.0, "kW", "too_much", [], 0
)  # fmt: skip


def found(conn: store.Connection, factory_id: int, *findings: NewFinding) -> None:
    store.findings.replace(conn, factory_id, _MONTH, datetime(2026, 4, 2, tzinfo=UTC), findings)


def kinds(conn: store.Connection, cursor: int = 0) -> list[str]:
    return [each.what for each in store.feed.since(conn, cursor)]


@pytest.fixture
def address(database_url: str) -> Iterator[str]:
    with served(database_url) as found:
        yield found


def test_steps_of_the_membership_are_fed_in_order(pooled: Pooled) -> None:
    first = store.feed.since(pooled.conn, 0)
    pooled.warn()
    (moved,) = store.feed.since(pooled.conn, first[-1].cursor)
    assert (moved.what, moved.factory, moved.role) == ("moved", "sample", "system")
    assert moved.after["transition"] == "warn"
    assert (moved.kpi, moved.period_start, moved.before) == (None, None, None)


def test_a_finding_is_fed_when_it_comes_and_when_it_goes(pooled: Pooled) -> None:
    cursor = store.feed.end(pooled.conn)
    passed = replace(_FOUND, rule="PL-02", severity="pass")
    found(pooled.conn, pooled.factory_id, _FOUND, passed)
    found(pooled.conn, pooled.factory_id, _FOUND, passed)
    assert kinds(pooled.conn, cursor) == ["finding"]
    found(pooled.conn, pooled.factory_id)
    came, went = store.feed.since(pooled.conn, cursor)
    assert (came.what, went.what) == ("finding", "finding_cleared")
    assert (came.after["rule"], came.after["measured"]) == ("PL-01", 1.5)
    assert (came.period_start, came.period_end) == _MONTH
    assert went.changed_at > came.changed_at


def test_nothing_appears_behind_a_cursor_that_was_read(pooled: Pooled, database_url: str) -> None:
    start = store.feed.end(pooled.conn)
    with closing(store.connect(database_url)) as second:
        with store.transaction(second):
            found(second, pooled.factory_id, _FOUND)
            pooled.warn()
            read = store.feed.since(pooled.conn, start)
            assert [each.what for each in read] == ["moved"]
        (late,) = store.feed.since(pooled.conn, read[-1].cursor)
    assert late.what == "finding"


def test_a_subscriber_reads_its_scope_and_the_kinds_it_wants(
    pooled: Pooled, address: str, database_url: str
) -> None:
    pooled.warn()
    found(pooled.conn, pooled.factory_id, _FOUND)
    with client_of(address, secret_of(database_url)) as city:
        every = city.get(FEED).json()["items"]
        assert {each["what"] for each in every} >= {"moved", "finding"}
        some = city.get(FEED, params={"what": ["finding", "unheard"]}).json()["items"]
        assert [each["what"] for each in some] == ["finding"]
        assert some[0]["period"] == {"start": "2026-03-01", "end": "2026-04-01"}
        assert city.get(FEED, params={"what": "a b"}).status_code == 422
    stranger = secret_of(database_url, "county_officer", region=OTHER_COUNTY)
    with client_of(address, stranger) as county:
        assert county.get(FEED).json() == {"items": [], "next_cursor": 0, "more": False}


def test_a_stranger_reads_nothing(pooled: Pooled, address: str) -> None:
    assert httpx.get(address + FEED, timeout=30).status_code == 401
