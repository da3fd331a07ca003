"""Accounts: one is one person in one role. Passwords come in as hashes, codes as well."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from store.acting import Actor
from store.audit import note
from store.db import Connection, transaction
from store.errors import LoginTaken, Stale, UnknownAccount, UnknownFactory
from store.queries import query


@dataclass(frozen=True, slots=True)
class NewAccount:
    """What an account is made from; `factories` are codes, `region` is for county roles."""

    login: str
    name: str
    role: str
    region: str | None = None
    factories: tuple[str, ...] = ()
    email: str | None = None
    provider_key: str | None = None


@dataclass(frozen=True, slots=True)
class Account:
    """An account as an administrator sees it."""

    account_id: int
    login: str
    name: str
    role: str
    region: str | None
    email: str | None
    has_password: bool
    must_change: bool
    has_second_factor: bool
    has_provider: bool
    locked_until: datetime | None
    disabled_at: datetime | None
    made_at: datetime
    made_by: str
    version: int
    factories: list[str]


@dataclass(frozen=True, slots=True)
class Secrets:
    """What a log-in is checked against; `companies` may not be part of the password."""

    account_id: int
    login: str
    name: str
    role: str
    password_hash: str | None
    password_at: datetime | None
    must_change: bool
    totp_secret: str | None
    has_second_factor: bool
    is_disabled: bool
    is_locked: bool
    companies: list[str]

    @property
    def actor(self) -> Actor:
        """Return the person as one who acts."""
        return Actor(self.account_id, self.name, self.role)


def make(
    conn: Connection,
    actor: Actor,
    new: NewAccount,
    password_hash: str | None,
    *,
    must_change: bool = True,
) -> int:
    """Make an account and return its number.

    Raises LoginTaken, UnknownFactory, or Refused for a role that does not fit its scope.
    """
    login = new.login.strip().lower()
    values = {
        "login": login,
        "name": new.name.strip(),
        "role": new.role,
        "region_code": new.region,
        "email": new.email,
        "password_hash": password_hash,
        "must_change": must_change and password_hash is not None,
        "provider_key": new.provider_key,
        "made_by": actor.name,
    }
    with transaction(conn):
        row = conn.execute(query("insert_account"), values).fetchone()
        if row is None:
            raise LoginTaken(f"there is an account {login} already; choose another login")
        account_id = int(row[0])
        for code in new.factories:
            _assign(conn, account_id, code, None)
        after = {"login": login, "role": new.role, "region": new.region}
        after["factories"] = ", ".join(new.factories) or None
        note(conn, actor, "account_made", kind="account", key=account_id, after=after)
    return account_id


def _assign(conn: Connection, account_id: int, factory: str, until: datetime | None) -> int:
    values = {"account_id": account_id, "factory": factory, "until": until}
    row = conn.execute(query("assign_factory"), values).fetchone()
    if row is None:
        raise UnknownFactory(f"no factory has the code {factory}; load its plan first")
    return int(row[0])


def assign(
    conn: Connection, actor: Actor, account_id: int, factory: str, *, until: datetime | None = None
) -> None:
    """Put a factory into an account's scope, until a time or for good; raises UnknownFactory."""
    with transaction(conn):
        factory_id = _assign(conn, account_id, factory, until)
        after = {"factory": factory, "until": None if until is None else until.isoformat()}
        note(conn, actor, "factory_assigned", kind="account", key=account_id,
             factory_id=factory_id, after=after)  # fmt: skip


def end_assignments(
    conn: Connection, actor: Actor, account_id: int, factory: str | None = None
) -> list[str]:
    """Take a factory, or all, out of an account's scope; return the codes that were in it."""
    values = {"account_id": account_id, "factory": factory}
    with transaction(conn):
        ended = [code for (code,) in conn.execute(query("end_assignments"), values)]
        if ended:
            note(conn, actor, "assignment_ended", kind="account", key=account_id,
                 before={"factories": ", ".join(sorted(ended))})  # fmt: skip
    return ended


def accounts(
    conn: Connection, *, after: str | None = None, most: int | None = None
) -> list[Account]:
    """Return accounts in the order of their logins: all, or so many after one."""
    values = {"account_id": None, "after": after, "most": most}
    with transaction(conn):
        return [Account(*row) for row in conn.execute(query("list_accounts"), values)]


def account(conn: Connection, account_id: int) -> Account:
    """Return one account; raises UnknownAccount."""
    with transaction(conn):
        values = {"account_id": account_id, "after": None, "most": None}
        row = conn.execute(query("list_accounts"), values).fetchone()
    if row is None:
        raise UnknownAccount(f"there is no account {account_id}")
    return Account(*row)


def secrets_of(
    conn: Connection, *, login: str | None = None, account_id: int | None = None
) -> Secrets | None:
    """Return what a log-in is checked against, by login or number; None where there is none."""
    values = {"login": None if login is None else login.strip().lower(), "account_id": account_id}
    with transaction(conn):
        row = conn.execute(query("account_secrets"), values).fetchone()
    return None if row is None else Secrets(*row)


