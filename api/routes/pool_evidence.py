"""Evidence of the follow-up: recording it, its files, withdrawing it."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from fastapi.concurrency import run_in_threadpool

import store.evidence_items
import store.registry
from api.bodies import BoundedRoute, binary
from api.database import Database, TheDatabase
from api.errors import NotFound
from api.idempotency import Made, TheOnce
from api.identity import Caller, needs
from api.permissions import Permission
from api.pool import evidence, standing
from api.problems import described
from api.routes import pool_models as models
from api.routes.answers import FILE, saved
from api.routes.parameters import Code, FileName, Number
from store import Connection
from store.evidence_items import File, NewItem

router = APIRouter(tags=["pool"], route_class=BoundedRoute)

Reader = Annotated[Caller, needs(Permission.READ_POOL)]
Recorder = Annotated[Caller, needs(Permission.RECORD_EVIDENCE)]


@router.get(
    "/factories/{code}/membership/evidence",
    summary="List the evidence of a membership",
    responses=described(401, 403, 404, 422),
)
def list_evidence(caller: Reader, database: TheDatabase, code: Code) -> models.EvidenceList:
    """What people found, said and did in the newest stay, oldest first."""
    with database.acting(caller) as conn:
        factory = store.registry.factory_by_code(conn, code)
        found = standing.newest(conn, factory.factory_id)
        items = store.evidence_items.listed(conn, found.membership_id)
    return models.EvidenceList(
        items=[
            models.EvidenceItem(
                item_id=each.item_id,
                kind=each.kind,
                happened_on=each.happened_on,
                data=each.data,
                note=each.note,
                people=each.people,
                recorded_by=each.actor,
                role=each.role,
                at=each.at,
                current=each.stage == found.stage,
                file_sha256=each.file_sha256,
                file_name=each.file_name,
            )
            for each in items
        ]
    )


@router.post(
    "/factories/{code}/membership/evidence",
    summary="Record evidence",
    response_model=models.Recorded,
    responses=described(400, 401, 403, 404, 408, 409, 413, 422),
)
def record_evidence(
    caller: Recorder, once: TheOnce, code: Code, given: models.NewEvidence
) -> Response:
    """Keep what was found, said or done; who made it does not decide on it."""

    def make(conn: Connection) -> Made:
        factory = store.registry.factory_by_code(conn, code)
        item = NewItem(
            kind=given.kind,
            happened_on=given.happened_on,
            data=given.data,
            note=given.note,
            people=tuple(given.people),
            accounts=tuple(given.accounts),
            file_sha256=given.file_sha256,
        )
        number = evidence.record(
            conn, caller.actor, factory.factory_id, item, now=datetime.now(UTC)
        )
        return Made(models.Recorded(item_id=number))

    return once(caller, given, make)


@router.post(
    "/factories/{code}/membership/evidence/{item_id}/withdrawal",
    summary="Withdraw evidence",
    response_model=models.Recorded,
    responses=described(400, 401, 403, 404, 408, 409, 413, 422),
)
def withdraw_evidence(
    caller: Recorder,
    once: TheOnce,
    code: Code,
    item_id: Number,
    given: models.Withdrawal,
) -> Response:
    """Only who recorded it withdraws it; it stays on record."""

    def make(conn: Connection) -> Made:
        factory = store.registry.factory_by_code(conn, code)
        number = evidence.withdraw(
            conn, caller.actor, factory.factory_id, item_id, given.reason,
            now=datetime.now(UTC),
        )  # fmt: skip
        return Made(models.Recorded(item_id=number))

    return once(caller, given, make)


@router.post(
    "/factories/{code}/files",
    summary="Hand over a file",
    responses=described(400, 401, 403, 404, 408, 409, 413, 422),
    openapi_extra=binary(evidence.MOST_BYTES),
)
async def take_file(
    caller: Recorder,
    database: TheDatabase,
    request: Request,
    code: Code,
    name: FileName,
) -> models.TakenFile:
    """Keep a PDF, PNG, JPEG, DOCX or XLSX file; evidence names it by its hash."""
    content = await request.body()
    return await run_in_threadpool(_take_file, caller, database, code, name, content)


@router.get(
    "/factories/{code}/files/{sha256}",
    summary="Download a file of evidence",
    response_class=Response,
    responses=described(401, 403, 404, 422) | FILE,
)
def read_file(
    caller: Reader,
    database: TheDatabase,
    code: Code,
    sha256: Annotated[str, Path(pattern=r"^[0-9a-f]{1,64}$", description="Its hash")],
) -> Response:
    """As it was handed over."""
    with database.acting(caller) as conn:
        factory = store.registry.factory_by_code(conn, code)
        found = store.evidence_items.file(conn, factory.factory_id, sha256)
    if found is None:
        raise NotFound(f"{code} has no file with this hash")
    return saved(found)


def _take_file(
    caller: Caller, database: Database, code: str, name: str, content: bytes
) -> models.TakenFile:
    file = File(name, evidence.media_type(content), content)
    with database.acting(caller) as conn:
        factory = store.registry.factory_by_code(conn, code)
        sha256 = evidence.keep_file(
            conn, caller.actor, factory.factory_id, file, now=datetime.now(UTC)
        )
    return models.TakenFile(sha256=sha256, media_type=file.media_type, size=len(content))
