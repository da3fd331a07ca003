"""Who asks: a person by the session in a cookie, or another system by its token.

`needs(Permission.X)` in a handler's signature says who may call it:

    def read(caller: Annotated[Caller, needs(Permission.READ_FIGURES)], database: TheDatabase): ...
        with database.acting(caller) as conn: ...
"""

import hmac
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from fastapi import Depends, Request, Response
from fastapi.concurrency import run_in_threadpool

from api.access import AccessPolicy
from api.access_rules import AccessRules
from api.database import Database
from api.errors import CrossSite, Forbidden, LogInUnfinished, NotLoggedIn
from api.permissions import FOR_PEOPLE, ROLE_PERMISSIONS, Permission, Role
from store import sessions
from store.acting import Actor, key_of
from store.sessions import Holder, Stage

CSRF_FIELD = "csrf"
CSRF_HEADER = "x-csrf-token"

# The prefix makes a browser take the cookie only over TLS, from this host and for all paths.
SECURE_COOKIE, PLAIN_COOKIE = "__Host-millpond", "millpond_session"
_SAFE = {"GET", "HEAD", "OPTIONS"}
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, what they may do, and the key by which the database knows their scope.

    `csrf` is what forms of this session carry; a token of a system has none and needs none.
    """

    actor: Actor
    login: str
    role: Role
    region: str | None
    permissions: frozenset[Permission]
    key: str
    stage: Stage
    csrf: str | None

    def may(self, permission: Permission) -> bool:
        """Tell whether the caller has a permission, as for what a page offers."""
        return permission in self.permissions


class Needs:
    """A dependency that lets in who has a permission; a test reads `permission` from it."""

    def __init__(self, permission: Permission, stage: Stage = "open") -> None:
        self.permission = permission
        self.stage = stage

    async def __call__(self, request: Request) -> Caller:
        """Return the caller; raises NotLoggedIn, LogInUnfinished, CrossSite or Forbidden."""
        caller = await run_in_threadpool(find, request)
        if caller is None:
            raise NotLoggedIn("Log in, or send the token of your system.")
        if caller.stage != self.stage:
            raise LogInUnfinished("The log-in is not finished.", caller.stage)
        if caller.csrf is not None and request.method not in _SAFE:
            await check_origin_and_form(request, caller.csrf)
        request.state.caller = caller
        if self.permission not in caller.permissions:
            raise Forbidden(f"Your role {caller.role} does not permit {self.permission}.")
        return caller


def needs(permission: Permission, stage: Stage = "open") -> Any:
    """Return the dependency of a handler that only who has a permission may call."""
    return Depends(Needs(permission, stage))


def find(request: Request) -> Caller | None:
    """Return who asks, or None for a stranger."""
    database = request.app.state.database
    assert isinstance(database, Database)
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        key = key_of(token.strip())
        with database.connection() as conn:
            holder = sessions.find_token(conn, key)
        return None if holder is None else _caller(holder, key, None)
    secret = request.cookies.get(cookie_name(request))
    if not secret:
        return None
    key = key_of(secret)
    with database.connection() as conn:
        holder = sessions.find_session(conn, key)
    return None if holder is None else _caller(holder, key, csrf_of(secret))


def _caller(holder: Holder, key: str, csrf: str | None) -> Caller:
    role = Role(holder.role)
    permitted = ROLE_PERMISSIONS[role]
    if holder.permissions is not None:
        permitted = frozenset(each for each in permitted - FOR_PEOPLE if each in holder.permissions)
    return Caller(
        actor=holder.actor,
        login=holder.login,
        role=role,
        region=holder.region,
        permissions=permitted,
        key=key,
        stage=holder.stage,
        csrf=csrf,
    )


def csrf_of(secret: str) -> str:
    """Return what the forms of a session carry; who cannot read the cookie cannot know it."""
    return hmac.new(secret.encode(), b"csrf", "sha256").hexdigest()


async def check_origin_and_form(request: Request, csrf: str) -> None:
    """Raise CrossSite unless a page of this session sent the request."""
    check_origin(request)
    given = request.headers.get(CSRF_HEADER, "")
    if not given and request.headers.get("content-type", "").startswith(_FORMS):
        field = (await request.form()).get(CSRF_FIELD)
        given = field if isinstance(field, str) else ""
    if not hmac.compare_digest(given.encode(), csrf.encode()):
        raise CrossSite("The request carries no token of this session; open the page again.")


def check_origin(request: Request) -> None:
    """Raise CrossSite where a browser says that another site makes it ask."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        # Then Origin says nothing: it is null on pages that give no referrer, such as these.
        is_foreign = site not in ("same-origin", "none")
    else:
        origin = request.headers.get("origin")
        is_foreign = origin is not None and urlsplit(origin).netloc != request.headers.get("host")
    if is_foreign:
        raise CrossSite("Another site sent this.")


def cookie_name(request: Request) -> str:
    """Return what the cookie of a session is called on this connection."""
    return SECURE_COOKIE if request.url.scheme == "https" else PLAIN_COOKIE


def give_cookie(request: Request, response: Response, secret: str) -> None:
    """Hand a session to a browser; no script may read it and no other site makes it be sent."""
    response.set_cookie(
        cookie_name(request),
        secret,
        path="/",
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="strict",
    )


def take_cookie(request: Request, response: Response) -> None:
    """Have the browser forget its session."""
    response.delete_cookie(
        cookie_name(request),
        path="/",
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="strict",
    )


def address_of(request: Request) -> str:
    """Return where a request comes from."""
    return request.client.host if request.client else "unknown"


def policy_of(request: Request) -> AccessPolicy:
    """Return the rules by which people log in here and now."""
    rules, database = request.app.state.access, request.app.state.database
    assert isinstance(rules, AccessRules)
    assert isinstance(database, Database)
    return rules.current(database)
