"""The pictures of one factory as SVG."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request, Response

import api.comparison
import store.figures
import store.registry
from api import kpis
from api.database import TheDatabase
from api.identity import Caller, needs
from api.kpis import KpiId
from api.language import TheLanguage
from api.messages import Texts
from api.pages import picture_data
from api.permissions import Permission
from api.pictures import render
from api.pictures.cache import Picture, PictureCache
from api.routes.answers import tagged
from api.routes.parameters import Code, PeriodStart

router = APIRouter()

Size = Annotated[Literal["wide", "narrow"], Query()]


def _cache(request: Request) -> PictureCache:
    found = request.app.state.pictures
    assert isinstance(found, PictureCache)
    return found


TheCache = Annotated[PictureCache, Depends(_cache)]


@router.get("/factories/{code}/fulfilment.svg")
def read_fulfilment(
    request: Request,
    database: TheDatabase,
    caller: Annotated[Caller, needs(Permission.READ_FIGURES)],
    cache: TheCache,
    language: TheLanguage,
    code: Code,
    period_start: PeriodStart = None,
    size: Size = "wide",
) -> Response:
    """Draw what of each promise happened."""
    with database.acting(caller) as conn:
        factory = store.registry.factory_by_code(conn, code)
        found = api.comparison.load(conn, factory, period_start)
    picture = picture_data.fulfilment(Texts(language), found, narrow=size == "narrow")
    return _drawn(request, cache, picture)


@router.get("/factories/{code}/month-run.svg")
def read_month_run(
    request: Request,
    database: TheDatabase,
    caller: Annotated[Caller, needs(Permission.READ_FIGURES)],
    cache: TheCache,
    language: TheLanguage,
    code: Code,
    period_start: PeriodStart = None,
    kpi: Annotated[KpiId, Query()] = "oee",
    size: Size = "wide",
) -> Response:
    """Draw one KPI month by month."""
    with database.acting(caller) as conn:
        factory = store.registry.factory_by_code(conn, code)
        found = api.comparison.load(conn, factory, period_start)
        figures = store.figures.latest(
            conn, factory.factory_id, kpi=kpi, period_kind="month", since=factory.baseline_from
        )
    picture = picture_data.month_run(
        Texts(language), kpis.by_id(kpi), factory, figures, found, narrow=size == "narrow"
    )
    return _drawn(request, cache, picture)


def _drawn(request: Request, cache: PictureCache, picture: Picture) -> Response:
    data = cache.get(picture, render.svg).encode()
    return tagged(request, data, "image/svg+xml")
