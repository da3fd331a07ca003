"""Memberships of the pool: where factories stand, what can be done now, and doing it."""

from datetime import UTC, date, datetime
from typing import Annotated

from fastapi import APIRouter, Query, Response

import store.memberships
import store.registry
from api.bodies import BoundedRoute
from api.database import TheDatabase
from api.idempotency import Made, TheOnce
from api.identity import Caller, needs
from api.paging import cut
from api.permissions import Permission
from api.pool import lifecycle, membership, settings, standing, workdays
from api.pool.lifecycle import Lifecycle
from api.pool.standing import Standing
from api.pool_problems import shown_step
from api.problems import described
from api.routes import pool_models as models
from api.routes.parameters import AfterCode, Code, RegionFilter, StateFilter
from api.routes.versions import IfMatch, etag, version_of
from store import Connection
from store.memberships import Membership

router = APIRouter(tags=["pool"], route_class=BoundedRoute)

_MOST = 500

Reader = Annotated[Caller, needs(Permission.READ_POOL)]
Mover = Annotated[Caller, needs(Permission.MOVE_MEMBERSHIP)]


@router.get("/memberships", summary="List memberships", responses=described(401, 403, 422))
def list_memberships(
    caller: Reader,
    database: TheDatabase,
    state: StateFilter = None,
    region: RegionFilter = None,
    due_by: Annotated[date | None, Query(description="Only with a deadline by this day")] = None,
    after: AfterCode = None,
    limit: Annotated[int, Query(ge=1, le=_MOST)] = 100,
) -> models.MembershipList:
    """The newest stay of each factory in the caller's scope, by the factories' codes."""
    with database.acting(caller) as conn:
        machine = _machine(conn)
        found = store.memberships.listed(
            conn, state=state, region=region, due_by=due_by, after=after or "", most=limit + 1
        )
    shown, more = cut(found, limit, lambda each: each.factory)
    return models.MembershipList(
        items=[_shown(each, machine) for each in shown],
        next_after=more,
    )


@router.get(
    "/factories/{code}/membership",
    summary="Read a membership and what can be done now",
    responses=described(401, 403, 404, 422),
)
def read_membership(
    caller: Reader, database: TheDatabase, code: Code, response: Response
) -> models.MembershipDetail:
    """Each step from the present state, with why it is not open where it is not.

    The ETag goes into `If-Match` of a step, so that nobody decides on what has changed since.
    """
    with database.acting(caller) as conn:
        factory = store.registry.factory_by_code(conn, code)
        found = standing.of(conn, caller.actor, factory.factory_id, now=datetime.now(UTC))
    response.headers["ETag"] = _etag(found.membership)
    response.headers["Cache-Control"] = "no-store"
    return _detail(found)


@router.get(
    "/factories/{code}/membership/steps",
    summary="List the steps that were taken",
    responses=described(401, 403, 404, 422),
)
def list_steps(caller: Reader, database: TheDatabase, code: Code) -> models.StepList:
    """Oldest first, each with the policy, the state machine and the numbers of that time."""
    with database.acting(caller) as conn:
        factory = store.registry.factory_by_code(conn, code)
        found = standing.newest(conn, factory.factory_id)
        steps = store.memberships.steps(conn, found.membership_id)
    return models.StepList(
        items=[
            models.TakenStep(
                version=each.version,
                transition=each.transition_id,
                from_state=each.from_state,
                to_state=each.to_state,
                at=each.at,
                by=each.actor,
                role=each.role,
                comment=each.comment,
                deadline=each.deadline,
                lifecycle_id=each.lifecycle_id,
                policy_id=each.policy_id,
                situation=each.situation,
                documents=each.documents,
            )
            for each in steps
        ]
    )


@router.post(
    "/factories/{code}/membership/steps",
    summary="Take a step",
    response_model=models.Moved,
    responses=described(400, 401, 403, 404, 408, 409, 412, 413, 422, 428),
)
def take_step(
    caller: Mover, once: TheOnce, code: Code, given: models.NewStep, if_match: IfMatch = None
) -> Response:
    """Move the membership, or ask for it where a second person confirms the step.

    409 says what is possible now, 412 that the membership was changed in the meantime.
    """

    def make(conn: Connection) -> Made:
        factory = store.registry.factory_by_code(conn, code)
        moved = membership.move(
            conn, caller.actor, factory.factory_id, given.transition,
            version=_seen(conn, factory.factory_id, if_match),
            comment=given.comment, now=datetime.now(UTC),
        )  # fmt: skip
        return _made(conn, moved)

    return once(caller, given, make)


