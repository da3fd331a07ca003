"""What the machine warned of, and what it proposed to people."""

from dataclasses import asdict
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response

import store.registry
import store.warnings
from api.database import TheDatabase
from api.identity import Caller, needs
from api.paging import DatedPlace, cut, dated, dated_place
from api.permissions import Permission
from api.pool.warnings import rules
from api.problems import described
from api.routes.answers import tagged_json
from api.routes.parameters import Code, RegionFilter
from api.routes.warning_models import Proposed, Warned, WarnedFactory, WarningList, WarningPage

router = APIRouter(tags=["pool"])


@router.get(
    "/factories/{code}/warnings",
    summary="List the machine's warnings and proposals",
    response_model=WarningList,
    responses=described(401, 403, 404, 422)
    | {304: {"description": "Unchanged since the ETag given"}},
)
def list_warnings(
    request: Request,
    database: TheDatabase,
    caller: Annotated[Caller, needs(Permission.READ_POOL)],
    code: Code,
    ended: Annotated[bool, Query(description="Also what was cleared or has ended")] = False,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
) -> Response:
    """With the numbers that fired each, and those by which it was cleared."""
    with database.acting(caller) as conn:
        number = store.registry.factory_by_code(conn, code).factory_id
        warned = store.warnings.listed(conn, number, cleared=ended, most=limit)
        proposed = store.warnings.proposals(conn, number, ended=ended, most=limit)
    found = WarningList(
        factory=code,
        warnings=[Warned.model_validate(_named(asdict(each))) for each in warned],
        proposals=[Proposed.model_validate(_named(asdict(each))) for each in proposed],
    )
    return tagged_json(request, found)


@router.get(
    "/warnings",
    summary="List the warnings of all factories",
    responses=described(401, 403, 422),
)
def find_warnings(
    database: TheDatabase,
    caller: Annotated[Caller, needs(Permission.READ_POOL)],
    region: RegionFilter = None,
    rule: Annotated[
        str | None, Query(pattern=r"^[a-z_]{1,64}$", description="Only this rule")
    ] = None,
    state: Annotated[
        Literal["open", "cleared", "all"], Query(description="Which of them")
    ] = "open",
    after: DatedPlace = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
) -> WarningPage:
    """Of the scope, the oldest cause first."""
    is_open = {"open": True, "cleared": False, "all": None}[state]
    with database.acting(caller) as conn:
        found = store.warnings.find(
            conn, region=region, rule=rule, is_open=is_open, after=dated(after), most=limit + 1
        )
    shown, more = cut(
        found, limit, lambda each: dated_place(each.warning.since, each.warning.warning_id)
    )
    items = [
        WarnedFactory.model_validate(
            _named(asdict(each.warning)) | {"factory": each.warning.factory}
        )
        for each in shown
    ]
    return WarningPage(items=items, next_after=more)


def _named(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row with the names of its rule; one that is not known any more goes by its code."""
    known = rules().get(row["rule"])
    names = (row["rule"], row["rule"]) if known is None else (known.zh, known.en)
    whole = row | {"name_zh": names[0], "name_en": names[1]}
    del whole["factory"]
    return whole
