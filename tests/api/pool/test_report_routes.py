"""Reports and disputes over HTTP: who may, versions, repetitions, and what officers cannot do."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts

import api.app
from api.identity import Needs
from api.permissions import ROLE_PERMISSIONS, Permission, Role
from api.pool import reruns
from tests.api.conftest import served
from tests.api.pool.asking import Asking
from tests.api.pool.pooled import OTHER_COUNTY
from tests.api.pool.reporting import YEAR, Reporting


class Reports(Asking):
    """People who ask a running server about the report of the sample factory."""

    def __init__(self, reporting: Reporting, address: str) -> None:
        super().__init__(reporting.pooled, address)
        self.reporting = reporting
        self.path = f"/api/v1/factories/sample/reports/{reporting.report_id}"

    def read(self, role: str = "ent_filler") -> tuple[dict[str, Any], str]:
        """Return the report and its ETag."""
        answer = self.as_(role).get(self.path)
        assert answer.status_code == 200, answer.text
        return answer.json(), answer.headers["ETag"]

    def fill_all(self) -> None:
        """Answer every item over HTTP."""
        found, etag = self.read()
        answers = []
        for each in found["items"]:
            if each["verified"]:
                answers.append({"item": each["item"], "stance": "confirmed"})
            elif not each["optional"]:
                value = each["form"][0] if isinstance(each["form"], list) else 12
                if each["item"].startswith("kpi."):
                    value = 0.012
                answers.append({"item": each["item"], "stance": "given", "value": value})
        answer = self.post(
            self.as_("ent_filler"), f"{self.path}/answers", {"answers": answers}, etag=etag
        )
        assert answer.status_code == 200, answer.text

    def step(self, role: str, step: str, **body: Any) -> httpx.Response:
        """Take a step over HTTP."""
        _, etag = self.read(role)
        return self.post(self.as_(role), f"{self.path}/steps", {"step": step, **body}, etag=etag)


@pytest.fixture
def asking(reporting: Reporting, database_url: str) -> Iterator[Reports]:
    """The sample factory's report behind a running server."""
    with served(database_url) as address:
        found = Reports(reporting, address)
        yield found
        found.close()


def test_a_quarter_goes_from_the_filler_to_the_lock(asking: Reports) -> None:
    found, _ = asking.read()
    assert (found["to_fill"], found["report"]["state_zh"]) == (23, "待填报")
    asking.fill_all()
    assert asking.step("ent_filler", "hand_over").status_code == 200
    assert asking.step("ent_approver", "submit").json()["state"] == "submitted"
    refused = asking.step("county_officer", "county_return", comment="人数不符")
    assert (refused.status_code, "name each item" in refused.text) == (422, True)
    returned = asking.step(
        "county_officer", "county_return", comment="人数不符", items={"staff": "社保 260 人"}
    )
    assert returned.json()["state_zh"] == "县级退回"
    found, etag = asking.read()
    staff = next(each for each in found["items"] if each["item"] == "staff")
    assert (staff["value"], staff["returned"]) == (12, "社保 260 人")
    body = {"answers": [{"item": "staff", "stance": "given", "value": 260}]}
    first = asking.post(
        asking.as_("ent_filler"), f"{asking.path}/answers", body, etag=etag, key="k-1"
    )
    again = asking.post(
        asking.as_("ent_filler"), f"{asking.path}/answers", body, etag=etag, key="k-1"
    )
    assert (again.status_code, again.content) == (200, first.content)
    asking.step("ent_filler", "hand_over")
    asking.step("ent_approver", "submit")
    assert asking.step("county_officer", "county_pass").json()["state"] == "county_passed"
    assert asking.step("city_officer", "lock").json()["state_zh"] == "已锁定"
    past = asking.as_("county_officer").get(f"{asking.path}/answers/staff").json()["items"]
    assert [each["value"] for each in past] == [12, 260]
    listed = asking.as_("city_officer").get("/api/v1/reports?state=locked").json()["items"]
    assert [each["report_id"] for each in listed] == [asking.reporting.report_id]


def test_versions_wrong_steps_and_other_counties(asking: Reports) -> None:
    _, etag = asking.read()
    body = {"answers": [{"item": "staff", "stance": "given", "value": 5}]}
    assert asking.post(asking.as_("ent_filler"), f"{asking.path}/answers", body).status_code == 428
    assert (
        asking.post(
            asking.as_("ent_filler"), f"{asking.path}/answers", body, etag='"9-1"'
        ).status_code
        == 412
    )
    assert (
        asking.post(asking.as_("ent_filler"), f"{asking.path}/answers", body, etag=etag).status_code
        == 200
    )
    assert (
        asking.post(asking.as_("ent_filler"), f"{asking.path}/answers", body, etag=etag).status_code
        == 412
    )
    early = asking.step("county_officer", "county_pass")
    assert early.status_code == 409
    assert {each["transition"] for each in early.json()["possible"]} == {"fill", "hand_over"}
    incomplete = asking.step("ent_filler", "hand_over")
    assert incomplete.status_code == 409
    assert asking.step("county_officer", "hand_over").status_code == 403
    assert asking.as_("county_officer", region=OTHER_COUNTY).get(asking.path).status_code == 404
    assert (
        asking.as_("county_officer", region=OTHER_COUNTY).get("/api/v1/reports").json()["items"]
        == []
    )
    assert asking.as_("ent_filler").get(f"{asking.path}9").status_code == 404


