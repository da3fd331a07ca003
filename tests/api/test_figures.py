"""GET /api/v1/factories/{code}/figures and the revisions of one."""

import httpx
import pytest

FIGURES = "/api/v1/factories/SAMPLE-1/figures"


def test_gives_the_newest_revision_with_its_evidence(client: httpx.Client) -> None:
    body = client.get(FIGURES, params={"kpi": "oee", "period_kind": "rolling12"}).json()
    assert body["factory"] == "SAMPLE-1"
    assert [one["period"]["start"] for one in body["items"]] == ["2025-10-01", "2025-11-01"]
    newest = body["items"][-1]
    assert (newest["low"], newest["point"], newest["high"]) == (0.741, 0.746, 0.756)
    assert (newest["unit"], newest["grade"], newest["coverage"]) == ("1", "A", 0.982)
    assert (newest["revision"], newest["method_version"]) == (1, "2026.1")
    covered = {"share": 0.75, "left_out": ["R01", "R02"]}
    assert newest["inputs"] == {"point": 0.746, "key_equipment": covered}
    assert len(bytes.fromhex(newest["inputs_sha256"])) == 32


def test_a_month_without_enough_data_has_a_reason_and_no_number(client: httpx.Client) -> None:
    body = client.get(FIGURES, params={"kpi": "oee", "since": "2025-07-01", "until": "2025-08-01"})
    (month,) = [one for one in body.json()["items"] if one["period_kind"] == "month"]
    assert month["point"] is month["low"] is month["high"] is None
    assert month["grade"] == "D"
    assert month["reason"] == "coverage"
    assert "61.2%" in month["reason_en"]
    assert "61.2%" in month["reason_zh"]


def test_a_window_takes_the_periods_that_meet_it(client: httpx.Client) -> None:
    query = {"kpi": "oee", "period_kind": "month", "since": "2026-01-01", "until": "2026-03-01"}
    body = client.get(FIGURES, params=query).json()
    assert [one["period"]["start"] for one in body["items"]] == ["2026-01-01", "2026-02-01"]


def test_the_open_month_is_revision_0(client: httpx.Client) -> None:
    query = {"kpi": "oee", "period_kind": "month", "since": "2026-11-01"}
    (open_month,) = client.get(FIGURES, params=query).json()["items"]
    assert open_month["revision"] == 0


def test_a_revised_month_keeps_what_it_said_before(client: httpx.Client) -> None:
    body = client.get(f"{FIGURES}/oee/month/2026-07-01/revisions").raise_for_status().json()
    assert [one["revision"] for one in body["items"]] == [1, 2]
    assert body["items"][1]["point"] == 0.751
    assert body["items"][0]["point"] != 0.751
    query = {"kpi": "oee", "period_kind": "month", "since": "2026-07-01", "until": "2026-07-02"}
    (latest,) = client.get(FIGURES, params=query).json()["items"]
    assert latest["point"] == 0.751


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/v1/factories/NOBODY/figures", 404),
        (f"{FIGURES}/oee/month/1999-01-01/revisions", 404),
        (f"{FIGURES}/oee/week/2026-01-01/revisions", 422),
        (f"{FIGURES}?kpi=profit", 422),
        (f"{FIGURES}?since=yesterday", 422),
    ],
)
def test_refuses_what_does_not_exist(client: httpx.Client, path: str, status: int) -> None:
    answer = client.get(path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
