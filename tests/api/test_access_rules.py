"""The limits of logging in as the bureau's policy sets them."""

from datetime import date
from typing import Any

import pytest

import store
from api import passwords
from api.access import AccessPolicy
from api.access_rules import AccessRules, under
from api.database import Database
from api.errors import LogInRefused
from api.logins import Steps
from api.pool import policy
from api.pool.policy import Setting
from store import accounts
from store.accounts import NewAccount
from tests.store.people import MAKER

DAY = date(2026, 11, 23)
GOOD = "Weaver-77-river"


def rules(**values: int) -> AccessPolicy:
    """The rules under a policy with these values of access.* set."""
    set_values = [Setting(f"access.{name}", each, DAY, "示例") for name, each in values.items()]
    return under(AccessPolicy(), policy.merged(DAY, set_values))


def test_what_the_bureau_has_not_set_holds_as_the_defaults_of_both_tables() -> None:
    assert rules() == AccessPolicy()
    defaults = {name: policy.keys()[f"access.{name}"].default for name in ("idle", "session")}
    assert rules(idle=30, session=480, failures=5, lock=15) == AccessPolicy()
    assert defaults == {"idle": 30, "session": 480}


def test_what_the_bureau_sets_goes_before_the_defaults() -> None:
    found = rules(idle=10, session=120, failures=3, lock=60)
    assert (found.idle_s, found.longest_s) == (600, 7200)
    assert (found.most_failures, found.lock_s) == (3, 3600)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        *(("idle", each) for each in (4, 121)),
        *(("session", each) for each in (59, 1441)),
        *(("failures", each) for each in (2, 11)),
        *(("lock", each) for each in (4, 1441)),
    ],
)
def test_no_policy_leaves_the_safe_bounds(key: str, value: int) -> None:
    found = policy.keys()[f"access.{key}"]
    assert found.fault(value) is not None
    assert found.fault(found.default) is None


@pytest.fixture
def database(database_url: str) -> Any:
    with store.open_pool(database_url, max_size=2) as pool:
        yield Database(pool)


def confirm(conn: store.Connection, key: str, value: int) -> None:
    """Let a value hold from long ago, as two people would have confirmed it."""
    conn.execute(
        "INSERT INTO pool.policy_value (key, value, valid_from, source, account_id, actor,"
        " proposed_at, outcome, decided_by, decided_at, answer) VALUES (%s, to_jsonb(%s::int),"
        " '2020-01-01', 'test', NULL, 'one', '2020-01-01', 'confirmed', 'two', '2020-01-01', '')",
        (key, value),
    )


def test_a_confirmed_value_holds_for_the_next_log_in(
    db: store.Connection, database: Database
) -> None:
    held = AccessRules(AccessPolicy(), cached_s=0.0)
    confirm(db, "access.failures", 3)
    assert held.current(database).most_failures == 3
    accounts.make(db, MAKER, NewAccount("anna", "Sample", "expert"), passwords.hashed(GOOD))
    steps = Steps(database, held.current(database), "192.0.2.1")
    for _ in range(3):
        with pytest.raises(LogInRefused):
            steps.by_password("anna", "wrong")
    found = accounts.secrets_of(db, login="anna")
    assert found is not None
    assert found.is_locked


def test_the_rules_are_not_read_for_every_request(db: store.Connection, database: Database) -> None:
    held = AccessRules(AccessPolicy(), cached_s=3600.0)
    assert held.current(database).idle_s == 1800
    confirm(db, "access.idle", 10)
    assert held.current(database).idle_s == 1800
    assert AccessRules(AccessPolicy()).current(database).idle_s == 600
