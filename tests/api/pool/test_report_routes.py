"""Reports and disputes over HTTP: who may, versions, repetitions, and what officers cannot do."""

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts

import api.app
from api.identity import CSRF_HEADER, Needs, csrf_of
from api.permissions import ROLE_PERMISSIONS, Permission, Role
from api.pool import reruns
from tests.api.conftest import served
from tests.api.people import client_of, session_of
from tests.api.pool.pooled import OTHER_COUNTY
from tests.api.pool.reporting import YEAR, Reporting
from tests.store.people import person


class Desk:
    """People who ask a running server about the report of the sample factory."""

    def __init__(self, reporting: Reporting, address: str) -> None:
        self.reporting = reporting
        self.address = address
        self.path = f"/api/v1/factories/sample/reports/{reporting.report_id}"
        self._clients: dict[str, httpx.Client] = {}

    def as_(self, role: str) -> httpx.Client:
        """Return the client of a person of a role."""
        if role not in self._clients:
            conn = self.reporting.pooled.conn
            if role == "other county":
                actor = person(conn, "county_officer", region=OTHER_COUNTY)
            else:
                actor, _ = self.reporting.pooled.person(role)
            secret = session_of(conn, actor)
            client = self._clients[role] = client_of(self.address, secret)
            client.headers[CSRF_HEADER] = csrf_of(secret)
        return self._clients[role]

    def post(self, role: str, path: str, body: Any, *, etag: str = "", key: str = "") -> Any:
        """Send something under a new key, or the one given."""
        headers = {"Idempotency-Key": key or uuid.uuid4().hex}
        if etag:
            headers["If-Match"] = etag
        return self.as_(role).post(path, json=body, headers=headers)

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
                answers.append({"item": each["item"], "stance": "given", "value": value})
        answer = self.post("ent_filler", f"{self.path}/answers", {"answers": answers}, etag=etag)
        assert answer.status_code == 200, answer.text

    def step(self, role: str, step: str, **body: Any) -> httpx.Response:
        """Take a step over HTTP."""
        _, etag = self.read(role)
        answer = self.post(role, f"{self.path}/steps", {"step": step, **body}, etag=etag)
        assert isinstance(answer, httpx.Response)
        return answer

    def close(self) -> None:
        """Close every client."""
        for each in self._clients.values():
            each.close()


@pytest.fixture
def desk(reporting: Reporting, database_url: str) -> Iterator[Desk]:
    """The sample factory's report behind a running server."""
    with served(database_url) as address:
        found = Desk(reporting, address)
        yield found
        found.close()


def test_a_quarter_goes_from_the_filler_to_the_lock(desk: Desk) -> None:
    found, _ = desk.read()
    assert (found["to_fill"], found["report"]["state_zh"]) == (23, "待填报")
    desk.fill_all()
    assert desk.step("ent_filler", "hand_over").status_code == 200
    assert desk.step("ent_approver", "submit").json()["state"] == "submitted"
    refused = desk.step("county_officer", "county_return", comment="人数不符")
    assert (refused.status_code, "name each item" in refused.text) == (422, True)
    returned = desk.step(
        "county_officer", "county_return", comment="人数不符", items={"staff": "社保 260 人"}
    )
    assert returned.json()["state_zh"] == "县级退回"
    found, etag = desk.read()
    staff = next(each for each in found["items"] if each["item"] == "staff")
    assert (staff["value"], staff["returned"]) == (12, "社保 260 人")
    body = {"answers": [{"item": "staff", "stance": "given", "value": 260}]}
    first = desk.post("ent_filler", f"{desk.path}/answers", body, etag=etag, key="k-1")
    again = desk.post("ent_filler", f"{desk.path}/answers", body, etag=etag, key="k-1")
    assert (again.status_code, again.content) == (200, first.content)
    desk.step("ent_filler", "hand_over")
    desk.step("ent_approver", "submit")
    assert desk.step("county_officer", "county_pass").json()["state"] == "county_passed"
    assert desk.step("city_officer", "lock").json()["state_zh"] == "已锁定"
    past = desk.as_("county_officer").get(f"{desk.path}/answers/staff").json()["items"]
    assert [each["value"] for each in past] == [12, 260]
    listed = desk.as_("city_officer").get("/api/v1/reports?state=locked").json()["items"]
    assert [each["report_id"] for each in listed] == [desk.reporting.report_id]


