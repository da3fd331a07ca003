"""Logging in at the bureau's provider: there and back."""

import hmac
import logging
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from api.database import TheDatabase
from api.errors import LogInRefused, NotFound
from api.identity import address_of, give_cookie, policy_of
from api.logins import Steps
from api.pages.login import refused_page
from api.pages.templates import page
from api.permissions import Role, home_of
from api.provider import Provider
from store import accounts, sessions

router = APIRouter(prefix="/login/provider")

_log = logging.getLogger(__name__)
_COOKIE = "millpond_provider"
_PATH = "/login/provider"

Given = Annotated[str, Query(max_length=4096)]


def _provider(request: Request) -> Provider:
    found = request.app.state.provider
    if found is None:
        raise NotFound("People log in with login and password here.")
    assert isinstance(found, Provider)
    return found


@router.get("")
def go(request: Request, database: TheDatabase) -> Response:
    """Send a person to the provider."""
    provider = _provider(request)
    try:
        began = provider.begin(_back(request))
    except LogInRefused as error:
        return _refused(request, error)
    with database.connection() as conn:
        sessions.begin_provider_login(
            conn, began.state, began.nonce, began.verifier,
            longest_s=policy_of(request).provider_s,
        )  # fmt: skip
    answer = RedirectResponse(began.address, 303)
    answer.headers["Cache-Control"] = "no-store"
    # Lax, since the provider's page leads back; it binds what comes back to this browser.
    answer.set_cookie(
        _COOKIE, began.state,
        max_age=policy_of(request).provider_s, path=_PATH, httponly=True, samesite="lax",
        secure=request.url.scheme == "https",
    )  # fmt: skip
    return answer


@router.get("/back")
def come_back(
    request: Request, database: TheDatabase, code: Given = "", state: Given = ""
) -> Response:
    """Take who comes back from the provider."""
    provider = _provider(request)
    try:
        if not hmac.compare_digest(request.cookies.get(_COOKIE, "").encode(), state.encode()):
            raise LogInRefused("what came back does not belong to this browser")
        with database.connection() as conn:
            begun = sessions.take_provider_login(conn, state)
        if begun is None or not begun.is_in_time:
            raise LogInRefused("the log-in took too long, or came back twice")
        person = provider.finish(code, _back(request), nonce=begun.nonce, verifier=begun.verifier)
        with database.connection() as conn:
            account_id = accounts.account_of_provider(conn, person)
        if account_id is None:
            raise LogInRefused(f"{person} has no account here")
        opened = Steps(database, policy_of(request), address_of(request)).by_provider(account_id)
    except LogInRefused as error:
        return _refused(request, error)
    # A page and no redirect: a browser would not bring the new cookie along on a way that began at
    # another site.
    answer = page(request, "login_back.html", target=home_of(Role(opened.role)))
    answer.headers["Cache-Control"] = "no-store"
    answer.delete_cookie(_COOKIE, path=_PATH)
    give_cookie(request, answer, opened.secret)
    return answer


def _back(request: Request) -> str:
    return f"{request.url.scheme}://{request.url.netloc}{_PATH}/back"


def _refused(request: Request, error: LogInRefused) -> Response:
    # Why is for the operator alone.
    _log.warning("a log-in at the provider failed: %s", error)
    return refused_page(request)
