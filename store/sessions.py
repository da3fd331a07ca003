"""Sessions of people, tokens of systems, and log-ins under way at the bureau's provider."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from store.acting import Actor, key_of
from store.audit import note
from store.db import Connection, transaction
from store.errors import UnknownAccount
from store.queries import query

# What an open session still lacks before it sees anything: a code, a device that makes codes, or a
# password of one's own.
Stage = Literal["open", "code", "device", "password"]

_NOTICE_S = 60


@dataclass(frozen=True, slots=True)
class Holder:
    """Whose session or token a key is; a token permits only a part of what the account may do."""

    account_id: int
    login: str
    name: str
    role: str
    region: str | None
    stage: Stage
    permissions: list[str] | None

    @property
    def actor(self) -> Actor:
        """Return the person as one who acts."""
        return Actor(self.account_id, self.name, self.role)


@dataclass(frozen=True, slots=True)
class Token:
    """A token of a system, without its secret."""

    token_id: int
    account_id: int
    login: str
    name: str
    permissions: list[str]
    made_at: datetime
    made_by: str
    expires_at: datetime
    used_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class ProviderLogin:
    """What was remembered of a log-in at the bureau's provider."""

    nonce: str
    verifier: str
    is_in_time: bool


def open_session(
    conn: Connection,
    actor: Actor,
    secret: str,
    *,
    stage: Stage,
    idle_s: int,
    longest_s: int,
    address: str,
    alone: bool,
) -> None:
    """Begin a session of the actor; `alone` ends the others of the account.

    Raises UnknownAccount for an actor without one.
    """
    if actor.account_id is None:
        raise UnknownAccount(f"{actor.name} has no account")
    key = key_of(secret)
    values = {
        "key": key,
        "account_id": actor.account_id,
        "stage": stage,
        "idle_s": idle_s,
        "longest_s": longest_s,
        "address": address,
    }
    others = {"key": None, "account_id": actor.account_id, "but": key, "why": "another"}
    with transaction(conn):
        conn.execute(query("insert_session"), values)
        if alone:
            conn.execute(query("end_sessions"), others)
        if stage == "open":
            note(conn, actor, "logged_in", kind="account", key=actor.account_id,
                 after={"address": address})  # fmt: skip


def find_session(conn: Connection, key: str) -> Holder | None:
    """Return whose session a key is, and begin its idle time anew; None where none lives."""
    return _find(conn, key, "find_session", "touch_session")


def find_token(conn: Connection, key: str) -> Holder | None:
    """Return whose token a key is; None where none holds."""
    return _find(conn, key, "find_token", "touch_token")


def _find(conn: Connection, key: str, find: str, touch: str) -> Holder | None:
    with transaction(conn):
        row = conn.execute(query(find), {"key": key, "notice_s": _NOTICE_S}).fetchone()
        if row is None:
            return None
        *holder, is_due = row
        if is_due:
            conn.execute(query(touch), {"key": key})
    return Holder(*holder)


def end_session(conn: Connection, actor: Actor, key: str, why: str = "logged_out") -> None:
    """End one session."""
    values = {"key": key, "account_id": None, "but": None, "why": why}
    with transaction(conn):
        if conn.execute(query("end_sessions"), values).rowcount and why == "logged_out":
            note(conn, actor, why, kind="account", key=actor.account_id)


def end_sessions_of(conn: Connection, account_id: int, why: str, *, but: str | None = None) -> None:
    """End the sessions of an account, but for that of one key."""
    values = {"key": None, "account_id": account_id, "but": but, "why": why}
    with transaction(conn):
        conn.execute(query("end_sessions"), values)


def make_token(
    conn: Connection,
    actor: Actor,
    account_id: int,
    name: str,
    permissions: Sequence[str],
    secret: str,
    *,
    days: int,
) -> int:
    """Keep a token of an account that holds for some days; return its number."""
    values = {
        "key": key_of(secret),
        "account_id": account_id,
        "name": name,
        "permissions": sorted(permissions),
        "made_by": actor.name,
        "days": days,
    }
    after = {"name": name, "account": account_id, "days": days}
    after["permissions"] = ", ".join(sorted(permissions))
    with transaction(conn):
        row = conn.execute(query("insert_account_token"), values).fetchone()
        assert row is not None
        note(conn, actor, "token_made", kind="token", key=row[0], after=after)
    return int(row[0])


def tokens(
    conn: Connection,
    account_id: int | None = None,
    *,
    before: int | None = None,
    most: int | None = None,
) -> list[Token]:
    """Return tokens of all accounts or of one, newest first: all, or so many below a number."""
    values = {"account_id": account_id, "before": before, "most": most}
    with transaction(conn):
        return [Token(*row) for row in conn.execute(query("list_account_tokens"), values)]


def end_token(conn: Connection, actor: Actor, token_id: int) -> None:
    """End a token; raises UnknownAccount where none holds under that number."""
    with transaction(conn):
        row = conn.execute(query("end_account_token"), {"token_id": token_id}).fetchone()
        if row is None:
            raise UnknownAccount(f"there is no token {token_id} that still holds")
        note(conn, actor, "token_ended", kind="token", key=token_id, before={"name": row[1]})


def begin_provider_login(
    conn: Connection, state: str, nonce: str, verifier: str, *, longest_s: int
) -> None:
    """Remember a log-in at the bureau's provider until it comes back."""
    values = {"nonce": nonce, "verifier": verifier, "longest_s": longest_s}
    with transaction(conn):
        conn.execute(query("forget_provider_logins"))
        conn.execute(query("insert_provider_login"), values | {"state": key_of(state)})


def take_provider_login(conn: Connection, state: str) -> ProviderLogin | None:
    """Return what was remembered of a log-in that came back, once; None where nothing was."""
    with transaction(conn):
        row = conn.execute(query("take_provider_login"), {"state": key_of(state)}).fetchone()
    return None if row is None else ProviderLogin(*row)
