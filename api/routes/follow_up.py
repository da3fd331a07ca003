"""The feed of what changed, for the bureau's other systems."""

from typing import Annotated

from fastapi import APIRouter, Query

import store.figures
import store.registry
from api.database import TheDatabase
from api.identity import Caller, needs
from api.permissions import Permission
from api.problems import described
from api.routes import models
from api.routes.parameters import MOST_CURSOR, FactoryFilter
from kpi.reasons import published
from store.figures import Change

router = APIRouter(tags=["follow-up"])

_MOST = 1000

_HOW_TO_POLL = """
Begin with `cursor=0` and keep `next_cursor` of every answer, together with what you stored of it:
it is the only state a subscriber needs. Ask again with it, at once while `more` is true and else
after a while, say a minute. The order never changes and nothing appears behind a cursor that was
given out, so nothing is missed and nothing comes twice. Take a cursor as a mark and do not count
with it: numbers in between may be missing.
"""


@router.get(
    "/follow-up",
    summary="Read what changed since a cursor",
    description=_HOW_TO_POLL,
    responses=described(401, 403, 404, 422),
)
def read_follow_up(
    database: TheDatabase,
    caller: Annotated[Caller, needs(Permission.READ_FOLLOW_UP)],
    cursor: Annotated[int, Query(ge=0, le=MOST_CURSOR, description="0 is the beginning")] = 0,
    limit: Annotated[int, Query(ge=1, le=_MOST)] = 200,
    factory: FactoryFilter = None,
) -> models.FollowUp:
    """Return up to `limit` changes after the cursor, oldest first."""
    with database.acting(caller) as conn:
        if factory is not None:
            store.registry.factory_by_code(conn, factory)
        found = store.figures.changes_since(conn, cursor, factory=factory, most=limit + 1)
    shown = found[:limit]
    return models.FollowUp(
        items=[_change(change) for change in shown],
        next_cursor=shown[-1].cursor if shown else cursor,
        more=len(found) > limit,
    )


def _change(change: Change) -> models.Change:
    names = ("cursor", "factory", "kpi", "what", "period_kind", "before", "after", "changed_at")
    return models.Change.model_validate(
        published({name: getattr(change, name) for name in names})
        | {"period": {"start": change.period_start, "end": change.period_end}}
    )
