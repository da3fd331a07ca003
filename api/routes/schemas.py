"""The published schemas of business records, and what did not fit them."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

import store.imports
import store.registry
from api.database import TheDatabase
from api.errors import NotFound
from api.identity import Caller, needs
from api.paging import cut
from api.permissions import Permission
from api.problems import described
from api.routes.answers import tagged, tagged_json
from api.routes.parameters import Before, Code
from api.routes.schema_models import (
    RecordKind,
    RecordKinds,
    RecordSchema,
    RefusedEntries,
    RefusedEntry,
)
from store.record_kinds import all_kinds, record_kind, schema_text, unknown_kind

router = APIRouter(tags=["schemas"])

_MOST = 1000
_KEPT = "public, max-age=3600"


@router.get(
    "/schemas",
    summary="List the kinds of business records",
    response_model=RecordKinds,
    responses=described(),
)
def read_kinds(request: Request) -> Response:
    """Gateways take these over MQTT, HTTP and from files; each has a schema."""
    items = [
        RecordKind(
            kind=kind.name,
            title_zh=kind.title_zh,
            description=kind.description,
            schema_path=f"{request.url.path.rstrip('/')}/{kind.name}",
        )
        for kind in all_kinds()
    ]
    return tagged_json(request, RecordKinds(items=items))


@router.get(
    "/schemas/{kind}",
    summary="Read the JSON Schema of a kind of record",
    response_model=RecordSchema,
    responses=described(404, 422),
)
def read_schema(
    request: Request,
    kind: Annotated[str, Path(pattern=r"^\w{1,64}$", examples=["order_line"])],
) -> Response:
    """Draft 2020-12, with `x-key` for the natural key and `x-at` for the business time."""
    if record_kind(kind) is None:
        raise NotFound(unknown_kind(kind))
    return tagged(request, schema_text(kind).encode(), "application/json", _KEPT)


@router.get(
    "/factories/{code}/refused",
    summary="List what the gateways of a factory could not take",
    responses=described(401, 403, 404, 422),
)
def read_refused(
    database: TheDatabase,
    caller: Annotated[Caller, needs(Permission.READ_RAW)],
    code: Code,
    before: Before = None,
    limit: Annotated[int, Query(ge=1, le=_MOST)] = 100,
) -> RefusedEntries:
    """Each with its reason, newest first; `millpond collector refused` shows what it was."""
    with database.acting(caller) as conn:
        factory = store.registry.factory_by_code(conn, code)
        found = store.imports.refused_entries(
            conn, factory.factory_id, before=before, most=limit + 1
        )
    shown, more = cut(found, limit, lambda each: each.number)
    return RefusedEntries(
        items=[
            RefusedEntry(
                number=one.number,
                gateway=one.gateway,
                source=one.source,
                reason=one.reason,
                seen_at=one.seen_at,
            )
            for one in shown
        ],
        next_before=more,
    )
