"""Moving a membership in a real database, each person in the application's own role."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import pytest

import store
from api.errors import NotFound
from api.pool import evidence, membership, workdays
from api.pool.errors import Declined, NotAllowed, NotPossible, StaleVersion
from api.pool.lifecycle import shipped
from store import audit, events, evidence_items, memberships, policies
from store.acting import SYSTEM, acting
from store.errors import NotPermitted, StoreError
from tests.api.pool.pooled import OTHER_COUNTY, Pooled
from tests.store.people import key_for
from tests.support.waiting import wait_for

PEOPLE = ("示例甲", "示例乙")


def to_rectification(pooled: Pooled) -> None:
    """Warn, let the term pass, order the rectification."""
    pooled.warn()
    pooled.later(days=31)
    pooled.move("city_officer", "order_rectification", "期满未消除")


def pass_rectification(pooled: Pooled) -> None:
    pooled.record("ent_filler", "rectification_report")
    pooled.record("county_officer", "site_check", people=PEOPLE, passed=True)
    pooled.move("city_leader", "pass_rectification")


def test_a_warning_leads_to_rectification_and_back(pooled: Pooled) -> None:
    pooled.warn()
    assert pooled.membership().state == "watch"
    assert pooled.membership().deadline == date(2026, 4, 1)
    with pytest.raises(NotPossible, match="ends on 2026-04-01"):
        pooled.move("city_officer", "order_rectification", "too early")
    pooled.later(days=31)
    pooled.move("city_officer", "order_rectification", "期满未消除")
    assert pooled.membership().deadline == date(2026, 7, 2)
    with pytest.raises(NotPossible, match="no site check"):
        pooled.move("city_leader", "pass_rectification")
    pass_rectification(pooled)
    found = pooled.membership()
    assert (found.state, found.deadline, found.version, found.stage) == ("cultivating", None, 4, 4)


def test_every_step_keeps_what_it_was_decided_under(pooled: Pooled) -> None:
    to_rectification(pooled)
    steps = memberships.steps(pooled.conn, pooled.membership().membership_id)
    assert [(each.from_state, each.to_state, each.role) for each in steps] == [
        (None, "cultivating", "operator"),
        ("cultivating", "watch", "system"),
        ("watch", "rectify", "city_officer"),
    ]
    last = steps[-1]
    assert last.documents == ["rectification_order"]
    assert last.lifecycle_id == shipped().lifecycle_id
    assert last.comment == "期满未消除"
    assert last.situation["warnings"][0]["numbers"] == {"share": 0.71}
    kept = policies.values(pooled.conn, last.policy_id)
    assert kept is not None
    assert kept["watch.clear_within"] == 30


def test_every_step_is_noted_and_told(pooled: Pooled) -> None:
    to_rectification(pooled)
    noted = audit.entries(pooled.conn, factory="sample", kind="membership")
    assert [each.action for each in noted] == ["order_rectification", "warn", "enter"]
    assert noted[0].before["state"] == "watch"
    assert noted[0].after["deadline"] == "2026-07-02"
    assert noted[0].reason == "期满未消除"
    assert noted[0].role == "city_officer"
    said = events.since(pooled.conn, 0)
    assert [each.kind for each in said] == ["entered", "moved", "moved"]
    assert said[-1].payload["documents"] == ["rectification_order"]
    assert said[-1].payload["deadline"] == "2026-07-02"
    assert events.since(pooled.conn, said[-2].cursor) == said[-1:]


def test_a_stale_version_is_refused_and_changes_nothing(pooled: Pooled) -> None:
    pooled.warn()
    pooled.end_warnings()
    with pytest.raises(StaleVersion, match="it is at version 2, not 1"):
        pooled.move("county_officer", "clear_warning", version=1)
    assert pooled.membership().state == "watch"
    assert pooled.count("pool.transition") == 2


def test_a_step_out_of_order_is_refused_with_what_is_possible(pooled: Pooled) -> None:
    with pytest.raises(NotPossible) as refusal:
        pooled.move("city_leader", "pass_rectification")
    possible = {each.transition.transition_id: each for each in refusal.value.possible}
    assert set(possible) == {
        "warn", "start_review", "expel", "suspend", "leave", "qualify",
    }  # fmt: skip
    assert not possible["qualify"].allowed
    assert possible["qualify"].reasons[0].zh == "尚无建设要点评估"
    with pytest.raises(NotFound, match="no step fly"):
        pooled.move("city_leader", "fly")


def test_a_step_against_the_enterprise_needs_a_comment(pooled: Pooled) -> None:
    pooled.warn()
    pooled.later(days=31)
    with pytest.raises(Declined, match="say why"):
        pooled.move("city_officer", "order_rectification", "  ")
    with pytest.raises(Declined, match="2000 characters"):
        pooled.move("city_officer", "order_rectification", "长" * 2001)


def test_nobody_decides_on_evidence_of_their_own(pooled: Pooled) -> None:
    pooled.warn()
    pooled.record("city_officer", "misstatement", document="示例文号")
    with pytest.raises(NotAllowed, match="what you made yourself"):
        pooled.move("city_officer", "order_rectification", "查实重大不实")
    pooled.move("city_officer", "order_rectification", "查实重大不实", name="second")
    assert pooled.membership().state == "rectify"


def test_who_was_at_the_site_check_does_not_decide_on_it(pooled: Pooled) -> None:
    to_rectification(pooled)
    pooled.record("ent_filler", "rectification_report")
    leader, _ = pooled.person("city_leader")
    with pooled.as_("county_officer") as actor:
        item = evidence_items.NewItem(
            "site_check", pooled.now.date(), {"passed": True}, people=PEOPLE,
            accounts=(leader.account_id or 0,),
        )  # fmt: skip
        evidence.record(pooled.conn, actor, pooled.factory_id, item, now=pooled.now)
    with pytest.raises(NotAllowed, match="Site check"):
        pooled.move("city_leader", "pass_rectification")
    pooled.move("city_leader", "pass_rectification", name="second")


def test_evidence_of_an_earlier_state_does_not_count_again(pooled: Pooled) -> None:
    to_rectification(pooled)
    pass_rectification(pooled)
    pooled.warn("gateway_silent")
    pooled.later(days=31)
    pooled.move("city_officer", "order_rectification", "再次预警期满")
    with pytest.raises(NotPossible, match="no report on this rectification"):
        pooled.move("city_leader", "pass_rectification")


def test_the_enterprise_is_told_and_heard_before_it_is_removed(pooled: Pooled) -> None:
    to_rectification(pooled)
    pooled.later(days=100)
    with pytest.raises(NotPossible, match="the notice of removal was not sent yet"):
        pooled.move("city_leader", "fail_rectification", "期满")
    pooled.record("city_officer", "removal_notice")
    with pytest.raises(NotPossible, match="may be heard until"):
        pooled.move("city_leader", "fail_rectification", "期满")
    pooled.record("county_officer", "hearing", objected=True)
    moved = pooled.move("city_leader", "fail_rectification", "期满且申辩不成立")
    assert moved.membership.left_on == pooled.now.date()
    assert "removal_decision" in moved.transition.documents
    with pytest.raises(NotPossible, match="left the pool"):
        pooled.move("city_leader", "pass_rectification")
    with pytest.raises(NotPossible, match="left the pool"):
        pooled.record("county_officer", "complaint")


def test_who_lets_the_time_to_be_heard_pass_is_removed_too(pooled: Pooled) -> None:
    to_rectification(pooled)
    pooled.later(days=100)
    pooled.record("city_officer", "removal_notice")
    pooled.later(days=10)
    pooled.move("city_leader", "fail_rectification", "期满未申辩")
    assert pooled.membership().state == "removed"


def test_a_notice_put_on_record_late_takes_nothing_of_the_time_to_be_heard(pooled: Pooled) -> None:
    to_rectification(pooled)
    pooled.later(days=100)
    today = pooled.now.date()
    pooled.record("city_officer", "removal_notice", on=today - timedelta(days=30))
    until = workdays.add_workdays(today, 5).on
    with pytest.raises(NotPossible, match=f"may be heard until {until}"):
        pooled.move("city_leader", "fail_rectification", "期满未申辩")
    pooled.record("county_officer", "hearing", on=today - timedelta(days=31), objected=False)
    with pytest.raises(NotPossible, match="may be heard until"):
        pooled.move("city_leader", "fail_rectification", "告知之前已听取")
    pooled.later(days=10)
    pooled.move("city_leader", "fail_rectification", "期满未申辩")
    assert pooled.membership().state == "removed"


def test_a_rectification_is_extended_once_and_by_a_month(pooled: Pooled) -> None:
    to_rectification(pooled)
    before = pooled.membership()
    pooled.move("city_leader", "extend_rectification")
    after = pooled.membership()
    assert (before.deadline, after.deadline) == (date(2026, 7, 2), date(2026, 8, 2))
    assert (after.extensions, after.stage, after.since) == (1, before.stage, before.since)
    with pytest.raises(NotPossible, match="extended 1 of 1 times"):
        pooled.move("city_leader", "extend_rectification")
    pass_rectification(pooled)
    assert pooled.membership().extensions == 0


def test_an_exit_is_asked_for_by_the_enterprise_and_confirmed_by_the_city(pooled: Pooled) -> None:
    asked = pooled.move("ent_approver", "leave", "企业战略调整")
    assert asked.request_id is not None
    assert pooled.membership().state == "cultivating"
    with pytest.raises(NotPossible, match="waits for its confirmation"):
        pooled.move("ent_approver", "leave")
    with pytest.raises(NotAllowed, match="this is for city leader"):
        pooled.decide("city_officer", True)
    pooled.decide("city_leader", True)
    found = pooled.membership()
    assert (found.state, found.left_on) == ("exited", pooled.now.date())
    last = memberships.steps(pooled.conn, found.membership_id)[-1]
    assert (last.role, last.comment) == ("city_leader", "企业战略调整")
    kinds = [each.kind for each in events.since(pooled.conn, 0)]
    assert kinds == ["entered", "request_made", "moved"]


def test_a_declined_exit_needs_a_reason_and_may_be_asked_for_again(pooled: Pooled) -> None:
    pooled.move("ent_approver", "leave")
    with pytest.raises(Declined, match="say why"):
        pooled.decide("city_leader", False)
    pooled.decide("city_leader", False, "尚有整改事项")
    assert pooled.membership().state == "cultivating"
    with pytest.raises(NotPossible, match="no request waits"):
        pooled.decide("city_leader", True)
    assert pooled.move("ent_approver", "leave").request_id is not None


def test_who_asked_for_an_exit_takes_it_back(pooled: Pooled) -> None:
    pooled.move("ent_approver", "leave")
    with pooled.as_("city_leader") as actor, pytest.raises(NotAllowed, match="who asked"):
        membership.withdraw(pooled.conn, actor, pooled.factory_id, now=pooled.now)
    with pooled.as_("ent_approver") as actor:
        membership.withdraw(pooled.conn, actor, pooled.factory_id, now=pooled.now)
    assert pooled.standing("city_leader").request is None
    with pooled.as_("ent_approver") as actor, pytest.raises(NotPossible, match="no request"):
        membership.withdraw(pooled.conn, actor, pooled.factory_id, now=pooled.now)
    assert pooled.membership().state == "cultivating"


def test_the_database_lets_officers_decide_a_request_and_only_its_author_take_it_back(
    pooled: Pooled,
) -> None:
    pooled.move("ent_approver", "leave")
    for role, outcome in (
        ("ent_filler", "confirmed"), ("expert", "declined"), ("city_leader", "withdrawn"),
    ):  # fmt: skip
        with pytest.raises(NotPermitted), pooled.as_(role) as actor:
            pooled.conn.execute(
                "UPDATE pool.request SET outcome = %s, decided_id = %s, decided_by = %s,"
                " decided_at = now()",
                (outcome, actor.account_id, actor.name),
            )
    assert pooled.standing("city_leader").request is not None


def test_a_request_outlives_a_warning_and_ends_where_its_step_is_gone(pooled: Pooled) -> None:
    pooled.move("ent_approver", "leave")
    pooled.warn()
    assert pooled.standing("city_leader").request is not None
    pooled.later(days=31)
    pooled.move("city_officer", "order_rectification", "期满未消除")
    assert pooled.standing("city_leader").request is None


def test_the_system_only_sets_and_clears_a_warning(pooled: Pooled) -> None:
    pooled.warn()
    pooled.end_warnings()
    pooled.move("system", "clear_warning")
    assert pooled.membership().state == "cultivating"
    for state in shipped().states.values():
        for transition in shipped().leaving(state.code):
            if "system" in transition.who:
                continue
            pooled.conn.execute("ALTER TABLE pool.membership DISABLE TRIGGER has_step")
            pooled.conn.execute("UPDATE pool.membership SET state = %s", (state.code,))
            pooled.conn.execute("ALTER TABLE pool.membership ENABLE TRIGGER has_step")
            with pytest.raises(NotAllowed):
                pooled.move("system", transition.transition_id, "by itself")
            assert pooled.membership().state == state.code


def test_a_review_ends_in_a_grade_and_counts_for_the_next(pooled: Pooled) -> None:
    pooled.record("city_officer", "sample")
    with pytest.raises(NotAllowed):
        pooled.move("city_officer", "start_review")
    pooled.move("city_officer", "start_review", name="second")
    assert pooled.membership().deadline == date(2026, 5, 1)
    pooled.record("expert", "review_grade", grade="good")
    pooled.later(days=3)
    pooled.move("city_leader", "pass_review")
    found = pooled.membership()
    assert (found.state, found.reviewed_on) == ("cultivating", pooled.now.date())
    with pytest.raises(NotPossible, match="2028-03-05"):
        pooled.move("city_officer", "start_review", name="second")


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
    due = pooled.now.date() + timedelta(days=30)
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
