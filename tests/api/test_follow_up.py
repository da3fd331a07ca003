"""GET /api/v1/follow-up: a subscriber misses nothing and gets nothing twice."""

from typing import Any

import httpx
import pytest

import store
import store.figures
import store.plans
from tests.api import samples

FEED = "/api/v1/follow-up"


def read_all(client: httpx.Client, cursor: int = 0, **query: Any) -> tuple[list[Any], int]:
    items: list[Any] = []
    for _ in range(1000):
        body = client.get(FEED, params={"cursor": cursor, **query}).raise_for_status().json()
        items += body["items"]
        assert body["next_cursor"] >= cursor
        cursor = body["next_cursor"]
        if not body["more"]:
            return items, cursor
    raise AssertionError("the feed never ends")


def test_small_parts_join_to_the_whole(client: httpx.Client) -> None:
    whole, end = read_all(client, limit=1000)
    parts, same_end = read_all(client, limit=7)
    assert len(whole) > 50
    assert parts == whole
    assert end == same_end
    cursors = [item["cursor"] for item in whole]
    assert cursors == sorted(set(cursors))


def test_at_the_end_the_cursor_stays_and_nothing_comes(client: httpx.Client) -> None:
    _, end = read_all(client, limit=1000)
    body = client.get(FEED, params={"cursor": end}).json()
    assert body == {"items": [], "next_cursor": end, "more": False}


def test_what_changes_later_comes_once(own_client: httpx.Client, db: store.Connection) -> None:
    case = samples.FULL[0]
    factory_id = store.plans.load_plan(
        db, samples.plan("SAMPLE-1", "320613", "一号工厂", "Plant 1", "discrete", (case,))
    )
    assert read_all(own_client) == ([], 0)
    samples.judge(db, factory_id, case, samples.YEAR)
    first, cursor = read_all(own_client)
    assert [item["what"] for item in first] == ["figure", "fulfilment", "consistency"]
    assert first[1]["before"] is None
    assert first[1]["after"] == {"verdict": "partly", "fulfilment": 0.8}
    samples.judge(db, factory_id, case, samples.YEAR, word="met")
    (change,), _ = read_all(own_client, cursor)
    assert (change["what"], change["kpi"]) == ("fulfilment", "oee")
    assert change["period"] == {"start": "2025-11-01", "end": "2026-11-01"}
    assert change["before"]["verdict"] == "partly"
    assert change["after"]["verdict"] == "met"


def test_one_factory_can_be_followed_alone(client: httpx.Client) -> None:
    items, _ = read_all(client, factory="SAMPLE-4")
    assert {item["factory"] for item in items} == {"SAMPLE-4"}
    everything, _ = read_all(client)
    assert items == [item for item in everything if item["factory"] == "SAMPLE-4"]


@pytest.mark.parametrize(
    ("query", "status", "field"),
    [
        ({"cursor": -1}, 422, "query.cursor"),
        ({"cursor": 2**53}, 422, "query.cursor"),
        ({"cursor": "last"}, 422, "query.cursor"),
        ({"limit": 0}, 422, "query.limit"),
        ({"limit": 1001}, 422, "query.limit"),
        ({"factory": "a b"}, 422, "query.factory"),
        ({"factory": "a\x00b"}, 422, "query.factory"),
        ({"factory": "NOBODY"}, 404, None),
    ],
)
def test_refuses_what_cannot_be_read(
    client: httpx.Client, query: dict[str, Any], status: int, field: str | None
) -> None:
    answer = client.get(FEED, params=query)
    assert answer.status_code == status
    errors = answer.json().get("errors") or [{"field": None}]
    assert [error["field"] for error in errors] == [field]
