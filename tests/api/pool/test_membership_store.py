"""What the database itself holds of memberships: scope, rights, and who comes first."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

import store
from api.pool import membership
from api.pool.errors import StaleVersion
from store import events, memberships
from store.acting import SYSTEM, acting
from store.errors import StoreError
from tests.api.pool.pooled import OTHER_COUNTY, Pooled
from tests.store.people import key_for
from tests.support.waiting import wait_for


def test_another_county_finds_nothing(pooled: Pooled) -> None:
    key = key_for(pooled.conn, "county_officer", region=OTHER_COUNTY)
    with acting(pooled.conn, key):
        assert memberships.listed(pooled.conn) == []
        assert memberships.newest(pooled.conn, pooled.factory_id) is None
        assert events.since(pooled.conn, 0) == []
    with pooled.as_("county_officer"):
        assert [each.factory for each in memberships.listed(pooled.conn)] == ["sample"]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE pool.membership SET state = 'qualified', version = version + 1",
        "INSERT INTO pool.transition (membership_id, factory_id, version, transition_id, to_state,"
        " at, actor, role, comment, lifecycle_id, policy_id, situation, documents)"
        " SELECT membership_id, factory_id, 2, 'qualify', 'qualified', now(), 'x', 'city_leader',"
        " '', '', (SELECT min(policy_id) FROM pool.policy_version), '{}', '{}'"
        " FROM pool.membership",
        "INSERT INTO pool.membership (factory_id, state, version, stage, since, entered_on,"
        " lifecycle_id) SELECT factory_id, 'cultivating', 1, 1, now(), now(), '' FROM"
        " pool.membership",
        "DELETE FROM pool.evidence_item",
        "UPDATE pool.promise SET expected_value = 0.1",
        "INSERT INTO pool.warning (factory_id, rule, since, numbers, policy_id, fired_at)"
        " SELECT factory_id, 'x', now(), '{}', '', now() FROM pool.membership",
    ],
)
def test_the_database_refuses_an_enterprise_what_is_not_its_own(
    pooled: Pooled, statement: str
) -> None:
    try:
        with pooled.as_("ent_approver"):
            changed = pooled.conn.execute(statement.encode()).rowcount
    except StoreError:
        changed = 0
    assert changed == 0
    assert pooled.membership().state == "cultivating"


def test_no_membership_stands_where_no_step_led(pooled: Pooled) -> None:
    with pytest.raises(StoreError, match="has no step to qualified"), pooled.as_("city_leader"):
        pooled.conn.execute("UPDATE pool.membership SET state = 'qualified'")


def test_what_happened_is_never_changed(pooled: Pooled) -> None:
    pooled.record("county_officer", "complaint")
    for table in ("transition", "evidence_item", "policy_version"):
        with pytest.raises(StoreError, match="only added"), store.transaction(pooled.conn):
            pooled.conn.execute(f"DELETE FROM pool.{table}".encode())


def test_an_event_appears_with_its_transaction_and_never_behind_a_cursor(
    pooled: Pooled, database_url: str
) -> None:
    with store.connect(database_url) as other, store.transaction(other):
        events.happened(other, SYSTEM, pooled.factory_id, "slow", {}, pooled.now)
        with store.transaction(pooled.conn):
            events.happened(pooled.conn, SYSTEM, pooled.factory_id, "quick", {}, pooled.now)
        seen = events.since(pooled.conn, 0)
        assert [each.kind for each in seen] == ["entered", "quick"]
    after = events.since(pooled.conn, seen[-1].cursor)
    assert [each.kind for each in after] == ["slow"]


def test_of_two_who_decide_at_once_one_is_refused(pooled: Pooled, database_url: str) -> None:
    pooled.warn()
    pooled.end_warnings()
    _, key = pooled.person("county_officer", "second")
    second, _ = pooled.person("county_officer", "second")

    def decide() -> str:
        with store.connect(database_url) as other, acting(other, key):
            try:
                membership.move(
                    other, second, pooled.factory_id, "clear_warning", version=2, now=pooled.now
                )
            except StaleVersion as refusal:
                return str(refusal)
        return "moved"

    with ThreadPoolExecutor(1) as pool:
        with pooled.as_("county_officer") as actor:
            membership.move(
                pooled.conn, actor, pooled.factory_id, "clear_warning", version=2, now=pooled.now
            )
            waiting = pool.submit(decide)
            wait_for(lambda: _waits_for_a_lock(database_url), "the second to wait for the first")
        assert "it is at version 3, not 2" in waiting.result(30)
    assert pooled.count("pool.transition") == 3


def _waits_for_a_lock(database_url: str) -> bool:
    with store.connect(database_url) as conn:
        row = conn.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock'"
        ).fetchone()
    return row is not None and row[0] > 0


def test_memberships_come_in_pages(pooled: Pooled) -> None:
    pooled.warn()
    due = pooled.today + timedelta(days=30)
    for found, count in (
        (memberships.listed(pooled.conn, state="watch"), 1),
        (memberships.listed(pooled.conn, state="rectify"), 0),
        (memberships.listed(pooled.conn, region="320613"), 1),
        (memberships.listed(pooled.conn, region="320623"), 0),
        (memberships.listed(pooled.conn, due_by=due), 1),
        (memberships.listed(pooled.conn, due_by=due - timedelta(days=1)), 0),
        (memberships.listed(pooled.conn, after="sample"), 0),
    ):
        assert len(found) == count
