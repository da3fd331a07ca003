"""Moving a membership in a real database, each person in the application's own role."""

from datetime import date

import pytest

from api.errors import NotFound
from api.pool.errors import Declined, NotAllowed, NotPossible, StaleVersion
from api.pool.lifecycle import shipped
from store import audit, events, memberships, policies
from tests.api.pool.pooled import Pooled
from tests.api.pool.rectifying import pass_rectification, to_rectification


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
    assert (found.state, found.reviewed_on) == ("cultivating", pooled.today)
    with pytest.raises(NotPossible, match="2028-03-05"):
        pooled.move("city_officer", "start_review", name="second")
