"""Lists of disputes, and the form by which an enterprise disputes a figure."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request, Response, UploadFile
from fastapi.responses import HTMLResponse, RedirectResponse

import store.disputes
from api import kpis
from api.bodies import BoundedRoute, bounded
from api.database import Database, TheDatabase
from api.identity import Caller, needs
from api.language import language_of
from api.messages import Texts
from api.pages import forms, lists
from api.pages.dispute_view import raise_form, row
from api.pages.factory_choice import factory_field
from api.pages.report_view import fault_text
from api.pages.templates import page
from api.paging import cut
from api.permissions import Permission
from api.pool import disputes
from api.pool.dispute_table import table
from api.pool.errors import Declined
from api.pool.evidence import MOST_BYTES
from api.pool.lifecycle import Name
from api.pool.refused import refused
from api.pool_problems import status_of
from api.routes.parameters import MOST_CURSOR, Code
from store import Connection
from store.registry import Factory, factory_by_code

router = APIRouter(route_class=BoundedRoute)

_SHOWN = 50
MOST_FORM_BYTES = MOST_BYTES + 256 * 1024

Reader = Annotated[Caller, needs(Permission.READ_POOL)]
Raiser = Annotated[Caller, needs(Permission.RAISE_DISPUTE)]
Text = Annotated[str, Form(max_length=2000)]
Short = Annotated[str, Form(max_length=64)]
FigureId = Annotated[int | None, Query(ge=1, le=MOST_CURSOR)]


@router.get("/disputes", response_class=HTMLResponse)
def list_disputes(
    request: Request,
    caller: Reader,
    database: TheDatabase,
    factory: lists.FactoryChoice = "",
    state: lists.WordChoice = "",
    before: lists.Before = None,
) -> HTMLResponse:
    """Show the disputes in the caller's scope, newest first."""
    t = Texts(language_of(request))
    with database.acting(caller) as conn:
        found = store.disputes.listed(
            conn, factory=factory or None, state=state or None, before=before, most=_SHOWN + 1
        )
        by_factory = factory_field(t, conn, factory)
    shown, older = cut(found, _SHOWN, lambda each: each.dispute_id)
    states = [(code, t.pick(name.zh, name.en)) for code, name in table().states.items()]
    fields = (
        lists.select(t, "state", t("dispute.state"), state, states),
        by_factory,
    )
    return page(
        request,
        "disputes.html",
        rows=[row(t, each) for each in shown],
        listing=lists.listing(t, "/disputes", fields, before=older),
    )


@router.get("/factories/{code}/disputes", response_class=HTMLResponse)
def read_disputes(
    request: Request,
    caller: Reader,
    database: TheDatabase,
    code: Code,
    figure: FigureId = None,
    before: lists.Before = None,
) -> HTMLResponse:
    """Show a factory's disputes, with the form to raise one where the caller may."""
    with database.acting(caller) as conn:
        factory = factory_by_code(conn, code)
        return _of_factory(request, caller, conn, factory, figure=figure, before=before)


@router.post("/factories/{code}/disputes", openapi_extra=bounded(MOST_FORM_BYTES))
def raise_dispute(
    request: Request,
    caller: Raiser,
    database: TheDatabase,
    code: Code,
    figure: Short = "",
    claimed: Short = "",
    reason: Text = "",
    paper: Short = "",
    file: UploadFile | None = None,
) -> Response:
    """Dispute a figure with a reason and a file, new or handed over before."""
    typed = {"figure": figure, "claimed": claimed, "reason": reason, "paper": paper}
    try:
        number = _raise(caller, database, code, typed, file)
    except Declined as error:
        asked = int(figure) if figure.isascii() and figure.isdigit() else None
        with database.acting(caller) as conn:
            factory = factory_by_code(conn, code)
            return _of_factory(
                request, caller, conn, factory, figure=asked, typed=typed, fault=error
            )
    return RedirectResponse(f"/factories/{code}/disputes/{number}", 303)


def _raise(
    caller: Caller, database: Database, code: str, typed: Mapping[str, str], file: UploadFile | None
) -> int:
    now = datetime.now(UTC)
    with database.acting(caller) as conn:
        factory = factory_by_code(conn, code)
        open_now = {
            str(each.figure_id): each
            for each, _ in disputes.disputable(conn, factory.factory_id, now)
        }
        chosen = open_now.get(typed["figure"])
        if chosen is None:
            raise refused("figure_gone", Declined)
        kpi = kpis.by_id(chosen.kpi)
        claimed = forms.number(typed["claimed"], Name(kpi.zh, kpi.en))
        if claimed is None:
            raise refused("claim", Declined)
        sha256 = forms.handed_over(conn, caller.actor, factory.factory_id, file, now)
        return disputes.raise_dispute(
            conn, caller.actor, factory.factory_id, chosen.kpi, chosen.period_start,
            claimed=claimed / kpi.factor, reason=typed["reason"],
            file_sha256=sha256 or typed["paper"], now=now,
        )  # fmt: skip


def _of_factory(
    request: Request,
    caller: Caller,
    conn: Connection,
    factory: Factory,
    *,
    figure: int | None = None,
    before: int | None = None,
    typed: Mapping[str, str] | None = None,
    fault: Declined | None = None,
) -> HTMLResponse:
    t = Texts(language_of(request))
    found = store.disputes.listed(conn, factory=factory.code, before=before, most=_SHOWN + 1)
    shown, older = cut(found, _SHOWN, lambda each: each.dispute_id)
    form = None
    if caller.may(Permission.RAISE_DISPUTE):
        known = disputes.disputable(conn, factory.factory_id, datetime.now(UTC))
        papers = store.disputes.papers(conn, factory.factory_id)
        form = raise_form(t, known, papers, figure, typed or {})
    answer = page(
        request,
        "factory_disputes.html",
        200 if fault is None else status_of(fault),
        code=factory.code,
        factory=t.pick(factory.name_zh, factory.name_en),
        rows=[row(t, each) for each in shown],
        listing=lists.listing(t, f"/factories/{factory.code}/disputes", before=older),
        form=form,
        fault=fault_text(t, fault),
    )
    answer.headers["Cache-Control"] = "no-store"
    return answer
