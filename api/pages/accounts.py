"""The security administrator's pages: who has an account, in which role, for which factories."""

from typing import Annotated

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

import store.pool
from api import account_admin
from api.account_admin import Made
from api.bodies import BoundedRoute
from api.database import Database, TheDatabase
from api.errors import AccountRefused
from api.formats import local_minute
from api.identity import Caller, needs
from api.language import language_of
from api.messages import Texts
from api.pages.lists import WordChoice, numbered, select, words
from api.pages.templates import page
from api.permissions import Permission, Role
from api.routes.parameters import SmallNumber
from store import Connection, accounts, sessions
from store.accounts import NewAccount

router = APIRouter(prefix="/accounts", route_class=BoundedRoute)

Manager = Annotated[Caller, needs(Permission.MANAGE_ACCOUNTS)]
Text = Annotated[str, Form(max_length=1024)]

_SHOWN = 50


@router.get("", response_class=HTMLResponse)
def read_accounts(
    request: Request,
    caller: Manager,
    database: TheDatabase,
    role: WordChoice = "",
    name: Annotated[str, Query(max_length=64)] = "",
    number: Annotated[int, Query(alias="page", ge=1, le=100_000)] = 1,
) -> HTMLResponse:
    """List the accounts of a role or a name, with a form for another."""
    return _listed(request, database, role=role, name=name, number=number)


@router.post("")
def make_account(
    request: Request,
    caller: Manager,
    database: TheDatabase,
    login: Text,
    name: Text,
    role: Annotated[Role, Form()],
    region: Text = "",
    factories: Text = "",
    email: Text = "",
) -> Response:
    """Make an account and show its temporary password, once."""
    new = NewAccount(
        login, name, role, region.strip() or None, tuple(factories.split()), email.strip() or None
    )
    try:
        with database.connection() as conn:
            made = account_admin.make(conn, caller.actor, new)
    except AccountRefused as error:
        return _listed(request, database, fault=error.fault, given=new)
    return _given(request, made)


@router.get("/{account_id}", response_class=HTMLResponse)
def read_account(
    request: Request, caller: Manager, database: TheDatabase, account_id: SmallNumber
) -> HTMLResponse:
    """Show one account and what may be done with it."""
    with database.connection() as conn:
        return _one(request, conn, caller, account_id)


@router.post("/{account_id}/disabled")
def set_disabled(
    request: Request,
    caller: Manager,
    database: TheDatabase,
    account_id: SmallNumber,
    version: Annotated[int, Form()],
    disabled: Annotated[bool, Form()],
) -> Response:
    """Shut an account, or open it again."""
    with database.connection() as conn:
        account_admin.set_disabled(
            conn, caller.actor, account_id, disabled=disabled, version=version
        )
    return _back(account_id)


@router.post("/{account_id}/password")
def reset_password(
    request: Request, caller: Manager, database: TheDatabase, account_id: SmallNumber
) -> Response:
    """Give a temporary password and show it, once."""
    with database.connection() as conn:
        password = account_admin.reset_password(conn, caller.actor, account_id)
        login = account_admin.of(conn, account_id).login
    return _given(request, Made(account_id, login, password))


@router.post("/{account_id}/device")
def reset_device(caller: Manager, database: TheDatabase, account_id: SmallNumber) -> Response:
    """Take a lost device."""
    with database.connection() as conn:
        account_admin.reset_device(conn, caller.actor, account_id)
    return _back(account_id)


@router.post("/{account_id}/factories")
def change_factories(
    caller: Manager,
    database: TheDatabase,
    account_id: SmallNumber,
    factory: Text,
    assigned: Annotated[bool, Form()],
) -> Response:
    """Assign a factory, or end its assignment."""
    with database.connection() as conn:
        change = account_admin.assign if assigned else account_admin.end_assignment
        change(conn, caller.actor, account_id, factory.strip())
    return _back(account_id)


def _back(account_id: int) -> Response:
    return RedirectResponse(f"/accounts/{account_id}", 303)


def _given(request: Request, made: Made) -> HTMLResponse:
    answer = page(request, "account_given.html", made=made)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _listed(
    request: Request,
    database: Database,
    *,
    role: str = "",
    name: str = "",
    number: int = 1,
    fault: str | None = None,
    given: NewAccount | None = None,
) -> HTMLResponse:
    t = Texts(language_of(request))
    with database.connection() as conn:
        found, regions = accounts.accounts(conn), store.pool.regions(conn)
    wanted = [
        each
        for each in found
        if role in ("", each.role) and name.casefold() in f"{each.login} {each.name}".casefold()
    ]
    pages = max(1, -(-len(wanted) // _SHOWN))
    number = min(number, pages)
    roles = [each for each in Role if each is not Role.SYSTEM]
    fields = (
        select(t, "role", t("account.role"), role, [(each, t(f"role.{each}")) for each in roles]),
        words("name", t("account.find"), name),
    )
    return page(
        request,
        "accounts.html",
        200 if fault is None else 422,
        accounts=wanted[(number - 1) * _SHOWN :][:_SHOWN],
        listing=numbered(t, "/accounts", number, pages, fields),
        roles=roles,
        regions=regions,
        counties={each.code: t.pick(each.name_zh, each.name_en) for each in regions},
        fault=fault,
        given=given,
    )


def _one(request: Request, conn: Connection, caller: Caller, account_id: int) -> HTMLResponse:
    found = account_admin.of(conn, account_id)
    return page(
        request,
        "account.html",
        account=found,
        made_at=local_minute(found.made_at),
        tokens=[each for each in sessions.tokens(conn, account_id) if each.ended_at is None],
        is_own=account_id == caller.actor.account_id,
    )
