"""The pages of letters' texts: what each kind says, a sample of it, and changing it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Annotated

from fastapi import APIRouter, Form, Path, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, RedirectResponse

from api.bodies import BoundedRoute, bounded
from api.database import Database, TheDatabase
from api.errors import NotFound
from api.exports import letter, sample, text_form, texts
from api.exports.kinds import DocumentKind, kinds
from api.exports.model import Content
from api.identity import Caller, needs
from api.language import TheLanguage
from api.messages import Texts
from api.pages import forms, letter_words, policy_view
from api.pages.templates import page
from api.permissions import Permission
from api.pool import proposing, workdays
from api.pool.errors import BadText, Declined, Unfit
from api.pool.proposing import Outcome
from api.pool_problems import status_of
from api.routes.parameters import Number
from store import Connection, proposals
from store.proposals import TEXTS

router = APIRouter(prefix="/letter-texts", route_class=BoundedRoute)

_MOST_BYTES = 512 * 1024
_MOST = 50

Reader = Annotated[Caller, needs(Permission.READ_POOL)]
Setter = Annotated[Caller, needs(Permission.SET_POLICY)]
Kind = Annotated[str, Path(pattern=r"^\w{1,40}$")]


@dataclass(frozen=True, slots=True)
class Row:
    """A kind of letter with the text that holds today."""

    kind: str
    name: str
    template_id: str
    own: bool
    since: str
    source: str
    waiting: int


@dataclass(frozen=True, slots=True)
class Shown:
    """What the page of a kind shows beside the history; preview is a sample of the form."""

    row: Row
    form: text_form.Form
    preview: Content
    valid_from: str
    source: str
    fault: str


@router.get("", response_class=HTMLResponse)
def read_texts(
    request: Request, database: TheDatabase, caller: Reader, language: TheLanguage
) -> HTMLResponse:
    """List every kind of letter with its text, and what waits for a second person."""
    t = Texts(language)
    with database.acting(caller) as conn:
        rows = [_row(conn, t, each) for each in kinds().values()]
    return page(request, "letter_texts.html", rows=rows)


@router.get("/{kind}", response_class=HTMLResponse)
def read_text(
    request: Request, database: TheDatabase, caller: Reader, language: TheLanguage, kind: Kind
) -> HTMLResponse:
    """Show a letter's text as a sample and as a form, and all that was ever proposed."""
    t, known = Texts(language), _known(kind)
    with database.acting(caller) as conn:
        held = texts.held(conn, kind, _today())
        shown = Shown(
            _row(conn, t, known), text_form.form_of(held.content),
            sample.letter_of(kind, held.letter), _today().isoformat(), "", "",
        )  # fmt: skip
        return _page(request, conn, caller, t, shown)


@router.get("/{kind}/sample")
def read_sample(
    database: TheDatabase,
    caller: Reader,
    kind: Kind,
    number: Annotated[int | None, Query(ge=1, le=2**53 - 1)] = None,
) -> Response:
    """Give the sample as PDF: of the text that holds, or of one that was proposed."""
    _known(kind)
    with database.acting(caller) as conn:
        found = _text(conn, kind, number)
    data = sample.sample_pdf(kind, found, datetime.now(UTC))
    headers = {
        "Content-Disposition": f'inline; filename="sample-{kind}.pdf"',
        "Cache-Control": "no-store",
    }
    return Response(data, media_type="application/pdf", headers=headers)


@router.post("/{kind}/proposals", openapi_extra=bounded(_MOST_BYTES))
async def propose(
    request: Request, database: TheDatabase, caller: Setter, language: TheLanguage, kind: Kind
) -> Response:
    """Show a sample of what was written, or propose it; what does not fit is said."""
    known = _known(kind)
    form = await request.form()
    # No database keeps the character U+0000.
    given = {name: text.replace("\0", "") for name, text in form.items() if isinstance(text, str)}
    return await run_in_threadpool(
        _written, request, database, caller, Texts(language), known, given
    )


