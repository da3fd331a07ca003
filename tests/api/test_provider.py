"""Logging in at the bureau's own provider, tried against a real one on loopback."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from joserfc.jwk import RSAKey

import store
from api.errors import NotServed
from api.provider import Provider, key_of_person
from store import accounts
from store.accounts import NewAccount
from tests.api.conftest import served
from tests.api.html import parse
from tests.api.people import COOKIE, client_of, secret_of
from tests.api.provider import CLIENT, SECRET, Issuer, provider
from tests.store.people import MAKER


@dataclass
class Place:
    """A service that knows a provider, and the provider."""

    address: str
    issuer: Issuer
    conn: store.Connection
    url: str

    def account(self, subject: str = "42") -> int:
        key = key_of_person(self.issuer.address, subject)
        new = NewAccount("anna", "Sample anna", "city_officer", provider_key=key)
        return accounts.make(self.conn, MAKER, new, None)


@pytest.fixture
def place(database_url: str) -> Iterator[Place]:
    """A database of its own with a provider beside."""
    with provider() as issuer:
        known = Provider(issuer.address, CLIENT, SECRET)
        with (
            served(database_url, provider=known) as address,
            closing(store.connect(database_url)) as conn,
        ):
            yield Place(address, issuer, conn, database_url)


def came_back(place: Place, client: httpx.Client) -> httpx.Response:
    """Go to the provider and come back, as a browser does."""
    there = client.get("/login/provider")
    assert there.status_code == 303
    back = httpx.get(there.headers["location"], timeout=30)
    assert back.status_code == 302
    return client.get(back.headers["location"])


def test_who_the_provider_names_is_logged_in(place: Place) -> None:
    place.account()
    with httpx.Client(base_url=place.address, timeout=30) as client:
        assert parse(client.get("/login").text).one("a", "button").attributes["href"] == (
            "/login/provider"
        )
        answer = came_back(place, client)
        assert answer.status_code == 200
        assert "samesite=strict" in answer.headers["set-cookie"].lower()
        assert parse(answer.text).one("a", "button").attributes["href"] == "/todos"
        assert client.get("/").status_code == 200


def test_who_has_no_account_here_is_not(place: Place) -> None:
    place.account("another")
    with httpx.Client(base_url=place.address, timeout=30) as client:
        answer = came_back(place, client)
        assert answer.status_code == 401
        assert COOKIE not in client.cookies


def test_a_disabled_account_is_not_let_in_by_the_provider(place: Place) -> None:
    number = place.account()
    accounts.set_disabled(place.conn, MAKER, number, disabled=True, version=1)
    with httpx.Client(base_url=place.address, timeout=30) as client:
        assert came_back(place, client).status_code == 401


@pytest.mark.parametrize(
    "wrong",
    [
        {"iss": "https://another.example"},
        {"aud": "another-client"},
        {"exp": 1},
        {"nonce": "of another log-in"},
        {"nonce": None},
        {"sub": None},
    ],
)
def test_a_token_for_somebody_else_is_refused(place: Place, wrong: dict[str, Any]) -> None:
    place.account()
    place.issuer.wrong = wrong
    with httpx.Client(base_url=place.address, timeout=30) as client:
        assert came_back(place, client).status_code == 401


def test_a_token_signed_with_another_key_is_refused(place: Place) -> None:
    place.account()
    place.issuer.signing_key = RSAKey.generate_key(2048, {"kid": "one"})
    with httpx.Client(base_url=place.address, timeout=30) as client:
        assert came_back(place, client).status_code == 401


def test_what_comes_back_twice_or_to_another_browser_is_refused(place: Place) -> None:
    place.account()
    with httpx.Client(base_url=place.address, timeout=30) as client:
        there = client.get("/login/provider")
        back = httpx.get(there.headers["location"], timeout=30).headers["location"]
        assert httpx.get(back, timeout=30).status_code == 401, "another browser"
        cookie = {"Cookie": f"millpond_provider={client.cookies['millpond_provider']}"}
        assert client.get(back).status_code == 200
        assert client.get(back, headers=cookie).status_code == 401, "twice"


def test_a_provider_that_is_away_is_said_in_words(database_url: str, free_port: int) -> None:
    known = Provider(f"http://127.0.0.1:{free_port}", CLIENT, SECRET)
    with served(database_url, provider=known) as address:
        answer = httpx.get(f"{address}/login/provider", timeout=30)
    assert answer.status_code == 401
    assert parse(answer.text).one("h1").text == "登录"


def test_without_a_provider_there_is_no_such_page(stranger: httpx.Client) -> None:
    assert stranger.get("/login/provider").status_code == 404
    assert "/login/provider" not in stranger.get("/login").text


def test_a_provider_elsewhere_is_reached_by_tls_only() -> None:
    with pytest.raises(NotServed, match="https"):
        Provider("http://sso.example.com", CLIENT, SECRET).check()
    Provider("https://sso.example.com", CLIENT, SECRET).check()
    assert SECRET not in repr(Provider("https://sso.example.com", CLIENT, SECRET))


def test_the_security_administrator_says_who_a_person_is_there(place: Place) -> None:
    secret = secret_of(place.url, "secadmin")
    with client_of(place.address, secret) as client:
        token = client.get("/api/v1/session").json()["csrf"]
        body = {
            "login": "bert", "name": "Sample bert", "role": "city_leader",
            "provider_subject": "42",
        }  # fmt: skip
        made = client.post("/api/v1/accounts", json=body, headers={"X-CSRF-Token": token})
        assert made.status_code == 201
    with httpx.Client(base_url=place.address, timeout=30) as client:
        assert came_back(place, client).status_code == 200
        assert client.get("/api/v1/session").json()["login"] == "bert"
