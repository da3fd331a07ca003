"""The policy in force: proposed by one person, confirmed by another, kept with what it decided."""

from datetime import date, datetime
from typing import Any

from api.errors import NotFound
from api.pool import lifecycle, policy, workdays
from api.pool.errors import Declined, NotAllowed
from api.pool.lifecycle import Lifecycle
from api.pool.policy import Policy, Setting
from store import Connection, policies, transaction
from store.acting import Actor
from store.audit import note
from store.policies import Confirmed, Proposal


def current(conn: Connection, day: date) -> Policy:
    """Return the policy of a day."""
    found = [
        Setting(each.key, each.value, each.valid_from, each.source)
        for each in policies.confirmed(conn)
    ]
    return policy.merged(day, found)


def kept(conn: Connection, found: Policy) -> str:
    """Keep the values of a policy with what is decided under it, and return its id."""
    policies.keep(conn, found.policy_id, found.values)
    return found.policy_id


def propose(
    conn: Connection,
    actor: Actor,
    key: str,
    value: Any,
    *,
    valid_from: date,
    source: str,
    now: datetime,
) -> int:
    """Propose a value for a key from a day on, by the document that says so; return its number.

    Raises NotFound for a key that there is not, Declined for a value that does not fit.
    """
    known = policy.keys().get(key)
    if known is None:
        raise NotFound(f"the policy has no key {key}")
    if fault := known.fault(value):
        raise Declined(f"{key} {fault}")
    if not source.strip():
        raise Declined("name the document that sets this value")
    _check_day(valid_from, now)
    if key == lifecycle.FILE_KEY and value.strip():
        check_lifecycle(value)
    with transaction(conn):
        given = Confirmed(key, value, valid_from, source.strip())
        number = policies.propose(conn, actor, given, now)
        note(
            conn, actor, "policy_proposed", kind="policy", key=key,
            before={"value": current(conn, valid_from)[key].value},
            after={"value": value, "valid_from": valid_from.isoformat(), "source": source.strip()},
        )  # fmt: skip
    return number


def check_lifecycle(text: str) -> Lifecycle:
    """Read a bureau's own lifecycle; raises BadTable, or Declined where a membership would be lost.

    It must know every state of the shipped one, since memberships may be in any of them.
    """
    found = lifecycle.read(text)
    if missing := sorted(lifecycle.shipped().states.keys() - found.states.keys()):
        raise Declined(
            f"the lifecycle lacks the state {', '.join(missing)}: memberships may be in it"
        )
    return found


def decide(
    conn: Connection, actor: Actor, value_id: int, *, confirmed: bool, answer: str, now: datetime
) -> Proposal:
    """Confirm or decline what somebody else proposed; declining needs an answer.

    Raises NotFound, NotAllowed for one's own, Declined for what was decided or lies in the past.
    """
    with transaction(conn):
        found = next(iter(policies.proposals(conn, value_id=value_id)), None)
        if found is None:
            raise NotFound(f"there is no proposal {value_id}")
        if _is_own(found, actor):
            raise NotAllowed("somebody else decides on what you proposed")
        if confirmed:
            _check_day(found.valid_from, now)
        elif not answer.strip():
            raise Declined("say why it is declined")
        outcome = "confirmed" if confirmed else "declined"
        if not policies.decide(conn, actor, value_id, outcome, answer.strip(), now):
            raise Declined(f"the proposal {value_id} was {found.outcome} already")
        note(
            conn, actor, f"policy_{outcome}", kind="policy", key=found.key,
            after={"value": found.value, "valid_from": found.valid_from.isoformat(),
                   "proposed_by": found.actor},
            reason=answer.strip() or None,
        )  # fmt: skip
    return found


def _is_own(found: Proposal, actor: Actor) -> bool:
    if actor.account_id is None:
        return found.account_id is None and found.actor == actor.name
    return found.account_id == actor.account_id


def _check_day(valid_from: date, now: datetime) -> None:
    today = workdays.today(now)
    if valid_from < today:
        raise Declined(
            f"a value holds from today ({today}) on at the earliest; {valid_from} is over"
        )