def test_no_route_lets_an_officer_answer(asking: Reports) -> None:
    fillers = {role for role in Role if Permission.FILL_REPORT in ROLE_PERMISSIONS[role]}
    assert fillers == {Role.ENT_FILLER}
    app: FastAPI = api.app.create_app("postgresql://127.0.0.1:1/none")
    changing = {
        str(each.path): [
            call.permission
            for call in (dependant.call for dependant in each.dependant.dependencies)
            if isinstance(call, Needs)
        ]
        for each in iter_route_contexts(app.routes)
        if isinstance(each.original_route, APIRoute) and "POST" in (each.methods or ())
        and "/reports" in str(each.path) and str(each.path).startswith("/api/")
    }  # fmt: skip
    assert changing == {
        "/api/v1/factories/{code}/reports": [Permission.FILL_REPORT],
        "/api/v1/factories/{code}/reports/{report_id}/answers": [Permission.FILL_REPORT],
        "/api/v1/factories/{code}/reports/{report_id}/steps": [Permission.MOVE_REPORT],
    }
    _, etag = asking.read()
    body = {"answers": [{"item": "staff", "stance": "given", "value": 5}]}
    for role in ("county_officer", "county_leader", "city_officer", "city_leader", "ent_approver"):
        assert (
            asking.post(asking.as_(role), f"{asking.path}/answers", body, etag=etag).status_code
            == 403
        )


def test_a_change_is_begun_by_the_enterprise(asking: Reports) -> None:
    body = {"kind": "CHG", "happened_on": "2026-03-20"}
    begun = asking.post(asking.as_("ent_filler"), "/api/v1/factories/sample/reports", body)
    assert (begun.status_code, begun.json()["due_on"]) == (200, "2026-06-20")
    assert (
        asking.post(
            asking.as_("city_officer"), "/api/v1/factories/sample/reports", body
        ).status_code
        == 403
    )
    body["happened_on"] = "2199-01-01"
    late = asking.post(asking.as_("ent_filler"), "/api/v1/factories/sample/reports", body)
    assert late.status_code == 422


def test_a_dispute_goes_to_its_decision(asking: Reports) -> None:
    base = "/api/v1/factories/sample"
    pooled = asking.reporting.pooled
    # The server's own day counts: the figure was told now.
    pooled.now = datetime.now(UTC)
    sha = asking.as_("ent_filler").post(
        f"{base}/files?name=a.pdf", content=b"%PDF-1.7 sample",
        headers={"Content-Type": "application/octet-stream"},
    ).json()["sha256"]  # fmt: skip
    told = asking.reporting.verify((0.74, 0.73, 0.75))
    assert told > 0
    body = {"kpi": "oee", "period_start": str(YEAR[0]), "claimed": 0.79,
            "reason": "计划停机被计为停机", "file_sha256": sha}  # fmt: skip
    assert asking.post(asking.as_("county_officer"), f"{base}/disputes", body).status_code == 403
    raised = asking.post(asking.as_("ent_approver"), f"{base}/disputes", body)
    assert raised.status_code == 200, raised.text
    path = f"{base}/disputes/{raised.json()['dispute_id']}"

    def step(role: str, **given: Any) -> httpx.Response:
        etag = asking.as_(role).get(path).headers["ETag"]
        return asking.post(asking.as_(role), f"{path}/steps", given, etag=etag)

    early = step("city_officer", step="accept", comment="有效", document="示例函")
    assert early.status_code == 409
    assert step("county_officer", step="assign", side="county").status_code == 200
    measured = {"value": 0.79, "low": 0.78, "high": 0.8, "method": "现场计时"}
    waits = step("city_officer", step="reject", comment="维持", document="示例函")
    assert (waits.status_code, "not finished" in waits.json()["detail"]) == (409, True)
    assert reruns.make_all(pooled.conn, now=datetime.now(UTC)) == {}
    done = step("county_officer", step="measure", measured=measured, file_sha256=sha)
    assert done.status_code == 200, done.text
    decided = step("city_leader", step="accept", comment="有效", document="示例函〔2026〕1号")
    assert decided.json()["state"] == "settled"
    found = asking.as_("ent_filler").get(path).json()
    assert found["dispute"]["figure"]["point"] == 0.74
    assert found["dispute"]["rerun_state"] == "done"
    assert [each["step"] for each in found["taken"]] == [
        "raise",
        "assign",
        "rerun",
        "measure",
        "accept",
    ]
    assert asking.as_("county_officer", region=OTHER_COUNTY).get(path).status_code == 404
    assert len(asking.as_("ent_filler").get("/api/v1/disputes").json()["items"]) == 1
