"""When each tag was heard, when it was bad, and when nobody collected it."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import AwareDatetime

import kpi.gaps
import store.registry
from api.database import TheDatabase
from api.identity import Caller, needs
from api.permissions import Permission
from api.problems import described
from api.routes import models
from api.routes.parameters import Code

router = APIRouter(tags=["gaps"])

_MOST_TAGS = 100


@router.get(
    "/factories/{code}/gaps",
    summary="Report the gaps of each tag",
    responses=described(401, 403, 404, 422),
)
def read_gaps(
    database: TheDatabase,
    caller: Annotated[Caller, needs(Permission.READ_RAW)],
    code: Code,
    start: Annotated[AwareDatetime, Query(description="With its offset from UTC")],
    end: Annotated[AwareDatetime, Query(description=f"{kpi.gaps.MOST_DAYS} days later at most")],
    tag: Annotated[
        list[str] | None, Query(max_length=_MOST_TAGS, description="Only these tags")
    ] = None,
) -> models.GapReport:
    """Unchanged counts as heard, since the heartbeat proves it; silence counts from three on."""
    with database.acting(caller) as conn:
        factory = store.registry.factory_by_code(conn, code)
        found = kpi.gaps.report(conn, factory, start, end, tag)
    return _report(code, start, end, found)


def _report(
    code: str, start: datetime, end: datetime, found: list[kpi.gaps.TagGaps]
) -> models.GapReport:
    items = [models.TagGaps.model_validate(asdict(one)) for one in found]
    return models.GapReport(factory=code, start=start, end=end, items=items)
