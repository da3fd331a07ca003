"""An officer's subscriptions: systems that the feed is sent to, and how their deliveries stand."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from api.bodies import BoundedRoute
from api.database import TheDatabase
from api.errors import AddressRefused
from api.formats import NOTHING, local_minute
from api.identity import Caller, needs
from api.language import TheLanguage
from api.messages import Texts
from api.pages import forms
from api.pages.templates import Word, page
from api.paging import cut
from api.permissions import Permission
from api.pool.errors import Declined
from api.routes.parameters import Number, SmallNumber
from api.webhooks import subscriptions as service
from api.webhooks.address import MOST_CHARACTERS
from store import Connection, webhooks
from store.webhooks import DeadLetter, Webhook

router = APIRouter(prefix="/webhooks", route_class=BoundedRoute)

_LETTERS = 100
_KINDS = re.compile(r"(\w{1,40}(\s+\w{1,40}){0,39})?", re.ASCII)

Manager = Annotated[Caller, needs(Permission.MANAGE_WEBHOOKS)]


@dataclass(frozen=True, slots=True)
class Row:
    """A subscription as the list and its own page show it."""

    number: int
    name: str
    url: str
    kinds: str
    state: Word
    why: str
    cursor: int
    delivered: str
    next_try: str
    paused: bool
    trial: str


@dataclass(frozen=True, slots=True)
class Letter:
    """A part of the feed that was given up."""

    number: int
    part: str
    state: Word
    why: str
    attempts: int
    died: str
    can_go: bool


@dataclass(frozen=True, slots=True)
class Given:
    """What was filled in, so that a refused form keeps it."""

    name: str = ""
    url: str = ""
    kinds: str = ""


@router.get("", response_class=HTMLResponse)
def read_webhooks(
    request: Request, caller: Manager, database: TheDatabase, language: TheLanguage
) -> HTMLResponse:
    """List the caller's subscriptions, with a form for another."""
    with database.acting(caller) as conn:
        return _listed(request, conn, Texts(language))


@router.post("")
def subscribe(
    request: Request,
    caller: Manager,
    database: TheDatabase,
    language: TheLanguage,
    name: Annotated[str, Form(min_length=1, max_length=80)],
    url: Annotated[str, Form(max_length=MOST_CHARACTERS)],
    kinds: Annotated[str, Form(max_length=2000)] = "",
    once: forms.Once = "",
) -> Response:
    """Subscribe a system from now on and show its secret, once."""
    t, given = Texts(language), Given(name, url, kinds)
    if not _KINDS.fullmatch(kinds.strip()):
        with database.acting(caller) as conn:
            return _listed(request, conn, t, given=given, refused=t("webhooks.bad_kinds"))
    with database.acting(caller) as conn:

        def make() -> dict[str, int | str]:
            number, secret = service.make(
                conn, caller.actor, name.strip(), url.strip(), kinds.split()
            )
            return {"number": number, "secret": secret}

        try:
            made = forms.once(conn, caller.actor, once, make)
        except AddressRefused:
            return _listed(request, conn, t, given=given, refused=t("webhooks.bad_address"))
        except Declined as error:
            return _listed(request, conn, t, given=given, refused=error.text(t.language))
    answer = page(request, "webhook_made.html", title=name, **made)
    answer.headers["Cache-Control"] = "no-store"
    return answer


@router.get("/{webhook_id}", response_class=HTMLResponse)
def read_webhook(
    request: Request,
    caller: Manager,
    database: TheDatabase,
    language: TheLanguage,
    webhook_id: SmallNumber,
) -> HTMLResponse:
    """Show one subscription, what was given up, and what can be done."""
    t = Texts(language)
    with database.acting(caller) as conn:
        found = service.of(conn, webhook_id)
        kept = webhooks.dead_letters(conn, webhook_id, most=_LETTERS + 1)
    letters, more = cut(kept, _LETTERS, lambda each: each.letter_id)
    waits = found.trial_at is not None or any(each.again_at is not None for each in letters)
    return page(
        request, "webhook.html",
        row=_row(t, found), letters=[_letter(t, each) for each in letters], waits=waits,
        cut=(t("list.cut", most=_LETTERS), "") if more else ("", ""),
    )  # fmt: skip


