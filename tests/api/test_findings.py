"""GET /api/v1/factories/{code}/findings."""

import httpx
import pytest

import store
from kpi.jobs.finding_job import run_findings
from tests.api.conftest import served
from tests.api.people import client_of, secret_of
from tests.kpi.plant import Plant, china, machine_day

NOW = china("2026-03-03 00:30")


@pytest.fixture
def plant(db: store.Connection, database_url: str) -> Plant:
    """A factory of this test's own, of which one machine was heard for a day and checked."""
    plant = Plant.load(db, database_url)
    plant.send(machine_day("M01", "2026-03-02"))
    plant.facts(NOW)
    run_findings(plant.url, NOW)
    return plant


def test_a_finding_says_what_where_and_in_both_languages(plant: Plant) -> None:
    with served(plant.url) as address, client_of(address, secret_of(plant.url)) as client:
        path = "/api/v1/factories/sample/findings"
        query = {"rule": "Q01", "severity": "fail", "month": "2026-03-01"}
        answer = client.get(path, params=query).raise_for_status()
        again = client.get(path, params=query, headers={"If-None-Match": answer.headers["etag"]})
        everything = client.get(path).raise_for_status().json()["items"]
    found = {one["subject"]: one for one in answer.json()["items"]}
    assert found["M02.state"]["measured"] == 0
    assert found["M02.state"]["sentence_zh"] == "M02.state：最差一天的数据完整率为0%（限值75%）"
    assert "0 % of the heartbeats" in found["M02.state"]["sentence_en"]
    assert found["M01.state"]["shown"] == [
        {"from": "2026-02-28T16:00:00Z", "to": "2026-03-01T16:00:00Z"}
    ]
    assert again.status_code == 304
    assert len({one["rule"] for one in everything}) == 38


@pytest.mark.parametrize(
    ("factory", "query", "status"),
    [("NOBODY", {}, 404), ("SAMPLE-1", {"rule": "X1"}, 422), ("SAMPLE-1", {"month": "May"}, 422)],
)
def test_refuses_what_it_does_not_have(
    client: httpx.Client, factory: str, query: dict[str, str], status: int
) -> None:
    answer = client.get(f"/api/v1/factories/{factory}/findings", params=query)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
