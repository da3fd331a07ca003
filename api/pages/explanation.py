"""The page of what one figure stands on: hour facts, batches, gateways, records."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import HTMLResponse

import store.registry
from api.database import TheDatabase
from api.identity import Caller, needs
from api.kpis import KpiId
from api.language import TheLanguage
from api.messages import Texts
from api.pages.explanation_view import explanation_page
from api.pages.templates import page
from api.permissions import Permission
from api.routes.explanation import explained
from api.routes.models import PeriodKind
from api.routes.parameters import Code

router = APIRouter()


@router.get(
    "/factories/{code}/figures/{kpi}/{period_kind}/{period_start}", response_class=HTMLResponse
)
def read_figure(
    request: Request,
    database: TheDatabase,
    caller: Annotated[Caller, needs(Permission.READ_FIGURES)],
    language: TheLanguage,
    code: Code,
    kpi: KpiId,
    period_kind: PeriodKind,
    period_start: Annotated[date, Path()],
    revision: Annotated[int | None, Query(ge=0)] = None,
) -> HTMLResponse:
    """From the number down to the signed batches that it was formed from."""
    with database.acting(caller) as conn:
        factory = store.registry.factory_by_code(conn, code)
        found = explained(conn, factory, kpi, period_kind, period_start, revision)
    view = explanation_page(Texts(language), factory, found)
    return page(request, "explanation.html", view=view)
