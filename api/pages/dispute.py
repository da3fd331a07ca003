"""The page of one dispute: its values beside each other, and what can be done now."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Request, Response, UploadFile
from fastapi.responses import HTMLResponse, RedirectResponse

import store.disputes
from api import kpis
from api.bodies import BoundedRoute, bounded
from api.database import Database, TheDatabase
from api.identity import Caller, needs
from api.language import language_of
from api.messages import Texts
from api.pages import forms
from api.pages.dispute_view import dispute_page
from api.pages.disputes import MOST_FORM_BYTES, Short, Text
from api.pages.templates import page
from api.permissions import Permission
from api.pool import disputes
from api.pool.disputes import Given, Measured
from api.pool.errors import Declined
from api.pool.lifecycle import Name
from api.pool.refused import refused
from api.pool_problems import status_of
from api.routes.parameters import Code, Number
from store.disputes import Dispute

router = APIRouter(route_class=BoundedRoute)

Reader = Annotated[Caller, needs(Permission.READ_POOL)]
Mover = Annotated[Caller, needs(Permission.MOVE_DISPUTE)]


@router.get("/factories/{code}/disputes/{dispute_id}", response_class=HTMLResponse)
def read_dispute(
    request: Request, caller: Reader, database: TheDatabase, code: Code, dispute_id: Number
) -> HTMLResponse:
    """Show the figure as it was, the re-run and the measurements beside it, and the history."""
    return _shown(request, caller, database, code, dispute_id, {}, None)


@router.post(
    "/factories/{code}/disputes/{dispute_id}/steps", openapi_extra=bounded(MOST_FORM_BYTES)
)
def move_dispute(
    request: Request,
    caller: Mover,
    database: TheDatabase,
    code: Code,
    dispute_id: Number,
    step: Short,
    version: Short,
    comment: Text = "",
    measurer: Short = "",
    value: Short = "",
    low: Short = "",
    high: Short = "",
    how: Text = "",
    document: Text = "",
    file: UploadFile | None = None,
) -> Response:
    """Take a step: ask for a re-run, name who measures, enter a measurement, decide, withdraw."""
    typed = {
        "step": step, "version": version, "comment": comment, "measurer": measurer,
        "value": value, "low": low, "high": high, "how": how, "document": document,
    }  # fmt: skip
    try:
        _move(caller, database, code, dispute_id, typed, file)
    except Declined as error:
        return _shown(request, caller, database, code, dispute_id, typed, error)
    return RedirectResponse(f"/factories/{code}/disputes/{dispute_id}", 303)


def _move(
    caller: Caller,
    database: Database,
    code: str,
    dispute_id: int,
    typed: Mapping[str, str],
    file: UploadFile | None,
) -> None:
    now = datetime.now(UTC)
    with database.acting(caller) as conn:
        found = disputes.of_factory(conn, code, dispute_id)
        measured = sha256 = None
        if typed["step"] == "measure":
            measured = _measured(found, typed)
            sha256 = forms.handed_over(conn, caller.actor, found.factory_id, file, now)
        side, verifier_id = _measurer(typed["measurer"])
        given = Given(
            step=typed["step"],
            comment=typed["comment"],
            side=side,
            verifier_id=verifier_id,
            measured=measured,
            document=typed["document"],
            file_sha256=sha256,
        )
        disputes.move(
            conn, caller.actor, dispute_id, given, version=forms.version(typed["version"]), now=now
        )


def _measurer(said: str) -> tuple[str | None, int | None]:
    """Return who measures: the county, or a verifier by the number of the account."""
    if said.isascii() and said.isdigit():
        return "verifier", int(said)
    return said or None, None


def _measured(found: Dispute, typed: Mapping[str, str]) -> Measured:
    kpi = kpis.by_id(found.kpi)
    name = Name(kpi.zh, kpi.en)
    low, value, high = (forms.number(typed[each], name) for each in ("low", "value", "high"))
    if low is None or value is None or high is None:
        raise refused("nothing_measured", Declined)
    factor = kpi.factor
    return Measured(value / factor, low / factor, high / factor, typed["how"])


def _shown(
    request: Request,
    caller: Caller,
    database: Database,
    code: str,
    dispute_id: int,
    typed: Mapping[str, str],
    fault: Declined | None,
) -> HTMLResponse:
    t = Texts(language_of(request))
    with database.acting(caller) as conn:
        disputes.of_factory(conn, code, dispute_id)
        found = disputes.view(conn, caller.actor, dispute_id)
        verifiers = store.disputes.verifiers(conn)
        papers = store.disputes.files(conn, dispute_id)
    view = dispute_page(t, found, caller.role, verifiers, papers, typed=typed, fault=fault)
    status = 200 if fault is None else status_of(fault)
    answer = page(request, "dispute.html", status, view=view)
    answer.headers["Cache-Control"] = "no-store"
    return answer