def test_versions_wrong_steps_and_other_counties(desk: Desk) -> None:
    _, etag = desk.read()
    body = {"answers": [{"item": "staff", "stance": "given", "value": 5}]}
    assert desk.post("ent_filler", f"{desk.path}/answers", body).status_code == 428
    assert desk.post("ent_filler", f"{desk.path}/answers", body, etag='"9-1"').status_code == 412
    assert desk.post("ent_filler", f"{desk.path}/answers", body, etag=etag).status_code == 200
    assert desk.post("ent_filler", f"{desk.path}/answers", body, etag=etag).status_code == 412
    early = desk.step("county_officer", "county_pass")
    assert early.status_code == 409
    assert {each["transition"] for each in early.json()["possible"]} == {"fill", "hand_over"}
    incomplete = desk.step("ent_filler", "hand_over")
    assert incomplete.status_code == 409
    assert desk.step("county_officer", "hand_over").status_code == 403
    assert desk.as_("other county").get(desk.path).status_code == 404
    assert desk.as_("other county").get("/api/v1/reports").json()["items"] == []
    assert desk.as_("ent_filler").get(f"{desk.path}9").status_code == 404


def test_no_route_lets_an_officer_answer(desk: Desk) -> None:
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
    _, etag = desk.read()
    body = {"answers": [{"item": "staff", "stance": "given", "value": 5}]}
    for role in ("county_officer", "county_leader", "city_officer", "city_leader", "ent_approver"):
        assert desk.post(role, f"{desk.path}/answers", body, etag=etag).status_code == 403


def test_a_change_is_begun_by_the_enterprise(desk: Desk) -> None:
    body = {"kind": "CHG", "happened_on": "2026-03-20"}
    begun = desk.post("ent_filler", "/api/v1/factories/sample/reports", body)
    assert (begun.status_code, begun.json()["due_on"]) == (200, "2026-06-20")
    assert desk.post("city_officer", "/api/v1/factories/sample/reports", body).status_code == 403
    body["happened_on"] = "2199-01-01"
    late = desk.post("ent_filler", "/api/v1/factories/sample/reports", body)
    assert late.status_code == 422


def test_a_dispute_goes_to_its_decision(desk: Desk) -> None:
    base = "/api/v1/factories/sample"
    pooled = desk.reporting.pooled
    # The server's own day counts: the figure was told now.
    pooled.now = datetime.now(UTC)
    sha = desk.as_("ent_filler").post(
        f"{base}/files?name=a.pdf", content=b"%PDF-1.7 sample",
        headers={"Content-Type": "application/octet-stream"},
    ).json()["sha256"]  # fmt: skip
    told = desk.reporting.verify((0.74, 0.73, 0.75))
    assert told > 0
    body = {"kpi": "oee", "period_start": str(YEAR[0]), "claimed": 0.79,
            "reason": "计划停机被计为停机", "file_sha256": sha}  # fmt: skip
    assert desk.post("county_officer", f"{base}/disputes", body).status_code == 403
    raised = desk.post("ent_approver", f"{base}/disputes", body)
    assert raised.status_code == 200, raised.text
    path = f"{base}/disputes/{raised.json()['dispute_id']}"

    def step(role: str, **given: Any) -> httpx.Response:
        etag = desk.as_(role).get(path).headers["ETag"]
        answer = desk.post(role, f"{path}/steps", given, etag=etag)
        assert isinstance(answer, httpx.Response)
        return answer

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
    found = desk.as_("ent_filler").get(path).json()
    assert found["dispute"]["figure"]["point"] == 0.74
    assert found["dispute"]["rerun_state"] == "done"
    assert [each["step"] for each in found["taken"]] == [
        "raise",
        "assign",
        "rerun",
        "measure",
        "accept",
    ]
    assert desk.as_("other county").get(path).status_code == 404
    assert len(desk.as_("ent_filler").get("/api/v1/disputes").json()["items"]) == 1
