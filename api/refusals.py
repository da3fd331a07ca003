"""What the store refuses of a gateway, as an answer from which the gateway knows what to do."""

from http import HTTPStatus

from fastapi import Request, Response

from api.problems import problem
from store.errors import AccessDenied, EnrolmentRefused, Refused, SequenceConflict, UnknownGateway

INGEST_PATH = "/api/v1/ingest/"
_TYPE = "urn:millpond:error:"


def refusal(request: Request, error: Refused) -> Response:
    """Answer with the status that fits, and the name of the error as the problem's type."""
    status = _status(error)
    answer = problem(request, status, str(error), kind=f"{_TYPE}{type(error).__name__}")
    if status == HTTPStatus.UNAUTHORIZED:
        answer.headers["WWW-Authenticate"] = "Bearer"
    return answer


def _status(error: Refused) -> HTTPStatus:
    if isinstance(error, AccessDenied):
        return HTTPStatus.UNAUTHORIZED
    if isinstance(error, UnknownGateway | EnrolmentRefused):
        return HTTPStatus.FORBIDDEN
    if isinstance(error, SequenceConflict):
        return HTTPStatus.CONFLICT
    return HTTPStatus.UNPROCESSABLE_ENTITY
