"""What the follow-up refuses, as answers."""

from collections.abc import Callable
from http import HTTPStatus

from fastapi import FastAPI, Request, Response

from api.language import language_of
from api.pages.error import error_page
from api.pool.errors import (
    BadTable,
    Declined,
    ImportNotOpen,
    ImportRefused,
    NotAllowed,
    NotPossible,
    StaleVersion,
)
from api.pool.lifecycle import Step
from api.problems import PossibleStep, WhyNot, problem

_API = "/api/"
_STATUS: dict[type[Exception], HTTPStatus] = {
    NotAllowed: HTTPStatus.FORBIDDEN,
    NotPossible: HTTPStatus.CONFLICT,
    StaleVersion: HTTPStatus.PRECONDITION_FAILED,
    Declined: HTTPStatus.UNPROCESSABLE_ENTITY,
    BadTable: HTTPStatus.UNPROCESSABLE_ENTITY,
    ImportRefused: HTTPStatus.UNPROCESSABLE_ENTITY,
    ImportNotOpen: HTTPStatus.CONFLICT,
}


def install(app: FastAPI) -> None:
    """Register a handler for everything that the follow-up refuses."""
    for error, status in _STATUS.items():
        app.add_exception_handler(error, _handler(status))


def status_of(error: Declined) -> HTTPStatus:
    """Return the status of an answer that refuses something."""
    return next(_STATUS[kind] for kind in type(error).__mro__ if kind in _STATUS)


def _handler(status: HTTPStatus) -> Callable[[Request, Exception], Response]:
    def handle(request: Request, error: Exception) -> Response:
        if not request.url.path.startswith(_API):
            said = error.text(language_of(request)) if isinstance(error, Declined) else ""
            return error_page(request, status, said)
        code = error.code or None if isinstance(error, Declined) else None
        steps = list(error.possible) if isinstance(error, NotPossible) else []
        possible = [shown_step(step) for step in steps] or None
        return problem(request, status, str(error), possible=possible, code=code)

    return handle


def shown_step(step: Step) -> PossibleStep:
    """Return a step as the interface shows it."""
    transition = step.transition
    return PossibleStep(
        transition=transition.transition_id,
        to=transition.to,
        zh=transition.name.zh,
        en=transition.name.en,
        allowed=step.allowed,
        needs_comment=transition.adverse,
        confirmed_by=list(transition.confirmed_by),
        documents=list(transition.documents),
        reasons=[
            WhyNot(
                guard=each.guard,
                code=each.code,
                zh=each.zh,
                en=each.en,
                numbers=dict(each.numbers),
            )
            for each in step.reasons
        ],
    )
