"""The overview of the whole pool."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

import store.pool
from api.database import TheDatabase
from api.errors import NotFound
from api.identity import Caller, needs
from api.language import TheLanguage
from api.messages import Texts
from api.pages.overview_view import overview
from api.pages.templates import page as render
from api.permissions import Permission
from api.routes.parameters import RegionFilter

router = APIRouter()


@router.get("/", response_class=HTMLResponse)
def read_overview(
    request: Request,
    database: TheDatabase,
    caller: Annotated[Caller, needs(Permission.READ_FIGURES)],
    language: TheLanguage,
    region: RegionFilter = None,
    page: Annotated[int, Query(ge=1, le=100_000)] = 1,
) -> HTMLResponse:
    """Show the counties and the factories, those that need attention first."""
    with database.acting(caller) as conn:
        regions = store.pool.regions(conn)
        standings = store.pool.standings(conn)
    if region is not None and region not in {one.code for one in regions}:
        raise NotFound(f"no county has the code {region}")
    view = overview(Texts(language), regions, standings, region, page)
    return render(request, "overview.html", view=view)
