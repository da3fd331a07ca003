"""The policy in force: two people, from a day on, and past decisions keep theirs."""

from datetime import date, timedelta
from importlib.resources import files
from typing import Any

import pytest

import store
from api.errors import NotFound
from api.pool import proposing, settings
from api.pool.errors import BadTable, Declined, NotAllowed
from api.pool.lifecycle import FILE_KEY, shipped
from api.pool.proposing import VALUES, Outcome
from store import audit, memberships, policies, proposals
from store.acting import Actor, acting
from store.errors import Refused, StoreError
from tests.api.pool.pooled import Pooled

TEXT = files("api.pool").joinpath("lifecycle.toml").read_text(encoding="utf-8")
KEY = "watch.clear_within"


def propose(pooled: Pooled, value: Any, *, key: str = KEY, day: date | None = None) -> int:
    with pooled.as_("city_officer") as actor:
        return settings.propose(
            pooled.conn, actor, key, value,
            valid_from=day or pooled.today, source="示例办法第八条", now=pooled.now,
        )  # fmt: skip


def decide(
    pooled: Pooled, number: int, role: str = "city_leader", *, yes: bool = True, answer: str = ""
) -> None:
    with pooled.as_(role) as actor:
        outcome: Outcome = "confirmed" if yes else "declined"
        proposing.decide(pooled.conn, actor, VALUES, number, outcome, answer=answer, now=pooled.now)


def value(pooled: Pooled, day: date | None = None) -> Any:
    with pooled.as_("ent_filler"):
        held = settings.current(pooled.conn, day or pooled.today)[KEY]
    return held.value, held.settled


def test_a_value_holds_when_another_person_confirmed_it(pooled: Pooled) -> None:
    number = propose(pooled, 45)
    assert value(pooled) == (30, False), "待发布办法 until it is confirmed"
    with pytest.raises(NotAllowed, match="somebody else"):
        decide(pooled, number, "city_officer")
    decide(pooled, number)
    assert value(pooled) == (45, True)
    with pytest.raises(Declined, match="was confirmed already"):
        decide(pooled, number)
    noted = [(each.action, each.role) for each in audit.entries(pooled.conn, kind="policy")]
    assert noted == [("policy_confirmed", "city_leader"), ("policy_proposed", "city_officer")]


def test_a_declined_value_never_holds(pooled: Pooled) -> None:
    number = propose(pooled, 45)
    with pytest.raises(Declined, match="say why"):
        decide(pooled, number, yes=False)
    decide(pooled, number, yes=False, answer="过长")
    assert value(pooled) == (30, False)
    (found,) = proposals.listed(pooled.conn, proposals.VALUES, subject=KEY)
    assert (found.outcome, found.answer) == ("declined", "过长")


def test_a_value_holds_from_its_day_on_and_is_never_backdated(pooled: Pooled) -> None:
    later = pooled.today + timedelta(days=10)
    decide(pooled, propose(pooled, 45, day=later))
    assert value(pooled) == (30, False)
    assert value(pooled, later) == (45, True)
    with pytest.raises(Declined, match="is over"):
        propose(pooled, 45, day=pooled.today - timedelta(days=1))
    number = propose(pooled, 50)
    pooled.later(days=1)
    with pytest.raises(Declined, match="is over"):
        decide(pooled, number)


def test_the_database_takes_nothing_backdated_either(pooled: Pooled) -> None:
    number = propose(pooled, 45)
    with pytest.raises(Refused, match="not_backdated"), pooled.as_("city_officer") as actor:
        pooled.conn.execute(
            "INSERT INTO pool.policy_value (key, value, valid_from, source, account_id, actor,"
            " proposed_at) VALUES (%s, '45', %s, '示例办法', %s, %s, %s)",
            (KEY, pooled.today - timedelta(days=1), actor.account_id, actor.name, pooled.now),
        )
    with pytest.raises(Refused, match="not_backdated"), pooled.as_("city_leader") as actor:
        pooled.conn.execute(
            "UPDATE pool.policy_value SET outcome = 'confirmed', decided_id = %s, decided_by = %s,"
            " decided_at = %s WHERE value_id = %s",
            (actor.account_id, actor.name, pooled.now + timedelta(days=1), number),
        )


def test_past_decisions_keep_the_policy_they_were_made_under(pooled: Pooled) -> None:
    pooled.warn()
    before = memberships.steps(pooled.conn, pooled.membership().membership_id)[-1]
    decide(pooled, propose(pooled, 45))
    assert pooled.membership().deadline == date(2026, 4, 1)
    pooled.end_warnings()
    pooled.move("county_officer", "clear_warning")
    pooled.warn()
    after = memberships.steps(pooled.conn, pooled.membership().membership_id)[-1]
    assert pooled.membership().deadline == date(2026, 4, 16)
    days = [(policies.values(pooled.conn, each.policy_id) or {})[KEY] for each in (before, after)]
    assert days == [30, 45]


