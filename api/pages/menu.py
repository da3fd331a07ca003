"""The menu of every page: what the reader's role works with, and where the reader is."""

from dataclasses import dataclass

from api.identity import Caller
from api.messages import Texts
from api.permissions import CITY, Permission, Role

_P = Permission
# Address, name, the permission that it needs, and which other addresses belong to it.
_ITEMS: tuple[tuple[str, str, Permission, tuple[str, ...]], ...] = (
    ("/todos", "todos.menu", _P.READ_POOL, ("/messages", "/tickets")),
    ("/", "site.overview", _P.READ_FIGURES, ("/factories",)),
    ("/warnings", "warning.title", _P.READ_POOL, ()),
    ("/reports", "report.title", _P.READ_POOL, ()),
    ("/disputes", "settings.disputes", _P.READ_POOL, ()),
    ("/accounts", "account.title", _P.MANAGE_ACCOUNTS, ()),
    ("/system", "system.title", _P.READ_SYSTEM, ()),
    ("/outbox", "outbox.title", _P.READ_SYSTEM, ()),
    ("/audit", "audit.title", _P.READ_AUDIT, ()),
    ("/settings", "settings.title", _P.USE_OWN_ACCOUNT,
     ("/policy", "/letter-texts", "/webhooks", "/entries", "/audit")),
)  # fmt: skip
# Where there is much else, the settings lead to it.
_SELDOM = {"/audit": _P.READ_POOL}


@dataclass(frozen=True, slots=True)
class Item:
    """A way of the menu; current tells whether the page belongs to it."""

    href: str
    text: str
    current: bool


def menu(t: Texts, person: Caller | None, path: str) -> tuple[Item, ...]:
    """Return the menu of who is logged in; a stranger, or who has not finished, has none."""
    if person is None or person.stage != "open":
        return ()
    open_to = [
        each
        for each in _ITEMS
        if person.may(each[2]) and not (each[0] in _SELDOM and person.may(_SELDOM[each[0]]))
    ]
    own = {href for href, *_ in open_to}
    return tuple(
        Item(
            href,
            t(_named(name, person)),
            any(_is_in(path, each) for each in (href, *set(others) - own)),
        )
        for href, name, _, others in open_to
    )


def _named(name: str, person: Caller) -> str:
    """Return what a way is called: the overview is of the city for those who see all of it."""
    return "site.own" if name == "site.overview" and Role(person.role) not in CITY else name


def _is_in(path: str, place: str) -> bool:
    return path == place or (place != "/" and path.startswith(f"{place}/"))
