"""The policy of the follow-up: what holds today, proposing a value, deciding on a proposal."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

import store.policies
from api.bodies import BoundedRoute, bounded
from api.database import TheDatabase
from api.idempotency import IdempotencyKey, Made, once
from api.identity import Caller, needs
from api.permissions import Permission
from api.pool import settings, workdays
from api.problems import described
from api.routes import pool_models as models

router = APIRouter(prefix="/policy", tags=["policy"], route_class=BoundedRoute)

# A lifecycle file is a value too.
_MOST_BYTES = 256 * 1024
_MOST = 500

Reader = Annotated[Caller, needs(Permission.READ_POOL)]
Setter = Annotated[Caller, needs(Permission.SET_POLICY)]


@router.get("", summary="Read the policy in force", responses=described(401, 403))
def read_policy(caller: Reader, database: TheDatabase) -> models.Policy:
    """Every threshold, rhythm and deadline; what the bureau has not set is 待发布办法."""
    day = workdays.today(datetime.now(UTC))
    with database.acting(caller) as conn:
        found = settings.current(conn, day)
    return models.Policy(
        policy_id=found.policy_id,
        day=day,
        items=[
            models.PolicyValue(
                key=each.key.name,
                zh=each.key.zh,
                en=each.key.en,
                unit=each.key.unit,
                value=each.value,
                default=each.key.default,
                settled=each.settled,
                valid_from=each.valid_from,
                source=each.source,
                kind=each.key.kind,
                least=each.key.least,
                most=each.key.most,
            )
            for each in found
        ],
    )


@router.get("/proposals", summary="List proposals", responses=described(401, 403, 422))
def list_proposals(
    caller: Reader,
    database: TheDatabase,
    key: Annotated[
        str | None, Query(pattern=r"^[\w.]{1,80}$", description="Only of this key")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=_MOST)] = 100,
) -> models.ProposalList:
    """What was ever proposed, newest first, with who decided and why."""
    with database.acting(caller) as conn:
        found = store.policies.proposals(conn, key=key, most=limit)
    return models.ProposalList(items=[_shown(each) for each in found])


@router.post(
    "/proposals",
    summary="Propose a value",
    response_model=models.Proposal,
    responses=described(400, 401, 403, 404, 408, 413, 422),
    openapi_extra=bounded(_MOST_BYTES),
)
def propose(
    caller: Setter,
    database: TheDatabase,
    request: Request,
    given: models.NewProposal,
    key: IdempotencyKey,
) -> Response:
    """It holds from its day on once somebody else has confirmed it."""
    with database.acting(caller) as conn:

        def make() -> Made:
            number = settings.propose(
                conn, caller.actor, given.key, given.value,
                valid_from=given.valid_from, source=given.source, now=datetime.now(UTC),
            )  # fmt: skip
            (found,) = store.policies.proposals(conn, value_id=number)
            return Made(_shown(found))

        return once(conn, caller, key, request, given, make)


@router.post(
    "/proposals/{value_id}/decision",
    summary="Confirm or decline a proposal",
    response_model=models.Proposal,
    responses=described(400, 401, 403, 404, 408, 413, 422),
)
def decide(
    caller: Setter,
    database: TheDatabase,
    request: Request,
    value_id: Annotated[int, Path(ge=1, le=2**53 - 1, description="Its number")],
    given: models.Decision,
    key: IdempotencyKey,
) -> Response:
    """Who proposed a value does not decide on it."""
    with database.acting(caller) as conn:

        def make() -> Made:
            settings.decide(
                conn, caller.actor, value_id,
                confirmed=given.confirmed, answer=given.comment, now=datetime.now(UTC),
            )  # fmt: skip
            (found,) = store.policies.proposals(conn, value_id=value_id)
            return Made(_shown(found))

        return once(conn, caller, key, request, given, make)


def _shown(found: store.policies.Proposal) -> models.Proposal:
    names = (
        "value_id", "key", "value", "valid_from", "source", "proposed_at", "outcome",
        "decided_by", "decided_at", "answer",
    )  # fmt: skip
    return models.Proposal.model_validate(
        {name: getattr(found, name) for name in names} | {"proposed_by": found.actor}
    )
