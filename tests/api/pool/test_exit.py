"""Leaving the pool: asked for by the enterprise, decided by the city, taken back."""

import pytest

from api.pool import membership
from api.pool.errors import Declined, NotAllowed, NotPossible, StaleVersion
from store import events, memberships
from store.errors import NotPermitted
from tests.api.pool.pooled import Pooled


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
    assert (found.state, found.left_on) == ("exited", pooled.today)
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


def test_nobody_confirms_another_request_than_the_one_that_they_read(pooled: Pooled) -> None:
    seen = pooled.move("ent_approver", "leave", "战略调整").request_id
    with pooled.as_("ent_approver") as actor:
        membership.withdraw(pooled.conn, actor, pooled.factory_id, now=pooled.now)
    now_waits = pooled.move("ent_approver", "leave", "停产").request_id
    version = pooled.membership().version

    def confirm(request_id: int | None) -> None:
        with pooled.as_("city_leader") as actor:
            membership.decide(
                pooled.conn, actor, pooled.factory_id,
                version=version, confirmed=True, request_id=request_id, now=pooled.now,
            )  # fmt: skip

    with pytest.raises(StaleVersion):
        confirm(seen)
    assert pooled.membership().state == "cultivating"
    confirm(now_waits)
    assert pooled.membership().state == "exited"
    last = memberships.steps(pooled.conn, pooled.membership().membership_id)[-1]
    assert last.comment == "停产"
