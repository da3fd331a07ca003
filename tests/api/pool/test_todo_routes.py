"""To-dos, messages and tickets over HTTP: versions, repetitions, receipts and scope."""

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime

import httpx
import pytest

from api.identity import CSRF_HEADER, csrf_of
from api.pool import todos
from tests.api.conftest import served
from tests.api.people import client_of, session_of
from tests.api.pool.pooled import OTHER_COUNTY, Pooled
from tests.store.people import person

ASK = "/api/v1/factories/sample/tickets"
NEW = {"subject": "网关断线", "text": "请协调运营商"}


class Desk:
    """People who ask a running server, each with a session of their own."""

    def __init__(self, pooled: Pooled, address: str) -> None:
        self.pooled = pooled
        self._address = address
        self._clients: dict[str, httpx.Client] = {}

    def as_(self, role: str, region: str | None = None) -> httpx.Client:
        """Return the client of one person of a role."""
        key = f"{role} {region}"
        if key not in self._clients:
            conn = self.pooled.conn
            actor = person(conn, role, region=region) if region else self.pooled.person(role)[0]
            secret = session_of(conn, actor)
            self._clients[key] = client_of(self._address, secret)
            self._clients[key].headers[CSRF_HEADER] = csrf_of(secret)
        return self._clients[key]

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


def sent(key: str | None = None, etag: str | None = None) -> dict[str, str]:
    headers = {"Idempotency-Key": key or uuid.uuid4().hex}
    return headers | ({"If-Match": etag} if etag else {})


def test_a_ticket_is_asked_once_answered_at_its_version_and_closed(desk: Desk) -> None:
    filler, officer = desk.as_("ent_filler"), desk.as_("county_officer")
    first = filler.post(ASK, json=NEW, headers=sent("k-1"))
    assert first.status_code == 201, first.text
    assert filler.post(ASK, json=NEW, headers=sent("k-1")).json() == first.json()
    place = first.headers["Location"]
    assert place == "/api/v1/tickets/1"
    todos.turn(desk.pooled.conn, now=datetime.now(UTC))
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


def test_another_county_and_the_wrong_role_are_kept_out(desk: Desk) -> None:
    desk.as_("ent_filler").post(ASK, json=NEW, headers=sent()).raise_for_status()
    other = desk.as_("county_officer", OTHER_COUNTY)
    assert other.get("/api/v1/tickets/1").status_code == 404
    assert other.get("/api/v1/tickets").json()["items"] == []
    tried = other.post("/api/v1/tickets/1/replies", json=NEW | {}, headers=sent())
    assert tried.status_code in (404, 422)
    assert desk.as_("county_officer").post(ASK, json=NEW, headers=sent()).status_code == 403
    assert desk.as_("expert").post(ASK, json=NEW, headers=sent()).status_code == 403


def test_messages_have_receipts_and_the_contact_is_one_s_own(desk: Desk) -> None:
    filler = desk.as_("ent_filler")
    desk.pooled.warn()
    todos.turn(desk.pooled.conn, now=datetime.now(UTC))
    found = filler.get("/api/v1/messages").json()
    assert (found["unread"], len(found["items"])) == (2, 2)
    number = found["items"][0]["message_id"]
    receipt = filler.put(f"/api/v1/messages/{number}/receipt")
    assert receipt.status_code == 200, receipt.text
    assert filler.put(f"/api/v1/messages/{number}/receipt").json() == receipt.json()
    assert filler.get("/api/v1/messages").json()["unread"] == 1
    assert desk.as_("city_officer").put(f"/api/v1/messages/{number}/receipt").status_code == 404
    wanted = {"phone": "100 0000 0001", "wants_email": False, "wants_sms": True,
              "wants_digest": True}  # fmt: skip
    kept = filler.put("/api/v1/contact", json=wanted)
    assert kept.json() == wanted | {"phone": "10000000001"}
    assert filler.get("/api/v1/contact").json() == kept.json()
    assert filler.put("/api/v1/contact", json={"wants_sms": True}).status_code == 422
    assert desk.as_("city_officer").get("/api/v1/contact").json()["phone"] is None
