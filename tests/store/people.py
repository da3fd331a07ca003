"""Accounts with living sessions, for tests that act as somebody."""

import secrets

import store
from store import accounts, sessions
from store.accounts import NewAccount
from store.acting import Actor, key_of

MAKER = Actor(None, "test", "system")


def person(
    conn: store.Connection,
    role: str,
    *,
    region: str | None = None,
    factories: tuple[str, ...] = (),
) -> Actor:
    """Make an account of that role and return its person."""
    login = f"{role}-{secrets.token_hex(4)}"
    new = NewAccount(login, f"Sample {login}", role, region, factories)
    account_id = accounts.make(conn, MAKER, new, None)
    return Actor(account_id, new.name, role)


def key_of_session(conn: store.Connection, actor: Actor, stage: sessions.Stage = "open") -> str:
    """Begin a session of a person and return its key."""
    secret = secrets.token_urlsafe(16)
    sessions.open_session(
        conn, actor, secret,
        stage=stage, idle_s=600, longest_s=3600, address="127.0.0.1", alone=False,
    )  # fmt: skip
    return key_of(secret)


def key_for(
    conn: store.Connection,
    role: str,
    *,
    region: str | None = None,
    factories: tuple[str, ...] = (),
) -> str:
    """Make an account of that role and return the key of a session of it."""
    return key_of_session(conn, person(conn, role, region=region, factories=factories))
