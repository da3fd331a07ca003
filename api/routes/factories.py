"""The factories in the pool."""

from collections import Counter
from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

import store.pool
from api import attention
from api.database import TheDatabase
from api.errors import NotFound
from api.identity import Caller, needs
from api.paging import cut
from api.permissions import Permission
from api.problems import described
from api.routes import models
from api.routes.answers import tagged_json
from api.routes.parameters import AfterCode, Code, RegionFilter
from store import Connection
from store.pool import Standing

router = APIRouter(tags=["factories"])

_MOST = 1000


@router.get(
    "/factories",
    summary="List the factories in the pool",
    response_model=models.FactoryList,
    responses=described(401, 403, 422) | {304: {"description": "Unchanged since the ETag given"}},
)
def list_factories(
    request: Request,
    database: TheDatabase,
    caller: Annotated[Caller, needs(Permission.READ_FIGURES)],
    region: RegionFilter = None,
    after: AfterCode = None,
    limit: Annotated[int, Query(ge=1, le=_MOST)] = 200,
) -> Response:
    """Each with its county, kind, windows and how many KPIs have which verdict."""
    with database.acting(caller) as conn:
        standings = store.pool.standings(conn, region=region)
    rest = behind(standings, after)
    shown, next_after = cut(rest, limit, lambda each: each.factory.code)
    body = models.FactoryList(items=[_factory(one) for one in shown], next_after=next_after)
    return tagged_json(request, body)


@router.get(
    "/factories/{code}",
    summary="Read one factory",
    response_model=models.Factory,
    responses=described(401, 403, 404, 422)
    | {304: {"description": "Unchanged since the ETag given"}},
)
def read_factory(
    request: Request,
    database: TheDatabase,
    caller: Annotated[Caller, needs(Permission.READ_FIGURES)],
    code: Code,
) -> Response:
    """With its county, kind, windows and how many KPIs have which verdict."""
    with database.acting(caller) as conn:
        body = _factory(standing_of(conn, code))
    return tagged_json(request, body)


def behind(standings: Sequence[Standing], after: str | None) -> list[Standing]:
    """Return what follows a code in the order of codes, which is ours and not that of a server.

    A server's language may put small letters before large ones: a part would skip factories then.
    """
    rest = [one for one in standings if after is None or one.factory.code > after]
    return sorted(rest, key=lambda one: one.factory.code)


def standing_of(conn: Connection, code: str) -> Standing:
    """Return a factory with its verdicts; raises NotFound."""
    for standing in store.pool.standings(conn, factory=code):
        return standing
    raise NotFound(f"no factory has the code {code}")


def _factory(standing: Standing) -> models.Factory:
    factory = standing.factory
    names = ("code", "name_zh", "name_en", "enterprise_zh", "enterprise_en", "kind", "timezone")
    return models.Factory.model_validate(
        {name: getattr(factory, name) for name in names}
        | {
            "region": {
                "code": factory.region_code,
                "name_zh": factory.region_zh,
                "name_en": factory.region_en,
            },
            "baseline": {"start": factory.baseline_from, "end": factory.baseline_to},
            "renovated_on": factory.renovated_on,
            "last_received_at": standing.received_at,
            "attention": attention.judge(standing).level,
            "verdicts": _counts(standing),
        }
    )


def _counts(standing: Standing) -> models.VerdictCounts:
    period = None
    if standing.period_start is not None and standing.period_end is not None:
        period = models.Window(start=standing.period_start, end=standing.period_end)
    return models.VerdictCounts.model_validate(
        {
            "period": period,
            "fulfilment": Counter(kpi.fulfilment_verdict for kpi in standing.kpis),
            "consistency": Counter(kpi.consistency_verdict for kpi in standing.kpis),
        }
    )
