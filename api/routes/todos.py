"""To-dos and messages of the caller."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query

import store.messages
import store.todos
from api.bodies import BoundedRoute
from api.database import TheDatabase
from api.errors import NotFound
from api.identity import Caller, needs
from api.pages.todos import SOON, href_of, place, place_of
from api.paging import cut
from api.permissions import Permission
from api.pool import contacts, todo_texts, workdays
from api.problems import described
from api.routes import todo_models as models
from api.routes.parameters import Before, Number

router = APIRouter(tags=["todos"], route_class=BoundedRoute)

Reader = Annotated[Caller, needs(Permission.READ_POOL)]


@router.get("/todos", summary="List what is to be done", responses=described(401, 403, 422))
def list_todos(
    caller: Reader,
    database: TheDatabase,
    after: Annotated[
        str | None,
        Query(
            pattern=r"^(\d{4}-\d{2}-\d{2})?_\d{1,15}$",
            description="Only what comes after this place: `next_after`",
        ),
    ] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> models.TodoList:
    """What waits for the caller's role at the factories in scope, by deadline."""
    now = datetime.now(UTC)
    today = workdays.today(now)
    with database.acting(caller) as conn:
        found = store.todos.listed(conn, role=caller.role, after=place(after), most=limit + 1)
        counts = store.todos.counts(
            conn, role=caller.role, today=today, soon=today + SOON, since=now
        )
    shown, more = cut(found, limit, place_of)
    return models.TodoList(
        items=[
            models.Todo(
                todo_id=each.todo_id,
                kind=each.kind,
                object=each.object,
                factory=each.factory,
                name_zh=each.name_zh,
                name_en=each.name_en,
                region=each.region,
                zh=todo_texts.todo(each.kind, "zh", each.names),
                en=todo_texts.todo(each.kind, "en", each.names),
                due=each.due,
                due_estimated=each.due_estimated,
                days_left=None if each.due is None else (each.due - today).days,
                opened_at=each.opened_at,
                raised=each.raised,
                href=href_of(each),
            )
            for each in shown
        ],
        all=counts.all,
        overdue=counts.overdue,
        next_after=more,
    )


@router.get("/messages", summary="List messages", responses=described(401, 403, 422))
def list_messages(
    caller: Reader,
    database: TheDatabase,
    before: Before = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> models.MessageList:
    """Messages to the caller, newest first, with receipts."""
    account_id = caller.actor.account_id or 0
    with database.acting(caller) as conn:
        found = store.messages.listed(conn, account_id, before=before, most=limit + 1)
        unread = store.messages.unread(conn, account_id)
    shown, more = cut(found, limit, lambda each: each.message_id)
    return models.MessageList(
        items=[
            models.Message(
                message_id=each.message_id,
                factory=each.factory,
                todo_id=each.todo_id,
                template=each.template,
                zh=todo_texts.message(each.template, "zh", each.name_zh, each.names),
                en=todo_texts.message(each.template, "en", each.name_en, each.names),
                sent_at=each.sent_at,
                read_at=each.read_at,
                elsewhere=each.elsewhere,
            )
            for each in shown
        ],
        unread=unread,
        next_before=more,
    )


@router.put(
    "/messages/{message_id}/receipt",
    summary="Say that a message was read",
    responses=described(401, 403, 404, 422),
)
def read_message(
    caller: Reader,
    database: TheDatabase,
    message_id: Number,
) -> models.Receipt:
    """The first time counts, however often it is said."""
    with database.acting(caller) as conn:
        found = store.messages.read(
            conn, caller.actor.account_id or 0, message_id, datetime.now(UTC)
        )
    if found is None:
        raise NotFound(f"there is no message {message_id}")
    return models.Receipt(read_at=found)


@router.get("/contact", summary="Read how you want to be told", responses=described(401, 403))
def read_contact(caller: Reader, database: TheDatabase) -> models.Contact:
    """The caller's own; nobody else sees it."""
    with database.acting(caller) as conn:
        found = store.messages.contact(conn, caller.actor.account_id or 0)
    return _contact(found)


@router.put(
    "/contact",
    summary="Set how you want to be told",
    responses=described(400, 401, 403, 408, 413, 422),
)
def set_contact(caller: Reader, database: TheDatabase, given: models.Contact) -> models.Contact:
    """By e-mail where the account has an address, and by SMS when a deadline is near or passed."""
    wanted = store.messages.Contact(**given.model_dump())
    with database.acting(caller) as conn:
        kept = contacts.save(conn, caller.actor, wanted)
    return _contact(kept)


def _contact(found: store.messages.Contact) -> models.Contact:
    return models.Contact(
        phone=found.phone,
        wants_email=found.wants_email,
        wants_sms=found.wants_sms,
        wants_digest=found.wants_digest,
    )
