"""The list of reports, and where the report of a change or an accident begins."""

from datetime import UTC, date, datetime
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

import store.registry
import store.reports
from api.bodies import BoundedRoute
from api.database import Database, TheDatabase
from api.identity import Caller, needs
from api.language import language_of
from api.messages import Texts
from api.pages import forms, lists
from api.pages.factory_choice import factory_field
from api.pages.report_view import fault_text, row
from api.pages.templates import page
from api.paging import cut
from api.permissions import Permission
from api.pool import report_opening
from api.pool.errors import Declined
from api.pool.report_table import table
from api.pool_problems import status_of
from api.routes.parameters import Code

router = APIRouter(route_class=BoundedRoute)

_SHOWN = 50

Reader = Annotated[Caller, needs(Permission.READ_POOL)]
Filler = Annotated[Caller, needs(Permission.FILL_REPORT)]


@router.get("/reports", response_class=HTMLResponse)
def list_reports(
    request: Request,
    caller: Reader,
    database: TheDatabase,
    factory: lists.FactoryChoice = "",
    state: lists.WordChoice = "",
    before: lists.Before = None,
) -> HTMLResponse:
    """Show the reports in the caller's scope, newest first."""
    return _listed(request, caller, database, (factory, state, before))


@router.post("/factories/{code}/reports")
def begin_report(
    request: Request,
    caller: Filler,
    database: TheDatabase,
    code: Code,
    kind: Annotated[str, Form(pattern=r"^(CHG|ACC)$")],
    happened_on: Annotated[date, Form()],
    once: forms.Once = "",
) -> Response:
    """Begin the report of a change or an accident."""
    try:
        with database.acting(caller) as conn:

            def make() -> dict[str, int]:
                factory = store.registry.factory_by_code(conn, code)
                number = report_opening.begin(
                    conn, caller.actor, factory.factory_id, kind, happened_on,
                    now=datetime.now(UTC),
                )  # fmt: skip
                return {"number": number}

            made = forms.once(conn, caller.actor, once, make)
    except Declined as error:
        return _listed(request, caller, database, ("", "", None), error)
    return RedirectResponse(f"/factories/{code}/reports/{made['number']}", 303)


def _listed(
    request: Request,
    caller: Caller,
    database: Database,
    asked: tuple[str, str, int | None],
    fault: Declined | None = None,
) -> HTMLResponse:
    t = Texts(language_of(request))
    factory, state, before = asked
    with database.acting(caller) as conn:
        found = store.reports.listed(
            conn, factory=factory or None, state=state or None, before=before, most=_SHOWN + 1
        )
        by_factory = factory_field(t, conn, factory)
        own = store.registry.factories(conn) if caller.may(Permission.FILL_REPORT) else []
    shown, older = cut(found, _SHOWN, lambda each: each.report_id)
    states = [(code, t.pick(name.zh, name.en)) for code, name in table().states.items()]
    fields = (
        lists.select(t, "state", t("report.state"), state, states),
        by_factory,
    )
    return page(
        request,
        "reports.html",
        200 if fault is None else status_of(fault),
        rows=[row(each, t) for each in shown],
        listing=lists.listing(t, "/reports", fields, before=older),
        own=[(each.code, t.pick(each.name_zh, each.name_en)) for each in own],
        kinds=[(code, t.pick(table().kinds[code].zh, table().kinds[code].en))
               for code in ("CHG", "ACC")],
        fault=fault_text(t, fault),
    )  # fmt: skip