@router.post("/{kind}/proposals/{number}")
def decide(
    request: Request,
    database: TheDatabase,
    caller: Setter,
    language: TheLanguage,
    kind: Kind,
    number: Number,
    outcome: Annotated[Outcome, Form()],
    answer: Annotated[str, Form(max_length=2000)] = "",
) -> Response:
    """Confirm, decline or withdraw, or show what stands in the way."""
    t, known = Texts(language), _known(kind)
    with database.acting(caller) as conn:
        try:
            proposing.decide(
                conn, caller.actor, proposing.TEXTS, number, outcome,
                answer=answer, now=datetime.now(UTC),
            )  # fmt: skip
        except Declined as error:
            held = texts.held(conn, kind, _today())
            shown = Shown(
                _row(conn, t, known), text_form.form_of(held.content),
                sample.letter_of(kind, held.letter), _today().isoformat(), "",
                t("policy.not_decided", why=_why(t, error)),
            )  # fmt: skip
            return _page(request, conn, caller, t, shown, status_of(error))
    return RedirectResponse(f"/letter-texts/{kind}", 303)


def _written(
    request: Request,
    database: Database,
    caller: Caller,
    t: Texts,
    known: DocumentKind,
    given: Mapping[str, str],
) -> Response:
    form = text_form.form_given(given)
    content, fault = text_form.content_of(form), ""
    with database.acting(caller) as conn:

        def make() -> dict[str, int]:
            number = texts.propose(
                conn, caller.actor, known.kind, content,
                valid_from=_day(given.get("valid_from", "")),
                source=given.get("source", "")[:500], now=datetime.now(UTC),
            )  # fmt: skip
            return {"number": number}

        preview = sample.letter_of(known.kind, texts.held(conn, known.kind, _today()).letter)
        try:
            preview = sample.letter_of(known.kind, letter.read(content))
            if given.get("then") != "look":
                forms.once(conn, caller.actor, given.get("once", ""), make)
                return RedirectResponse(f"/letter-texts/{known.kind}", 303)
        except (Declined, BadText) as error:
            fault = t("policy.refused", why=_why(t, error))
        shown = Shown(
            _row(conn, t, known), form, preview,
            given.get("valid_from", ""), given.get("source", ""), fault,
        )  # fmt: skip
        return _page(request, conn, caller, t, shown, 422 if fault else 200)


def _page(
    request: Request, conn: Connection, caller: Caller, t: Texts, shown: Shown, status: int = 200
) -> HTMLResponse:
    found = proposals.listed(conn, TEXTS, subject=shown.row.kind, most=_MOST)
    return page(
        request,
        "letter_text.html",
        status,
        shown=shown,
        told=[
            policy_view.told(
                t, each, caller.actor, t("letter.number", number=each.number), each.value
            )
            for each in found
        ],
        samples=[each.number for each in found],
        may_set=caller.may(Permission.SET_POLICY),
        whats=[(what, t(f"letter.{what}")) for what in text_form.KINDS],
        conditions=[(name, letter_words.condition(t, name)) for name in text_form.CONDITIONS],
        facts=letter_words.facts(t),
        inserts=letter_words.inserts(t),
        used=[letter_words.used(t, each.text, each.what) for each in shown.form.blocks],
        used_above=letter_words.used(t, "".join(shown.form.fields.values())),
        block_kind=lambda block: type(block).__name__,
        mark=t("letter.mark"),
        today=_today().isoformat(),
    )


def _row(conn: Connection, t: Texts, kind: DocumentKind) -> Row:
    held = texts.held(conn, kind.kind, _today())
    return Row(
        kind=kind.kind,
        name=t.pick(kind.zh, kind.en),
        template_id=held.letter.template_id,
        own=held.number is not None,
        since="" if held.since is None else t("policy.since", day=held.since),
        source=held.source or "",
        waiting=len(proposals.listed(conn, TEXTS, subject=kind.kind, waiting=True)),
    )


def _text(conn: Connection, kind: str, number: int | None) -> letter.Letter:
    if number is None:
        return texts.held(conn, kind, _today()).letter
    found = proposals.get(conn, TEXTS, number)
    if found is None or found.subject != kind:
        raise NotFound(f"{kind} has no text {number}")
    return texts.numbered(number, found.value)


def _why(t: Texts, error: Declined | BadText) -> str:
    names = {"source": "letter.document", "valid_from": "policy.valid_from"}
    if isinstance(error, Unfit):
        about = t(names[error.field]) + t("warning.colon") if error.field in names else ""
        return about + t(f"unfit.{error.code}", **error.values)
    return error.text(t.language)


def _known(kind: str) -> DocumentKind:
    found = kinds().get(kind)
    if found is None:
        raise NotFound(f"there is no document {kind}")
    return found


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return _today()


def _today() -> date:
    return workdays.today(datetime.now(UTC))
