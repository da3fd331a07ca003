"""The hub of what a role sets or reads besides its daily work."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from api.database import TheDatabase
from api.identity import Caller, needs
from api.language import TheLanguage
from api.messages import Texts
from api.pages import waiting
from api.pages.templates import page
from api.permissions import Permission
from store import Connection

router = APIRouter()

_P = Permission
# Address, name, and the permissions to set and to read it; a page that only reads has no first.
_PAGES: tuple[tuple[str, str, Permission | None, Permission], ...] = (
    ("/policy", "settings.policy", _P.SET_POLICY, _P.READ_POOL),
    ("/letter-texts", "settings.letters", _P.SET_POLICY, _P.READ_POOL),
    ("/entries", "settings.entries", _P.IMPORT_ENTRIES, _P.IMPORT_ENTRIES),
    ("/webhooks", "settings.webhooks", _P.MANAGE_WEBHOOKS, _P.MANAGE_WEBHOOKS),
    ("/accounts", "settings.accounts", _P.MANAGE_ACCOUNTS, _P.MANAGE_ACCOUNTS),
    ("/messages", "settings.messages", _P.READ_POOL, _P.READ_POOL),
    ("/account", "settings.account", _P.USE_OWN_ACCOUNT, _P.USE_OWN_ACCOUNT),
    ("/audit", "settings.audit", None, _P.READ_AUDIT),
    ("/api/v1/openapi.json", "settings.interface", None, _P.USE_OWN_ACCOUNT),
)


@dataclass(frozen=True, slots=True)
class Way:
    """A way to a page; waiting says how much of it waits for the reader."""

    href: str
    text: str
    waiting: str


@router.get("/settings", response_class=HTMLResponse)
def read_settings(
    request: Request,
    database: TheDatabase,
    caller: Annotated[Caller, needs(Permission.USE_OWN_ACCOUNT)],
    language: TheLanguage,
) -> HTMLResponse:
    """Lead to what the caller's role may set, and to what it may read."""
    t = Texts(language)
    to_set, to_read = [], []
    with database.acting(caller) as conn:
        for href, name, setting, reading in _PAGES:
            if setting is not None and caller.may(setting):
                to_set.append(Way(href, t(name), _waiting(t, conn, caller, href)))
            elif caller.may(reading):
                to_read.append(Way(href, t(name), ""))
    return page(request, "settings.html", to_set=to_set, to_read=to_read)


def _waiting(t: Texts, conn: Connection, caller: Caller, href: str) -> str:
    count = waiting.count(conn, caller, href)
    return t("settings.waiting", count=count) if count else ""
