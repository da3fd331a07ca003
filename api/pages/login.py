"""The pages of logging in: a form for each step, and where one is sent from there."""

from typing import Annotated

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from api import second_factor
from api.bodies import BoundedRoute
from api.database import Database, TheDatabase
from api.errors import LogInRefused, PasswordRefused
from api.identity import (
    Caller,
    address_of,
    check_origin,
    give_cookie,
    needs,
    policy_of,
    take_cookie,
)
from api.logins import Opened, Steps
from api.pages.templates import page
from api.permissions import Permission, Role, home_of

router = APIRouter(route_class=BoundedRoute)

_LONGEST = 512

Text = Annotated[str, Form(max_length=_LONGEST)]
Target = Annotated[str, Query(alias="next", max_length=2048)]
LacksCode = Annotated[Caller, needs(Permission.USE_OWN_ACCOUNT, "code")]
LacksDevice = Annotated[Caller, needs(Permission.USE_OWN_ACCOUNT, "device")]
LacksPassword = Annotated[Caller, needs(Permission.USE_OWN_ACCOUNT, "password")]
Own = Annotated[Caller, needs(Permission.USE_OWN_ACCOUNT)]


@router.get("/login", response_class=HTMLResponse)
def read_login(request: Request, target: Target = "/") -> HTMLResponse:
    """Ask for login and password."""
    return _form(request, "login.html", target=own_path(target), login="", refused=False)


@router.post("/login")
def take_login(
    request: Request,
    database: TheDatabase,
    login: Text,
    password: Text,
    target: Annotated[str, Form(alias="next", max_length=2048)] = "/",
) -> Response:
    """Take login and password."""
    check_origin(request)
    try:
        opened = _steps(request, database).by_password(login, password)
    except LogInRefused:
        return _form(
            request, "login.html", 401, target=own_path(target), login=login[:64], refused=True
        )
    return _go_on(request, opened, own_path(target))


@router.get("/login/code", response_class=HTMLResponse)
def read_code(request: Request, caller: LacksCode) -> HTMLResponse:
    """Ask for the code of the device."""
    return _form(request, "login_code.html", refused=False)


@router.post("/login/code")
def take_code(request: Request, database: TheDatabase, caller: LacksCode, code: Text) -> Response:
    """Take the code of the device, or a recovery code."""
    try:
        opened = _steps(request, database).by_code(caller.actor, caller.key, code)
    except LogInRefused:
        return _form(request, "login_code.html", 401, refused=True)
    return _go_on(request, opened)


@router.get("/login/device", response_class=HTMLResponse)
def read_device(request: Request, database: TheDatabase, caller: LacksDevice) -> HTMLResponse:
    """Show what a device that makes codes is set up with."""
    return _device(request, database, caller, refused=False)


@router.post("/login/device")
def take_device(
    request: Request, database: TheDatabase, caller: LacksDevice, code: Text
) -> Response:
    """Take the first code of a device, and show the recovery codes once."""
    try:
        opened, codes = _steps(request, database).take_device(caller.actor, caller.key, code)
    except LogInRefused:
        return _device(request, database, caller, refused=True)
    answer = _form(request, "login_recovery.html", codes=codes)
    give_cookie(request, answer, opened.secret)
    return answer


@router.get("/login/password", response_class=HTMLResponse)
def read_password(request: Request, caller: LacksPassword) -> HTMLResponse:
    """Ask for a password of one's own."""
    return _password(request, "/login/password", [], refused=False)


@router.post("/login/password")
def take_password(
    request: Request,
    database: TheDatabase,
    caller: LacksPassword,
    old: Text,
    new: Text,
    again: Text,
) -> Response:
    """Take a password of one's own."""
    return _change(request, database, caller, "/login/password", (old, new, again))