def account_of_provider(conn: Connection, provider_key: str) -> int | None:
    """Return whose account a person of the bureau's provider has, or None."""
    with transaction(conn):
        row = conn.execute(query("account_by_provider"), {"provider_key": provider_key}).fetchone()
    return None if row is None else int(row[0])


def is_address_locked(conn: Connection, address: str) -> bool:
    """Tell whether too many failures came from an address."""
    with transaction(conn):
        row = conn.execute(query("address_is_locked"), {"address": address}).fetchone()
    return row == (True,)


def count_failure(
    conn: Connection, found: Secrets | None, login: str, address: str, *, most: int, lock_s: int
) -> None:
    """Count a wrong password or code; the last that is allowed locks account and address."""
    values = {"address": address, "most": most, "lock_s": lock_s}
    with transaction(conn):
        conn.execute(query("forget_old_addresses"))
        conn.execute(query("count_address_failure"), values)
        if found is None:
            actor = Actor(None, "unknown", "none")
            note(conn, actor, "login_failed", kind="login", key=login[:64], after=_from(address))
            return
        values["account_id"] = found.account_id
        locked = conn.execute(query("count_failure"), values).fetchone() == (True,)
        action = "account_locked" if locked else "login_failed"
        note(conn, found.actor, action, kind="account", key=found.account_id,
             after=_from(address))  # fmt: skip


def _from(address: str) -> dict[str, str]:
    """Return where somebody came from, for the audit."""
    return {"address": address}


def forget_failures(conn: Connection, account_id: int, address: str) -> None:
    """End the count of failures after a log-in that succeeded."""
    with transaction(conn):
        conn.execute(query("forget_failures"), {"account_id": account_id})
        conn.execute(query("forget_address"), {"address": address})


def set_password(
    conn: Connection, actor: Actor, account_id: int, password_hash: str, *, must_change: bool
) -> None:
    """Replace a password; must_change where somebody else chose it. Raises UnknownAccount."""
    values = {"account_id": account_id, "password_hash": password_hash, "must_change": must_change}
    action = "password_reset" if must_change else "password_changed"
    with transaction(conn):
        conn.execute(query("keep_past_password"), values)
        if conn.execute(query("set_password"), values).fetchone() is None:
            raise UnknownAccount(f"there is no account {account_id}")
        note(conn, actor, action, kind="account", key=account_id)


def past_passwords(conn: Connection, account_id: int, most: int) -> list[str]:
    """Return the hashes of a person's newest earlier passwords."""
    values = {"account_id": account_id, "most": most}
    with transaction(conn):
        return [each for (each,) in conn.execute(query("past_passwords"), values)]


def set_disabled(
    conn: Connection, actor: Actor, account_id: int, *, disabled: bool, version: int
) -> None:
    """Shut an account with all its sessions, or open it again; raises Stale."""
    values = {"account_id": account_id, "disabled": disabled, "version": version}
    ended = {"key": None, "account_id": account_id, "but": None, "why": "disabled"}
    with transaction(conn):
        if conn.execute(query("disable_account"), values).fetchone() is None:
            raise Stale(f"account {account_id} was changed meanwhile; read it again")
        if disabled:
            conn.execute(query("end_sessions"), ended)
        action = "account_disabled" if disabled else "account_enabled"
        note(conn, actor, action, kind="account", key=account_id)


def set_totp_secret(conn: Connection, actor: Actor, account_id: int, secret: str | None) -> None:
    """Give a person a secret for time-based codes, or take it; recovery codes of before end.

    The secret counts from the first code that is taken of it.
    """
    key = {"account_id": account_id}
    action = "second_factor_taken" if secret is None else "second_factor_offered"
    with transaction(conn):
        conn.execute(query("set_totp_secret"), {**key, "secret": secret})
        conn.execute(query("delete_recovery_codes"), key)
        note(conn, actor, action, kind="account", key=account_id)


def set_recovery_codes(
    conn: Connection, actor: Actor, account_id: int, codes: Sequence[str]
) -> None:
    """Keep the hashes of a person's recovery codes in the place of those of before."""
    key = {"account_id": account_id}
    with transaction(conn):
        conn.execute(query("delete_recovery_codes"), key)
        for code in codes:
            conn.execute(query("insert_recovery_code"), {**key, "code_sha256": code})
        note(conn, actor, "recovery_codes_made", kind="account", key=account_id)


def take_totp_step(conn: Connection, account_id: int, step: int) -> bool:
    """Spend the time step of a code; False where that one or a later one was spent before."""
    values = {"account_id": account_id, "step": step}
    with transaction(conn):
        return conn.execute(query("take_totp_step"), values).fetchone() is not None


def spend_recovery_code(conn: Connection, actor: Actor, account_id: int, code_sha256: str) -> bool:
    """Spend a recovery code; False where it is none or was spent before."""
    values = {"account_id": account_id, "code_sha256": code_sha256}
    with transaction(conn):
        if conn.execute(query("spend_recovery_code"), values).fetchone() is None:
            return False
        note(conn, actor, "recovery_code_used", kind="account", key=account_id)
    return True
