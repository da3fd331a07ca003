"""Accounts and tokens: made, shut and opened by the security administrator alone."""

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from api import account_admin
from api.bodies import BoundedRoute
from api.database import Database, TheDatabase
from api.errors import AccountRefused, NotFound
from api.identity import Caller, needs
from api.paging import cut
from api.permissions import Permission
from api.problems import described
from api.provider import key_of_person
from api.routes import account_models as models
from api.routes.parameters import Code, SmallBefore, SmallNumber
from api.routes.versions import IfMatch, etag, version_of
from store import accounts, sessions
from store.accounts import NewAccount
from store.errors import UnknownAccount

router = APIRouter(tags=["accounts"], route_class=BoundedRoute)

Manager = Annotated[Caller, needs(Permission.MANAGE_ACCOUNTS)]
_MOST = 200
_ERRORS = described(400, 401, 403, 404, 408, 413, 422)


@router.get("/accounts", summary="List the accounts", responses=described(401, 403, 422))
def list_accounts(
    caller: Manager,
    database: TheDatabase,
    response: Response,
    after: Annotated[
        str | None,
        Query(max_length=1024, pattern=r"^[^\x00]*$", description="Only later: `next_after`"),
    ] = None,
    limit: Annotated[int, Query(ge=1, le=_MOST)] = _MOST,
) -> models.AccountList:
    """In the order of their logins, without anything that opens one."""
    response.headers["Cache-Control"] = "no-store"
    with database.connection() as conn:
        found = accounts.accounts(conn, after=after, most=limit + 1)
    shown, more = cut(found, limit, lambda each: each.login)
    return models.AccountList(items=[_account(each) for each in shown], next_after=more)


@router.post("/accounts", summary="Make an account", status_code=201, responses=_ERRORS)
def make_account(
    given: models.NewAccount,
    request: Request,
    caller: Manager,
    database: TheDatabase,
    response: Response,
) -> models.MadeAccount:
    """With a temporary password, which is shown only now."""
    response.headers["Cache-Control"] = "no-store"
    provider, subject = request.app.state.provider, given.provider_subject
    if subject is not None and provider is None:
        raise AccountRefused("provider", "People do not log in at a provider here.")
    new = NewAccount(
        given.login,
        given.name,
        given.role,
        given.region,
        tuple(given.factories),
        given.email,
        None if subject is None else key_of_person(provider.issuer, subject),
    )
    with database.connection() as conn:
        made = account_admin.make(conn, caller.actor, new)
    return models.MadeAccount(**asdict(made))


@router.get("/accounts/{account_id}", summary="Read one account", responses=_ERRORS)
def read_account(
    account_id: SmallNumber, caller: Manager, database: TheDatabase, response: Response
) -> models.Account:
    """Its version is the ETag."""
    with database.connection() as conn:
        found = account_admin.of(conn, account_id)
    response.headers["Cache-Control"] = "no-store"
    response.headers["ETag"] = etag("account", account_id, found.version)
    return _account(found)


@router.put(
    "/accounts/{account_id}/disabled",
    summary="Shut an account",
    status_code=204,
    responses=_ERRORS | described(412, 428),
)
def disable(
    account_id: SmallNumber, caller: Manager, database: TheDatabase, if_match: IfMatch = None
) -> None:
    """All its sessions end at once."""
    _set_disabled(caller, database, account_id, if_match, disabled=True)


@router.delete(
    "/accounts/{account_id}/disabled",
    summary="Open an account again",
    status_code=204,
    responses=_ERRORS | described(412, 428),
)
def enable(
    account_id: SmallNumber, caller: Manager, database: TheDatabase, if_match: IfMatch = None
) -> None:
    """Its person logs in as before."""
    _set_disabled(caller, database, account_id, if_match, disabled=False)


@router.post("/accounts/{account_id}/password", summary="Reset the password", responses=_ERRORS)
def reset_password(
    account_id: SmallNumber, caller: Manager, database: TheDatabase, response: Response
) -> models.NewPassword:
    """To a temporary one, which is shown only now; all its sessions end."""
    response.headers["Cache-Control"] = "no-store"
    with database.connection() as conn:
        return models.NewPassword(
            password=account_admin.reset_password(conn, caller.actor, account_id)
        )


@router.delete(
    "/accounts/{account_id}/device",
    summary="Take a lost device",
    status_code=204,
    responses=_ERRORS,
)
def reset_device(account_id: SmallNumber, caller: Manager, database: TheDatabase) -> None:
    """Its codes and the recovery codes open nothing any more."""
    with database.connection() as conn:
        account_admin.reset_device(conn, caller.actor, account_id)


@router.put(
    "/accounts/{account_id}/factories/{factory}",
    summary="Assign a factory",
    status_code=204,
    responses=_ERRORS,
)
def assign(account_id: SmallNumber, factory: Code, caller: Manager, database: TheDatabase) -> None:
    """To an enterprise's, an expert's or a verifier's account."""
    with database.connection() as conn:
        account_admin.assign(conn, caller.actor, account_id, factory)


@router.delete(
    "/accounts/{account_id}/factories/{factory}",
    summary="End an assignment",
    status_code=204,
    responses=_ERRORS,
)
def end_assignment(
    account_id: SmallNumber, factory: Code, caller: Manager, database: TheDatabase
) -> None:
    """The factory is out of the account's scope at once."""
    with database.connection() as conn:
        account_admin.end_assignment(conn, caller.actor, account_id, factory)


@router.post(
    "/accounts/{account_id}/tokens", summary="Make a token", status_code=201, responses=_ERRORS
)
def make_token(
    account_id: SmallNumber,
    given: models.NewToken,
    caller: Manager,
    database: TheDatabase,
    response: Response,
) -> models.MadeToken:
    """For a system that acts for this account; it permits what is named and no more."""
    response.headers["Cache-Control"] = "no-store"
    with database.connection() as conn:
        number, secret = account_admin.make_token(
            conn, caller.actor, account_id, given.name, given.permissions, given.days
        )
    return models.MadeToken(token_id=number, token=secret)


@router.get("/tokens", summary="List the tokens", responses=described(401, 403, 422))
def list_tokens(
    caller: Manager,
    database: TheDatabase,
    response: Response,
    before: SmallBefore = None,
    limit: Annotated[int, Query(ge=1, le=_MOST)] = _MOST,
) -> models.TokenList:
    """Of all accounts, newest first, without their secrets."""
    response.headers["Cache-Control"] = "no-store"
    with database.connection() as conn:
        found = sessions.tokens(conn, before=before, most=limit + 1)
    shown, more = cut(found, limit, lambda each: each.token_id)
    return models.TokenList(
        items=[models.Token(**asdict(each)) for each in shown], next_before=more
    )


@router.delete("/tokens/{token_id}", summary="End a token", status_code=204, responses=_ERRORS)
def end_token(token_id: SmallNumber, caller: Manager, database: TheDatabase) -> None:
    """It opens nothing any more."""
    with database.connection() as conn:
        try:
            sessions.end_token(conn, caller.actor, token_id)
        except UnknownAccount as error:
            raise NotFound(str(error)) from error


def _set_disabled(
    caller: Caller, database: Database, account_id: int, if_match: str | None, *, disabled: bool
) -> None:
    version = version_of(if_match, "account", account_id)
    with database.connection() as conn:
        account_admin.set_disabled(
            conn, caller.actor, account_id, disabled=disabled, version=version
        )


def _account(found: accounts.Account) -> models.Account:
    names = set(models.Account.model_fields)
    return models.Account.model_validate(
        {name: value for name, value in asdict(found).items() if name in names}
    )
