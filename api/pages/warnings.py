"""The pages of warnings: of the whole scope, and of one factory."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

import store.documents
import store.pool
import store.registry
import store.todos
import store.warnings
from api.database import TheDatabase
from api.identity import Caller, needs
from api.language import TheLanguage
from api.messages import Texts
from api.pages.factory_choice import factory_field
from api.pages.lists import FactoryChoice, RegionChoice, WordChoice, listing, select
from api.pages.templates import page
from api.pages.warnings_view import Row, letter_links, row, todo_links
from api.paging import DatedPlace, cut, dated, dated_place
from api.permissions import Permission
from api.pool import warnings, workdays
from api.routes.parameters import Code
from store import Connection, policies
from store.warnings import Found

router = APIRouter()

_SHOWN = 50
_MOST_LETTERS = 100

Reader = Annotated[Caller, needs(Permission.READ_POOL)]
State = Literal["", "open", "cleared"]


@router.get("/warnings", response_class=HTMLResponse)
def read_warnings(
    request: Request,
    database: TheDatabase,
    caller: Reader,
    language: TheLanguage,
    state: State = "open",
    rule: WordChoice = "",
    region: RegionChoice = "",
    factory: FactoryChoice = "",
    after: DatedPlace = None,
) -> HTMLResponse:
    """List warnings, the oldest cause first: those that are open, unless asked otherwise."""
    t = Texts(language)
    with database.acting(caller) as conn:
        found = store.warnings.find(
            conn, factory=factory or None, region=region or None, rule=rule or None,
            is_open=_is_open(state), after=dated(after), most=_SHOWN + 1,
        )  # fmt: skip
        shown, more = cut(found, _SHOWN, lambda one: one)
        rows = _rows(conn, t, shown)
        regions = store.pool.regions(conn)
        by_factory = factory_field(t, conn, factory)
    fields = [
        select(t, "state", t("warning.state"), state, _states(t)),
        select(t, "rule", t("warning.rule"), rule, _rules(t)),
    ]
    if len(regions) > 1:
        names = [(one.code, t.pick(one.name_zh, one.name_en)) for one in regions]
        fields.append(select(t, "region", t("warning.region"), region, names))
    fields.append(by_factory)
    on = None if more is None else dated_place(more.warning.since, more.warning.warning_id)
    return page(
        request, "warnings.html", rows=rows, listing=listing(t, "/warnings", fields, after=on)
    )


@router.get("/factories/{code}/warnings", response_class=HTMLResponse)
def read_factory_warnings(
    request: Request,
    database: TheDatabase,
    caller: Reader,
    language: TheLanguage,
    code: Code,
    state: State = "open",
    after: DatedPlace = None,
) -> HTMLResponse:
    """Show the warnings of a factory in full, with the to-dos and letters that came of them."""
    t = Texts(language)
    with database.acting(caller) as conn:
        factory = store.registry.factory_by_code(conn, code)
        found = store.warnings.find(
            conn, factory=code, is_open=_is_open(state), after=dated(after), most=_SHOWN + 1
        )
        shown, more = cut(found, _SHOWN, lambda one: one)
        rows = _rows(conn, t, shown)
        waiting = store.todos.listed(conn, factory=code)
        made = store.documents.listed(conn, factory.factory_id, most=_MOST_LETTERS)
    on = None if more is None else dated_place(more.warning.since, more.warning.warning_id)
    fields = (select(t, "state", t("warning.state"), state, _states(t)),)
    return page(
        request,
        "factory_warnings.html",
        code=code,
        factory=t.pick(factory.name_zh, factory.name_en),
        rows=rows,
        todos=todo_links(t, waiting, caller.role),
        letters=letter_links(t, made),
        listing=listing(t, f"/factories/{code}/warnings", fields, after=on),
    )


def _rows(conn: Connection, t: Texts, found: Sequence[Found]) -> list[Row]:
    today = workdays.today(datetime.now(UTC))
    values = {
        policy_id: policies.values(conn, policy_id) or {}
        for policy_id in {one.warning.policy_id for one in found}
    }
    return [row(t, one, today, values[one.warning.policy_id]) for one in found]


def _is_open(state: State) -> bool | None:
    return {"": None, "open": True, "cleared": False}[state]


def _states(t: Texts) -> list[tuple[str, str]]:
    return [("open", t("warning.open")), ("cleared", t("warning.cleared"))]


def _rules(t: Texts) -> list[tuple[str, str]]:
    return [
        (rule.rule, t.pick(rule.zh, rule.en))
        for rule in warnings.rules().values()
        if rule.effect == "warning"
    ]
