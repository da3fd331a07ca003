"""Errors as answers: problem+json under /api and /healthz, a page in words elsewhere."""

import logging
from http import HTTPStatus

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from api.errors import NotFound
from api.pages.error import error_page
from api.problems import FieldProblem, problem
from api.refusals import INGEST_PATH, refusal
from kpi.errors import NotComputable
from store.errors import Refused, StoreError, StoreUnavailable, UnknownFactory

_log = logging.getLogger(__name__)
_MACHINE_PATHS = ("/api/", "/healthz")


def install(app: FastAPI) -> None:
    """Register a handler for everything that can go wrong in a request."""
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(UnknownFactory, _not_found)
    app.add_exception_handler(NotFound, _not_found)
    app.add_exception_handler(NotComputable, _not_computable)
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
    return _answer(request, HTTPStatus.NOT_FOUND, str(error))


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
