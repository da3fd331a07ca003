"""Help tickets over HTTP, with versions and repeatable requests."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response

import store.registry
import store.tickets
from api.bodies import BoundedRoute
from api.database import TheDatabase
from api.idempotency import Made, Once, TheOnce
from api.identity import Caller, needs
from api.paging import cut
from api.permissions import Permission
from api.pool import tickets as service
from api.problems import described
from api.routes import todo_models as models
from api.routes.parameters import Before, Code, FactoryFilter, Number
from api.routes.versions import IfMatch, etag, version_of
from store import Connection
from store.tickets import Ticket

router = APIRouter(tags=["tickets"], route_class=BoundedRoute)

Reader = Annotated[Caller, needs(Permission.READ_POOL)]
Worker = Annotated[Caller, needs(Permission.WORK_ON_TICKETS)]


@router.get("/tickets", summary="List help tickets", responses=described(401, 403, 404, 422))
def list_tickets(
    caller: Reader,
    database: TheDatabase,
    state: Annotated[
        Literal["open", "answered", "closed"] | None, Query(description="Only in this state")
    ] = None,
    factory: FactoryFilter = None,
    before: Before = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> models.TicketList:
    """Tickets of the factories in the caller's scope, newest first."""
    with database.acting(caller) as conn:
        if factory is not None:
            store.registry.factory_by_code(conn, factory)
        found = store.tickets.listed(
            conn, state=state, factory=factory, before=before, most=limit + 1
        )
    shown, more = cut(found, limit, lambda each: each.ticket_id)
    return models.TicketList(
        items=[_shown(each) for each in shown],
        next_before=more,
    )


@router.get(
    "/tickets/{ticket_id}", summary="Read a help ticket", responses=described(401, 403, 404, 422)
)
def read_ticket(
    caller: Reader, database: TheDatabase, ticket_id: Number, response: Response
) -> models.TicketDetail:
    """The ETag goes into `If-Match` of what is said to it."""
    with database.acting(caller) as conn:
        found = service.of(conn, ticket_id)
        said = store.tickets.said(conn, ticket_id)
    response.headers["ETag"] = _etag(found)
    response.headers["Cache-Control"] = "no-store"
    return models.TicketDetail(
        ticket=_shown(found),
        said=[
            models.Said(act=each.act, text=each.text, by=each.actor, role=each.role, at=each.at)
            for each in said
        ],
    )


@router.post(
    "/factories/{code}/tickets",
    summary="Ask for help",
    status_code=201,
    response_model=models.Ticket,
    responses=described(400, 401, 403, 404, 408, 413, 422),
)
def ask(
    caller: Worker, once: TheOnce, request: Request, code: Code, given: models.NewTicket
) -> Response:
    """An enterprise asks its county or the city."""

    def make(conn: Connection) -> Made:
        factory = store.registry.factory_by_code(conn, code)
        number = service.ask(
            conn, caller.actor, factory.factory_id,
            subject=given.subject, text=given.text, level=given.level, now=datetime.now(UTC),
        )  # fmt: skip
        found = service.of(conn, number)
        place = request.url.path.partition("/factories/")[0]
        return Made(_shown(found), _etag(found), 201, f"{place}/tickets/{number}")

    return once(caller, given, make)


@router.post(
    "/tickets/{ticket_id}/replies",
    summary="Say something to a ticket",
    response_model=models.Ticket,
    responses=described(400, 401, 403, 404, 408, 409, 412, 413, 422, 428),
)
def reply(
    caller: Worker,
    once: TheOnce,
    ticket_id: Number,
    given: models.NewSaid,
    if_match: IfMatch = None,
) -> Response:
    """An officer's reply answers the ticket."""
    return _act(service.reply, once, caller, ticket_id, given, if_match)


@router.post(
    "/tickets/{ticket_id}/closing",
    summary="Close a ticket",
    response_model=models.Ticket,
    responses=described(400, 401, 403, 404, 408, 409, 412, 413, 422, 428),
)
def close(
    caller: Worker,
    once: TheOnce,
    ticket_id: Number,
    given: models.NewSaid,
    if_match: IfMatch = None,
) -> Response:
    """Its enterprise at any time, an officer once it is answered."""
    return _act(service.close, once, caller, ticket_id, given, if_match)


@router.post(
    "/tickets/{ticket_id}/reopening",
    summary="Open a ticket again",
    response_model=models.Ticket,
    responses=described(400, 401, 403, 404, 408, 409, 412, 413, 422, 428),
)
def reopen(
    caller: Worker,
    once: TheOnce,
    ticket_id: Number,
    given: models.NewSaid,
    if_match: IfMatch = None,
) -> Response:
    """The enterprise says why the answer does not do."""
    return _act(service.reopen, once, caller, ticket_id, given, if_match)


def _act(
    does: Callable[..., Ticket],
    once: Once,
    caller: Caller,
    ticket_id: int,
    given: models.NewSaid,
    if_match: str | None,
) -> Response:
    def make(conn: Connection) -> Made:
        version = _seen(conn, ticket_id, if_match)
        found = does(
            conn, caller.actor, ticket_id, given.text, version=version, now=datetime.now(UTC)
        )
        return Made(_shown(found), _etag(found))

    return once(caller, given, make)


def _seen(conn: Connection, ticket_id: int, if_match: str | None) -> int:
    service.of(conn, ticket_id)
    return version_of(if_match, "ticket", ticket_id)


def _etag(found: Ticket) -> str:
    return etag("ticket", found.ticket_id, found.version)


def _shown(found: Ticket) -> models.Ticket:
    return models.Ticket(
        ticket_id=found.ticket_id,
        factory=found.factory,
        subject=found.subject,
        level="city" if found.level == "city" else "county",
        state=found.state,
        version=found.version,
        opened_by=found.actor,
        opened_at=found.opened_at,
        changed_at=found.changed_at,
        due=found.due,
        due_estimated=found.due_estimated,
    )
