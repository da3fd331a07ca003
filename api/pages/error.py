"""Errors in words."""

from http import HTTPStatus

from fastapi import Request
from fastapi.responses import HTMLResponse

from api.pages.templates import page
from api.problems import RETRY_AFTER_S

_KINDS = {
    HTTPStatus.UNAUTHORIZED: "unauthorized",
    HTTPStatus.FORBIDDEN: "forbidden",
    HTTPStatus.NOT_FOUND: "not_found",
    HTTPStatus.METHOD_NOT_ALLOWED: "method",
    HTTPStatus.PRECONDITION_FAILED: "stale",
    HTTPStatus.UNPROCESSABLE_ENTITY: "invalid",
    HTTPStatus.SERVICE_UNAVAILABLE: "unavailable",
}


def error_page(request: Request, status: int, said: str = "") -> HTMLResponse:
    """Render what went wrong and what to do; nothing of the cause that only the log may show.

    `said` is why a rule refused it, in the reader's language.
    """
    kind = _KINDS.get(HTTPStatus(status), "unexpected")
    answer = page(request, "error.html", status, kind=kind, code=status, said=said)
    answer.headers["Cache-Control"] = "no-store"
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        answer.headers["Retry-After"] = str(RETRY_AFTER_S)
    return answer
