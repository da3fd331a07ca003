"""The feed of what changed, for the bureau's other systems."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

import store.feed
import store.registry
from api.database import TheDatabase
from api.identity import Caller, needs
from api.permissions import Permission
from api.problems import described
from api.routes import models
from api.routes.parameters import MOST_CURSOR, FactoryFilter
from kpi.reasons import published
from store.feed import Happened

router = APIRouter(tags=["follow-up"])

_MOST = 1000
_SAME = (
    *("cursor", "factory", "what", "kpi", "period_kind"),
    *("figure_id", "role", "changed_at"),
)

Kinds = Annotated[
    Sequence[Annotated[str, Field(pattern=r"^\w{1,40}$")]],
    Query(max_length=40, description="Only these kinds; all without it", examples=[["moved"]]),
]

_HOW_TO_POLL = """
Begin with `cursor=0` and keep `next_cursor` of every answer, together with what you stored of it:
it is the only state a subscriber needs. Ask again with it, at once while `more` is true and else
after a while, say a minute. The order never changes and nothing appears behind a cursor that was
given out, so nothing is missed and nothing comes twice. Take a cursor as a mark and do not count
with it: numbers in between may be missing.

`what` says what happened: `figure` (a figure of a closed period was formed or revised),
`fulfilment` and `consistency` (a verdict changed), `finding` and `finding_cleared` (a rule found
something implausible, or finds it no more), else an event of the follow-up such as `moved`. Pass
over what you do not know, since kinds are added, or name those that you want. A subscriber that
would rather be told than ask has a webhook.
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
    what: Kinds = (),
) -> models.FollowUp:
    """Return up to `limit` changes after the cursor, oldest first."""
    with database.acting(caller) as conn:
        if factory is not None:
            store.registry.factory_by_code(conn, factory)
        found = store.feed.since(conn, cursor, factory=factory, kinds=what, most=limit + 1)
    shown = found[:limit]
    return models.FollowUp(
        items=[shown_change(each) for each in shown],
        next_cursor=shown[-1].cursor if shown else cursor,
        more=len(found) > limit,
    )


def shown_change(happened: Happened) -> models.Change:
    """Return an entry as the feed and deliveries show it."""
    names = ("before", "after")
    period = None
    if happened.period_start is not None and happened.period_end is not None:
        period = models.Window(start=happened.period_start, end=happened.period_end)
    return models.Change.model_validate(
        published({name: getattr(happened, name) for name in names})
        | {name: getattr(happened, name) for name in _SAME}
        | {"period": period}
    )
