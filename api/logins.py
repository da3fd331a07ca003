"""Logging in, step by step: a password, a code, a device that makes codes, a password of one's own.

Every step opens a session with another secret, so that none of before is worth anything.
"""

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from api import passwords, second_factor
from api.access import AccessPolicy, is_official
from api.database import Database
from api.errors import LogInRefused, PasswordRefused
from store import Connection, accounts, sessions
from store.accounts import Secrets
from store.acting import Actor
from store.sessions import Stage

_SECRET_BYTES = 32
# The same whatever was wrong: it tells nobody which logins exist.
_WRONG = "Login, password or code is wrong, or there were too many failures: wait a while."


@dataclass(frozen=True, slots=True)
class Opened:
    """A session that was opened: its secret for the cookie, whose it is, and what it lacks."""

    secret: str
    stage: Stage
    role: str


@dataclass(frozen=True, slots=True)
class Steps:
    """Where people log in: the database, the rules, and where the request came from."""

    database: Database
    policy: AccessPolicy
    address: str

    def by_password(self, login: str, password: str, code: str | None = None) -> Opened:
        """Take login and password, and the code where it came with them; raises LogInRefused."""
        with self.database.connection() as conn:
            is_locked = accounts.is_address_locked(conn, self.address)
            found = accounts.secrets_of(conn, login=login)
        if found is not None and found.is_disabled:
            found = None
        # A password is hashed in any case, since the time would tell what was found.
        fits = passwords.fits(None if found is None else found.password_hash, password)
        if is_locked or (found is not None and found.is_locked):
            raise LogInRefused(_WRONG)
        if found is None or not fits:
            self._count_failure(found, login)
            raise LogInRefused(_WRONG)
        if found.has_second_factor and code is not None:
            self._check_code(found, code)
        elif found.has_second_factor:
            return self._open(found.actor, "code")
        return self._open(found.actor, self._lacks(found), succeeded=True)

    def by_code(self, actor: Actor, key: str, code: str) -> Opened:
        """Take the code of a session that lacks one; raises LogInRefused."""
        found = self._found(actor)
        self._check_code(found, code)
        return self._next(found, key, self._lacks(found))

    def by_provider(self, account_id: int) -> Opened:
        """Open a session of who logged in at the bureau's provider; raises LogInRefused."""
        with self.database.connection() as conn:
            found = accounts.secrets_of(conn, account_id=account_id)
        if found is None or found.is_disabled:
            raise LogInRefused(_WRONG)
        return self._open(found.actor, "open", succeeded=True)

    def offer_device(self, actor: Actor) -> str:
        """Return the secret for a device that does not count yet; it stays until it does."""
        found = self._found(actor)
        if found.totp_secret is not None and not found.has_second_factor:
            return found.totp_secret
        secret = second_factor.new_secret()
        with self.database.connection() as conn:
            accounts.set_totp_secret(conn, actor, found.account_id, secret)
        return secret

    def take_device(self, actor: Actor, key: str, code: str) -> tuple[Opened, list[str]]:
        """Take the first code of a device; return recovery codes as well. Raises LogInRefused."""
        found = self._found(actor)
        self._check_code(found, code)
        codes = self._give_recovery_codes(actor, found.account_id)
        return self._next(found, key, "open"), codes

    def has_device(self, actor: Actor) -> bool:
        """Tell whether a person logs in with the codes of a device."""
        return self._found(actor).has_second_factor

    def renew_recovery_codes(self, actor: Actor, password: str, code: str) -> list[str]:
        """Put new recovery codes in the place of the old ones; raises LogInRefused.

        Password and code are asked for again, since whoever finds an open session must not come
        by what opens the account later.
        """
        found = self._found(actor)
        if not found.has_second_factor or found.is_locked:
            raise LogInRefused(_WRONG)
        if not passwords.fits(found.password_hash, password):
            self._count_failure(found, found.login)
            raise LogInRefused(_WRONG)
        self._check_code(found, code)
        return self._give_recovery_codes(actor, found.account_id)

    def _give_recovery_codes(self, actor: Actor, account_id: int) -> list[str]:
        codes = second_factor.recovery_codes()
        keys = [second_factor.recovery_key(each) for each in codes]
        with self.database.connection() as conn:
            accounts.set_recovery_codes(conn, actor, account_id, keys)
        return codes

    def change_password(self, actor: Actor, key: str, old: str, new: str) -> Opened:
        """Replace one's own password; raises LogInRefused or PasswordRefused."""
        found = self._found(actor)
        if found.is_locked:
            raise LogInRefused(_WRONG)
        if not passwords.fits(found.password_hash, old):
            self._count_failure(found, found.login)
            raise LogInRefused(_WRONG)
        with self.database.connection() as conn:
            past = accounts.past_passwords(conn, found.account_id, self.policy.passwords_kept - 1)
        past.append(found.password_hash or "")
        wrong = passwords.faults(
            new, self.policy, login=found.login, companies=found.companies, past=past
        )
        if wrong:
            raise PasswordRefused(wrong)
        password_hash = passwords.hashed(new)
        with self.database.connection() as conn:
            accounts.set_password(conn, actor, found.account_id, password_hash, must_change=False)
            sessions.end_sessions_of(conn, found.account_id, "password", but=key)
        return self._next(found, key, self._lacks(self._found(actor)))

    def log_out(self, actor: Actor, key: str) -> None:
        """End a session."""
        with self.database.connection() as conn:
            sessions.end_session(conn, actor, key)

    def _found(self, actor: Actor) -> Secrets:
        with self.database.connection() as conn:
            found = accounts.secrets_of(conn, account_id=actor.account_id)
        if found is None:
            raise LogInRefused(_WRONG)
        return found

    def _lacks(self, found: Secrets) -> Stage:
        if found.must_change or self._is_old(found):
            return "password"
        if self.policy.needs_second_factor(found.role) and not found.has_second_factor:
            return "device"
        return "open"

    def _is_old(self, found: Secrets) -> bool:
        if found.password_at is None or not is_official(found.role):
            return False
        return datetime.now(UTC) - found.password_at > timedelta(days=self.policy.password_days)

    def _check_code(self, found: Secrets, code: str) -> None:
        with self.database.connection() as conn:
            is_locked = found.is_locked or accounts.is_address_locked(conn, self.address)
            if not is_locked and _takes(conn, found, code):
                return
        if not is_locked:
            self._count_failure(found, found.login)
        raise LogInRefused(_WRONG)

    def _count_failure(self, found: Secrets | None, login: str) -> None:
        with self.database.connection() as conn:
            accounts.count_failure(
                conn,
                found,
                login,
                self.address,
                most=self.policy.most_failures,
                lock_s=self.policy.lock_s,
            )

    def _next(self, found: Secrets, key: str, stage: Stage) -> Opened:
        opened = self._open(found.actor, stage, succeeded=True)
        with self.database.connection() as conn:
            sessions.end_session(conn, found.actor, key, "next")
        return opened

    def _open(self, actor: Actor, stage: Stage, *, succeeded: bool = False) -> Opened:
        secret = secrets.token_urlsafe(_SECRET_BYTES)
        with self.database.connection() as conn:
            if succeeded and actor.account_id is not None:
                accounts.forget_failures(conn, actor.account_id, self.address)
            sessions.open_session(
                conn,
                actor,
                secret,
                stage=stage,
                idle_s=self.policy.idle_s,
                longest_s=self.policy.longest_s,
                address=self.address,
                # Half of a log-in, as by whoever found a password, ends nobody's work.
                alone=is_official(actor.role) and stage == "open",
            )
        return Opened(secret, stage, actor.role)


def _takes(conn: Connection, found: Secrets, code: str) -> bool:
    """Spend a code of the device, or a recovery code."""
    if found.totp_secret is None:
        return False
    step = second_factor.step_of(found.totp_secret, code, datetime.now(UTC))
    if step is not None:
        return accounts.take_totp_step(conn, found.account_id, step)
    key = second_factor.recovery_key(code)
    return accounts.spend_recovery_code(conn, found.actor, found.account_id, key)
