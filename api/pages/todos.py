"""The home page of everybody in the pool's business: what is to be done, by deadline."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

import store.todos
from api.database import TheDatabase
from api.identity import Caller, needs
from api.language import TheLanguage
from api.messages import Texts
from api.pages import waiting
from api.pages.lists import listing
from api.pages.templates import page
from api.paging import cut
from api.permissions import ENTERPRISE, Permission
from api.pool import todo_rules, todo_texts, workdays
from store import messages
from store.todos import Todo

router = APIRouter()

SOON = timedelta(days=7)
NEW = timedelta(days=3)

_AT_ONCE = 100
_DAY = timedelta(days=1)
_PLACE = re.compile(r"(\d{4}-\d{2}-\d{2})?_(\d{1,15})")

Reader = Annotated[Caller, needs(Permission.READ_POOL)]
Place = Annotated[str | None, Query(pattern=_PLACE.pattern, max_length=30)]


@dataclass(frozen=True, slots=True)
class Row:
    """A to-do as it is shown."""

    what: str
    why: str
    factory: str
    factory_href: str
    region: str
    due: str
    left: str
    tone: str
    is_new: bool
    is_raised: bool
    href: str
    act: str


@dataclass(frozen=True, slots=True)
class Part:
    """To-dos under one heading."""

    code: str
    rows: list[Row]


@router.get("/todos", response_class=HTMLResponse)
def read_todos(
    request: Request,
    database: TheDatabase,
    caller: Reader,
    language: TheLanguage,
    after: Place = None,
) -> HTMLResponse:
    """Show what is overdue, what is due within seven days, and what comes later."""
    now = datetime.now(UTC)
    today = workdays.today(now)
    with database.acting(caller) as conn:
        found = store.todos.listed(conn, role=caller.role, after=place(after), most=_AT_ONCE + 1)
        counts = store.todos.counts(
            conn, role=caller.role, today=today, soon=today + SOON, since=now - NEW
        )
        unread = messages.unread(conn, caller.actor.account_id or 0)
        proposed = waiting.listed(Texts(language), conn, caller)
    shown, more = cut(found, _AT_ONCE, place_of)
    t = Texts(language)
    parts: dict[str, list[Row]] = {"overdue": [], "soon": [], "later": []}
    for each in shown:
        parts[_part(each.due, today)].append(_row(t, each, today, now))
    title = "todos.title_enterprise" if caller.role in ENTERPRISE else "todos.title_officer"
    return page(
        request,
        "todos.html",
        title=t(title),
        counts=counts,
        unread=unread,
        proposed=proposed,
        parts=[Part(code, rows) for code, rows in parts.items()],
        listing=listing(t, "/todos", after=more),
    )


def place(text: str | None) -> tuple[date | None, int] | None:
    """Return where a list goes on; the beginning for nothing or nonsense."""
    named = _PLACE.fullmatch(text or "")
    if named is None:
        return None
    try:
        return (date.fromisoformat(named[1]) if named[1] else None), int(named[2])
    except ValueError:
        return None


def place_of(last: Todo) -> str:
    """Return from where a list goes on behind a to-do."""
    return f"{last.due or ''}_{last.todo_id}"


def href_of(each: Todo) -> str:
    """Return where a to-do is done; a kind that is not known any more leads to the factory."""
    kind = todo_rules.shipped().kinds.get(each.kind)
    href = "/factories/{factory}" if kind is None else kind.href
    return href.format(factory=quote(each.factory, safe=""), object=quote(each.object, safe=""))


def _part(due: date | None, today: date) -> str:
    if due is None or due > today + SOON:
        return "later"
    return "overdue" if due < today else "soon"


def _row(t: Texts, each: Todo, today: date, now: datetime) -> Row:
    left, tone = _left(t, each.due, today)
    what, why = todo_texts.parts(each.kind, t.language, each.names)
    return Row(
        what=what,
        why=why,
        factory=t.pick(each.name_zh, each.name_en),
        factory_href=f"/factories/{quote(each.factory, safe='')}",
        region=t.pick(each.region_zh, each.region_en),
        due=_due(t, each),
        left=left,
        tone=tone,
        is_new=each.opened_at >= now - NEW,
        is_raised=each.raised,
        href=href_of(each),
        act=todo_texts.button(each.kind, t.language),
    )


def _due(t: Texts, each: Todo) -> str:
    if each.due is None:
        return ""
    return each.due.isoformat() + (t("todos.estimated") if each.due_estimated else "")


def _left(t: Texts, due: date | None, today: date) -> tuple[str, str]:
    if due is None:
        return t("todos.no_due"), "plain"
    days = (due - today) // _DAY
    if days < 0:
        return t("todos.days_over", days=-days), "bad"
    if days == 0:
        return t("todos.today"), "warn"
    if due <= today + SOON:
        return t("todos.days_left", days=days), "warn"
    return t("todos.days_later", days=days), "plain"
