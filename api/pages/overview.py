"""The overview of the whole pool."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

import store.memberships
import store.pool
from api.database import TheDatabase
from api.errors import NotFound
from api.identity import Caller, needs
from api.language import TheLanguage
from api.messages import Texts
from api.pages.overview_view import overview
from api.pages.stay_view import stay
from api.pages.templates import page as render
from api.permissions import CITY, COUNTY, Permission, Role
from api.pool import lifecycle, settings, workdays
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
        today = workdays.today(datetime.now(UTC))
        machine = lifecycle.held(settings.current(conn, today))
        listed = store.memberships.listed(conn, region=region, most=max(1, len(standings)))
    if region is not None and region not in {one.code for one in regions}:
        raise NotFound(f"no county has the code {region}")
    t = Texts(language)
    stays = {each.factory: stay(t, machine, each, today) for each in listed}
    # Whoever sees the factories of one county only has nothing to choose among counties.
    counties = {each.factory.region_code for each in standings}
    tiled = regions if Role(caller.role) in CITY or region or len(counties) > 1 else []
    view = overview(t, regions, standings, region, page, stays, tiled=tiled)
    return render(request, "overview.html", view=view, title=t(_title(caller.role)))


def _title(role: str) -> str:
    if Role(role) in CITY:
        return "overview.title"
    return "overview.title_area" if Role(role) in COUNTY else "overview.title_own"
