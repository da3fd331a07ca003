"""Lists of the factories that a bureau has: tried first, taken in as a step of its own."""

import hashlib
from datetime import UTC, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from fastapi.concurrency import run_in_threadpool

from api.bodies import BoundedRoute, binary
from api.database import TheDatabase
from api.idempotency import Made, TheOnce
from api.identity import Caller, needs
from api.paging import cut
from api.permissions import Permission
from api.pool import entry_runs as service
from api.pool import entry_template
from api.problems import described
from api.routes import entry_models as models
from api.routes.answers import FILE
from api.routes.parameters import FileName, SmallBefore, SmallNumber
from store import Connection, entry_runs

router = APIRouter(tags=["pool"], route_class=BoundedRoute)

Importer = Annotated[Caller, needs(Permission.IMPORT_ENTRIES)]


@router.post(
    "/entries",
    summary="Hand over a list of factories",
    status_code=202,
    response_model=models.EntryRun,
    responses=described(400, 401, 403, 408, 409, 413, 422),
    openapi_extra=binary(service.MOST_BYTES),
)
async def give_list(
    caller: Importer,
    once: TheOnce,
    request: Request,
    name: FileName,
) -> Response:
    """An XLSX or CSV list is tried beside, nothing of it is stored; `Location` has the report."""
    content = await request.body()

    def make(conn: Connection) -> Made:
        number = service.give(conn, caller.actor, name, content, datetime.now(UTC))
        return _asked(conn, request.url.path, number)

    given = models.GivenList(name=name, sha256=hashlib.sha256(content).hexdigest())
    return await run_in_threadpool(once, caller, given, make)


@router.get("/entries", summary="List what was handed over", responses=described(401, 403, 422))
def list_runs(
    caller: Importer,
    database: TheDatabase,
    before: SmallBefore = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> models.EntryRunList:
    """Trials and imports with their states, newest first."""
    with database.acting(caller) as conn:
        found = entry_runs.listed(conn, before=before, most=limit + 1)
    runs, more = cut(found, limit, lambda each: each.run_id)
    return models.EntryRunList(items=[_shown(each) for each in runs], next_before=more)


@router.get(
    "/entries/template",
    summary="Download an empty list",
    response_class=Response,
    responses=described(401, 403, 422) | FILE,
)
def read_template(
    caller: Importer, form: Annotated[Literal["xlsx", "csv"], Query()] = "xlsx"
) -> Response:
    """It has every head and one sample row."""
    return Response(
        entry_template.as_csv() if form == "csv" else entry_template.as_workbook(),
        media_type="application/octet-stream",
        headers={"Content-Disposition": f'attachment; filename="millpond-entry.{form}"'},
    )


@router.get(
    "/entries/{run_id}",
    summary="Read what a list comes to",
    responses=described(401, 403, 404, 422),
)
def read_run(caller: Importer, database: TheDatabase, run_id: SmallNumber) -> models.EntryRunReport:
    """Each row that is new, changed or faulty, and of each fault its column and what to do."""
    with database.acting(caller) as conn:
        found = service.of(conn, run_id)
    said = found.report or {}
    return models.EntryRunReport(
        **_shown(found).model_dump(),
        refused=said.get("refused"),
        report=None if "rows" not in said else models.EntryReport.model_validate(said),
    )


@router.post(
    "/entries/{run_id}/import",
    summary="Take in the list of a trial",
    status_code=202,
    response_model=models.EntryRun,
    responses=described(400, 401, 403, 404, 408, 409, 413, 422),
)
def take_in(
    caller: Importer, once: TheOnce, request: Request, run_id: SmallNumber, given: models.NewImport
) -> Response:
    """All of it or nothing, once, beside; `Location` has the report."""

    def make(conn: Connection) -> Made:
        number = service.take_in(
            conn, caller.actor, run_id, skip_faulty=given.skip_faulty, now=datetime.now(UTC)
        )
        return _asked(conn, request.url.path.split("/entries/")[0] + "/entries", number)

    return once(caller, given, make)


def _asked(conn: Connection, folder: str, number: int) -> Made:
    return Made(_shown(service.of(conn, number)), status=202, location=f"{folder}/{number}")


def _shown(found: entry_runs.EntryRun) -> models.EntryRun:
    names = models.EntryRun.model_fields.keys() - {"asked_by"}
    return models.EntryRun.model_validate(
        {name: getattr(found, name) for name in names} | {"asked_by": found.actor}
    )
