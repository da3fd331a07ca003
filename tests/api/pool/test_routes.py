"""The follow-up over HTTP: versions, repetitions, steps out of order, and who may do what."""

import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from api.identity import CSRF_HEADER, csrf_of
from api.permissions import ROLE_PERMISSIONS, Permission, Role
from api.pool import tickets
from store import audit
from store.plans import load_plan
from tests.api.conftest import served
from tests.api.people import client_of, session_of
from tests.api.pool.pooled import OTHER_COUNTY, Pooled
from tests.store.people import person
from tests.store.samples import sample_plan

STEPS = "/api/v1/factories/sample/membership/steps"
REQUEST = "/api/v1/factories/sample/membership/request"
EVIDENCE = "/api/v1/factories/sample/membership/evidence"
MEMBERSHIP = "/api/v1/factories/sample/membership"
PROPOSALS = "/api/v1/policy/proposals"


class Desk:
    """People who ask a running server, each with a session of their own."""

    def __init__(self, pooled: Pooled, address: str) -> None:
        self.pooled = pooled
        self.address = address
        self._clients: dict[str, httpx.Client] = {}

    def as_(self, role: str, name: str = "", *, region: str | None = None) -> httpx.Client:
        """Return the client of one person of a role, or of another of that name."""
        key = f"{role} {name} {region}"
        if key not in self._clients:
            conn = self.pooled.conn
            if region is None:
                actor, _ = self.pooled.person(role, name)
            else:
                actor = person(conn, role, region=region)
            secret = session_of(conn, actor)
            found = client_of(self.address, secret)
            found.headers[CSRF_HEADER] = csrf_of(secret)
            self._clients[key] = found
        return self._clients[key]

    def post(
        self, client: httpx.Client, path: str, body: Any, *, key: str | None = None, etag: str = ""
    ) -> httpx.Response:
        """Send a request under a new key, or the one given."""
        headers = {"Idempotency-Key": key or uuid.uuid4().hex}
        if etag:
            headers["If-Match"] = etag
        return client.post(path, json=body, headers=headers)

    def etag(self) -> str:
        """Return the ETag of the membership."""
        found = self.pooled.membership()
        return f'"membership-{found.membership_id}-{found.version}"'

    def close(self) -> None:
        """Close every client."""
        for each in self._clients.values():
            each.close()


@pytest.fixture
def desk(pooled: Pooled, database_url: str) -> Iterator[Desk]:
    """The sample factory in the pool behind a running server, on the day that it is."""
    pooled.now = datetime.now(UTC)
    with served(database_url) as address:
        found = Desk(pooled, address)
        yield found
        found.close()


def warned(desk: Desk) -> None:
    """Let the machine warn and the cause go."""
    desk.pooled.warn()
    desk.pooled.end_warnings()


def test_a_membership_says_what_can_be_done_and_why_not(desk: Desk) -> None:
    warned(desk)
    answer = desk.as_("county_officer").get(MEMBERSHIP)
    assert answer.headers["ETag"] == desk.etag()
    found = answer.json()
    assert found["membership"]["state_zh"] == "预警关注"
    assert found["membership"]["deadline_ends_at"].endswith("16:00:00Z")
    steps = {each["transition"]: each for each in found["steps"]}
    assert steps["clear_warning"]["allowed"]
    refused = steps["order_rectification"]
    assert [each["code"] for each in refused["reasons"]] == ["role", "gone"]
    assert refused["reasons"][1]["zh"] == "预警原因已消除，应解除预警"


def test_a_step_is_taken_once_however_often_it_is_sent(desk: Desk) -> None:
    warned(desk)
    client, etag = desk.as_("county_officer"), desk.etag()
    body = {"transition": "clear_warning", "comment": "原因消除"}
    first = desk.post(client, STEPS, body, key="k-1", etag=etag)
    assert first.status_code == 200, first.text
    assert first.json()["membership"]["state"] == "cultivating"
    again = desk.post(client, STEPS, body, key="k-1", etag=etag)
    assert (again.status_code, again.json()) == (200, first.json())
    assert again.headers["ETag"] == first.headers["ETag"] == desk.etag()
    assert desk.pooled.count("pool.transition") == 3
    other = desk.post(client, STEPS, {"transition": "expel"}, key="k-1", etag=etag)
    assert other.status_code == 422
    assert "choose a new one" in other.json()["detail"]


def test_a_step_sent_twice_at_once_is_taken_once(desk: Desk) -> None:
    warned(desk)
    client, etag = desk.as_("county_officer"), desk.etag()
    body = {"transition": "clear_warning"}
    with ThreadPoolExecutor(4) as pool:
        sent = [pool.submit(desk.post, client, STEPS, body, key="k", etag=etag) for _ in range(4)]
        answers = [each.result(30) for each in sent]
    assert {each.status_code for each in answers} == {200}
    assert len({each.text for each in answers}) == 1
    assert desk.pooled.count("pool.transition") == 3