@router.post(
    "/factories/{code}/membership/request",
    summary="Confirm or decline what was asked for",
    response_model=models.Moved,
    responses=described(400, 401, 403, 404, 408, 409, 412, 413, 422, 428),
)
def decide_request(
    caller: Mover, once: TheOnce, code: Code, given: models.StepDecision, if_match: IfMatch = None
) -> Response:
    """The step is judged again; who asked for it does not decide."""

    def make(conn: Connection) -> Made:
        factory = store.registry.factory_by_code(conn, code)
        moved = membership.decide(
            conn, caller.actor, factory.factory_id,
            version=_seen(conn, factory.factory_id, if_match),
            confirmed=given.confirmed, comment=given.comment, request_id=given.request_id,
            now=datetime.now(UTC),
        )  # fmt: skip
        return _made(conn, moved)

    return once(caller, given, make)


@router.post(
    "/factories/{code}/membership/request/withdrawal",
    summary="Take back what one asked for",
    response_model=models.Moved,
    responses=described(400, 401, 403, 404, 408, 409, 413, 422),
)
def withdraw_request(caller: Mover, once: TheOnce, code: Code, given: models.TakenBack) -> Response:
    """Only who asked for it takes it back, until it is decided."""

    def make(conn: Connection) -> Made:
        factory = store.registry.factory_by_code(conn, code)
        moved = membership.withdraw(
            conn, caller.actor, factory.factory_id, given.comment, now=datetime.now(UTC)
        )
        return _made(conn, moved)

    return once(caller, given, make)


@router.get("/lifecycle", summary="Read the state machine in force", responses=described(401, 403))
def read_lifecycle(caller: Reader, database: TheDatabase) -> models.Machine:
    """States and steps as data; a bureau may put its own in place."""
    with database.acting(caller) as conn:
        machine = _machine(conn)
    return models.Machine(
        lifecycle_id=machine.lifecycle_id,
        initial=machine.initial,
        states=[
            models.MachineState(
                code=each.code,
                zh=each.name.zh,
                en=each.name.en,
                colour=each.colour,
                final=each.final,
            )
            for each in machine.states.values()
        ],
        steps=[
            models.MachineStep(
                transition=each.transition_id,
                sources=list(each.sources),
                to=each.to,
                zh=each.name.zh,
                en=each.name.en,
                who=list(each.who),
                guards=list(each.guards),
                deadline=each.deadline,
                documents=list(each.documents),
                adverse=each.adverse,
                confirmed_by=list(each.confirmed_by),
                source=each.source,
            )
            for each in machine.transitions.values()
        ],
    )


def _machine(conn: Connection) -> Lifecycle:
    return lifecycle.held(settings.current(conn, workdays.today(datetime.now(UTC))))


def _etag(found: Membership) -> str:
    return etag("membership", found.membership_id, found.version)


def _seen(conn: Connection, factory_id: int, if_match: str | None) -> int:
    """Return the version that a decision rests on; raises for none, or that of another stay."""
    return version_of(if_match, "membership", standing.newest(conn, factory_id).membership_id)


def _made(conn: Connection, moved: membership.Moved) -> Made:
    body = models.Moved(
        membership=_shown(moved.membership, _machine(conn)), request_id=moved.request_id
    )
    return Made(body, _etag(moved.membership))


def _shown(found: Membership, machine: Lifecycle) -> models.Membership:
    state = machine.states[found.state]
    return models.Membership(
        factory=found.factory,
        name_zh=found.name_zh,
        name_en=found.name_en,
        region=found.region,
        state=found.state,
        state_zh=state.name.zh,
        state_en=state.name.en,
        final=state.final,
        version=found.version,
        since=found.since,
        entered_on=found.entered_on,
        deadline=found.deadline,
        deadline_ends_at=None if found.deadline is None else workdays.ends_at(found.deadline),
        deadline_estimated=found.deadline_estimated,
        extensions=found.extensions,
        reviewed_on=found.reviewed_on,
        left_on=found.left_on,
    )


def _detail(found: Standing) -> models.MembershipDetail:
    waits = found.request
    return models.MembershipDetail(
        membership=_shown(found.membership, found.machine),
        steps=[shown_step(each) for each in found.steps],
        request=None
        if waits is None
        else models.WaitingRequest(
            request_id=waits.request_id,
            transition=waits.transition_id,
            asked_by=waits.actor,
            role=waits.role,
            asked_at=waits.at,
            comment=waits.comment,
        ),
        warnings=[
            models.OpenWarning(
                rule=each.rule,
                subject=each.subject,
                since=each.since,
                numbers=dict(each.numbers),
            )
            for each in found.situation.warnings
        ],
        lifecycle_id=found.machine.lifecycle_id,
        policy_id=found.situation.policy.policy_id,
    )
