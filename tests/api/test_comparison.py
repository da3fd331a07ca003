"""GET /api/v1/factories/{code}/comparison."""

from typing import Any

import httpx
import pytest

import store
import store.plans
from tests.api import samples

COMPARISON = "/api/v1/factories/SAMPLE-1/comparison"


def by_kpi(body: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {item["kpi"]: item for item in body["items"]}


def test_puts_promise_report_and_verified_figure_side_by_side(client: httpx.Client) -> None:
    body = client.get(COMPARISON).raise_for_status().json()
    assert body["period"] == {"start": "2025-11-01", "end": "2026-11-01"}
    oee = by_kpi(body)["oee"]
    assert oee["before"] == {"value": 0.61, "basis": "documented"}
    assert (oee["expected"], oee["self_reported"]) == (0.78, 0.775)
    verified = oee["verified"]
    assert (verified["low"], verified["point"], verified["high"]) == (0.741, 0.746, 0.756)
    assert (verified["coverage"], verified["grade"], verified["revision"]) == (0.982, "A", 1)
    assert verified["method_version"] == "2026.1"
    covered = verified["key_equipment"]
    assert (covered["share"], covered["left_out"]) == (0.75, ["R01", "R02"])
    assert oee["fulfilment"] == {"value": 0.8, "low": 0.77, "high": 0.86, "verdict": "partly"}
    assert oee["consistency"]["deviation"] == pytest.approx((0.775 - 0.746) / 0.746)
    assert oee["consistency"]["verdict"] == "off"


def test_kpis_come_in_the_order_of_the_pages(client: httpx.Client) -> None:
    body = client.get(COMPARISON).json()
    assert [item["kpi"] for item in body["items"]] == [case.kpi for case in samples.FULL]


def test_unverifiable_is_a_reason_and_never_a_number(client: httpx.Client) -> None:
    coal = by_kpi(client.get(COMPARISON).json())["standard_coal_equivalent"]
    assert coal["verified"]["point"] is None
    assert coal["verified"]["reason"]
    assert coal["fulfilment"] == {"value": None, "low": None, "high": None, "verdict": "unknown"}
    assert coal["consistency"] == {"deviation": None, "verdict": "unknown"}


def test_what_was_never_promised_or_reported_is_not_judged(client: httpx.Client) -> None:
    availability = by_kpi(client.get(COMPARISON).json())["availability"]
    assert availability["verified"]["point"] == 0.861
    assert availability["fulfilment"]["verdict"] is None
    assert availability["consistency"]["verdict"] is None


def test_an_earlier_rolling_year_can_be_asked_for(client: httpx.Client) -> None:
    body = client.get(COMPARISON, params={"period_start": "2025-10-01"}).json()
    assert [one["start"] for one in body["periods"]] == ["2025-11-01", "2025-10-01"]
    assert body["period"]["start"] == "2025-10-01"
    assert by_kpi(body)["oee"]["fulfilment"]["verdict"] == "missed"
    assert by_kpi(body)["defect_rate"]["verified"] is None


def test_a_promise_is_not_held_against_a_year_before_renovation(client: httpx.Client) -> None:
    body = client.get(COMPARISON, params={"period_start": "2025-10-01"}).json()
    coal = by_kpi(body)["standard_coal"]
    assert (coal["expected"], coal["fulfilment"]["verdict"]) == (4700.0, None)


def test_a_year_without_figures_is_not_found(client: httpx.Client) -> None:
    answer = client.get(COMPARISON, params={"period_start": "2019-01-01"})
    assert answer.status_code == 404
    assert "2019-01-01" in answer.json()["detail"]


def test_before_any_computation_the_promises_are_there(
    own_client: httpx.Client, db: store.Connection
) -> None:
    store.plans.load_plan(
        db, samples.plan("SAMPLE-1", "320613", "一号工厂", "Plant 1", "discrete", samples.FULL)
    )
    body = own_client.get(COMPARISON).raise_for_status().json()
    assert (body["period"], body["periods"]) == (None, [])
    oee = by_kpi(body)["oee"]
    assert (oee["before"]["value"], oee["expected"], oee["verified"]) == (0.61, 0.78, None)
    assert oee["fulfilment"]["verdict"] == "pending"


def test_the_entity_tag_changes_with_a_new_revision(
    own_client: httpx.Client, db: store.Connection
) -> None:
    case = samples.FULL[0]
    factory_id = store.plans.load_plan(
        db, samples.plan("SAMPLE-1", "320613", "一号工厂", "Plant 1", "discrete", (case,))
    )
    samples.judge(db, factory_id, case, samples.YEAR)
    first = own_client.get(COMPARISON)
    kept = {"If-None-Match": first.headers["etag"]}
    assert own_client.get(COMPARISON, headers=kept).status_code == 304
    late = samples.Case("oee", 0.61, "documented", 0.78, 0.775, (0.77, 0.765, 0.78), "A",
                        (0.94, 0.91, 1.0), "met", "same")  # fmt: skip
    samples.judge(db, factory_id, late, samples.YEAR)
    second = own_client.get(COMPARISON, headers=kept)
    assert second.status_code == 200
    oee = by_kpi(second.json())["oee"]
    assert (oee["verified"]["revision"], oee["verified"]["point"]) == (2, 0.77)
    assert oee["fulfilment"]["verdict"] == "met"
