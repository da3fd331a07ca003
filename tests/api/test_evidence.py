"""GET /api/v1/factories/{code}/evidence."""

import httpx

import store
from kpi.jobs.annex1_job import collect_evidence
from store import registry
from tests.api.conftest import served
from tests.api.people import client_of, secret_of
from tests.kpi.plant import Plant, china


def test_each_claim_is_told_with_its_window_and_expiry(
    db: store.Connection, database_url: str
) -> None:
    plant = Plant.load(db, database_url)
    factory = registry.factory_by_code(db, "sample")
    path = f"/api/v1/factories/{factory.code}/evidence"
    with served(plant.url) as address, client_of(address, secret_of(plant.url)) as client:
        assert client.get(path).raise_for_status().json() == {"factory": "sample", "items": []}
        collect_evidence(db, factory, china("2026-04-01 09:00"))
        answer = client.get(path).raise_for_status()
        again = client.get(path, headers={"If-None-Match": answer.headers["etag"]})
    found = {(one["claim"], one["method"]): one for one in answer.json()["items"]}
    state = found["D4.2c", "EV-STATE"]
    assert state["claim_zh"] == "自动在线监测设备工作状态"
    assert (state["evidence_class"], state["verdict"]) == ("A", "not_proven")
    assert state["window_start"] == "2026-03-01T16:00:00Z"
    assert (state["expires_on"], state["expired"]) == ("2026-05-01", True)
    alarms = found["D2.3b", "EV-WARN"]
    assert alarms["reason"] == "no_record_of_kind"
    assert "no record of the kind alarm" in alarms["reason_en"]
    assert "没有 alarm 类记录" in alarms["reason_zh"]
    assert again.status_code == 304


def test_an_unknown_factory_is_a_problem(client: httpx.Client) -> None:
    answer = client.get("/api/v1/factories/NOBODY/evidence")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
