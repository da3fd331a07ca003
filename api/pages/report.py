"""The page of one report: the enterprise's form, and what the county and the city do with it."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, RedirectResponse

import store.reports
from api import kpis
from api.bodies import BoundedRoute, bounded
from api.database import Database, TheDatabase
from api.identity import Caller, needs
from api.language import language_of
from api.messages import Texts
from api.pages import forms
from api.pages.report_view import report_page
from api.pages.templates import page
from api.permissions import Permission
from api.pool import reports
from api.pool.errors import Declined
from api.pool.report_items import KPI, Given, Item
from api.pool_problems import status_of
from api.routes.parameters import Code, Number

router = APIRouter(route_class=BoundedRoute)

_MOST_BYTES = 512 * 1024
_MOST_DIGITS = 18

Reader = Annotated[Caller, needs(Permission.READ_POOL)]
Filler = Annotated[Caller, needs(Permission.FILL_REPORT)]
Mover = Annotated[Caller, needs(Permission.MOVE_REPORT)]


@router.get("/factories/{code}/reports/{report_id}", response_class=HTMLResponse)
def read_report(
    request: Request, caller: Reader, database: TheDatabase, code: Code, report_id: Number
) -> HTMLResponse:
    """Show a report: a form to who fills it in, and what was said to everybody else."""
    return _shown(request, caller, database, code, report_id)


@router.post("/factories/{code}/reports/{report_id}/answers", openapi_extra=bounded(_MOST_BYTES))
async def fill_report(
    request: Request, caller: Filler, database: TheDatabase, code: Code, report_id: Number
) -> Response:
    """Keep what the form says, and hand the report over where that was asked for."""
    form = await request.form()
    said = {name: value for name, value in form.items() if isinstance(value, str)}
    return await run_in_threadpool(_fill, request, caller, database, code, report_id, said)


@router.post("/factories/{code}/reports/{report_id}/steps", openapi_extra=bounded(_MOST_BYTES))
async def move_report(
    request: Request, caller: Mover, database: TheDatabase, code: Code, report_id: Number
) -> Response:
    """Take a step: hand back, submit, pass, return with reasons, lock, open again."""
    form = await request.form()
    said = {name: value for name, value in form.items() if isinstance(value, str)}
    return await run_in_threadpool(_move, request, caller, database, code, report_id, said)


def _fill(
    request: Request,
    caller: Caller,
    database: Database,
    code: str,
    report_id: int,
    said: Mapping[str, str],
) -> Response:
    try:
        with database.acting(caller) as conn:
            reports.of_factory(conn, code, report_id)
            known = reports.view(conn, caller.actor, report_id).items
            given = [found for each in known if (found := _given(each, said)) is not None]
            now = datetime.now(UTC)
            after = reports.fill(
                conn,
                caller.actor,
                report_id,
                given,
                version=forms.version(said.get("version")),
                now=now,
            )
            if said.get("then") == "hand_over":
                reports.move(
                    conn, caller.actor, report_id, "hand_over", version=after.version, now=now
                )
    except Declined as error:
        return _shown(request, caller, database, code, report_id, fault=error, typed=said)
    return _back(code, report_id)


def _move(
    request: Request,
    caller: Caller,
    database: Database,
    code: str,
    report_id: int,
    said: Mapping[str, str],
) -> Response:
    items = {
        name.removeprefix("return:"): why
        for name, why in said.items()
        if name.startswith("return:") and why.strip()
    }
    step = said.get("step", "")
    try:
        with database.acting(caller) as conn:
            reports.of_factory(conn, code, report_id)
            reports.move(
                conn, caller.actor, report_id, step,
                version=forms.version(said.get("version")), comment=said.get("comment", ""),
                items=items if step.endswith("_return") or step == "reopen" else {},
                now=datetime.now(UTC),
            )  # fmt: skip
    except Declined as error:
        return _shown(request, caller, database, code, report_id, fault=error, typed=said)
    return _back(code, report_id)


def _shown(
    request: Request,
    caller: Caller,
    database: Database,
    code: str,
    report_id: int,
    *,
    fault: Declined | None = None,
    typed: Mapping[str, str] | None = None,
) -> HTMLResponse:
    t = Texts(language_of(request))
    with database.acting(caller) as conn:
        reports.of_factory(conn, code, report_id)
        found = reports.view(conn, caller.actor, report_id)
        taken = store.reports.steps(conn, report_id)
    view = report_page(t, found, taken, caller.role, typed or {}, fault)
    status = 200 if fault is None else status_of(fault)
    answer = page(request, "report.html", status, view=view)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _given(item: Item, said: Mapping[str, str]) -> Given | None:
    """Return what a form says of an item; None where it says nothing."""
    value, note = said.get(f"value:{item.code}"), said.get(f"note:{item.code}", "").strip()
    if item.is_verified:
        stance = said.get(f"stance:{item.code}")
        seen = _figure(said.get(f"figure:{item.code}"))
        if stance == "confirmed":
            return Given(item.code, "confirmed", figure_id=seen)
        return Given(item.code, "disputed", _number(value, item), note, seen) if stance else None
    if value is None:
        return None
    if not value.strip():
        # A blank takes back what was said; where nothing was, it says nothing.
        return None if item.answer is None else Given(item.code, "given", None, note)
    if item.form in ("amount", "count"):
        return Given(item.code, "given", _number(value, item), note)
    return Given(item.code, "given", value.strip(), note)


def _figure(text: str | None) -> int | None:
    """Return which figure a form showed; 0, which none is, for nonsense."""
    if text is None:
        return None
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS else 0


def _number(text: str | None, item: Item) -> float | int | None:
    number = forms.number(text, item.name)
    if number is None:
        return None
    if item.code.startswith(KPI):
        return number / kpis.by_id(item.code.removeprefix(KPI)).factor
    return int(number) if number.is_integer() else number


def _back(code: str, report_id: int) -> Response:
    return RedirectResponse(f"/factories/{code}/reports/{report_id}", 303)
