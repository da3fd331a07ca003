"""How the installation runs, and letters that did not go out: the system administrator's."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query, Response

import store.operation
from api import operation
from api.bodies import BoundedRoute
from api.database import TheDatabase
from api.identity import Caller, needs
from api.paging import cut
from api.permissions import Permission
from api.problems import described
from api.routes import system_models as models
from api.routes.parameters import Before, Number

router = APIRouter(tags=["system"], route_class=BoundedRoute)

Reader = Annotated[Caller, needs(Permission.READ_SYSTEM)]
Operator = Annotated[Caller, needs(Permission.OPERATE_SYSTEM)]


@router.get("/system", summary="Read how the installation runs", responses=described(401, 403))
def read_system(caller: Reader, database: TheDatabase, response: Response) -> models.System:
    """Jobs, queues, gateways, versions and room, without any business data."""
    response.headers["Cache-Control"] = "no-store"
    with database.acting(caller) as conn:
        found = operation.state(conn, datetime.now(UTC))
    return models.System.model_validate(asdict(found))


@router.get("/outbox", summary="List letters on their way", responses=described(401, 403, 422))
def list_outbox(
    caller: Reader,
    database: TheDatabase,
    response: Response,
    before: Before = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> models.Outbox:
    """E-mails and SMS that wait or failed, newest first, without what they say."""
    response.headers["Cache-Control"] = "no-store"
    with database.acting(caller) as conn:
        found = store.operation.outbox(conn, before=before, most=limit + 1)
    shown, more = cut(found, limit, lambda each: each.delivery_id)
    items = [models.Letter.model_validate(asdict(each)) for each in shown]
    return models.Outbox(items=items, next_before=more)


@router.put(
    "/outbox/{delivery_id}/retry",
    summary="Try a letter again",
    status_code=204,
    responses=described(400, 401, 403, 404, 408, 413, 422),
)
def retry(
    caller: Operator,
    database: TheDatabase,
    delivery_id: Number,
) -> None:
    """One that failed for good gets another round of tries; one that waits is left as it is."""
    with database.acting(caller) as conn:
        operation.retry_letter(conn, caller.actor, delivery_id)