@router.post("/{webhook_id}/paused")
def pause(
    caller: Manager, database: TheDatabase, webhook_id: SmallNumber, paused: Annotated[bool, Form()]
) -> Response:
    """Pause a subscription, or let it go on from where it was."""
    with database.acting(caller) as conn:
        service.pause(conn, caller.actor, webhook_id, paused=paused)
    return _back(webhook_id)


@router.post("/{webhook_id}/trial")
def send_trial(caller: Manager, database: TheDatabase, webhook_id: SmallNumber) -> Response:
    """Have a delivery with nothing in it sent."""
    with database.acting(caller) as conn:
        service.ask_trial(conn, caller.actor, webhook_id)
    return _back(webhook_id)


@router.post("/{webhook_id}/end")
def end(caller: Manager, database: TheDatabase, webhook_id: SmallNumber) -> Response:
    """End a subscription; nothing more is sent."""
    with database.acting(caller) as conn:
        service.end(conn, caller.actor, webhook_id)
    return RedirectResponse("/webhooks", 303)


@router.post("/{webhook_id}/dead-letters/{letter_id}")
def send_again(
    caller: Manager, database: TheDatabase, webhook_id: SmallNumber, letter_id: Number
) -> Response:
    """Have a part that was given up sent once more."""
    with database.acting(caller) as conn:
        service.send_again(conn, caller.actor, webhook_id, letter_id)
    return _back(webhook_id)


def _back(webhook_id: int) -> Response:
    return RedirectResponse(f"/webhooks/{webhook_id}", 303)


def _listed(
    request: Request, conn: Connection, t: Texts, *, given: Given | None = None, refused: str = ""
) -> HTMLResponse:
    rows = [_row(t, each) for each in webhooks.listed(conn)]
    return page(
        request, "webhooks.html", 422 if refused else 200,
        rows=rows, given=given or Given(), refused=refused, most=service.MOST_EACH,
    )  # fmt: skip


def _row(t: Texts, found: Webhook) -> Row:
    return Row(
        number=found.webhook_id,
        name=found.name,
        url=found.url,
        kinds=t("webhooks.all") if not found.kinds else " ".join(found.kinds),
        state=_state(t, found),
        why=found.last_fault or "",
        cursor=found.cursor,
        delivered=_time(found.delivered_at),
        next_try=_time(found.next_at if found.attempts else None),
        paused=found.paused_at is not None,
        trial=_trial(t, found),
    )


def _state(t: Texts, found: Webhook) -> Word:
    if found.paused_at is not None:
        return Word(t("webhooks.paused"), "plain")
    if found.attempts:
        return Word(t("webhooks.trying", attempts=found.attempts), "warn")
    if found.last_fault:
        return Word(t("webhooks.gave_up"), "bad")
    return Word(t("webhooks.works" if found.delivered_at else "webhooks.still"), "good")


def _trial(t: Texts, found: Webhook) -> str:
    if found.trial_at is not None:
        return t("webhooks.trial_waits")
    if found.tried_at is None:
        return ""
    at = local_minute(found.tried_at)
    if found.trial_fault is None:
        return t("webhooks.trial_came", at=at)
    return t("webhooks.trial_lost", at=at, why=found.trial_fault)


def _letter(t: Texts, found: DeadLetter) -> Letter:
    if found.delivered_at is not None:
        state = Word(t("webhooks.came"), "good")
    elif found.again_at is not None:
        state = Word(t("webhooks.goes"), "plain")
    else:
        state = Word(t("webhooks.dead"), "bad")
    return Letter(
        number=found.letter_id,
        part=f"{found.after + 1}–{found.through}",
        state=state,
        why=found.fault,
        attempts=found.attempts,
        died=_time(found.died_at),
        can_go=found.delivered_at is None and found.again_at is None,
    )


def _time(at: datetime | None) -> str:
    return NOTHING if at is None else local_minute(at)
