"""Help tickets: an enterprise asks, an officer answers."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

import store.registry
from api.bodies import BoundedRoute
from api.database import TheDatabase
from api.formats import local_minute
from api.identity import Caller, needs
from api.language import TheLanguage
from api.messages import Texts
from api.pages import forms
from api.pages.factory_choice import factory_field
from api.pages.lists import Before, FactoryChoice, WordChoice, listing, select
from api.pages.templates import page
from api.paging import cut
from api.permissions import ENTERPRISE, Permission
from api.pool import tickets as service
from api.routes.parameters import MOST_SMALL, Number
from store import tickets

router = APIRouter(prefix="/tickets", route_class=BoundedRoute)

_AT_ONCE = 50

Reader = Annotated[Caller, needs(Permission.READ_POOL)]
Worker = Annotated[Caller, needs(Permission.WORK_ON_TICKETS)]
Version = Annotated[int, Form(ge=1, le=MOST_SMALL)]
Words = Annotated[str, Form(max_length=service.LONGEST_TEXT)]


@router.get("", response_class=HTMLResponse)
def read_tickets(
    request: Request,
    database: TheDatabase,
    caller: Reader,
    language: TheLanguage,
    state: WordChoice = "",
    factory: FactoryChoice = "",
    before: Before = None,
) -> HTMLResponse:
    """List tickets, with a form for another where the caller may ask."""
    t = Texts(language)
    may_ask = caller.role in ENTERPRISE and caller.may(Permission.WORK_ON_TICKETS)
    with database.acting(caller) as conn:
        found = tickets.listed(
            conn, state=state or None, factory=factory or None, before=before, most=_AT_ONCE + 1
        )
        by_factory = factory_field(t, conn, factory)
        factories = store.registry.factories(conn) if may_ask else []
    shown, older = cut(found, _AT_ONCE, lambda each: each.ticket_id)
    states = [(each, t(f"tickets.{each}")) for each in ("open", "answered", "closed")]
    fields = (
        select(t, "state", t("tickets.state"), state, states),
        by_factory,
    )
    return page(
        request,
        "tickets.html",
        tickets=shown,
        listing=listing(t, "/tickets", fields, before=older),
        factories=factories,
    )


@router.post("")
def ask(
    caller: Worker,
    database: TheDatabase,
    factory: Annotated[str, Form(max_length=64)],
    subject: Annotated[str, Form(max_length=service.LONGEST_SUBJECT)],
    text: Words,
    level: Annotated[str, Form(max_length=10)],
    once: forms.Once = "",
) -> Response:
    """Open a ticket."""
    with database.acting(caller) as conn:

        def make() -> dict[str, int]:
            found = store.registry.factory_by_code(conn, factory)
            number = service.ask(
                conn, caller.actor, found.factory_id,
                subject=subject, text=text, level=level, now=datetime.now(UTC),
            )  # fmt: skip
            return {"number": number}

        made = forms.once(conn, caller.actor, once, make)
    return RedirectResponse(f"/tickets/{made['number']}", 303)


@router.get("/{ticket_id}", response_class=HTMLResponse)
def read_ticket(
    request: Request, database: TheDatabase, caller: Reader, ticket_id: Number
) -> HTMLResponse:
    """Show one ticket, what was said to it, and what can be done now."""
    with database.acting(caller) as conn:
        found = service.of(conn, ticket_id)
        said = tickets.said(conn, ticket_id)
    may_work = caller.may(Permission.WORK_ON_TICKETS)
    steps = service.possible(caller.actor, found) if may_work else ()
    return page(
        request,
        "ticket.html",
        ticket=found,
        said=[(each, local_minute(each.at)) for each in said],
        acts=[each.transition.transition_id for each in steps],
    )


@router.post("/{ticket_id}")
def act(
    caller: Worker,
    database: TheDatabase,
    ticket_id: Number,
    version: Version,
    what: Annotated[str, Form(pattern="^(reply|close|reopen)$")],
    text: Words = "",
) -> Response:
    """Reply, close or open again."""
    does = {"reply": service.reply, "close": service.close, "reopen": service.reopen}[what]
    with database.acting(caller) as conn:
        does(conn, caller.actor, ticket_id, text, version=version, now=datetime.now(UTC))
    return RedirectResponse(f"/tickets/{ticket_id}", 303)
