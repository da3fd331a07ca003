"""GET /api/v1/factories/{code}/gaps."""

from datetime import timedelta

import httpx
import pytest

import store
from tests.api.conftest import served
from tests.api.people import client_of, secret_of
from tests.kpi.plant import Plant, china, every

START, END = china("2026-03-02 08:00"), china("2026-03-02 12:00")


@pytest.fixture
def plant(db: store.Connection, database_url: str) -> Plant:
    """A factory of this test's own."""
    return Plant.load(db, database_url)


def test_tells_of_each_tag_what_was_not_collected(plant: Plant) -> None:
    plant.send({"M01.state": every(15, START, china("2026-03-02 10:00"))})
    with served(plant.url) as address, client_of(address, secret_of(plant.url)) as client:
        query = {"start": START.isoformat(), "end": END.isoformat(), "tag": "M01.state"}
        body = client.get("/api/v1/factories/sample/gaps", params=query).raise_for_status().json()
    (one,) = body["items"]
    assert (one["tag"], one["rows"], one["gap_count"]) == ("M01.state", 8, 1)
    assert one["good_s"] + one["not_collected_s"] == (END - START).total_seconds()
    assert one["gaps"] == [
        {"kind": "not_collected", "start": "2026-03-02T02:30:00Z", "end": "2026-03-02T04:00:00Z"}
    ]


@pytest.mark.parametrize(
    ("factory", "change", "status"),
    [
        ("NOBODY", {}, 404),
        ("SAMPLE-1", {"end": (START + timedelta(days=32)).isoformat()}, 422),
        ("SAMPLE-1", {"end": START.isoformat()}, 422),
        ("SAMPLE-1", {"tag": "nothing"}, 422),
        ("SAMPLE-1", {"start": "2026-03-02T08:00:00"}, 422),
    ],
)
def test_refuses_what_it_cannot_report(
    client: httpx.Client, factory: str, change: dict[str, str], status: int
) -> None:
    query = {"start": START.isoformat(), "end": END.isoformat()} | change
    answer = client.get(f"/api/v1/factories/{factory}/gaps", params=query)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"]