@pytest.mark.parametrize(
    ("key", "given", "error", "complaint"),
    [
        ("watch.nothing", 1, NotFound, "no key"),
        (KEY, 0, Declined, "between 1 and 365"),
        (FILE_KEY, "x =", BadTable, "no TOML"),
        (FILE_KEY, TEXT.replace('"qualified"', '"fit"'), Declined, "lacks the state qualified"),
    ],
)
def test_a_value_that_does_not_fit_is_not_proposed(
    pooled: Pooled, key: str, given: Any, error: type[Exception], complaint: str
) -> None:
    with pytest.raises(error, match=complaint):
        propose(pooled, given, key=key)


def test_the_bureau_puts_its_own_lifecycle_in_place(pooled: Pooled) -> None:
    text = TEXT.replace('who = ["system", "county_officer"]', 'who = ["county_officer"]')
    decide(pooled, propose(pooled, text, key=FILE_KEY))
    pooled.warn()
    pooled.end_warnings()
    with pytest.raises(NotAllowed):
        pooled.move("system", "clear_warning")
    pooled.move("county_officer", "clear_warning")
    entered, *later = memberships.steps(pooled.conn, pooled.membership().membership_id)
    assert entered.lifecycle_id == shipped().lifecycle_id
    assert {each.lifecycle_id for each in later}.isdisjoint({entered.lifecycle_id})


@pytest.mark.parametrize("role", ["ent_approver", "county_leader", "expert", "sysadmin"])
def test_the_database_lets_city_people_alone_set_the_policy(pooled: Pooled, role: str) -> None:
    with pytest.raises(StoreError), pooled.as_(role) as actor:
        settings.propose(
            pooled.conn, actor, KEY, 45,
            valid_from=pooled.today, source="x", now=pooled.now,
        )  # fmt: skip


def test_the_database_lets_nobody_confirm_their_own_value(pooled: Pooled) -> None:
    number = propose(pooled, 45)
    actor, key = pooled.person("city_officer")
    try:
        with acting(pooled.conn, key):
            done = proposals.decide(
                pooled.conn, proposals.VALUES, actor, number, "confirmed", "", pooled.now
            )
    except StoreError:
        done = False
    assert not done
    assert value(pooled) == (30, False)


def test_who_proposed_takes_it_back_while_it_waits_and_nobody_else_does(pooled: Pooled) -> None:
    number = propose(pooled, 45)
    with pooled.as_("city_leader") as actor, pytest.raises(NotAllowed, match="only who proposed"):
        proposing.decide(pooled.conn, actor, VALUES, number, "withdrawn", now=pooled.now)
    with pooled.as_("city_officer") as actor:
        proposing.decide(pooled.conn, actor, VALUES, number, "withdrawn", now=pooled.now)
    with pytest.raises(Declined, match="withdrawn already"):
        decide(pooled, number)
    assert value(pooled) == (30, False)
    assert audit.entries(pooled.conn, kind="policy")[0].action == "policy_withdrawn"


@pytest.mark.parametrize(
    ("role", "outcome"),
    [("city_leader", "withdrawn"), ("city_officer", "declined"), ("city_officer", "confirmed")],
)
def test_the_database_itself_knows_whose_a_proposal_is(
    pooled: Pooled, role: str, outcome: str
) -> None:
    number = propose(pooled, 45)
    with pytest.raises(StoreError), pooled.as_(role) as actor:
        proposals.decide(pooled.conn, proposals.VALUES, actor, number, outcome, "示例", pooled.now)
    assert proposals.listed(pooled.conn, proposals.VALUES, waiting=True)


def test_on_the_command_line_two_names_are_two_people(pooled: Pooled) -> None:
    one, other = (Actor(None, name, "operator") for name in ("one", "other"))
    with store.transaction(pooled.conn):
        number = settings.propose(
            pooled.conn, one, KEY, 45,
            valid_from=pooled.today, source="示例办法", now=pooled.now,
        )  # fmt: skip
        with pytest.raises(NotAllowed):
            proposing.decide(pooled.conn, one, VALUES, number, "confirmed", now=pooled.now)
        proposing.decide(pooled.conn, other, VALUES, number, "confirmed", now=pooled.now)
    assert value(pooled) == (45, True)
