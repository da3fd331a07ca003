"""Rectification: passed on a report and a site check, extended once, or ended by removal."""

from datetime import date, timedelta

import pytest

from api.pool import evidence, workdays
from api.pool.errors import NotAllowed, NotPossible
from store import evidence_items
from tests.api.pool.pooled import Pooled
from tests.api.pool.rectifying import PEOPLE, pass_rectification, to_rectification


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
    assert moved.membership.left_on == pooled.today
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
    today = pooled.today
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


def test_who_was_at_the_site_check_does_not_decide_on_it(pooled: Pooled) -> None:
    to_rectification(pooled)
    pooled.record("ent_filler", "rectification_report")
    leader, _ = pooled.person("city_leader")
    with pooled.as_("county_officer") as actor:
        item = evidence_items.NewItem(
            "site_check", pooled.today, {"passed": True}, people=PEOPLE,
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
