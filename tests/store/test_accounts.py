"""Accounts, their sessions and their tokens."""

import pytest

import store
from store import accounts, audit, sessions
from store.accounts import NewAccount
from store.acting import Actor, key_of
from store.errors import LoginTaken, Refused, Stale, UnknownAccount, UnknownFactory
from tests.store.people import MAKER, key_of_session, person

_LIMIT = {"most": 3, "lock_s": 60}


def _made(conn: store.Connection, login: str = "anna") -> int:
    return accounts.make(conn, MAKER, NewAccount(login, "安娜", "city_officer"), "hash")


def test_a_made_account_is_found_whatever_the_case_of_its_login(db: store.Connection) -> None:
    number = _made(db, " Anna ")
    found = accounts.secrets_of(db, login="ANNA")
    assert found is not None
    assert (found.account_id, found.login, found.password_hash) == (number, "anna", "hash")
    assert found.must_change
    assert not found.is_locked
    assert accounts.secrets_of(db, login="bert") is None
    assert [each.login for each in accounts.accounts(db)] == ["anna"]


def test_a_login_is_given_once(db: store.Connection) -> None:
    _made(db)
    with pytest.raises(LoginTaken, match="choose another"):
        _made(db, "ANNA")


def test_a_county_role_needs_its_county(db: store.Connection) -> None:
    with pytest.raises(Refused):
        accounts.make(db, MAKER, NewAccount("a", "a", "county_officer"), None)
    with pytest.raises(Refused):
        accounts.make(db, MAKER, NewAccount("a", "a", "system"), None)
    assert accounts.accounts(db) == []


def test_a_factory_that_is_not_there_makes_no_account(db: store.Connection) -> None:
    with pytest.raises(UnknownFactory):
        accounts.make(db, MAKER, NewAccount("a", "a", "ent_filler", None, ("none",)), None)
    assert accounts.accounts(db) == []


def test_an_account_says_its_factories(db: store.Connection, factory_id: int) -> None:
    approver = person(db, "ent_approver", factories=("sample",))
    found = accounts.account(db, approver.account_id or 0)
    assert (found.role, found.factories) == ("ent_approver", ["sample"])
    with pytest.raises(UnknownAccount):
        accounts.account(db, 999)


def test_failures_lock_the_account_and_a_success_forgets_them(db: store.Connection) -> None:
    _made(db)
    for wrong in range(1, 4):
        found = accounts.secrets_of(db, login="anna")
        assert found is not None
        assert not found.is_locked, wrong
        accounts.count_failure(db, found, "anna", f"10.0.0.{wrong}", **_LIMIT)
    found = accounts.secrets_of(db, login="anna")
    assert found is not None
    assert found.is_locked
    actions = [each.action for each in audit.entries(db, kind="account")]
    assert actions == ["account_locked", "login_failed", "login_failed", "account_made"]
    accounts.forget_failures(db, found.account_id, "10.0.0.1")
    again = accounts.secrets_of(db, login="anna")
    assert again is not None
    assert not again.is_locked


def test_failures_lock_the_address_whatever_the_logins(db: store.Connection) -> None:
    for number in range(3):
        assert not accounts.is_address_locked(db, "10.0.0.9")
        accounts.count_failure(db, None, f"nobody{number}", "10.0.0.9", **_LIMIT)
    assert accounts.is_address_locked(db, "10.0.0.9")
    assert not accounts.is_address_locked(db, "10.0.0.8")


def test_old_failures_of_an_address_do_not_count(db: store.Connection) -> None:
    for number in range(4):
        accounts.count_failure(db, None, f"nobody{number}", "10.0.0.9", **_LIMIT)
        db.execute("UPDATE auth.address SET failed_at = failed_at - INTERVAL '61 seconds'")
    assert not accounts.is_address_locked(db, "10.0.0.9")


def test_a_lock_ends(db: store.Connection) -> None:
    found = accounts.secrets_of(db, account_id=_made(db))
    for _ in range(3):
        accounts.count_failure(db, found, "anna", "10.0.0.1", **_LIMIT)
    db.execute("UPDATE auth.account SET locked_until = locked_until - INTERVAL '60 seconds'")
    again = accounts.secrets_of(db, login="anna")
    assert again is not None
    assert not again.is_locked


def test_a_new_password_keeps_the_old_one_for_comparison(db: store.Connection) -> None:
    number = _made(db)
    me = Actor(number, "安娜", "city_officer")
    accounts.set_password(db, me, number, "second", must_change=False)
    accounts.set_password(db, MAKER, number, "third", must_change=True)
    assert accounts.past_passwords(db, number, 5) == ["second", "hash"]
    assert accounts.past_passwords(db, number, 1) == ["second"]
    found = accounts.secrets_of(db, login="anna")
    assert found is not None
    assert (found.password_hash, found.must_change) == ("third", True)


def test_a_session_lives_until_it_ends(db: store.Connection) -> None:
    officer = person(db, "city_officer")
    key = key_of_session(db, officer)
    found = sessions.find_session(db, key)
    assert found is not None
    assert (found.account_id, found.role, found.stage) == (
        officer.account_id, "city_officer", "open",
    )  # fmt: skip
    assert found.permissions is None
    sessions.end_session(db, officer, key)
    assert sessions.find_session(db, key) is None


