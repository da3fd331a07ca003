"""The policy of the follow-up: what holds today, proposing a value, deciding on a proposal."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query, Response

from api.bodies import BoundedRoute, bounded
from api.database import TheDatabase
from api.idempotency import Made, TheOnce
from api.identity import Caller, needs
from api.permissions import Permission
from api.pool import proposing, settings, workdays
from api.problems import described
from api.routes import pool_models as models
from api.routes.deciding import decided
from api.routes.parameters import Number
from store import Connection, proposals
from store.proposals import Proposal

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
        found = proposals.listed(conn, proposals.VALUES, subject=key, most=limit)
    return models.ProposalList(items=[_shown(each) for each in found])


@router.post(
    "/proposals",
    summary="Propose a value",
    response_model=models.Proposal,
    responses=described(400, 401, 403, 404, 408, 413, 422),
    openapi_extra=bounded(_MOST_BYTES),
)
def propose(caller: Setter, once: TheOnce, given: models.NewProposal) -> Response:
    """It holds from its day on once somebody else has confirmed it."""

    def make(conn: Connection) -> Made:
        number = settings.propose(
            conn, caller.actor, given.key, given.value,
            valid_from=given.valid_from, source=given.source, now=datetime.now(UTC),
        )  # fmt: skip
        return Made(_shown(proposing.of(conn, proposing.VALUES, number)))

    return once(caller, given, make)


@router.post(
    "/proposals/{value_id}/decision",
    summary="Confirm or decline a proposal",
    response_model=models.Proposal,
    responses=described(400, 401, 403, 404, 408, 409, 413, 422),
)
def decide(caller: Setter, once: TheOnce, value_id: Number, given: models.Decision) -> Response:
    """Who proposed a value does not decide on it."""
    return decided(once, caller, proposing.VALUES, value_id, given, _shown)


@router.post(
    "/proposals/{value_id}/withdrawal",
    summary="Withdraw a proposal",
    response_model=models.Proposal,
    responses=described(400, 401, 403, 404, 408, 409, 413, 422),
)
def withdraw(caller: Setter, once: TheOnce, value_id: Number, given: models.TakenBack) -> Response:
    """Who proposed a value takes it back while it waits."""
    return decided(once, caller, proposing.VALUES, value_id, given, _shown)


def _shown(found: Proposal) -> models.Proposal:
    return models.Proposal(
        value_id=found.number,
        key=found.subject,
        value=found.value,
        **models.what_became(found),
    )
