"""Somebody who is logged in, without the time that hashing a password takes."""

import secrets
from contextlib import closing

import httpx

import store
from store import sessions
from store.acting import Actor
from tests.store.people import person

COOKIE = "millpond_session"


def session_of(conn: store.Connection, actor: Actor) -> str:
    """Begin a session of a person and return the secret for the cookie."""
    secret = secrets.token_urlsafe(16)
    sessions.open_session(
        conn, actor, secret,
        stage="open", idle_s=3600, longest_s=3600, address="127.0.0.1", alone=False,
    )  # fmt: skip
    return secret


def secret_of(
    database_url: str,
    role: str = "city_officer",
    *,
    region: str | None = None,
    factories: tuple[str, ...] = (),
) -> str:
    """Make an account of a role with a session and return the secret for the cookie."""
    with closing(store.connect(database_url)) as conn:
        return session_of(conn, person(conn, role, region=region, factories=factories))


def client_of(address: str, secret: str) -> httpx.Client:
    """Return a client that brings a session's cookie."""
    return httpx.Client(base_url=address, timeout=30, cookies={COOKIE: secret})
