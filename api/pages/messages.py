"""Messages to the person who looks, with receipts, and how else to be told."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from api.bodies import BoundedRoute
from api.database import TheDatabase
from api.formats import local_minute
from api.identity import Caller, needs
from api.language import TheLanguage
from api.messages import Texts
from api.pages.lists import Before, listing
from api.pages.templates import page
from api.paging import cut
from api.permissions import Permission
from api.pool import contacts, todo_texts
from api.routes.parameters import MOST_CURSOR
from store import messages
from store.messages import Contact, Message

router = APIRouter(prefix="/messages", route_class=BoundedRoute)

_AT_ONCE = 50

Reader = Annotated[Caller, needs(Permission.READ_POOL)]


@dataclass(frozen=True, slots=True)
class Row:
    """A message as it is shown."""

    number: int
    sent: str
    text: str
    read: str | None
    elsewhere: str
    href: str
    leads_to: str


@router.get("", response_class=HTMLResponse)
def read_messages(
    request: Request,
    database: TheDatabase,
    caller: Reader,
    language: TheLanguage,
    before: Before = None,
) -> HTMLResponse:
    """List messages, newest first."""
    account_id = caller.actor.account_id or 0
    with database.acting(caller) as conn:
        found = messages.listed(conn, account_id, before=before, most=_AT_ONCE + 1)
        contact = messages.contact(conn, account_id)
    t = Texts(language)
    shown, older = cut(found, _AT_ONCE, lambda each: each.message_id)
    return page(
        request,
        "messages.html",
        rows=[_row(t, each) for each in shown],
        newest=shown[0].message_id if shown else None,
        listing=listing(t, "/messages", before=older),
        has_unread=any(each.read_at is None for each in shown),
        contact=contact,
    )


@router.post("/receipts")
def read_all(
    caller: Reader, database: TheDatabase, up_to: Annotated[int, Form(ge=1, le=MOST_CURSOR)]
) -> Response:
    """Note that all messages up to one were read."""
    with database.acting(caller) as conn:
        messages.read_all(conn, caller.actor.account_id or 0, up_to, datetime.now(UTC))
    return RedirectResponse("/messages", 303)


@router.post("/contact")
def save_contact(
    caller: Reader,
    database: TheDatabase,
    phone: Annotated[str, Form(max_length=40)] = "",
    wants_email: Annotated[bool, Form()] = False,
    wants_sms: Annotated[bool, Form()] = False,
    wants_digest: Annotated[bool, Form()] = False,
) -> Response:
    """Set how the person wants to be told."""
    wanted = Contact(phone or None, wants_email, wants_sms, wants_digest)
    with database.acting(caller) as conn:
        contacts.save(conn, caller.actor, wanted)
    return RedirectResponse("/messages", 303)


def _row(t: Texts, each: Message) -> Row:
    words = {"queued": "queued", "sent": "delivered", "failed": "failed"}
    elsewhere = [
        f"{t('messages.' + channel)} {t('messages.' + words[state])}"
        for channel, state in sorted(each.elsewhere.items())
    ]
    factory = t.pick(each.name_zh, each.name_en)
    read = None if each.read_at is None else local_minute(each.read_at)
    return Row(
        number=each.message_id,
        sent=local_minute(each.sent_at),
        text=todo_texts.message(each.template, t.language, factory, each.names),
        read=None if read is None else t("messages.read", at=read),
        elsewhere=t("common.separator").join(elsewhere),
        href="/todos" if each.todo_id else f"/factories/{quote(each.factory, safe='')}/membership",
        leads_to=t("messages.to_todos" if each.todo_id else "messages.to_membership"),
    )
