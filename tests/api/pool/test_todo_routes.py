"""To-dos, messages and tickets over HTTP: versions, repetitions, receipts and scope."""

import uuid
from datetime import UTC, datetime

from api.pool import todos
from tests.api.pool.asking import Asking
from tests.api.pool.pooled import OTHER_COUNTY

ASK = "/api/v1/factories/sample/tickets"
NEW = {"subject": "网关断线", "text": "请协调运营商"}


def sent(key: str | None = None, etag: str | None = None) -> dict[str, str]:
    headers = {"Idempotency-Key": key or uuid.uuid4().hex}
    return headers | ({"If-Match": etag} if etag else {})


def test_a_ticket_is_asked_once_answered_at_its_version_and_closed(asking: Asking) -> None:
    filler, officer = asking.as_("ent_filler"), asking.as_("county_officer")
    first = filler.post(ASK, json=NEW, headers=sent("k-1"))
    assert first.status_code == 201, first.text
    assert filler.post(ASK, json=NEW, headers=sent("k-1")).json() == first.json()
    place = first.headers["Location"]
    assert place == "/api/v1/tickets/1"
    todos.turn(asking.pooled.conn, now=datetime.now(UTC))
    listed = officer.get("/api/v1/todos").json()
    assert [(each["zh"], each["href"]) for each in listed["items"]] == [
        ("答复企业求助：网关断线", "/tickets/1")
    ]
    assert (listed["all"], listed["overdue"], listed["next_after"]) == (1, 0, None)
    etag = officer.get(place).headers["ETag"]
    say = {"text": "已联系"}
    assert officer.post(f"{place}/replies", json=say, headers=sent()).status_code == 428
    assert officer.post(f"{place}/closing", json=say, headers=sent(etag=etag)).status_code == 409
    answered = officer.post(f"{place}/replies", json=say, headers=sent(etag=etag))
    assert answered.json()["state"] == "answered"
    stale = officer.post(f"{place}/replies", json=say, headers=sent(etag=etag))
    assert stale.status_code == 412
    etag = answered.headers["ETag"]
    assert filler.post(f"{place}/closing", json={}, headers=sent(etag=etag)).status_code == 200
    said = filler.get(place).json()["said"]
    assert [each["act"] for each in said] == ["open", "reply", "close"]
    closed = officer.get("/api/v1/tickets", params={"state": "closed"}).json()
    assert [each["ticket_id"] for each in closed["items"]] == [1]


def test_another_county_and_the_wrong_role_are_kept_out(asking: Asking) -> None:
    asking.as_("ent_filler").post(ASK, json=NEW, headers=sent()).raise_for_status()
    other = asking.as_("county_officer", region=OTHER_COUNTY)
    assert other.get("/api/v1/tickets/1").status_code == 404
    assert other.get("/api/v1/tickets").json()["items"] == []
    tried = other.post("/api/v1/tickets/1/replies", json=NEW | {}, headers=sent())
    assert tried.status_code in (404, 422)
    assert asking.as_("county_officer").post(ASK, json=NEW, headers=sent()).status_code == 403
    assert asking.as_("expert").post(ASK, json=NEW, headers=sent()).status_code == 403


def test_messages_have_receipts_and_the_contact_is_one_s_own(asking: Asking) -> None:
    filler = asking.as_("ent_filler")
    asking.pooled.warn()
    todos.turn(asking.pooled.conn, now=datetime.now(UTC))
    found = filler.get("/api/v1/messages").json()
    assert (found["unread"], len(found["items"])) == (2, 2)
    number = found["items"][0]["message_id"]
    receipt = filler.put(f"/api/v1/messages/{number}/receipt")
    assert receipt.status_code == 200, receipt.text
    assert filler.put(f"/api/v1/messages/{number}/receipt").json() == receipt.json()
    assert filler.get("/api/v1/messages").json()["unread"] == 1
    assert asking.as_("city_officer").put(f"/api/v1/messages/{number}/receipt").status_code == 404
    wanted = {"phone": "100 0000 0001", "wants_email": False, "wants_sms": True,
              "wants_digest": True}  # fmt: skip
    kept = filler.put("/api/v1/contact", json=wanted)
    assert kept.json() == wanted | {"phone": "10000000001"}
    assert filler.get("/api/v1/contact").json() == kept.json()
    assert filler.put("/api/v1/contact", json={"wants_sms": True}).status_code == 422
    assert asking.as_("city_officer").get("/api/v1/contact").json()["phone"] is None
