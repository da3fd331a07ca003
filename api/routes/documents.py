"""Letters and reports: asking for one, its state, its files."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

import store.documents
import store.evidence_items
import store.registry
from api.bodies import BoundedRoute
from api.database import TheDatabase
from api.errors import NotFound
from api.exports import register
from api.exports.kinds import kinds
from api.exports.model import Form
from api.idempotency import Made, TheOnce
from api.identity import Caller, needs
from api.paging import cut
from api.permissions import Permission
from api.problems import described
from api.routes import document_models as models
from api.routes.answers import FILE, saved
from api.routes.parameters import Before, Code, Number
from store import Connection

router = APIRouter(tags=["pool"], route_class=BoundedRoute)

Reader = Annotated[Caller, needs(Permission.READ_POOL)]
Asker = Annotated[Caller, needs(Permission.MAKE_DOCUMENTS)]


@router.post(
    "/factories/{code}/documents",
    summary="Ask for a letter or a report",
    status_code=202,
    response_model=models.Document,
    responses=described(400, 401, 403, 404, 408, 409, 413, 422),
)
def ask_for_document(
    caller: Asker, once: TheOnce, request: Request, code: Code, given: models.NewDocument
) -> Response:
    """It is made beside; `Location` says where its state and its files are."""

    def make(conn: Connection) -> Made:
        factory = store.registry.factory_by_code(conn, code)
        found = register.ask(
            conn, caller.actor, factory, given.kind,
            now=datetime.now(UTC), period_start=given.period_start, number=given.number,
        )  # fmt: skip
        place = f"{request.url.path}/{found.document_id}"
        return Made(shown(found), status=202, location=place)

    return once(caller, given, make)


@router.get(
    "/factories/{code}/documents",
    summary="List the letters and reports of a factory",
    responses=described(401, 403, 404, 422),
)
def list_documents(
    caller: Reader,
    database: TheDatabase,
    code: Code,
    before: Before = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> models.DocumentList:
    """With their states, newest first."""
    with database.acting(caller) as conn:
        factory = store.registry.factory_by_code(conn, code)
        found = store.documents.listed(conn, factory.factory_id, before=before, most=limit + 1)
    items, more = cut(found, limit, lambda each: each.document_id)
    return models.DocumentList(
        factory=code, items=[shown(each) for each in items], next_before=more
    )


@router.get(
    "/factories/{code}/documents/{document_id}",
    summary="Read the state of a letter or a report",
    responses=described(401, 403, 404, 422),
)
def read_document(
    caller: Reader, database: TheDatabase, code: Code, document_id: Number
) -> models.Document:
    """How far it is, or why it failed."""
    with database.acting(caller) as conn:
        return shown(of_factory(conn, code, document_id))


@router.get(
    "/factories/{code}/documents/{document_id}/file",
    summary="Download a letter or a report",
    response_class=Response,
    responses=described(401, 403, 404, 422) | FILE,
)
def read_document_file(
    caller: Reader,
    database: TheDatabase,
    code: Code,
    document_id: Number,
    form: Annotated[Form, Query(description="DOCX to be edited, PDF to be kept")] = "pdf",
) -> Response:
    """The bytes whose hash stands in the register."""
    with database.acting(caller) as conn:
        return file_answer(conn, of_factory(conn, code, document_id), form)


def of_factory(conn: Connection, code: str, document_id: int) -> store.documents.Document:
    """Return a document of a factory in the scope; raises NotFound."""
    factory = store.registry.factory_by_code(conn, code)
    found = store.documents.get(conn, document_id)
    if found is None or found.factory_id != factory.factory_id:
        raise NotFound(f"{code} has no document {document_id}")
    return found


def file_answer(conn: Connection, found: store.documents.Document, form: Form) -> Response:
    """Answer with a document's file, to be saved; raises NotFound where it is not made."""
    sha256 = found.pdf_sha256 if form == "pdf" else found.docx_sha256
    file = sha256 and store.evidence_items.file(conn, found.factory_id, sha256)
    if not file:
        raise NotFound(f"the document {found.document_id} is not made: it is {found.state}")
    return saved(file)


def shown(found: store.documents.Document) -> models.Document:
    """Return a document as the interface shows it."""
    kind = kinds()[found.kind]
    names = models.Document.model_fields.keys() - {"name_zh", "name_en", "asked_by"}
    return models.Document.model_validate(
        {name: getattr(found, name) for name in names}
        | {"name_zh": kind.zh, "name_en": kind.en, "asked_by": found.actor}
    )
