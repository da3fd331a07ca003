"""The page on which an officer hands over the list of the factories that the bureau has."""

from datetime import UTC, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Form, Request, Response, UploadFile
from fastapi.responses import HTMLResponse, RedirectResponse

from api.bodies import BoundedRoute, bounded
from api.database import TheDatabase
from api.identity import Caller, needs
from api.language import TheLanguage
from api.messages import Texts
from api.pages import entries_view, forms
from api.pages.templates import page
from api.paging import cut
from api.permissions import Permission
from api.pool import entry_runs as service
from api.pool import entry_template
from api.pool.errors import ImportRefused
from api.routes.parameters import SmallBefore, SmallNumber
from store import Connection, entry_runs

router = APIRouter(prefix="/entries", route_class=BoundedRoute)

_AT_ONCE = 20
# A form says more than the file that it carries.
_MOST_BYTES = service.MOST_BYTES + 64 * 1024
_TYPES = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv; charset=utf-8",
}

Importer = Annotated[Caller, needs(Permission.IMPORT_ENTRIES)]


@router.get("", response_class=HTMLResponse)
def read_entries(
    request: Request,
    caller: Importer,
    database: TheDatabase,
    language: TheLanguage,
    before: SmallBefore = None,
) -> HTMLResponse:
    """Offer the template and take a list; show what became of those before."""
    with database.acting(caller) as conn:
        return _listed(request, conn, Texts(language), before=before)


@router.post("", openapi_extra=bounded(_MOST_BYTES))
def give_list(
    request: Request,
    caller: Importer,
    database: TheDatabase,
    language: TheLanguage,
    file: UploadFile,
    once: forms.Once = "",
) -> Response:
    """Take a list and have it tried; nothing is stored of it yet."""
    content = file.file.read(service.MOST_BYTES + 1)
    with database.acting(caller) as conn:

        def make() -> dict[str, int]:
            name, now = file.filename or "", datetime.now(UTC)
            return {"number": service.give(conn, caller.actor, name, content, now)}

        try:
            made = forms.once(conn, caller.actor, once, make)
        except ImportRefused as error:
            t = Texts(language)
            return _listed(request, conn, t, refused=t.pick(error.zh, str(error)))
    return RedirectResponse(f"/entries/{made['number']}", 303)


@router.get("/template.{form}")
def read_template(caller: Importer, form: Literal["xlsx", "csv"]) -> Response:
    """Give an empty list with every head and one sample row."""
    content = entry_template.as_csv() if form == "csv" else entry_template.as_workbook()
    headers = {"Content-Disposition": f'attachment; filename="millpond-entry.{form}"'}
    return Response(content, media_type=_TYPES[form], headers=headers)


@router.get("/{run_id}", response_class=HTMLResponse)
def read_run(
    request: Request,
    caller: Importer,
    database: TheDatabase,
    language: TheLanguage,
    run_id: SmallNumber,
) -> HTMLResponse:
    """Show the report of a trial or an import."""
    with database.acting(caller) as conn:
        found = service.of(conn, run_id)
    return page(request, "entry_run.html", view=entries_view.view(Texts(language), found))


@router.get("/{run_id}/report.csv")
def read_report(
    caller: Importer, database: TheDatabase, language: TheLanguage, run_id: SmallNumber
) -> Response:
    """Give the whole report as a file."""
    with database.acting(caller) as conn:
        found = service.of(conn, run_id)
    headers = {
        "Content-Disposition": f'attachment; filename="millpond-entry-{run_id}.csv"',
        "Cache-Control": "no-store",
    }
    content = entries_view.as_csv(language, found)
    return Response(content, media_type=_TYPES["csv"], headers=headers)


@router.post("/{run_id}/import")
def take_in(
    request: Request,
    caller: Importer,
    database: TheDatabase,
    language: TheLanguage,
    run_id: SmallNumber,
    skip_faulty: Annotated[bool, Form()] = False,
) -> Response:
    """Have the list of a trial taken in, without its faulty rows where that was chosen."""
    with database.acting(caller) as conn:
        try:
            number = service.take_in(
                conn, caller.actor, run_id, skip_faulty=skip_faulty, now=datetime.now(UTC)
            )
        except ImportRefused as error:
            t = Texts(language)
            view = entries_view.view(t, service.of(conn, run_id), t.pick(error.zh, str(error)))
            return page(request, "entry_run.html", 409, view=view)
    return RedirectResponse(f"/entries/{number}", 303)


def _listed(
    request: Request, conn: Connection, t: Texts, *, before: int | None = None, refused: str = ""
) -> HTMLResponse:
    found = entry_runs.listed(conn, before=before, most=_AT_ONCE + 1)
    shown, older = cut(found, _AT_ONCE, lambda each: each.run_id)
    return page(
        request,
        "entries.html",
        422 if refused else 200,
        runs=[entries_view.run_row(t, each) for each in shown],
        waiting=any(each.state in ("queued", "running") for each in shown),
        older=older,
        refused=refused,
        most_megabytes=service.MOST_BYTES // 2**20,
    )
