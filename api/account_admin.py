"""What the security administrator does with accounts; nobody does it with their own."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

import store.pool
from api import passwords
from api.errors import AccountRefused, NotFound
from api.permissions import (
    ADMINISTRATORS,
    ASSIGNED,
    COUNTY,
    ENTERPRISE,
    FOR_PEOPLE,
    ROLE_PERMISSIONS,
    Role,
)
from store import Connection, accounts, sessions
from store.accounts import Account, NewAccount
from store.acting import Actor
from store.errors import LoginTaken, UnknownAccount, UnknownFactory

_TOKEN_BYTES = 32


@dataclass(frozen=True, slots=True)
class Made:
    """A new account with the password that its person changes at the first log-in."""

    account_id: int
    login: str
    password: str


def make(conn: Connection, actor: Actor, new: NewAccount) -> Made:
    """Make an account with a temporary password; raises AccountRefused."""
    _check(conn, new)
    password = passwords.temporary()
    try:
        account_id = accounts.make(conn, actor, new, passwords.hashed(password))
    except LoginTaken as error:
        raise AccountRefused("taken", str(error)) from error
    except UnknownFactory as error:
        raise AccountRefused("factory", str(error)) from error
    return Made(account_id, new.login.strip().lower(), password)


def _check(conn: Connection, new: NewAccount) -> None:
    role = Role(new.role)
    if role is Role.SYSTEM:
        raise AccountRefused("role", "The system itself has no account.")
    if not new.login.strip() or not new.name.strip():
        raise AccountRefused("empty", "An account has a login and the name of its person.")
    if role in COUNTY and new.region not in {each.code for each in store.pool.regions(conn)}:
        raise AccountRefused("region", "A county role needs the code of its county.")
    if role not in COUNTY and new.region is not None:
        raise AccountRefused("region", "Only a county role has a county.")
    if role in ENTERPRISE and not new.factories:
        raise AccountRefused("factory", "An enterprise's account needs its factory.")
    if new.factories and role not in ENTERPRISE | ASSIGNED:
        raise AccountRefused("factory", "Factories are assigned to enterprises and experts only.")
    _check_separate(conn, role, new.name)


def _check_separate(conn: Connection, role: Role, name: str) -> None:
    """Raise AccountRefused where a person would hold two of the administrators' offices."""
    if role not in ADMINISTRATORS:
        return
    for each in accounts.accounts(conn):
        other = Role(each.role)
        is_open = each.disabled_at is None and other in ADMINISTRATORS
        if is_open and other is not role and each.name.strip() == name.strip():
            raise AccountRefused(
                "separate",
                f"{each.name} holds another office (login {each.login}): system, security and "
                "audit administrators are three people.",
            )


def of(conn: Connection, account_id: int) -> Account:
    """Return an account; raises NotFound."""
    try:
        return accounts.account(conn, account_id)
    except UnknownAccount as error:
        raise NotFound(str(error)) from error


def another(conn: Connection, actor: Actor, account_id: int) -> Account:
    """Return an account that is not the actor's own; raises NotFound or AccountRefused."""
    if account_id == actor.account_id:
        raise AccountRefused("own", "Another security administrator changes your account.")
    return of(conn, account_id)


def reset_password(conn: Connection, actor: Actor, account_id: int) -> str:
    """Give an account a temporary password and end its sessions; return the password."""
    another(conn, actor, account_id)
    password = passwords.temporary()
    password_hash = passwords.hashed(password)
    accounts.set_password(conn, actor, account_id, password_hash, must_change=True)
    sessions.end_sessions_of(conn, account_id, "reset")
    return password


def reset_device(conn: Connection, actor: Actor, account_id: int) -> None:
    """Take the second factor of a lost device; the next log-in sets up another."""
    another(conn, actor, account_id)
    accounts.set_totp_secret(conn, actor, account_id, None)
    sessions.end_sessions_of(conn, account_id, "reset")


def set_disabled(
    conn: Connection, actor: Actor, account_id: int, *, disabled: bool, version: int
) -> None:
    """Shut an account or open it again; raises Stale where it was changed meanwhile.

    Raises AccountRefused for one's own, and where its person holds another office by now.
    """
    found = another(conn, actor, account_id)
    if not disabled:
        _check_separate(conn, Role(found.role), found.name)
    accounts.set_disabled(conn, actor, account_id, disabled=disabled, version=version)


def assign(conn: Connection, actor: Actor, account_id: int, factory: str) -> None:
    """Put a factory into an account's scope; raises AccountRefused or NotFound."""
    found = another(conn, actor, account_id)
    if Role(found.role) not in ENTERPRISE | ASSIGNED:
        raise AccountRefused("factory", "Factories are assigned to enterprises and experts only.")
    if factory not in found.factories:
        try:
            accounts.assign(conn, actor, account_id, factory)
        except UnknownFactory as error:
            raise AccountRefused("factory", str(error)) from error


def end_assignment(conn: Connection, actor: Actor, account_id: int, factory: str) -> None:
    """Take a factory out of an account's scope."""
    another(conn, actor, account_id)
    accounts.end_assignments(conn, actor, account_id, factory)


def make_token(
    conn: Connection,
    actor: Actor,
    account_id: int,
    name: str,
    permissions: Sequence[str],
    days: int,
) -> tuple[int, str]:
    """Make a token for a system; return its number and its secret, which is shown only now.

    Raises AccountRefused for a permission that the account's own role does not have, and for one
    by which people decide.
    """
    found = another(conn, actor, account_id)
    beyond = set(permissions) - (ROLE_PERMISSIONS[Role(found.role)] - FOR_PEOPLE)
    if beyond or not permissions:
        raise AccountRefused(
            "permission",
            f"A token of the role {found.role} does not have "
            f"{', '.join(sorted(beyond)) or 'nothing'}.",
        )
    secret = secrets.token_urlsafe(_TOKEN_BYTES)
    number = sessions.make_token(conn, actor, account_id, name, permissions, secret, days=days)
    return number, secret
