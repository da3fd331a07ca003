"""Disputes about verified figures: raised, run again, measured again, decided."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query, Response

import store.disputes
import store.registry
from api.bodies import BoundedRoute
from api.database import TheDatabase
from api.idempotency import Made, TheOnce
from api.identity import Caller, needs
from api.paging import cut
from api.permissions import Permission
from api.pool import disputes
from api.pool.dispute_table import table
from api.pool.disputes import Given, Measured
from api.pool_problems import shown_step
from api.problems import described
from api.routes import report_models as models
from api.routes.parameters import Before, Code, FactoryFilter, Number, StateFilter
from api.routes.versions import IfMatch, etag, version_of
from store import Connection
from store.disputes import Dispute, Value

router = APIRouter(tags=["pool"], route_class=BoundedRoute)

_MOST = 200

Reader = Annotated[Caller, needs(Permission.READ_POOL)]
Raiser = Annotated[Caller, needs(Permission.RAISE_DISPUTE)]
Mover = Annotated[Caller, needs(Permission.MOVE_DISPUTE)]


@router.get("/disputes", summary="List disputes", responses=described(401, 403, 404, 422))
def list_disputes(
    caller: Reader,
    database: TheDatabase,
    factory: FactoryFilter = None,
    state: StateFilter = None,
    before: Before = None,
    limit: Annotated[int, Query(ge=1, le=_MOST)] = 100,
) -> models.DisputeList:
    """The disputes of the factories in the caller's scope, newest first."""
    with database.acting(caller) as conn:
        if factory is not None:
            store.registry.factory_by_code(conn, factory)
        found = store.disputes.listed(
            conn, factory=factory, state=state, before=before, most=limit + 1
        )
    shown, more = cut(found, limit, lambda each: each.dispute_id)
    return models.DisputeList(
        items=[_shown(each) for each in shown],
        next_before=more,
    )


@router.get(
    "/factories/{code}/disputes/{dispute_id}",
    summary="Read a dispute and what can be done now",
    responses=described(401, 403, 404, 422),
)
def read_dispute(
    caller: Reader, database: TheDatabase, code: Code, dispute_id: Number, response: Response
) -> models.DisputeDetail:
    """Each value that there is stands beside the others; none replaces another."""
    with database.acting(caller) as conn:
        disputes.of_factory(conn, code, dispute_id)
        found = disputes.view(conn, caller.actor, dispute_id)
    response.headers["ETag"] = etag("dispute", dispute_id, found.dispute.version)
    response.headers["Cache-Control"] = "no-store"
    return models.DisputeDetail(
        dispute=_shown(found.dispute),
        taken=[
            models.DisputeStep(
                version=each.version,
                step=each.step,
                from_state=each.from_state,
                to_state=each.to_state,
                at=each.at,
                by=each.actor,
                role=each.role,
                comment=each.comment,
                data=each.data,
                file_sha256=each.file_sha256,
            )
            for each in found.taken
        ],
        steps=[shown_step(each) for each in found.steps],
    )


@router.post(
    "/factories/{code}/disputes",
    summary="Dispute a figure",
    response_model=models.Dispute,
    responses=described(400, 401, 403, 404, 408, 409, 413, 422),
)
def raise_dispute(caller: Raiser, once: TheOnce, code: Code, given: models.NewDispute) -> Response:
    """Within the term, with a reason and a file that was handed over before."""

    def make(conn: Connection) -> Made:
        factory = store.registry.factory_by_code(conn, code)
        number = disputes.raise_dispute(
            conn, caller.actor, factory.factory_id, given.kpi, given.period_start,
            claimed=given.claimed, reason=given.reason, file_sha256=given.file_sha256,
            period_kind=given.period_kind, now=datetime.now(UTC),
        )  # fmt: skip
        return _made(disputes.of(conn, number))

    return once(caller, given, make)


@router.post(
    "/factories/{code}/disputes/{dispute_id}/steps",
    summary="Take a step of a dispute",
    response_model=models.Dispute,
    responses=described(400, 401, 403, 404, 408, 409, 412, 413, 422, 428),
)
def move_dispute(
    caller: Mover,
    once: TheOnce,
    code: Code,
    dispute_id: Number,
    given: models.NewDisputeStep,
    if_match: IfMatch = None,
) -> Response:
    """Who measured does not decide; a decision names its document and edits no figure."""
    step = _given(given)

    def make(conn: Connection) -> Made:
        disputes.of_factory(conn, code, dispute_id)
        found = disputes.move(
            conn, caller.actor, dispute_id, step,
            version=version_of(if_match, "dispute", dispute_id), now=datetime.now(UTC),
        )  # fmt: skip
        return _made(found)

    return once(caller, given, make)


@router.get("/verifiers", summary="List who may measure again", responses=described(401, 403))
def list_verifiers(caller: Mover, database: TheDatabase) -> models.VerifierList:
    """For officers who have a disputed figure measured again; empty for everybody else."""
    with database.acting(caller) as conn:
        found = store.disputes.verifiers(conn)
    return models.VerifierList(
        items=[models.Verifier(account_id=each.account_id, name=each.name) for each in found]
    )


def _given(given: models.NewDisputeStep) -> Given:
    again = given.measured
    return Given(
        step=given.step,
        comment=given.comment,
        side=given.side,
        verifier_id=given.verifier_id,
        measured=None
        if again is None
        else Measured(again.value, again.low, again.high, again.method),
        document=given.document,
        file_sha256=given.file_sha256,
    )


def _made(found: Dispute) -> Made:
    return Made(_shown(found), etag("dispute", found.dispute_id, found.version))


def _shown(found: Dispute) -> models.Dispute:
    state = table().states[found.state]
    difference = None
    if found.rerun and found.rerun.point is not None and found.figure.point is not None:
        difference = found.rerun.point - found.figure.point
    return models.Dispute(
        dispute_id=found.dispute_id,
        factory=found.factory,
        kpi=found.kpi,
        period_kind=found.period_kind,
        period_start=found.period_start,
        period_end=found.period_end,
        state=found.state,
        state_zh=state.zh,
        state_en=state.en,
        version=found.version,
        unit=found.unit,
        claimed=found.claimed,
        figure=_value(found.figure),
        rerun=None if found.rerun is None else _value(found.rerun),
        rerun_difference=difference,
        rerun_waits=disputes.waits(found),
        rerun_state=disputes.rerun_state(found),
        rerun_error=found.rerun_error,
        raised_on=found.raised_on,
        due_on=found.due_on,
        closed_at=found.closed_at,
    )


def _value(found: Value) -> models.DisputeValue:
    return models.DisputeValue(
        figure_id=found.figure_id,
        revision=found.revision,
        point=found.point,
        low=found.low,
        high=found.high,
        coverage=found.coverage,
        grade=found.grade,
        method_version=found.method_version,
        computed_at=found.computed_at,
    )
