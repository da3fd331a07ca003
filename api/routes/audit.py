"""The record of what was done, for officers, for the owner of the data, and for auditors."""

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Query, Response

import store.audit
from api.database import TheDatabase
from api.identity import Caller, needs
from api.paging import cut
from api.permissions import Permission
from api.problems import described
from api.routes import audit_models as models
from api.routes.parameters import Before, FactoryFilter

router = APIRouter(tags=["audit"])

_MOST = 1000

Word = Annotated[str | None, Query(max_length=64, description="Only entries with this word")]


@router.get("/audit", summary="Read what was done", responses=described(401, 403, 422))
def read_entries(
    database: TheDatabase,
    caller: Annotated[Caller, needs(Permission.READ_AUDIT)],
    response: Response,
    factory: FactoryFilter = None,
    kind: Word = None,
    key: Word = None,
    action: Word = None,
    before: Before = None,
    limit: Annotated[int, Query(ge=1, le=_MOST)] = 100,
) -> models.Entries:
    """Auditors read all of it, all others what is about the factories of their scope."""
    response.headers["Cache-Control"] = "no-store"
    with database.acting(caller) as conn:
        found = store.audit.entries(
            conn, factory=factory, kind=kind, key=key, action=action, before=before, most=limit + 1
        )
    shown, more = cut(found, limit, lambda each: each.entry_id)
    return models.Entries(
        items=[models.Entry.model_validate(asdict(each)) for each in shown],
        next_before=more,
    )
