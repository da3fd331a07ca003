"""Subscribing over HTTP: whose it is, what is refused, and what is shown once."""

import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

import store
from api.identity import CSRF_HEADER, csrf_of
from store import audit
from store.acting import acting
from store.errors import NotPermitted
from tests.api.conftest import served
from tests.api.people import client_of, secret_of
from tests.api.webhooks.conftest import Post
from tests.api.webhooks.receiver import Receiver
from tests.store.people import key_for

WEBHOOKS = "/api/v1/webhooks"
GIVEN = {"name": "示例平台", "url": "https://data.example.org/millpond"}


class Officers:
    """Clients of people who ask a running server."""

    def __init__(self, address: str, database_url: str) -> None:
        self._address, self._url = address, database_url
        self._opened: list[httpx.Client] = []

    def client(self, role: str = "city_officer", **scope: Any) -> httpx.Client:
        """Return the client of a new person."""
        secret = secret_of(self._url, role, **scope)
        found = client_of(self._address, secret)
        found.headers[CSRF_HEADER] = csrf_of(secret)
        self._opened.append(found)
        return found

    def close(self) -> None:
        """Close every client."""
        for each in self._opened:
            each.close()


@pytest.fixture
def officers(database_url: str) -> Iterator[Officers]:
    with served(database_url) as address:
        found = Officers(address, database_url)
        yield found
        found.close()


def send(client: httpx.Client, path: str, body: Any, key: str | None = None) -> httpx.Response:
    return client.post(path, json=body, headers={"Idempotency-Key": key or uuid.uuid4().hex})


def test_a_subscription_is_made_once_and_its_secret_shown_once(
    officers: Officers, db: store.Connection
) -> None:
    officer = officers.client()
    made = send(officer, WEBHOOKS, GIVEN | {"kinds": ["moved"], "cursor": 0}, "k-1")
    assert made.status_code == 201, made.text
    again = send(officer, WEBHOOKS, GIVEN | {"kinds": ["moved"], "cursor": 0}, "k-1")
    assert (again.status_code, again.json()) == (201, made.json())
    assert again.headers["Location"] == made.headers["Location"]
    assert len(made.json()["secret"]) > 40
    (listed,) = officer.get(WEBHOOKS).json()["items"]
    assert officer.get(made.headers["Location"]).json() == listed == made.json()["webhook"]
    assert made.json()["secret"] not in officer.get(WEBHOOKS).text
    (noted,) = audit.entries(db, kind="webhook")
    assert (noted.action, noted.after["url"]) == ("webhook_made", GIVEN["url"])
    other = send(officer, WEBHOOKS, GIVEN | {"name": "其他"}, "k-1")
    assert other.status_code == 422


def test_nobody_sees_or_ends_what_is_anothers(officers: Officers) -> None:
    owner, other = officers.client(), officers.client()
    path = send(owner, WEBHOOKS, GIVEN).headers["Location"]
    assert other.get(WEBHOOKS).json()["items"] == []
    tries = [
        other.get(path),
        other.delete(path),
        other.get(f"{path}/dead-letters"),
        send(other, f"{path}/dead-letters/1/redelivery", {}),
    ]
    assert [each.status_code for each in tries] == [404] * 4
    assert owner.delete(path).status_code == 204
    assert owner.get(path).status_code == 404


def test_an_enterprise_and_an_administrator_subscribe_nothing(officers: Officers) -> None:
    for role in ("ent_approver", "expert", "sysadmin", "secadmin", "auditor"):
        assert send(officers.client(role), WEBHOOKS, GIVEN).status_code == 403, role


@pytest.mark.parametrize(
    "wrong",
    [
        {"url": "ftp://data.example.org/"},
        {"url": "https://"},
        {"url": "https://user:password@data.example.org/"},
        {"url": "https://data.example.org/#part"},
        {"url": "https://data.example.org:99999/"},
        {"url": "https://[::1"},
        {"url": "https://数据.example.org/"},
        {"url": "https://data.example.org/\r\nHost: inside"},
        {"url": f"https://data.example.org/{'x' * 500}"},
        {"kinds": ["a b"]},
        {"cursor": -1},
        {"name": " "},
        {"secret": "own"},
    ],
)
def test_what_cannot_be_delivered_to_is_refused(officers: Officers, wrong: dict[str, Any]) -> None:
    answer = send(officers.client(), WEBHOOKS, GIVEN | wrong)
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


def test_an_account_has_so_many_and_no_more(officers: Officers) -> None:
    officer = officers.client()
    made = [send(officer, WEBHOOKS, GIVEN).status_code for _ in range(21)]
    assert made == [201] * 20 + [422]


def test_the_applications_role_reads_no_secret(db: store.Connection) -> None:
    key = key_for(db, "city_officer")
    with pytest.raises(NotPermitted), acting(db, key):
        db.execute("SELECT secret FROM pool.webhook")


def test_a_dead_letter_is_seen_and_sent_again(
    post: Post, receiver: Receiver, officers: Officers
) -> None:
    officer = officers.client()
    path = send(
        officer, WEBHOOKS, GIVEN | {"url": f"http://127.0.0.1:{receiver.port}/"}
    ).headers["Location"]  # fmt: skip
    cursors = post.happen()
    receiver.answers = [500] * 3
    for _ in range(3):
        post.turn()
    (letter,) = officer.get(f"{path}/dead-letters").json()["items"]
    assert (letter["through"], letter["fault"], letter["waits"]) == (
        cursors[-1], "answered 500", False,
    )  # fmt: skip
    again = f"{path}/dead-letters/{letter['letter_id']}/redelivery"
    assert send(officer, again, {}).json()["waits"]
    post.turn()
    (letter,) = officer.get(f"{path}/dead-letters").json()["items"]
    assert letter["delivered_at"] is not None
    assert receiver.cursors[-1] == cursors
    assert send(officer, f"{path}/dead-letters/999/redelivery", {}).status_code == 404
