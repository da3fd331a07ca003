"""Errors as answers: problem+json under /api and /healthz, a page in words elsewhere."""

import logging
from collections.abc import Iterator
from contextlib import suppress
from http import HTTPStatus
from urllib.parse import quote

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse
from starlette.exceptions import HTTPException

from api.errors import (
    AccountRefused,
    AddressRefused,
    Forbidden,
    LogInRefused,
    LogInUnfinished,
    NotFound,
    NotLoggedIn,
)
from api.identity import Caller
from api.language import language_of
from api.messages import Texts, catalogue
from api.pages.error import error_page
from api.problems import FieldProblem, problem
from api.refusals import INGEST_PATH, refusal
from kpi.errors import NotComputable
from store import Connection, acting, audit
from store.acting import Numbered
from store.errors import (
    NotPermitted,
    Refused,
    Stale,
    StoreError,
    StoreUnavailable,
    UnknownFactory,
)

_log = logging.getLogger(__name__)
_MACHINE_PATHS = ("/api/", "/healthz")
# Parameters of paths that are numbers over all factories.
_NUMBERED: dict[str, Numbered] = {
    "ticket_id": "ticket",
    "report_id": "report",
    "dispute_id": "dispute",
    "document_id": "document",
    "item_id": "evidence",
}
_MOST_DIGITS = 18


def install(app: FastAPI) -> None:
    """Register a handler for everything that can go wrong in a request."""
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(UnknownFactory, _not_found)
    app.add_exception_handler(NotFound, _not_found)
    app.add_exception_handler(NotComputable, _not_computable)
    app.add_exception_handler(NotLoggedIn, _not_logged_in)
    app.add_exception_handler(Forbidden, _forbidden)
    app.add_exception_handler(LogInRefused, _log_in_refused)
    app.add_exception_handler(AccountRefused, _account_refused)
    app.add_exception_handler(AddressRefused, _address_refused)
    app.add_exception_handler(Stale, _stale)
    app.add_exception_handler(NotPermitted, _unexpected)
    app.add_exception_handler(StoreUnavailable, _unavailable)
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(StoreError, _unexpected)
    app.add_exception_handler(Exception, _unexpected)


def _answer(
    request: Request, status: int, detail: str, errors: list[FieldProblem] | None = None
) -> Response:
    if request.url.path.startswith(_MACHINE_PATHS):
        return problem(request, status, detail, errors)
    return error_page(request, status)


def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    answer = _answer(request, error.status_code, error.detail)
    answer.headers.update(error.headers or {})
    return answer


def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    errors = [
        FieldProblem(field=".".join(map(str, each["loc"])), detail=each["msg"])
        for each in error.errors()
    ]
    names = ", ".join(each.field for each in errors)
    return _answer(
        request, HTTPStatus.UNPROCESSABLE_ENTITY, f"These are not valid: {names}", errors
    )


def _not_computable(request: Request, error: Exception) -> Response:
    return _answer(request, HTTPStatus.UNPROCESSABLE_ENTITY, str(error))


def _not_found(request: Request, error: Exception) -> Response:
    _note_attempt(request, error)
    return _answer(request, HTTPStatus.NOT_FOUND, str(error))


def _note_attempt(request: Request, error: Exception) -> None:
    """Note where a caller asked for a factory, or something of one, that is there and out of scope.

    To the caller it does not exist; whoever reads the audit sees who looked for it.
    """
    caller = getattr(request.state, "caller", None)
    if not isinstance(caller, Caller):
        return
    with suppress(StoreUnavailable), request.app.state.database.connection() as conn:
        for code in _asked_for(conn, request, error):
            if acting.factory_exists(conn, code) and not acting.sees_factory(
                conn, caller.key, code
            ):
                audit.note(
                    conn, caller.actor, "out_of_scope", kind="factory", key=code,
                    after={"method": request.method, "path": request.url.path},
                )  # fmt: skip
                return


def _asked_for(conn: Connection, request: Request, error: Exception) -> Iterator[str]:
    """Yield the factories that a request names, by their codes or by a number of something."""
    named = (
        request.path_params.get("code"),
        request.query_params.get("factory"),
        error.code if isinstance(error, UnknownFactory) else None,
    )
    yield from filter(None, named)
    for parameter, kind in _NUMBERED.items():
        number = str(request.path_params.get(parameter, ""))
        if number.isascii() and number.isdecimal() and len(number) <= _MOST_DIGITS:
            code = acting.factory_of(conn, kind, int(number))
            if code is not None:
                yield code


def _not_logged_in(request: Request, error: Exception) -> Response:
    unfinished = isinstance(error, LogInUnfinished)
    if request.url.path.startswith(_MACHINE_PATHS):
        answer: Response = problem(request, HTTPStatus.UNAUTHORIZED, str(error))
        answer.headers["WWW-Authenticate"] = "Bearer"
        return answer
    if isinstance(error, LogInUnfinished) and error.stage != "open":
        answer = RedirectResponse(f"/login/{error.stage}", 303)
    elif unfinished:
        answer = RedirectResponse("/account", 303)
    else:
        answer = RedirectResponse(f"/login{_and_back(request)}", 303)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _and_back(request: Request) -> str:
    """Return where the log-in page goes on to: to what was read, never to what was sent."""
    if request.method != "GET" or (request.url.path == "/" and not request.url.query):
        return ""
    asked = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return f"?next={quote(asked, safe='')}"


def _forbidden(request: Request, error: Exception) -> Response:
    return _answer(request, HTTPStatus.FORBIDDEN, str(error))


def _log_in_refused(request: Request, error: Exception) -> Response:
    return _answer(request, HTTPStatus.UNAUTHORIZED, str(error))


def _account_refused(request: Request, error: Exception) -> Response:
    key = f"fault.{error.fault}" if isinstance(error, AccountRefused) else ""
    if not request.url.path.startswith(_MACHINE_PATHS) and key in catalogue():
        said = Texts(language_of(request))(key)
        return error_page(request, HTTPStatus.UNPROCESSABLE_ENTITY, said)
    return _answer(request, HTTPStatus.UNPROCESSABLE_ENTITY, str(error))


def _address_refused(request: Request, error: Exception) -> Response:
    return _answer(request, HTTPStatus.UNPROCESSABLE_ENTITY, str(error))


def _stale(request: Request, error: Exception) -> Response:
    return _answer(request, HTTPStatus.PRECONDITION_FAILED, str(error))


def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    # Elsewhere nobody offers anything, so a refusal is a fault of this program.
    if request.url.path.startswith(INGEST_PATH):
        return refusal(request, error)
    return _unexpected(request, error)


def _unavailable(request: Request, error: Exception) -> Response:
    _log.warning("the database is unavailable: %s", error)
    return _answer(
        request,
        HTTPStatus.SERVICE_UNAVAILABLE,
        "The database does not answer at the moment; try again later.",
    )


def _unexpected(request: Request, error: Exception) -> Response:
    _log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return _answer(
        request,
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "Something went wrong here; the log of the service says what.",
    )