def test_a_stale_version_is_412_and_none_is_428(desk: Desk) -> None:
    stale = desk.etag()
    warned(desk)
    client, body = desk.as_("county_officer"), {"transition": "clear_warning"}
    assert desk.post(client, STEPS, body, etag=stale).status_code == 412
    assert desk.post(client, STEPS, body, etag='"membership-999-2"').status_code == 412
    own = desk.etag().replace("membership", "report")
    assert desk.post(client, STEPS, body, etag=own).status_code == 412
    assert desk.post(client, STEPS, body, etag="*").status_code == 412
    assert desk.post(client, STEPS, body).status_code == 428
    assert desk.pooled.membership().state == "watch"


def test_a_step_out_of_order_is_409_with_what_is_possible(desk: Desk) -> None:
    answer = desk.post(
        desk.as_("city_leader"), STEPS, {"transition": "pass_review"}, etag=desk.etag()
    )
    assert answer.status_code == 409
    assert answer.headers["content-type"] == "application/problem+json"
    possible = {each["transition"]: each["allowed"] for each in answer.json()["possible"]}
    assert possible == {
        "warn": False, "start_review": False, "expel": False, "suspend": False,
        "leave": False, "qualify": False,
    }  # fmt: skip
    guarded = desk.post(
        desk.as_("city_officer"), STEPS, {"transition": "suspend", "comment": "停产"},
        etag=desk.etag(),
    )  # fmt: skip
    assert guarded.status_code == 409
    assert "no stop, relocation" in guarded.json()["detail"]


def test_a_step_of_another_role_is_403(desk: Desk) -> None:
    answer = desk.post(
        desk.as_("county_officer"), STEPS, {"transition": "qualify"}, etag=desk.etag()
    )
    assert answer.status_code == 403


def test_evidence_leads_to_a_step_of_another_person(desk: Desk) -> None:
    officer = desk.as_("city_officer")
    today = desk.pooled.now.date()
    sample = {"kind": "sample", "happened_on": str(today)}
    assert desk.post(officer, EVIDENCE, sample).status_code == 200
    body = {"transition": "start_review"}
    own = desk.post(officer, STEPS, body, etag=desk.etag())
    assert own.status_code == 403
    assert "what you made yourself" in own.json()["detail"]
    other = desk.post(desk.as_("city_officer", "second"), STEPS, body, etag=desk.etag())
    assert other.status_code == 200, other.text
    steps = desk.as_("ent_filler").get(STEPS).json()["items"]
    assert [each["transition"] for each in steps] == ["enter", "start_review"]


def test_a_file_is_handed_over_and_named_by_its_hash(desk: Desk) -> None:
    officer = desk.as_("county_officer")
    path = "/api/v1/factories/sample/files"
    taken = officer.post(path, params={"name": "核查.pdf"}, content=b"%PDF-1.7 sample")
    assert taken.status_code == 200, taken.text
    assert taken.json()["media_type"] == "application/pdf"
    check = {
        "kind": "site_check", "happened_on": str(desk.pooled.now.date()),
        "data": {"passed": True}, "people": ["示例甲", "示例乙"],
        "file_sha256": taken.json()["sha256"],
    }  # fmt: skip
    number = desk.post(officer, EVIDENCE, check).json()["item_id"]
    (item,) = officer.get(EVIDENCE).json()["items"]
    assert (item["item_id"], item["file_name"], item["data"]) == (
        number, "核查.pdf", {"passed": True},
    )  # fmt: skip
    saved = officer.get(f"/factories/sample/files/{taken.json()['sha256']}")
    assert (saved.content, saved.headers["content-type"]) == (b"%PDF-1.7 sample", "application/pdf")
    assert saved.headers["content-disposition"] == (
        "attachment; filename*=UTF-8''%E6%A0%B8%E6%9F%A5.pdf"
    )
    stranger = desk.as_("county_officer", region=OTHER_COUNTY)
    assert stranger.get(f"/factories/sample/files/{'0' * 64}").status_code == 404
    assert officer.get(f"/factories/sample/files/{'0' * 64}").status_code == 404
    again = officer.get(f"{path}/{taken.json()['sha256']}")
    assert (again.status_code, again.content) == (200, saved.content)
    assert again.headers["content-disposition"].startswith("attachment")
    assert stranger.get(f"{path}/{taken.json()['sha256']}").status_code == 404
    refused = officer.post(path, params={"name": "x.exe"}, content=b"MZ")
    assert refused.status_code == 422
    unknown = desk.post(officer, EVIDENCE, check | {"file_sha256": "0" * 64})
    assert unknown.status_code == 422
    withdrawal = f"{EVIDENCE}/{number}/withdrawal"
    other = desk.as_("county_officer", "second")
    assert desk.post(other, withdrawal, {"reason": "x"}).status_code == 403
    assert desk.post(officer, withdrawal, {"reason": "误录"}).status_code == 200
    assert officer.get(EVIDENCE).json()["items"] == []


