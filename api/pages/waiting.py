"""What was proposed to change the bureau's rules and waits for the reader as the second person."""

from dataclasses import dataclass

from api.identity import Caller
from api.messages import Texts
from api.permissions import Permission
from api.pool.proposing import is_own
from store import Connection, proposals
from store.proposals import TEXTS, VALUES, Book

_BOOKS: dict[str, tuple[Book, str]] = {
    "/policy": (VALUES, "waiting.values"),
    "/letter-texts": (TEXTS, "waiting.texts"),
}


@dataclass(frozen=True, slots=True)
class Waiting:
    """A way to proposals of one sort that the reader may confirm or decline."""

    href: str
    text: str


def count(conn: Connection, caller: Caller, page: str) -> int:
    """Return how many proposals of a page wait for the reader; 0 for a page that has none."""
    return len(_subjects(conn, caller, page))


def listed(t: Texts, conn: Connection, caller: Caller) -> list[Waiting]:
    """Return what waits by sort; where one alone waits, the way leads to it."""
    found = []
    for page, (_, text) in _BOOKS.items():
        subjects = _subjects(conn, caller, page)
        if subjects:
            href = f"{page}/{subjects[0]}" if len(set(subjects)) == 1 else page
            found.append(Waiting(href, t(text, count=len(subjects))))
    return found


def _subjects(conn: Connection, caller: Caller, page: str) -> list[str]:
    if page not in _BOOKS or not caller.may(Permission.SET_POLICY):
        return []
    found = proposals.listed(conn, _BOOKS[page][0], waiting=True)
    return [each.subject for each in found if not is_own(each, caller.actor)]