def test_using_a_session_puts_off_its_idle_end(db: store.Connection) -> None:
    key = key_of_session(db, person(db, "city_officer"))
    db.execute("UPDATE auth.session SET seen_at = seen_at - INTERVAL '599 seconds'")
    assert sessions.find_session(db, key) is not None
    row = db.execute(
        "SELECT clock_timestamp() - seen_at < INTERVAL '500 seconds' FROM auth.session"
    )
    assert row.fetchone() == (True,)
    db.execute("UPDATE auth.session SET seen_at = seen_at - INTERVAL '601 seconds'")
    assert sessions.find_session(db, key) is None


def test_a_session_has_an_absolute_end(db: store.Connection) -> None:
    key = key_of_session(db, person(db, "city_officer"))
    db.execute("UPDATE auth.session SET expires_at = clock_timestamp()")
    assert sessions.find_session(db, key) is None


def test_one_session_ends_the_other_where_there_may_be_one(db: store.Connection) -> None:
    officer = person(db, "city_officer")
    first = key_of_session(db, officer)
    sessions.open_session(
        db, officer, "second",
        stage="open", idle_s=60, longest_s=60, address="10.0.0.1", alone=True,
    )  # fmt: skip
    assert sessions.find_session(db, first) is None
    assert sessions.find_session(db, key_of("second")) is not None


def test_a_shut_account_has_no_session(db: store.Connection) -> None:
    officer = person(db, "city_officer")
    key = key_of_session(db, officer)
    number = officer.account_id or 0
    version = accounts.account(db, number).version
    with pytest.raises(Stale):
        accounts.set_disabled(db, MAKER, number, disabled=True, version=version + 1)
    accounts.set_disabled(db, MAKER, number, disabled=True, version=version)
    assert sessions.find_session(db, key) is None
    accounts.set_disabled(db, MAKER, number, disabled=False, version=version + 1)
    assert sessions.find_session(db, key) is None
    assert accounts.account(db, number).disabled_at is None


def test_a_job_has_no_session(db: store.Connection) -> None:
    with pytest.raises(UnknownAccount):
        key_of_session(db, MAKER)


def test_a_token_holds_until_it_is_ended(db: store.Connection) -> None:
    officer = person(db, "city_officer")
    number = sessions.make_token(
        db, MAKER, officer.account_id or 0, "示例系统", ["b:read", "a:read"], "secret", days=90
    )
    found = sessions.find_token(db, key_of("secret"))
    assert found is not None
    assert (found.account_id, found.permissions) == (officer.account_id, ["a:read", "b:read"])
    (listed,) = sessions.tokens(db)
    assert (listed.token_id, listed.name, listed.ended_at) == (number, "示例系统", None)
    assert listed.used_at is not None
    sessions.end_token(db, MAKER, number)
    assert sessions.find_token(db, key_of("secret")) is None
    with pytest.raises(UnknownAccount):
        sessions.end_token(db, MAKER, number)


def test_of_secrets_only_hashes_are_kept(db: store.Connection) -> None:
    officer = person(db, "city_officer")
    sessions.open_session(
        db, officer, "the-secret",
        stage="open", idle_s=60, longest_s=60, address="10.0.0.1", alone=True,
    )  # fmt: skip
    sessions.make_token(db, MAKER, officer.account_id or 0, "x", ["a"], "the-secret", days=1)
    for table in ("auth.session", "auth.token", "audit.entry"):
        row = db.execute(
            f"SELECT count(*) FROM {table} t WHERE t::text LIKE '%the-secret%'".encode()
        )
        assert row.fetchone() == (0,)


def test_a_time_step_is_taken_once_and_never_an_earlier_one(db: store.Connection) -> None:
    number = _made(db)
    assert not accounts.take_totp_step(db, number, 5)
    accounts.set_totp_secret(db, MAKER, number, "BASE32")
    assert not accounts.account(db, number).has_second_factor
    assert accounts.take_totp_step(db, number, 5)
    assert accounts.account(db, number).has_second_factor
    assert not accounts.take_totp_step(db, number, 5)
    assert not accounts.take_totp_step(db, number, 4)
    assert accounts.take_totp_step(db, number, 6)


def test_a_recovery_code_opens_once(db: store.Connection) -> None:
    number = _made(db)
    accounts.set_totp_secret(db, MAKER, number, "BASE32")
    accounts.set_recovery_codes(db, MAKER, number, ["a" * 64, "b" * 64])
    assert accounts.spend_recovery_code(db, MAKER, number, "a" * 64)
    assert not accounts.spend_recovery_code(db, MAKER, number, "a" * 64)
    assert _codes_left(db) == 1
    accounts.set_totp_secret(db, MAKER, number, None)
    assert _codes_left(db) == 0


def _codes_left(db: store.Connection) -> int:
    return len(db.execute("SELECT FROM auth.recovery_code WHERE used_at IS NULL").fetchall())


def test_a_log_in_at_the_provider_comes_back_once(db: store.Connection) -> None:
    sessions.begin_provider_login(db, "state", "nonce", "verifier", longest_s=60)
    found = sessions.take_provider_login(db, "state")
    assert found == sessions.ProviderLogin("nonce", "verifier", True)
    assert sessions.take_provider_login(db, "state") is None


def test_who_the_provider_says_it_is(db: store.Connection) -> None:
    new = NewAccount("p", "示例", "city_officer", provider_key="https://sso.example|42")
    number = accounts.make(db, MAKER, new, None)
    assert accounts.account_of_provider(db, "https://sso.example|42") == number
    assert accounts.account_of_provider(db, "https://sso.example|43") is None