def test_an_exit_is_asked_for_and_confirmed(desk: Desk) -> None:
    asked = desk.post(
        desk.as_("ent_approver"), STEPS, {"transition": "leave", "comment": "战略调整"},
        etag=desk.etag(),
    )  # fmt: skip
    assert asked.json()["request_id"] is not None
    leader = desk.as_("city_leader")
    assert leader.get(MEMBERSHIP).json()["request"]["comment"] == "战略调整"
    back = f"{REQUEST}/withdrawal"
    assert desk.post(leader, back, {}).json()["code"] == "not_yours"
    assert desk.post(desk.as_("ent_approver"), back, {"comment": "再议"}).status_code == 200
    assert leader.get(MEMBERSHIP).json().get("request") is None
    again = {"transition": "leave", "comment": "战略调整"}
    desk.post(desk.as_("ent_approver"), STEPS, again, etag=desk.etag())
    declined = desk.post(leader, REQUEST, {"confirmed": False}, etag=desk.etag())
    assert declined.status_code == 422
    done = desk.post(leader, REQUEST, {"confirmed": True}, etag=desk.etag())
    assert done.json()["membership"]["state"] == "exited"
    after = desk.post(leader, STEPS, {"transition": "expel", "comment": "x"}, etag=desk.etag())
    assert after.status_code == 409


def test_another_countys_factory_is_404_and_noted(desk: Desk) -> None:
    stranger = desk.as_("county_officer", region=OTHER_COUNTY)
    assert stranger.get("/api/v1/memberships").json()["items"] == []
    tries = [
        stranger.get(MEMBERSHIP),
        stranger.get(STEPS),
        stranger.get(EVIDENCE),
        desk.post(stranger, STEPS, {"transition": "clear_warning"}, etag=desk.etag()),
        desk.post(stranger, EVIDENCE, {"kind": "complaint", "happened_on": "2026-11-01"}),
    ]
    assert [each.status_code for each in tries] == [404] * 5
    noted = audit.entries(desk.pooled.conn, kind="factory", action="out_of_scope")
    assert len(noted) == 5


def test_a_number_of_another_countys_is_404_and_noted(desk: Desk) -> None:
    pooled = desk.pooled
    with pooled.as_("ent_filler") as actor:
        ticket = tickets.ask(
            pooled.conn, actor, pooled.factory_id,
            subject="网关断线", text="请协调。", level="county", now=pooled.now,
        )  # fmt: skip
    item = pooled.record("city_officer", "sample")
    plan = sample_plan("elsewhere")
    plan["factory"]["region"] = OTHER_COUNTY
    load_plan(pooled.conn, plan)
    stranger = desk.as_("county_officer", region=OTHER_COUNTY)
    assert stranger.get("/factories/elsewhere/membership").status_code == 200
    etag = f'"ticket-{ticket}-1"'
    withdrawal = f"/api/v1/factories/elsewhere/membership/evidence/{item}/withdrawal"
    tries = [
        stranger.get(f"/api/v1/tickets/{ticket}"),
        stranger.get(f"/tickets/{ticket}"),
        desk.post(stranger, f"/api/v1/tickets/{ticket}/replies", {"text": "x"}, etag=etag),
        stranger.post(f"/tickets/{ticket}", data={"version": 1, "what": "reply", "text": "x"}),
        desk.post(stranger, withdrawal, {"reason": "x"}),
        stranger.post(
            "/tickets",
            data={"factory": "sample", "subject": "x", "text": "x", "level": "county"},
        ),
        *(
            stranger.get(f"/api/v1/{name}", params={"factory": "sample"})
            for name in ("tickets", "reports", "disputes", "follow-up")
        ),
    ]
    assert [each.status_code for each in tries] == [404] * 10
    noted = audit.entries(pooled.conn, kind="factory", action="out_of_scope")
    assert [each.key for each in noted] == ["sample"] * 10
    assert stranger.get(f"/api/v1/tickets/{ticket + 1}").status_code == 404
    assert len(audit.entries(pooled.conn, kind="factory", action="out_of_scope")) == 10


def test_memberships_come_in_pages(desk: Desk) -> None:
    found = desk.as_("city_officer").get("/api/v1/memberships", params={"limit": 1}).json()
    assert [each["factory"] for each in found["items"]] == ["sample"]
    assert found["next_after"] is None
    later = desk.as_("city_officer").get("/api/v1/memberships", params={"after": "sample"})
    assert later.json()["items"] == []