@router.get("/account", response_class=HTMLResponse)
def read_own_account(request: Request, database: TheDatabase, caller: Own) -> HTMLResponse:
    """Show whose session this is."""
    has_device = _steps(request, database).has_device(caller.actor)
    return _form(request, "account_own.html", has_device=has_device)


@router.get("/account/recovery", response_class=HTMLResponse)
def read_recovery(request: Request, caller: Own) -> HTMLResponse:
    """Ask for password and code before new recovery codes are made."""
    return _form(request, "account_recovery.html", refused=False)


@router.post("/account/recovery")
def renew_recovery(
    request: Request, database: TheDatabase, caller: Own, password: Text, code: Text
) -> Response:
    """Make new recovery codes and show them, once; those of before end."""
    try:
        codes = _steps(request, database).renew_recovery_codes(caller.actor, password, code)
    except LogInRefused:
        return _form(request, "account_recovery.html", 401, refused=True)
    return _form(request, "login_recovery.html", codes=codes)


@router.get("/account/password", response_class=HTMLResponse)
def read_new_password(request: Request, caller: Own) -> HTMLResponse:
    """Ask for another password."""
    return _password(request, "/account/password", [], refused=False)


@router.post("/account/password")
def take_new_password(
    request: Request, database: TheDatabase, caller: Own, old: Text, new: Text, again: Text
) -> Response:
    """Take another password; all other sessions of the account end."""
    return _change(request, database, caller, "/account/password", (old, new, again))


@router.post("/logout")
def log_out(request: Request, database: TheDatabase, caller: Own) -> Response:
    """End the session."""
    _steps(request, database).log_out(caller.actor, caller.key)
    answer = RedirectResponse("/login", 303)
    take_cookie(request, answer)
    return answer


def _steps(request: Request, database: Database) -> Steps:
    return Steps(database, policy_of(request), address_of(request))


def _device(request: Request, database: Database, caller: Caller, *, refused: bool) -> HTMLResponse:
    secret = _steps(request, database).offer_device(caller.actor)
    return _form(
        request,
        "login_device.html",
        401 if refused else 200,
        picture=second_factor.picture(secret, caller.login),
        secret=secret,
        refused=refused,
    )


def _change(
    request: Request, database: Database, caller: Caller, action: str, given: tuple[str, str, str]
) -> Response:
    old, new, again = given
    if new != again:
        return _password(request, action, ["differ"], refused=False)
    try:
        opened = _steps(request, database).change_password(caller.actor, caller.key, old, new)
    except LogInRefused:
        return _password(request, action, [], refused=True)
    except PasswordRefused as error:
        return _password(request, action, error.faults, refused=False)
    return _go_on(request, opened)


def _password(request: Request, action: str, faults: list[str], *, refused: bool) -> HTMLResponse:
    status = 401 if refused else 422 if faults else 200
    policy = policy_of(request)
    return _form(
        request, "login_password.html", status,
        action=action, faults=faults, refused=refused, policy=policy,
    )  # fmt: skip


def _form(request: Request, name: str, status: int = 200, **context: object) -> HTMLResponse:
    answer = page(
        request, name, status,
        policy_shown=policy_of(request), has_provider=request.app.state.provider is not None,
        **context,
    )  # fmt: skip
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _go_on(request: Request, opened: Opened, target: str = "/") -> Response:
    if opened.stage != "open":
        target = f"/login/{opened.stage}"
    elif target == "/":
        target = home_of(Role(opened.role))
    answer = RedirectResponse(target, 303)
    answer.headers["Cache-Control"] = "no-store"
    give_cookie(request, answer, opened.secret)
    return answer


def refused_page(request: Request) -> HTMLResponse:
    """Return the log-in page, saying that it did not succeed."""
    return _form(request, "login.html", 401, target="/", login="", refused=True)


def own_path(target: str) -> str:
    """Return where to go after logging in: a path of this site, never another site's address."""
    is_own = target.startswith("/") and not target.startswith("//") and "\\" not in target
    return target if is_own and target.isprintable() else "/"
