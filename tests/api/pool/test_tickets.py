"""Help tickets: an enterprise asks, the right officer answers, and it is closed or opened again."""

import pytest

import store
from api.errors import NotFound
from api.pool import tickets, todos, workdays
from api.pool.errors import Declined, NotAllowed, NotPossible, PoolError, StaleVersion
from api.pool.roles import ROLES
from store import audit, events
from store import tickets as stored
from store import todos as stored_todos
from store.acting import acting
from store.errors import StoreError
from store.tickets import Ticket
from tests.api.pool.pooled import OTHER_COUNTY, Pooled
from tests.store.people import key_of_session, person

ENTERPRISE = ("ent_filler", "ent_approver", "ent_engineer")


def asked(pooled: Pooled, role: str = "ent_filler", level: str = "county") -> int:
    """Open a ticket as a person of a role."""
    with pooled.as_(role) as actor:
        return tickets.ask(
            pooled.conn, actor, pooled.factory_id,
            subject="网关断线", text="园区网络改造，网关无法联网，请协调。", level=level,
            now=pooled.now,
        )  # fmt: skip


def act(pooled: Pooled, role: str, what: str, number: int, text: str = "已协调运营商") -> Ticket:
    """Reply, close or reopen as a person of a role, at the ticket's version."""
    does = {"reply": tickets.reply, "close": tickets.close, "reopen": tickets.reopen}[what]
    with pooled.as_(role) as actor:
        version = tickets.of(pooled.conn, number).version
        return does(pooled.conn, actor, number, text, version=version, now=pooled.now)


def waits(pooled: Pooled, role: str) -> list[str]:
    todos.turn(pooled.conn, now=pooled.now)
    with pooled.as_(role):
        return [each.kind for each in stored_todos.listed(pooled.conn)]


def test_a_ticket_goes_from_the_enterprise_to_the_officer_and_back(pooled: Pooled) -> None:
    number = asked(pooled)
    with pooled.as_("county_officer"):
        found = tickets.of(pooled.conn, number)
    assert (found.state, found.factory) == ("open", "sample")
    assert found.due == workdays.add_workdays(workdays.today(pooled.now), 5).on
    assert waits(pooled, "county_officer") == ["answer_ticket_county"]
    assert act(pooled, "county_officer", "reply", number).state == "answered"
    assert (waits(pooled, "county_officer"), waits(pooled, "ent_filler")) == ([], ["read_answer"])
    assert act(pooled, "ent_filler", "reopen", number, "仍未恢复").state == "open"
    assert (waits(pooled, "county_officer"), waits(pooled, "ent_filler")) == (
        ["answer_ticket_county"], [],
    )  # fmt: skip
    act(pooled, "county_officer", "reply", number)
    assert act(pooled, "ent_approver", "close", number, "").state == "closed"
    assert waits(pooled, "ent_filler") == waits(pooled, "county_officer") == []
    with pooled.as_("ent_filler"):
        said = stored.said(pooled.conn, number)
    assert [each.act for each in said] == ["open", "reply", "reopen", "reply", "close"]
    kinds = [each.kind for each in events.since(pooled.conn, 0)]
    assert kinds[1:] == [
        "ticket_opened", "ticket_answered", "ticket_reopened", "ticket_answered", "ticket_closed",
    ]  # fmt: skip
    actions = [each.action for each in audit.entries(pooled.conn, kind="ticket")]
    assert actions == kinds[:0:-1]


@pytest.mark.parametrize("role", [role for role in ROLES if role != "system"])
def test_who_may_ask_answer_and_reopen(pooled: Pooled, role: str) -> None:
    if role in ENTERPRISE:
        asked(pooled, role)
    else:
        with pytest.raises(NotAllowed):
            asked(pooled, role)
    number = asked(pooled, level="city")
    try:
        state = act(pooled, role, "reply", number).state
    except (PoolError, NotFound):
        state = None
    expected = "open" if role in ENTERPRISE else "answered" if role.startswith("city") else None
    assert state == expected
    act(pooled, "city_officer", "reply", number)
    if role not in ENTERPRISE:
        with pytest.raises((NotAllowed, NotFound)):
            act(pooled, role, "reopen", number)


def test_the_database_itself_keeps_others_from_asking_in_an_enterprise_s_name(
    pooled: Pooled,
) -> None:
    with pooled.as_("ent_filler") as filler:
        pass
    for role in ("county_officer", "city_leader", "expert"):
        with pytest.raises(StoreError), pooled.as_(role):
            stored.add(
                pooled.conn, filler, pooled.factory_id, "冒名", "county",
                workdays.today(pooled.now), due_estimated=False, at=pooled.now,
            )  # fmt: skip
    assert pooled.count("pool.ticket") == 0


def test_a_step_out_of_order_says_what_is_possible(pooled: Pooled) -> None:
    def possible(role: str, what: str) -> list[str]:
        with pytest.raises(NotPossible) as caught:
            act(pooled, role, what, number)
        return [each.transition.transition_id for each in caught.value.possible]

    number = asked(pooled)
    assert possible("ent_filler", "reopen") == ["reply", "close"]
    assert possible("county_officer", "close") == ["reply"]
    act(pooled, "county_officer", "reply", number)
    act(pooled, "ent_filler", "close", number)
    assert possible("ent_engineer", "reply") == ["reopen"]
    assert possible("county_officer", "reply") == []


def test_what_was_said_stays_as_it_was_said(pooled: Pooled) -> None:
    asked(pooled)
    with pytest.raises(StoreError), store.transaction(pooled.conn):
        pooled.conn.execute("UPDATE pool.ticket_entry SET text = 'x'")


def test_another_county_finds_no_ticket(pooled: Pooled) -> None:
    number = asked(pooled)
    other = person(pooled.conn, "county_officer", region=OTHER_COUNTY)
    with acting(pooled.conn, key_of_session(pooled.conn, other)):
        assert stored.listed(pooled.conn) == []
        with pytest.raises(NotFound):
            tickets.reply(pooled.conn, other, number, "答复", version=1, now=pooled.now)


def test_what_cannot_be_done_is_said(pooled: Pooled) -> None:
    number = asked(pooled)
    with pytest.raises(NotPossible, match="open"):
        act(pooled, "ent_filler", "reopen", number)
    with pytest.raises(NotPossible, match="answer the ticket"):
        act(pooled, "county_officer", "close", number)
    with pytest.raises(Declined, match="say something"):
        act(pooled, "county_officer", "reply", number, "  ")
    with pooled.as_("county_officer") as actor, pytest.raises(StaleVersion):
        tickets.reply(pooled.conn, actor, number, "答复", version=7, now=pooled.now)
    act(pooled, "ent_filler", "close", number)
    with pytest.raises(NotPossible, match="closed"):
        act(pooled, "county_officer", "reply", number)
    with pytest.raises(NotAllowed, match="the city"):
        act(pooled, "county_officer", "reply", asked(pooled, level="city"))