def test_a_policy_value_takes_two_people(desk: Desk) -> None:
    officer, leader = desk.as_("city_officer"), desk.as_("city_leader")
    given = {
        "key": "watch.clear_within", "value": 45, "source": "示例办法第八条",
        "valid_from": str(desk.pooled.now.date()),
    }  # fmt: skip
    proposed = desk.post(officer, PROPOSALS, given)
    assert proposed.status_code == 200, proposed.text
    decision = f"{PROPOSALS}/{proposed.json()['value_id']}/decision"
    assert desk.post(officer, decision, {"confirmed": True}).status_code == 403
    assert desk.post(leader, decision, {"confirmed": True}).json()["outcome"] == "confirmed"
    again = desk.post(leader, decision, {"confirmed": True})
    assert (again.status_code, again.json()["code"]) == (409, "was_confirmed")
    values = {each["key"]: each for each in leader.get("/api/v1/policy").json()["items"]}
    assert (values["watch.clear_within"]["value"], values["watch.clear_within"]["settled"]) == (
        45, True,
    )  # fmt: skip
    assert not values["review.every"]["settled"]
    assert desk.post(officer, PROPOSALS, given | {"value": 0}).status_code == 422
    assert desk.post(officer, PROPOSALS, given | {"key": "no.key"}).status_code == 404
    assert len(officer.get(PROPOSALS).json()["items"]) == 1


def test_who_proposed_a_value_withdraws_it(desk: Desk) -> None:
    officer, leader = desk.as_("city_officer"), desk.as_("city_leader")
    given = {
        "key": "watch.clear_within", "value": 45, "source": "示例办法第八条",
        "valid_from": str(desk.pooled.now.date()),
    }  # fmt: skip
    withdrawal = f"{PROPOSALS}/{desk.post(officer, PROPOSALS, given).json()['value_id']}/withdrawal"
    assert desk.post(leader, withdrawal, {}).status_code == 403
    found = desk.post(officer, withdrawal, {"comment": "另行研究"}).json()
    assert (found["outcome"], found["answer"]) == ("withdrawn", "另行研究")
    assert desk.post(officer, withdrawal, {}).status_code == 409


def test_the_state_machine_is_told_as_data(desk: Desk) -> None:
    found = desk.as_("expert").get("/api/v1/lifecycle").json()
    assert found["initial"] == "cultivating"
    assert (len(found["states"]), len(found["steps"])) == (12, 20)


@pytest.mark.parametrize("role", [role for role in Role if role != Role.SYSTEM])
def test_each_route_lets_its_roles_in_alone(desk: Desk, role: Role) -> None:
    client = desk.as_(role)
    asked = {
        Permission.READ_POOL: client.get(MEMBERSHIP),
        Permission.MOVE_MEMBERSHIP: desk.post(
            client, STEPS, {"transition": "fly"}, etag=desk.etag()
        ),
        Permission.RECORD_EVIDENCE: desk.post(
            client, EVIDENCE, {"kind": "fly", "happened_on": "2026-11-01"}
        ),
        Permission.SET_POLICY: desk.post(
            client, PROPOSALS,
            {"key": "fly", "value": 1, "valid_from": "2026-11-01", "source": "x"},
        ),
    }  # fmt: skip
    for permission, answer in asked.items():
        is_in = permission in ROLE_PERMISSIONS[role]
        assert (answer.status_code != 403) == is_in, (permission, answer.text)


@pytest.mark.parametrize(
    "wrong",
    [
        {"note": "a\0b"},
        {"data": {"document": "\0"}},
        {"people": ["\0"]},
        {"accounts": [2**31]},
        {"more": 1},
        {"happened_on": "yesterday"},
        {"file_sha256": "x"},
    ],
)
def test_what_no_database_keeps_is_refused_with_its_place(
    desk: Desk, wrong: dict[str, Any]
) -> None:
    given = {"kind": "complaint", "happened_on": "2026-11-01"} | wrong
    answer = desk.post(desk.as_("county_officer"), EVIDENCE, given)
    assert answer.status_code == 422
    assert answer.json()["errors"]
    name = desk.as_("county_officer").post(
        "/api/v1/factories/sample/files", params={"name": "a\0"}, content=b"%PDF-"
    )
    assert name.status_code == 422


def test_no_route_changes_a_figure(desk: Desk) -> None:
    paths = desk.as_("city_officer").get("/api/v1/openapi.json").json()["paths"]
    changing = {
        path
        for path, methods in paths.items()
        if set(methods) - {"get", "head"} and ("figure" in path or "verdict" in path)
    }
    assert changing == set()
