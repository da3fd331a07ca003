"""Memberships over HTTP: versions, repetitions, steps out of order, evidence and requests."""

from concurrent.futures import ThreadPoolExecutor

from tests.api.pool.asking import EVIDENCE, MEMBERSHIP, REQUEST, STEPS, Asking
from tests.api.pool.pooled import OTHER_COUNTY


def warned(asking: Asking) -> None:
    """Let the machine warn and the cause go."""
    asking.pooled.warn()
    asking.pooled.end_warnings()


def test_a_membership_says_what_can_be_done_and_why_not(asking: Asking) -> None:
    warned(asking)
    answer = asking.as_("county_officer").get(MEMBERSHIP)
    assert answer.headers["ETag"] == asking.etag()
    found = answer.json()
    assert found["membership"]["state_zh"] == "预警关注"
    assert found["membership"]["deadline_ends_at"].endswith("16:00:00Z")
    steps = {each["transition"]: each for each in found["steps"]}
    assert steps["clear_warning"]["allowed"]
    refused = steps["order_rectification"]
    assert [each["code"] for each in refused["reasons"]] == ["role", "gone"]
    assert refused["reasons"][1]["zh"] == "预警原因已消除，应解除预警"


def test_a_step_is_taken_once_however_often_it_is_sent(asking: Asking) -> None:
    warned(asking)
    client, etag = asking.as_("county_officer"), asking.etag()
    body = {"transition": "clear_warning", "comment": "原因消除"}
    first = asking.post(client, STEPS, body, key="k-1", etag=etag)
    assert first.status_code == 200, first.text
    assert first.json()["membership"]["state"] == "cultivating"
    again = asking.post(client, STEPS, body, key="k-1", etag=etag)
    assert (again.status_code, again.json()) == (200, first.json())
    assert again.headers["ETag"] == first.headers["ETag"] == asking.etag()
    assert asking.pooled.count("pool.transition") == 3
    other = asking.post(client, STEPS, {"transition": "expel"}, key="k-1", etag=etag)
    assert other.status_code == 422
    assert "choose a new one" in other.json()["detail"]


def test_a_step_sent_twice_at_once_is_taken_once(asking: Asking) -> None:
    warned(asking)
    client, etag = asking.as_("county_officer"), asking.etag()
    body = {"transition": "clear_warning"}
    with ThreadPoolExecutor(4) as pool:
        sent = [pool.submit(asking.post, client, STEPS, body, key="k", etag=etag) for _ in range(4)]
        answers = [each.result(30) for each in sent]
    assert {each.status_code for each in answers} == {200}
    assert len({each.text for each in answers}) == 1
    assert asking.pooled.count("pool.transition") == 3


def test_a_stale_version_is_412_and_none_is_428(asking: Asking) -> None:
    stale = asking.etag()
    warned(asking)
    client, body = asking.as_("county_officer"), {"transition": "clear_warning"}
    assert asking.post(client, STEPS, body, etag=stale).status_code == 412
    assert asking.post(client, STEPS, body, etag='"membership-999-2"').status_code == 412
    own = asking.etag().replace("membership", "report")
    assert asking.post(client, STEPS, body, etag=own).status_code == 412
    assert asking.post(client, STEPS, body, etag="*").status_code == 412
    assert asking.post(client, STEPS, body).status_code == 428
    assert asking.pooled.membership().state == "watch"


def test_a_step_out_of_order_is_409_with_what_is_possible(asking: Asking) -> None:
    answer = asking.post(
        asking.as_("city_leader"), STEPS, {"transition": "pass_review"}, etag=asking.etag()
    )
    assert answer.status_code == 409
    assert answer.headers["content-type"] == "application/problem+json"
    possible = {each["transition"]: each["allowed"] for each in answer.json()["possible"]}
    assert possible == {
        "warn": False, "start_review": False, "expel": False, "suspend": False,
        "leave": False, "qualify": False,
    }  # fmt: skip
    guarded = asking.post(
        asking.as_("city_officer"), STEPS, {"transition": "suspend", "comment": "停产"},
        etag=asking.etag(),
    )  # fmt: skip
    assert guarded.status_code == 409
    assert "no stop, relocation" in guarded.json()["detail"]


def test_a_step_of_another_role_is_403(asking: Asking) -> None:
    answer = asking.post(
        asking.as_("county_officer"), STEPS, {"transition": "qualify"}, etag=asking.etag()
    )
    assert answer.status_code == 403


