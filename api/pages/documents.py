"""The page with a factory's letters and reports."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

import store.documents
import store.registry
from api.bodies import BoundedRoute
from api.database import TheDatabase
from api.exports import register
from api.exports.kinds import kinds
from api.formats import NOTHING, local_minute
from api.identity import Caller, needs
from api.language import TheLanguage
from api.messages import Texts
from api.pages import forms
from api.pages.lists import Before, Listing, listing
from api.pages.templates import Word, page
from api.paging import cut
from api.permissions import Permission
from api.pool.errors import Declined
from api.routes.parameters import Code
from api.verdicts import Tone
from store import Connection
from store.documents import Document
from store.registry import Factory

router = APIRouter(route_class=BoundedRoute)

_SHOWN = 50
_TONES: dict[str, Tone] = {"queued": "plain", "running": "plain", "done": "good", "failed": "bad"}
_ERRORS = ("timeout", "broken", "refused", "stopped")

Asker = Annotated[Caller, needs(Permission.MAKE_DOCUMENTS)]


@dataclass(frozen=True, slots=True)
class Row:
    """One document as the page shows it."""

    name: str
    number: str
    state: Word
    why: str
    version: str
    who: str
    when: str
    sha256: str
    files: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class View:
    """What the page shows; it loads itself again while something is being made."""

    code: str
    name: str
    choices: tuple[tuple[str, str], ...]
    rows: tuple[Row, ...]
    waiting: bool
    refused: str
    listing: Listing


@router.get("/factories/{code}/documents", response_class=HTMLResponse)
def read_documents(
    request: Request,
    caller: Annotated[Caller, needs(Permission.READ_POOL)],
    database: TheDatabase,
    language: TheLanguage,
    code: Code,
    before: Before = None,
) -> HTMLResponse:
    """Show what was made, what is being made and what failed, and offer to make more."""
    with database.acting(caller) as conn:
        factory = store.registry.factory_by_code(conn, code)
        view = _view(conn, caller, Texts(language), factory, before=before)
    return page(request, "documents.html", view=view)


@router.post("/factories/{code}/documents")
def ask(
    request: Request,
    caller: Asker,
    database: TheDatabase,
    language: TheLanguage,
    code: Code,
    kind: Annotated[str, Form(max_length=64)],
    number: Annotated[str, Form(max_length=register.LONGEST_NUMBER)] = "",
    once: forms.Once = "",
) -> Response:
    """Ask for a document and show the page again, with why not where it was refused."""
    with database.acting(caller) as conn:
        factory = store.registry.factory_by_code(conn, code)

        def make() -> dict[str, int]:
            asked = register.ask(
                conn, caller.actor, factory, kind, now=datetime.now(UTC), number=number
            )
            return {"number": asked.document_id}

        try:
            forms.once(conn, caller.actor, once, make)
        except Declined as error:
            view = _view(conn, caller, Texts(language), factory, refused=error.text(language))
            return page(request, "documents.html", 409, view=view)
    return RedirectResponse(f"/factories/{code}/documents", 303)


def _view(
    conn: Connection,
    caller: Caller,
    t: Texts,
    factory: Factory,
    *,
    refused: str = "",
    before: int | None = None,
) -> View:
    found = store.documents.listed(conn, factory.factory_id, before=before, most=_SHOWN + 1)
    shown, older = cut(found, _SHOWN, lambda each: each.document_id)
    may = caller.may(Permission.MAKE_DOCUMENTS)
    return View(
        code=factory.code,
        name=t.pick(factory.name_zh, factory.name_en),
        choices=tuple(
            (each.kind, t.pick(each.zh, each.en))
            for each in kinds().values()
            if may and caller.role in each.who
        ),
        rows=tuple(_row(t, each, factory.timezone) for each in shown),
        waiting=any(each.state in ("queued", "running") for each in shown),
        listing=listing(t, f"/factories/{factory.code}/documents", before=older),
        refused=refused,
    )


def _row(t: Texts, found: Document, timezone: str) -> Row:
    kind = kinds()[found.kind]
    base = f"/api/v1/factories/{found.factory}/documents/{found.document_id}/file?form="
    forms = (("PDF", f"{base}pdf"), ("DOCX", f"{base}docx")) if found.made_at else ()
    return Row(
        name=t.pick(kind.zh, kind.en),
        number=found.number,
        state=Word(_state(t, found), _TONES[found.state]),
        why=_why(t, found.error),
        version=NOTHING if found.version is None else str(found.version),
        who=t("role.system") if found.role == "system" else found.actor,
        when=local_minute(found.made_at or found.asked_at, timezone),
        sha256=found.content_sha256 or "",
        files=forms,
    )


def _state(t: Texts, found: Document) -> str:
    if found.state == "queued" and found.attempts:
        return t("documents.again", attempts=found.attempts)
    return t(f"documents.{found.state}", progress=found.progress)


def _why(t: Texts, error: str | None) -> str:
    if error is None:
        return ""
    code, _, said = error.partition(": ")
    known = t(f"documents.{code}") if code in _ERRORS else code
    return f"{known}（{said}）" if said else known
