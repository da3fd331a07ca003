"""Where a factory stands in the pool: all that the rules see of it, and what can be done now."""

from dataclasses import dataclass
from datetime import date, datetime

from api.errors import NotFound
from api.pool import lifecycle, settings, workdays
from api.pool.errors import StaleVersion
from api.pool.evidence import running
from api.pool.lifecycle import Lifecycle, Step
from api.pool.policy import Policy
from api.pool.refused import refused
from api.pool.situation import Item, KpiVerdict, OpenWarning, Situation
from store import Connection, evidence_items, memberships, requests
from store.acting import Actor
from store.memberships import Membership
from store.requests import Request


@dataclass(frozen=True, slots=True)
class Standing:
    """A membership with all that the rules see of it on a day, and the steps from there."""

    membership: Membership
    machine: Lifecycle
    situation: Situation
    request: Request | None
    steps: tuple[Step, ...]


def of(conn: Connection, actor: Actor, factory_id: int, *, now: datetime) -> Standing:
    """Return where a factory stands and what the actor can do; raises NotFound."""
    return on(conn, actor, newest(conn, factory_id), workdays.today(now))


def newest(conn: Connection, factory_id: int) -> Membership:
    """Return the stay of a factory that runs, else its last; raises NotFound."""
    found = memberships.newest(conn, factory_id)
    if found is None:
        raise NotFound("this factory is not in the pool")
    return found


def held(conn: Connection, actor: Actor, factory_id: int, version: int, today: date) -> Standing:
    """Return the standing with the membership held; raises NotFound or StaleVersion."""
    found = running(conn, factory_id)
    # An enterprise may not move a membership, so that it cannot hold one either: what it asks for
    # is judged again when it is confirmed.
    memberships.lock(conn, found.membership_id)
    found = running(conn, factory_id)
    if found.version != version:
        raise refused("stale_membership", StaleVersion, held=found.version, seen=version)
    return on(conn, actor, found, today)


def on(conn: Connection, actor: Actor, found: Membership, today: date) -> Standing:
    """Return where a membership stands on a day and what the actor can do."""
    policy = settings.current(conn, today)
    machine = lifecycle.held(policy)
    request = requests.waiting(conn, found.membership_id)
    seen = _situation(conn, found, policy, today, request is not None)
    steps = lifecycle.possible(machine, seen, actor.role, actor.account_id)
    return Standing(found, machine, seen, request, steps)


def _situation(
    conn: Connection, found: Membership, policy: Policy, today: date, asked: bool
) -> Situation:
    heard = memberships.last_heard(conn, found.factory_id)
    return Situation(
        today=today,
        state=found.state,
        since=workdays.today(found.since),
        entered=found.entered_on,
        policy=policy,
        deadline=found.deadline,
        extensions=found.extensions,
        reviewed_on=found.reviewed_on,
        heard_on=None if heard is None else workdays.today(heard),
        warnings=tuple(
            OpenWarning(each.rule, each.since, each.subject, each.numbers)
            for each in memberships.open_warnings(conn, found.factory_id)
        ),
        items=tuple(
            Item(
                item_id=each.item_id,
                kind=each.kind,
                on=each.happened_on,
                current=each.stage == found.stage,
                authors=frozenset(each.accounts),
                people=len(each.people),
                data=each.data,
                recorded=workdays.today(each.at),
            )
            for each in evidence_items.listed(conn, found.membership_id)
        ),
        verdicts=tuple(KpiVerdict(*each) for each in memberships.verdicts(conn, found.factory_id)),
        request_open=asked,
    )