def test_evidence_leads_to_a_step_of_another_person(asking: Asking) -> None:
    officer = asking.as_("city_officer")
    today = asking.pooled.today
    sample = {"kind": "sample", "happened_on": str(today)}
    assert asking.post(officer, EVIDENCE, sample).status_code == 200
    body = {"transition": "start_review"}
    own = asking.post(officer, STEPS, body, etag=asking.etag())
    assert own.status_code == 403
    assert "what you made yourself" in own.json()["detail"]
    other = asking.post(asking.as_("city_officer", "second"), STEPS, body, etag=asking.etag())
    assert other.status_code == 200, other.text
    steps = asking.as_("ent_filler").get(STEPS).json()["items"]
    assert [each["transition"] for each in steps] == ["enter", "start_review"]


def test_a_file_is_handed_over_and_named_by_its_hash(asking: Asking) -> None:
    officer = asking.as_("county_officer")
    path = "/api/v1/factories/sample/files"
    taken = officer.post(path, params={"name": "核查.pdf"}, content=b"%PDF-1.7 sample")
    assert taken.status_code == 200, taken.text
    assert taken.json()["media_type"] == "application/pdf"
    check = {
        "kind": "site_check", "happened_on": str(asking.pooled.today),
        "data": {"passed": True}, "people": ["示例甲", "示例乙"],
        "file_sha256": taken.json()["sha256"],
    }  # fmt: skip
    number = asking.post(officer, EVIDENCE, check).json()["item_id"]
    (item,) = officer.get(EVIDENCE).json()["items"]
    assert (item["item_id"], item["file_name"], item["data"]) == (
        number, "核查.pdf", {"passed": True},
    )  # fmt: skip
    saved = officer.get(f"/factories/sample/files/{taken.json()['sha256']}")
    assert (saved.content, saved.headers["content-type"]) == (b"%PDF-1.7 sample", "application/pdf")
    assert saved.headers["content-disposition"] == (
        "attachment; filename*=UTF-8''%E6%A0%B8%E6%9F%A5.pdf"
    )
    stranger = asking.as_("county_officer", region=OTHER_COUNTY)
    assert stranger.get(f"/factories/sample/files/{'0' * 64}").status_code == 404
    assert officer.get(f"/factories/sample/files/{'0' * 64}").status_code == 404
    again = officer.get(f"{path}/{taken.json()['sha256']}")
    assert (again.status_code, again.content) == (200, saved.content)
    assert again.headers["content-disposition"].startswith("attachment")
    assert stranger.get(f"{path}/{taken.json()['sha256']}").status_code == 404
    refused = officer.post(path, params={"name": "x.exe"}, content=b"MZ")
    assert refused.status_code == 422
    unknown = asking.post(officer, EVIDENCE, check | {"file_sha256": "0" * 64})
    assert unknown.status_code == 422
    withdrawal = f"{EVIDENCE}/{number}/withdrawal"
    other = asking.as_("county_officer", "second")
    assert asking.post(other, withdrawal, {"reason": "x"}).status_code == 403
    assert asking.post(officer, withdrawal, {"reason": "误录"}).status_code == 200
    assert officer.get(EVIDENCE).json()["items"] == []


def test_an_exit_is_asked_for_and_confirmed(asking: Asking) -> None:
    asked = asking.post(
        asking.as_("ent_approver"), STEPS, {"transition": "leave", "comment": "战略调整"},
        etag=asking.etag(),
    )  # fmt: skip
    assert asked.json()["request_id"] is not None
    leader = asking.as_("city_leader")
    assert leader.get(MEMBERSHIP).json()["request"]["comment"] == "战略调整"
    back = f"{REQUEST}/withdrawal"
    assert asking.post(leader, back, {}).json()["code"] == "not_yours"
    assert asking.post(asking.as_("ent_approver"), back, {"comment": "再议"}).status_code == 200
    assert leader.get(MEMBERSHIP).json().get("request") is None
    again = {"transition": "leave", "comment": "战略调整"}
    asking.post(asking.as_("ent_approver"), STEPS, again, etag=asking.etag())
    declined = asking.post(leader, REQUEST, {"confirmed": False}, etag=asking.etag())
    assert declined.status_code == 422
    done = asking.post(leader, REQUEST, {"confirmed": True}, etag=asking.etag())
    assert done.json()["membership"]["state"] == "exited"
    after = asking.post(leader, STEPS, {"transition": "expel", "comment": "x"}, etag=asking.etag())
    assert after.status_code == 409


def test_memberships_come_in_pages(asking: Asking) -> None:
    found = asking.as_("city_officer").get("/api/v1/memberships", params={"limit": 1}).json()
    assert [each["factory"] for each in found["items"]] == ["sample"]
    assert found["next_after"] is None
    later = asking.as_("city_officer").get("/api/v1/memberships", params={"after": "sample"})
    assert later.json()["items"] == []
