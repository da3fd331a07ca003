"""GET /api/v1/factories and /api/v1/factories/{code}."""

from contextlib import closing
from dataclasses import replace

import httpx
import pytest

import store
from api.routes.factories import behind


def test_lists_every_factory_with_its_county_windows_and_verdict_counts(
    client: httpx.Client,
) -> None:
    body = client.get("/api/v1/factories").raise_for_status().json()
    assert [one["code"] for one in body["items"]] == [
        "SAMPLE-1", "SAMPLE-2", "SAMPLE-3", "SAMPLE-4", "SAMPLE-5", "SAMPLE-9",
    ]  # fmt: skip
    assert body["next_after"] is None
    first = body["items"][0]
    assert first["region"] == {"code": "320613", "name_zh": "崇川区", "name_en": "Chongchuan"}
    assert first["kind"] == "discrete"
    assert first["baseline"] == {"start": "2024-11-01", "end": "2025-11-01"}
    assert first["renovated_on"] == "2025-11-01"
    assert first["last_received_at"].endswith("Z")
    assert first["verdicts"] == {
        "period": {"start": "2025-11-01", "end": "2026-11-01"},
        "fulfilment": {"over": 2, "met": 1, "partly": 1, "missed": 1, "worse": 1, "unknown": 1},
        "consistency": {"same": 3, "off": 1, "false": 1, "unknown": 2},
    }


def test_a_factory_without_figures_says_so_and_counts_nothing(client: httpx.Client) -> None:
    body = client.get("/api/v1/factories/SAMPLE-9").raise_for_status().json()
    assert body["attention"] == "pending"
    assert body["last_received_at"] is None
    assert body["verdicts"] == {"period": None, "fulfilment": {}, "consistency": {}}


@pytest.mark.parametrize(
    ("code", "attention"),
    [("SAMPLE-2", "fine"), ("SAMPLE-3", "watch"), ("SAMPLE-4", "act"), ("SAMPLE-5", "act")],
)
def test_a_false_report_needs_action_even_where_every_promise_is_kept(
    client: httpx.Client, code: str, attention: str
) -> None:
    assert client.get(f"/api/v1/factories/{code}").json()["attention"] == attention


def test_parts_of_the_list_join_to_the_whole(client: httpx.Client) -> None:
    codes: list[str] = []
    after = None
    for _ in range(10):
        query = {"limit": 2} | ({"after": after} if after else {})
        body = client.get("/api/v1/factories", params=query).raise_for_status().json()
        codes += [one["code"] for one in body["items"]]
        after = body["next_after"]
        if after is None:
            break
    whole = client.get("/api/v1/factories").json()["items"]
    assert codes == [one["code"] for one in whole]


def test_one_county_lists_its_own_factories_only(client: httpx.Client) -> None:
    body = client.get("/api/v1/factories", params={"region": "320613"}).json()
    assert [one["code"] for one in body["items"]] == ["SAMPLE-1", "SAMPLE-4"]


def test_an_unchanged_list_is_not_sent_again(client: httpx.Client) -> None:
    first = client.get("/api/v1/factories")
    again = client.get("/api/v1/factories", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    other = client.get("/api/v1/factories", headers={"If-None-Match": '"something else"'})
    assert other.status_code == 200
    assert other.content == first.content


def test_the_order_of_a_server_s_language_makes_no_part_skip_a_factory(sample_url: str) -> None:
    with closing(store.connect(sample_url)) as conn:
        some = store.pool.standings(conn)[:3]
    # As a server sorts that is set up in English or Chinese.
    codes = ("a-1", "B-1", "c-1")
    found = [
        replace(each, factory=replace(each.factory, code=code))
        for each, code in zip(some, codes, strict=True)
    ]
    seen: list[str] = []
    for _ in range(5):
        rest = behind(found, seen[-1] if seen else None)
        seen += [each.factory.code for each in rest[:1]]
    assert sorted(seen) == sorted(codes)
