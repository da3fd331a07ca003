"""Logging in and out for programs; people use the pages under /login."""

from typing import Annotated

from fastapi import APIRouter, Request, Response

from api.bodies import BoundedRoute
from api.database import TheDatabase
from api.identity import (
    Caller,
    address_of,
    check_origin,
    csrf_of,
    give_cookie,
    needs,
    policy_of,
    take_cookie,
)
from api.logins import Steps
from api.permissions import Permission
from api.problems import described
from api.routes.session_models import Credentials, Session, Who

router = APIRouter(prefix="/session", tags=["session"], route_class=BoundedRoute)

Own = Annotated[Caller, needs(Permission.USE_OWN_ACCOUNT)]


@router.post("", summary="Log in", responses=described(400, 401, 403, 408, 413, 422))
def log_in(
    given: Credentials, request: Request, response: Response, database: TheDatabase
) -> Session:
    """The session comes as a cookie; other systems use a token instead, which needs no log-in."""
    check_origin(request)
    steps = Steps(database, policy_of(request), address_of(request))
    opened = steps.by_password(given.login, given.password, given.code)
    give_cookie(request, response, opened.secret)
    response.headers["Cache-Control"] = "no-store"
    return Session(stage=opened.stage, csrf=csrf_of(opened.secret))


@router.get("", summary="Ask who one is", responses=described(401, 403))
def read_session(caller: Own, response: Response) -> Who:
    """The account behind the cookie or the token, and what it may do."""
    response.headers["Cache-Control"] = "no-store"
    return Who(
        login=caller.login,
        name=caller.actor.name,
        role=caller.role,
        region=caller.region,
        permissions=sorted(caller.permissions),
        csrf=caller.csrf,
    )


@router.delete("", summary="Log out", status_code=204, responses=described(401, 403))
def log_out(caller: Own, request: Request, database: TheDatabase) -> Response:
    """End the session of the cookie; a token is ended by the security administrator."""
    if caller.csrf is not None:
        Steps(database, policy_of(request), address_of(request)).log_out(caller.actor, caller.key)
    answer = Response(status_code=204)
    take_cookie(request, answer)
    return answer
