"""Moving a membership: who, from where, under which conditions, in one transaction with its record.

Everything that is decided keeps the policy, the lifecycle and the situation that it was decided
under, an audit entry, and an event from which letters, messages and to-dos are made.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime

from api.errors import NotFound
from api.pool import lifecycle, settings, standing, warnings, workdays
from api.pool.errors import Declined, NotAllowed, NotPossible, StaleVersion
from api.pool.evidence import running
from api.pool.lifecycle import Step, Transition
from api.pool.policy import Policy
from api.pool.refused import refused
from api.pool.standing import Standing
from api.pool.stepping import refusal
from api.pool.terms import deadline_after
from store import Connection, events, memberships, requests, transaction
from store.acting import Actor
from store.audit import note
from store.memberships import Membership, NewTaken, Next

ENTER = "enter"
_REVIEWED = {"review_passed", "review_conditional"}
_LONGEST_COMMENT = 2000


@dataclass(frozen=True, slots=True)
class Moved:
    """What became of a step: the membership as it is now, and the request that waits, if any."""

    membership: Membership
    transition: Transition
    request_id: int | None


def move(
    conn: Connection,
    actor: Actor,
    factory_id: int,
    transition_id: str,
    *,
    version: int,
    comment: str = "",
    now: datetime,
) -> Moved:
    """Take a step, or ask for it where a second person confirms it; raises as `check` does."""
    with transaction(conn):
        at, step = check(
            conn, actor, factory_id, transition_id, version=version, comment=comment, now=now
        )
        if step.transition.confirmed_by:
            return _ask(conn, actor, at, step.transition, comment.strip(), now)
        return _take(conn, actor, at, step.transition, comment.strip(), None, now)


def check(
    conn: Connection,
    actor: Actor,
    factory_id: int,
    transition_id: str,
    *,
    version: int,
    comment: str = "",
    now: datetime,
) -> tuple[Standing, Step]:
    """Return a step that may be taken now, without taking it; holds the membership.

    Raises NotFound, StaleVersion, NotPossible with what is possible, NotAllowed, or Declined for a
    comment that is missing.
    """
    at = standing.held(conn, actor, factory_id, version, workdays.today(now))
    step = _step(at, transition_id)
    if step.reasons:
        raise refusal(step, at.steps)
    _check_comment(step.transition, comment)
    return at, step


def decide(
    conn: Connection,
    actor: Actor,
    factory_id: int,
    *,
    version: int,
    confirmed: bool,
    comment: str = "",
    request_id: int | None = None,
    now: datetime,
) -> Moved:
    """Confirm or decline the step that somebody else asked for; declining needs a comment.

    request_id is the request that was looked at: it may be taken back and another made while the
    membership stays as it is. Raises as `move` does; NotPossible where no request waits.
    """
    with transaction(conn):
        at = standing.held(conn, actor, factory_id, version, workdays.today(now))
        if at.request is None:
            raise _nothing_waits(at)
        if request_id not in (None, at.request.request_id):
            raise refused("stale_stay", StaleVersion)
        transition = at.machine.transitions[at.request.transition_id]
        why = lifecycle.why_not(
            transition, at.situation, actor.role, actor.account_id, confirming=True
        )
        if why and (confirmed or actor.role not in transition.confirmed_by):
            raise refusal(Step(transition, why), at.steps)
        if at.request.account_id == actor.account_id:
            raise refused("asked_yourself", NotAllowed)
        if not confirmed and not comment.strip():
            raise refused("decline_why", Declined)
        outcome = "confirmed" if confirmed else "declined"
        requests.end(conn, actor, at.membership.membership_id, outcome, comment.strip(), now)
        if confirmed:
            said, asked = comment.strip() or at.request.comment, at.request.request_id
            return _take(conn, actor, replace(at, request=None), transition, said, asked, now)
        _tell(conn, actor, at, "request_declined", transition, comment.strip(), now)
        return Moved(at.membership, transition, None)


def withdraw(
    conn: Connection, actor: Actor, factory_id: int, comment: str = "", *, now: datetime
) -> Moved:
    """Take back the step that the actor asked for; raises NotFound, NotPossible or NotAllowed."""
    said = comment.strip()
    with transaction(conn):
        at = standing.on(conn, actor, running(conn, factory_id), workdays.today(now))
        if at.request is None:
            raise _nothing_waits(at)
        if at.request.account_id != actor.account_id:
            raise refused("not_yours", NotAllowed)
        transition = at.machine.transitions[at.request.transition_id]
        requests.end(conn, actor, at.membership.membership_id, "withdrawn", said, now)
        _tell(conn, actor, at, "request_withdrawn", transition, said, now)
        return Moved(at.membership, transition, None)


def enter(
    conn: Connection,
    actor: Actor,
    factory_id: int,
    entered_on: date,
    policy: Policy,
    *,
    comment: str,
    now: datetime,
) -> int:
    """Begin a factory's stay in the pool and return its number; the waits are the caller's."""
    machine = lifecycle.held(policy)
    taken = NewTaken(
        transition_id=ENTER,
        from_state=None,
        to_state=machine.initial,
        comment=comment,
        request_id=None,
        deadline=None,
        lifecycle_id=machine.lifecycle_id,
        policy_id=settings.kept(conn, policy),
        situation={"entered": entered_on.isoformat()},
        documents=(),
    )
    with transaction(conn):
        number = memberships.enter(
            conn, actor, factory_id, entered_on=entered_on, at=now, taken=taken
        )
        after = {"state": machine.initial, "version": 1, "entered_on": entered_on.isoformat()}
        note(
            conn, actor, ENTER, kind="membership", key=number, factory_id=factory_id,
            after=after, reason=comment or None,
        )  # fmt: skip
        events.happened(conn, actor, factory_id, "entered", after, now)
    return number


def _step(at: Standing, transition_id: str) -> Step:
    for step in at.steps:
        if step.transition.transition_id == transition_id:
            return step
    if transition_id in at.machine.transitions:
        name = at.machine.transitions[transition_id].name
        state = at.machine.states[at.membership.state].name
        found = refused("no_step", NotPossible, step=name, state=state)
        found.possible = at.steps
        raise found
    raise NotFound(f"there is no step {transition_id}")


def _nothing_waits(at: Standing) -> NotPossible:
    found = refused("nothing_waits", NotPossible)
    found.possible = at.steps
    return found


def _check_comment(transition: Transition, comment: str) -> None:
    if transition.adverse and not comment.strip():
        raise refused("adverse", Declined, step=transition.name)
    if len(comment) > _LONGEST_COMMENT:
        raise refused("long_comment", Declined, most=_LONGEST_COMMENT)


def _ask(
    conn: Connection,
    actor: Actor,
    at: Standing,
    transition: Transition,
    comment: str,
    now: datetime,
) -> Moved:
    number = requests.ask(conn, actor, at.membership, transition.transition_id, comment, now)
    _tell(conn, actor, at, "request_made", transition, comment, now)
    return Moved(at.membership, transition, number)


def _take(
    conn: Connection,
    actor: Actor,
    at: Standing,
    transition: Transition,
    comment: str,
    request_id: int | None,
    now: datetime,
) -> Moved:
    before = at.membership
    to = _next(at, transition, now)
    if at.request is not None and not _still_asked(at, to):
        requests.end(conn, actor, before.membership_id, "overtaken", comment, now)
    taken = NewTaken(
        transition_id=transition.transition_id,
        from_state=before.state,
        to_state=to.state,
        comment=comment,
        request_id=request_id,
        deadline=to.deadline,
        lifecycle_id=at.machine.lifecycle_id,
        policy_id=settings.kept(conn, at.situation.policy),
        situation=at.situation.numbers(),
        documents=transition.documents,
    )
    if memberships.move(conn, actor, before, to=to, at=now, taken=taken) is None:
        raise refused("not_moved", NotAllowed, step=transition.name)
    after = memberships.newest(conn, before.factory_id)
    assert after is not None
    note(
        conn, actor, transition.transition_id, kind="membership", key=before.membership_id,
        factory_id=before.factory_id, before=_shown(before), after=_shown(after),
        reason=comment or None,
    )  # fmt: skip
    _tell(conn, actor, at, "moved", transition, comment, now, after)
    return Moved(after, transition, None)


def _still_asked(at: Standing, to: Next) -> bool:
    """Tell whether what waits for a confirmation is a step from the next state as well."""
    assert at.request is not None
    asked = at.machine.transitions.get(at.request.transition_id)
    return asked is not None and to.state in asked.sources


def _next(at: Standing, transition: Transition, now: datetime) -> Next:
    found, today = at.membership, at.situation.today
    stays = transition.to == found.state
    due = deadline_after(found, at.situation, transition)
    final = at.machine.states[transition.to].final
    return Next(
        state=transition.to,
        stage=found.stage if stays else found.version + 1,
        since=found.since if stays else now,
        deadline=None if due is None else due.on,
        deadline_estimated=due is not None and due.estimated,
        extensions=found.extensions + transition.extends if stays else 0,
        reviewed_on=today if _REVIEWED & set(transition.guards) else found.reviewed_on,
        left_on=today if final else None,
        lifecycle_id=at.machine.lifecycle_id,
    )


def _tell(
    conn: Connection,
    actor: Actor,
    at: Standing,
    kind: str,
    transition: Transition,
    comment: str,
    now: datetime,
    after: Membership | None = None,
) -> None:
    found = after or at.membership
    payload = {
        "transition": transition.transition_id,
        "from": at.membership.state,
        "to": transition.to,
        "version": found.version,
        "deadline": found.deadline and found.deadline.isoformat(),
        "deadline_estimated": found.deadline_estimated,
        "comment": comment,
        "documents": list(transition.documents) if after else [],
        "confirmed_by": list(transition.confirmed_by),
        "lifecycle_id": at.machine.lifecycle_id,
        "policy_id": at.situation.policy.policy_id,
    }
    if actor.role == "system":  # the machine comments in both languages, people in theirs
        causes = at.situation.numbers()["warnings"]
        payload["said"] = {"zh": comment, "en": warnings.causes(causes, "en")}
    events.happened(conn, actor, found.factory_id, kind, payload, now)
    if after is None:
        note(
            conn, actor, kind, kind="membership", key=found.membership_id,
            factory_id=found.factory_id, after={"transition": transition.transition_id},
            reason=comment or None,
        )  # fmt: skip


def _shown(found: Membership) -> dict[str, object]:
    return {
        "state": found.state,
        "version": found.version,
        "deadline": found.deadline and found.deadline.isoformat(),
        "extensions": found.extensions,
        "left_on": found.left_on and found.left_on.isoformat(),
    }
