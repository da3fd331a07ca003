"""Recording and withdrawing evidence on the page of a membership."""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile

import store.evidence_items
from api.bodies import BoundedRoute, bounded
from api.database import Database, TheDatabase
from api.identity import Caller, needs
from api.language import language_of
from api.messages import Texts
from api.pages import evidence_view
from api.pages.membership import done
from api.permissions import Permission
from api.pool import evidence, standing
from api.routes.parameters import MOST_CURSOR, Code, Number
from store import Connection
from store.acting import Actor
from store.evidence_items import File, NewItem

router = APIRouter(route_class=BoundedRoute)

# Beside the file the form holds a note and some fields.
_LONGEST_NAME = 200
_MOST_BYTES = evidence.MOST_BYTES + 256 * 1024

Recorder = Annotated[Caller, needs(Permission.RECORD_EVIDENCE)]


@router.post("/factories/{code}/membership/evidence", openapi_extra=bounded(_MOST_BYTES))
async def record(request: Request, caller: Recorder, database: TheDatabase, code: Code) -> Response:
    """Keep a piece of evidence with its file."""
    async with request.form() as form:
        said = {name: value for name, value in form.items() if isinstance(value, str)}
        file = form.get("file")
        given = None
        if isinstance(file, UploadFile) and file.filename:
            given = File(file.filename[:_LONGEST_NAME], "", await file.read())
    return await run_in_threadpool(_record, request, caller, database, code, said, given)


@router.post("/factories/{code}/membership/evidence/{item_id}/withdrawal")
def withdraw(
    request: Request,
    caller: Recorder,
    database: TheDatabase,
    code: Code,
    item_id: Number,
    reason: Annotated[str, Form(max_length=4000)] = "",
) -> Response:
    """Withdraw a piece of evidence that one recorded oneself."""

    def do(conn: Connection, factory_id: int) -> None:
        evidence.withdraw(conn, caller.actor, factory_id, item_id, reason, now=datetime.now(UTC))

    return done(request, caller, database, code, do, typed={})


def _record(
    request: Request,
    caller: Caller,
    database: Database,
    code: str,
    said: Mapping[str, str],
    file: File | None,
) -> Response:
    t = Texts(language_of(request))

    def do(conn: Connection, factory_id: int) -> None:
        now = datetime.now(UTC)
        item = evidence_view.given(t, said)
        if file is not None:
            sha256 = hashlib.sha256(file.content).hexdigest()
            item = replace(item, file_sha256=sha256)
        if not _is_repeated(conn, caller.actor, factory_id, item, said.get("newest", "")):
            evidence.record(conn, caller.actor, factory_id, item, now=now, file=file)

    return done(request, caller, database, code, do, typed=said)


def _is_repeated(
    conn: Connection, actor: Actor, factory_id: int, item: NewItem, newest: str
) -> bool:
    """Tell whether this form was sent before: the same, by the same, since it was shown."""
    stay = standing.newest(conn, factory_id)
    is_number = newest.isascii() and newest.isdigit() and len(newest) < 16
    since = int(newest) if is_number else MOST_CURSOR
    return any(
        (each.kind, each.happened_on, each.data, each.note, tuple(each.people), each.file_sha256)
        == (item.kind, item.happened_on, item.data, item.note, item.people, item.file_sha256)
        for each in store.evidence_items.listed(conn, stay.membership_id)
        if each.item_id > since and each.account_id == actor.account_id
    )
