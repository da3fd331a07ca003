"""The page of a factory's membership: where it stands, what is possible, and doing it."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

import store.documents
import store.evidence_items
import store.memberships
import store.registry
import store.warnings
from api.bodies import BoundedRoute
from api.database import Database, TheDatabase
from api.errors import NotFound
from api.formats import local_minute
from api.identity import Caller, needs
from api.language import language_of
from api.messages import Texts
from api.pages import evidence_view, lifecycle_picture, membership_view, steps_view
from api.pages.templates import page
from api.permissions import Permission
from api.pool import evidence, membership, standing
from api.pool.errors import Declined, StaleVersion
from api.pool.lifecycle import Step
from api.pool.refused import refused
from api.pool.standing import Standing
from api.pool_problems import status_of
from api.routes.parameters import MOST_CURSOR, Code
from store import Connection
from store.registry import Factory

router = APIRouter(route_class=BoundedRoute)

_MOST_SHOWN = 500
# Of evidence and of steps, newest first, until the reader asks for all.
_AT_ONCE = 50
_VERSION = re.compile(r"(\d{1,9})-(\d{1,9})")

Reader = Annotated[Caller, needs(Permission.READ_POOL)]
Mover = Annotated[Caller, needs(Permission.MOVE_MEMBERSHIP)]
Text = Annotated[str, Form(max_length=4000)]
Word = Annotated[str, Form(max_length=40)]


@router.get("/factories/{code}/membership", response_class=HTMLResponse)
def read_membership(
    request: Request,
    caller: Reader,
    database: TheDatabase,
    code: Code,
    record: Annotated[str, Query(pattern=r"^\w{0,40}$")] = "",
    whole: Annotated[bool, Query()] = False,
) -> HTMLResponse:
    """Show the state, the path, what is possible now and why the rest is not."""
    typed = {"kind": record} | ({"whole": "yes"} if whole else {})
    return shown(request, caller, database, code, typed=typed)


@router.post("/factories/{code}/membership/steps")
def take_step(
    request: Request,
    caller: Mover,
    database: TheDatabase,
    code: Code,
    step: Word = "",
    version: Word = "",
    comment: Text = "",
    sure: Word = "",
) -> Response:
    """Take a step, or ask for it; one against the enterprise is shown once more before."""

    def do(conn: Connection, factory_id: int) -> Response | None:
        now = datetime.now(UTC)
        seen = _version(conn, factory_id, version)
        found, chosen = membership.check(
            conn, caller.actor, factory_id, step, version=seen, comment=comment, now=now
        )
        if chosen.transition.adverse and not sure:
            return _sure(request, code, found, chosen, comment)
        membership.move(
            conn, caller.actor, factory_id, step, version=seen, comment=comment, now=now
        )
        return None

    return done(request, caller, database, code, do, typed={"step": step, "comment": comment})


@router.post("/factories/{code}/membership/request")
def decide_request(
    request: Request,
    caller: Mover,
    database: TheDatabase,
    code: Code,
    what: Word = "",
    version: Word = "",
    comment: Text = "",
    asked: Annotated[int | None, Form(ge=1, le=MOST_CURSOR)] = None,
) -> Response:
    """Confirm or decline what somebody asked for, or take back what one asked for oneself."""

    def do(conn: Connection, factory_id: int) -> None:
        now = datetime.now(UTC)
        seen = _version(conn, factory_id, version)
        if what == "withdraw":
            membership.withdraw(conn, caller.actor, factory_id, comment, now=now)
            return
        membership.decide(
            conn, caller.actor, factory_id,
            version=seen, confirmed=what == "confirm", comment=comment,
            request_id=asked, now=now,
        )  # fmt: skip

    return done(request, caller, database, code, do, typed={"answer": comment})


def done(
    request: Request,
    caller: Caller,
    database: Database,
    code: str,
    do: Callable[[Connection, int], Response | None],
    typed: Mapping[str, str],
) -> Response:
    """Do something to a membership and lead back to its page; show that with why not, else."""
    try:
        with database.acting(caller) as conn:
            answer = do(conn, store.registry.factory_by_code(conn, code).factory_id)
    except Declined as error:
        return shown(request, caller, database, code, fault=error, typed=typed)
    return answer or RedirectResponse(_href(code), 303)


def shown(
    request: Request,
    caller: Caller,
    database: Database,
    code: str,
    *,
    typed: Mapping[str, str],
    fault: Declined | None = None,
) -> HTMLResponse:
    """Show the page as it is now, with what was typed where it was refused."""
    t = Texts(language_of(request))
    with database.acting(caller) as conn:
        factory = store.registry.factory_by_code(conn, code)
        try:
            found = standing.of(conn, caller.actor, factory.factory_id, now=datetime.now(UTC))
        except NotFound:
            found = None
        context = {} if found is None else _context(conn, t, caller, factory, found, typed)
    answer = page(
        request,
        "membership.html",
        200 if fault is None else status_of(fault),
        code=code,
        href=_href(code),
        factory=t.pick(factory.name_zh, factory.name_en),
        found=found,
        is_stale=isinstance(fault, StaleVersion),
        fault=None if fault is None else fault.text(t.language),
        typed={"step": "", "comment": "", "answer": ""} | dict(typed),
        **context,
    )
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _context(
    conn: Connection,
    t: Texts,
    caller: Caller,
    factory: Factory,
    found: Standing,
    typed: Mapping[str, str],
) -> dict[str, object]:
    stay, href = found.membership, _href(factory.code)
    items = store.evidence_items.listed(conn, stay.membership_id)
    taken = store.memberships.steps(conn, stay.membership_id)
    documents = store.documents.listed(conn, factory.factory_id, most=_MOST_SHOWN)
    versions = store.memberships.step_versions(conn, stay.membership_id)
    mine = caller.may(Permission.MOVE_MEMBERSHIP)
    steps = steps_view.steps(t, found, caller.role, href)
    at = "" if found.request is None else local_minute(found.request.at)
    kind = evidence.kinds().get(typed.get("kind", ""))
    records = caller.may(Permission.RECORD_EVIDENCE) and not found.machine.states[stay.state].final
    most = _MOST_SHOWN if typed.get("whole") else _AT_ONCE
    known = records and kind is not None and caller.role in kind.who
    return {
        "head": membership_view.head(t, found),
        "told": membership_view.told(
            t, found, {each.item_id: each.note for each in items},
            f"{href}?record=statement#record" if _records(caller, "statement") else "",
        ),
        "waiting": steps_view.waiting(t, found, caller, at),
        "open_steps": [each for each in steps if each.allowed and mine],
        "closed_steps": [each for each in steps if not (each.allowed and mine)],
        "values": steps_view.values(t, found, [each.transition for each in found.steps]),
        "proposals": membership_view.found_by_rules(
            t, found.machine,
            store.warnings.listed(conn, factory.factory_id, most=_MOST_SHOWN),
            store.warnings.proposals(conn, factory.factory_id, most=_MOST_SHOWN),
        ),
        "path": membership_view.path(t, found.machine, taken, documents, versions)[:most],
        "path_more": _more(t, href, most, len(taken)),
        "items": evidence_view.rows(t, items, stay.stage, caller, factory.code)[:most],
        "items_more": _more(t, href, most, len(items)),
        "kinds": evidence_view.choices(t, caller.role) if records else (),
        "form": evidence_view.form(t, kind, found.situation.today, typed)
        if known and kind is not None
        else None,
        "newest": max((each.item_id for each in items), default=0),
        "picture": lifecycle_picture.picture(t, found.machine, stay.state, taken),
    }  # fmt: skip


def _more(t: Texts, href: str, most: int, count: int) -> tuple[str, str]:
    """Return how much of a list is shown and where all of it is; nothing where all is shown."""
    if count <= most:
        return "", ""
    whole = f"{href}?whole=true" if most == _AT_ONCE else ""
    return t("list.newest", most=most, count=count), whole


def _records(caller: Caller, kind: str) -> bool:
    return caller.may(Permission.RECORD_EVIDENCE) and caller.role in evidence.kinds()[kind].who


def _sure(request: Request, code: str, found: Standing, step: Step, comment: str) -> HTMLResponse:
    t = Texts(language_of(request))
    transition = step.transition
    names = found.machine.states
    answer = page(
        request,
        "membership_sure.html",
        href=_href(code),
        factory=t.pick(found.membership.name_zh, found.membership.name_en),
        step=transition.transition_id,
        step_name=membership_view.said(t, transition.name),
        asks=bool(transition.confirmed_by),
        states=" → ".join(
            membership_view.said(t, names[each].name)
            for each in (found.membership.state, transition.to)
        ),
        due=steps_view.due_said(t, found, transition),
        letters=steps_view.letters_said(t, found.machine, transition),
        second=t(
            "membership.second", roles=steps_view.roles_said(t, transition.confirmed_by)
        ) if transition.confirmed_by else "",
        comment=comment,
        version=membership_view.version_of(found.membership),
    )  # fmt: skip
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _version(conn: Connection, factory_id: int, text: str) -> int:
    """Return the version that a form rests on; raises StaleVersion for that of another stay."""
    named = _VERSION.fullmatch(text)
    found = standing.newest(conn, factory_id)
    if named is None or int(named[1]) != found.membership_id:
        raise refused("stale_stay", StaleVersion)
    return int(named[2])


def _href(code: str) -> str:
    return f"/factories/{quote(code, safe='')}/membership"
