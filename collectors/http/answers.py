"""Answers to those who send: what was taken, and problems as RFC 9457 describes them."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from starlette.responses import JSONResponse

from collectors.records import FieldFault

_RETRY_AFTER_S = 5
_MOST_TOLD = 200


def accepted(count: int) -> JSONResponse:
    """Say that the spool holds what was sent."""
    return JSONResponse({"accepted": count}, HTTPStatus.ACCEPTED)


def problem(status: int, detail: str, **more: Any) -> JSONResponse:
    """Say what was wrong; 503 says when to try again, 401 how to sign in."""
    headers = {"Cache-Control": "no-store"}
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = str(_RETRY_AFTER_S)
    if status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    title = HTTPStatus(status).phrase
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail, **more}
    return JSONResponse(body, status, headers=headers, media_type="application/problem+json")


def refused(accepted_count: int, refused_count: int, faults: Sequence[FieldFault]) -> JSONResponse:
    """Say which fields of which items were wrong; the other items were taken."""
    errors = [{"field": one.path, "detail": one.reason} for one in faults[:_MOST_TOLD]]
    return problem(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        f"{refused_count} of {accepted_count + refused_count} were refused and kept for the "
        "operator to see; mend the fields that are listed and send those again",
        accepted=accepted_count,
        refused=refused_count,
        errors=errors,
    )
