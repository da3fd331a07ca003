"""Pages of reports: the list, the form of the enterprise, and what the county does with it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, RedirectResponse

import store.registry
import store.reports
from api import kpis
from api.bodies import BoundedRoute, bounded
from api.database import Database, TheDatabase
from api.formats import local_minute
from api.identity import Caller, needs
from api.language import language_of
from api.messages import Texts
from api.pages.templates import page
from api.permissions import Permission
from api.pool import reports
from api.pool.errors import Declined, StaleVersion
from api.pool.report_items import KPI, Given, Item
from api.pool.report_table import table
from api.pool.reports import View
from api.routes.parameters import Code, FactoryFilter
from api.routes.pool_reports import Before, Number, check_factory
from store.reports import Report

router = APIRouter(route_class=BoundedRoute)

_SHOWN = 50
_MOST_BYTES = 512 * 1024
_TIMEZONE = "Asia/Shanghai"

Reader = Annotated[Caller, needs(Permission.READ_POOL)]
Filler = Annotated[Caller, needs(Permission.FILL_REPORT)]
Mover = Annotated[Caller, needs(Permission.MOVE_REPORT)]
Text = Annotated[str, Form(max_length=2000)]


@dataclass(frozen=True, slots=True)
class Row:
    """A report in the list or at the head of its page."""

    href: str
    factory: str
    kind: str
    period: str
    state: str
    due: str
    estimated: bool
    overdue: str | None


@dataclass(frozen=True, slots=True)
class Asked:
    """An item as the form shows it; values are in the unit that people read."""

    code: str
    name: str
    form: str
    words: tuple[tuple[str, str], ...]
    optional: bool
    unit: str
    verified: str | None
    revision: str | None
    stance: str
    value: str
    said: str
    note: str
    last: str | None
    returned: str | None


@dataclass(frozen=True, slots=True)
class Todo:
    """A step that the caller's role takes, and why it is not open where it is not."""

    step: str
    name: str
    adverse: bool
    why_not: str


@router.get("/reports", response_class=HTMLResponse)
def list_reports(
    request: Request,
    caller: Reader,
    database: TheDatabase,
    factory: FactoryFilter = None,
    state: Annotated[str | None, Query(pattern=r"^\w{0,40}$")] = None,
    before: Before = None,
) -> HTMLResponse:
    """Show the reports in the caller's scope, newest first."""
    t = Texts(language_of(request))
    with database.acting(caller) as conn:
        found = store.reports.listed(
            conn, factory=factory or None, state=state or None, before=before, most=_SHOWN + 1
        )
        own = store.registry.factories(conn) if caller.may(Permission.FILL_REPORT) else []
    shown = found[:_SHOWN]
    return page(
        request,
        "reports.html",
        rows=[_row(each, t) for each in shown],
        states=[(code, t.pick(name.zh, name.en)) for code, name in table().states.items()],
        chosen=state or "",
        older=shown[-1].report_id if len(found) > _SHOWN else None,
        own=[(each.code, t.pick(each.name_zh, each.name_en)) for each in own],
        kinds=[(code, t.pick(table().kinds[code].zh, table().kinds[code].en))
               for code in ("CHG", "ACC")],
    )  # fmt: skip


@router.post("/factories/{code}/reports")
def begin_report(
    caller: Filler,
    database: TheDatabase,
    code: Code,
    kind: Annotated[str, Form(pattern=r"^(CHG|ACC)$")],
    happened_on: Annotated[date, Form()],
) -> Response:
    """Begin the report of a change or an accident."""
    with database.acting(caller) as conn:
        factory = store.registry.factory_by_code(conn, code)
        number = reports.begin(
            conn, caller.actor, factory.factory_id, kind, happened_on, now=datetime.now(UTC)
        )
    return _back(code, number)


@router.get("/factories/{code}/reports/{report_id}", response_class=HTMLResponse)
def read_report(
    request: Request, caller: Reader, database: TheDatabase, code: Code, report_id: Number
) -> HTMLResponse:
    """Show a report: a form to who fills it in, and what was said to everybody else."""
    return _shown(request, caller, database, code, report_id)


@router.post("/factories/{code}/reports/{report_id}/answers", openapi_extra=bounded(_MOST_BYTES))
async def fill_report(
    request: Request, caller: Filler, database: TheDatabase, code: Code, report_id: Number
) -> Response:
    """Keep what the form says, and hand the report over where that was asked for."""
    form = await request.form()
    said = {name: value for name, value in form.items() if isinstance(value, str)}
    return await run_in_threadpool(_fill, request, caller, database, code, report_id, said)


@router.post("/factories/{code}/reports/{report_id}/steps", openapi_extra=bounded(_MOST_BYTES))
async def move_report(
    request: Request, caller: Mover, database: TheDatabase, code: Code, report_id: Number
) -> Response:
    """Take a step: hand back, submit, pass, return with reasons, lock, open again."""
    form = await request.form()
    said = {name: value for name, value in form.items() if isinstance(value, str)}
    return await run_in_threadpool(_move, request, caller, database, code, report_id, said)


def _fill(
    request: Request,
    caller: Caller,
    database: Database,
    code: str,
    report_id: int,
    said: Mapping[str, str],
) -> Response:
    try:
        with database.acting(caller) as conn:
            check_factory(conn, code, report_id)
            known = reports.view(conn, caller.actor, report_id).items
            given = [found for each in known if (found := _given(each, said)) is not None]
            now = datetime.now(UTC)
            after = reports.fill(
                conn, caller.actor, report_id, given, version=_version(said), now=now
            )
            if said.get("then") == "hand_over":
                reports.move(
                    conn, caller.actor, report_id, "hand_over", version=after.version, now=now
                )
    except StaleVersion:
        raise
    except Declined as error:
        return _shown(request, caller, database, code, report_id, fault=str(error), typed=said)
    return _back(code, report_id)


def _move(
    request: Request,
    caller: Caller,
    database: Database,
    code: str,
    report_id: int,
    said: Mapping[str, str],
) -> Response:
    items = {
        name.removeprefix("return:"): why
        for name, why in said.items()
        if name.startswith("return:") and why.strip()
    }
    step = said.get("step", "")
    try:
        with database.acting(caller) as conn:
            check_factory(conn, code, report_id)
            reports.move(
                conn, caller.actor, report_id, step,
                version=_version(said), comment=said.get("comment", ""),
                items=items if step.endswith("_return") or step == "reopen" else {},
                now=datetime.now(UTC),
            )  # fmt: skip
    except StaleVersion:
        raise
    except Declined as error:
        return _shown(request, caller, database, code, report_id, fault=str(error), typed=said)
    return _back(code, report_id)


def _shown(
    request: Request,
    caller: Caller,
    database: Database,
    code: str,
    report_id: int,
    *,
    fault: str | None = None,
    typed: Mapping[str, str] | None = None,
) -> HTMLResponse:
    t = Texts(language_of(request))
    with database.acting(caller) as conn:
        check_factory(conn, code, report_id)
        found = reports.view(conn, caller.actor, report_id)
        taken = store.reports.steps(conn, report_id)
    asked = [_asked(each, t, typed or {}) for each in found.items]
    todos = _todos(found, caller, t)
    answer = page(
        request,
        "report.html",
        422 if fault else 200,
        row=_row(found.report, t),
        report=found.report,
        view=found,
        confirmable=sum(each.is_verified for each in found.items),
        figures=[each for each in asked if each.code.startswith(KPI)],
        others=[each for each in asked if not each.code.startswith((KPI, "annex1."))],
        points=[each for each in asked if each.code.startswith("annex1.")],
        fills=any(each.step == "fill" for each in todos),
        hands_over=caller.may(Permission.FILL_REPORT),
        todos=[each for each in todos if each.step not in ("fill", "hand_over")],
        returns=any(each.step.endswith("_return") or each.step == "reopen" for each in todos),
        comment=(typed or {}).get("comment", ""),
        reasons={each.code: (typed or {}).get(f"return:{each.code}", "") for each in asked},
        taken=[
            (local_minute(each.at, _TIMEZONE), each.actor, t(f"role.{each.role}"),
             _state(each.to_state, t), each.comment)
            for each in reversed(taken) if each.step != "fill"
        ],
        fault=fault,
    )  # fmt: skip
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _todos(found: View, caller: Caller, t: Texts) -> list[Todo]:
    return [
        Todo(
            each.transition.transition_id,
            t.pick(each.transition.name.zh, each.transition.name.en),
            each.transition.adverse,
            t.pick("；", "; ").join(why.text(t.language) for why in each.reasons),
        )
        for each in found.steps
        if caller.role in each.transition.who
    ]


def _given(item: Item, said: Mapping[str, str]) -> Given | None:
    """Return what a form says of an item; None where it says nothing."""
    value, note = said.get(f"value:{item.code}"), said.get(f"note:{item.code}", "").strip()
    if item.is_verified:
        stance = said.get(f"stance:{item.code}")
        if stance == "confirmed":
            return Given(item.code, "confirmed")
        return Given(item.code, "disputed", _number(value, item), note) if stance else None
    if value is None:
        return None
    if not value.strip():
        # A blank takes back what was said; where nothing was, it says nothing.
        return None if item.answer is None else Given(item.code, "given", None, note)
    if item.form in ("amount", "count"):
        return Given(item.code, "given", _number(value, item), note)
    return Given(item.code, "given", value.strip(), note)


def _number(text: str | None, item: Item) -> float | int | None:
    if text is None or not text.strip():
        return None
    try:
        number = float(text.replace(",", "").replace("，", "").strip().removesuffix("%"))
    except ValueError:
        raise Declined(f"{item.name.zh} / {item.name.en}: {text!r} is no number") from None
    if item.code.startswith(KPI):
        return number / kpis.by_id(item.code.removeprefix(KPI)).factor
    return int(number) if number.is_integer() else number


def _version(said: Mapping[str, str]) -> int:
    text = said.get("version", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def _asked(item: Item, t: Texts, typed: Mapping[str, str]) -> Asked:
    answer, figure = item.answer, item.figure
    stance = typed.get(f"stance:{item.code}", answer.stance if answer else "")
    if item.is_verified and answer is not None and not item.is_answered:
        stance = typed.get(f"stance:{item.code}", "")
    value = _text(item, item.value) if not item.is_verified or stance == "disputed" else ""
    return Asked(
        code=item.code,
        name=t.pick(item.name.zh, item.name.en),
        form=item.form if isinstance(item.form, str) else "words",
        words=() if isinstance(item.form, str) else tuple(
            (word, t.pick(table().words[word].zh, table().words[word].en)) for word in item.form
        ),
        optional=item.optional,
        unit=_unit(item, t),
        verified=_text(item, figure.point) if figure and item.is_verified else None,
        revision=None if figure is None or not item.is_verified else t(
            "report.revision", revision=figure.revision, grade=figure.grade,
            figure=figure.figure_id,
        ),
        stance=stance,
        value=typed.get(f"value:{item.code}", value),
        said=_said(item, t),
        note=typed.get(f"note:{item.code}", answer.note if answer else ""),
        last=None if item.last is None or item.carry else _text(item, item.last),
        returned=item.returned,
    )  # fmt: skip


def _said(item: Item, t: Texts) -> str:
    """Return what the report says of an item, in words."""
    if item.is_verified:
        if not item.is_answered or item.answer is None:
            return t("report.no_answer")
        if item.answer.stance == "confirmed":
            return t("report.confirmed")
        return t("report.disputed", value=f"{_text(item, item.value)} {_unit(item, t)}".strip())
    if item.value is None:
        return t("report.no_answer")
    if isinstance(item.form, tuple):
        return t.pick(table().words[item.value].zh, table().words[item.value].en)
    return f"{_text(item, item.value)} {_unit(item, t)}".strip()


def _text(item: Item, value: Any) -> str:
    if value is None:
        return ""
    if item.code.startswith(KPI) and isinstance(value, int | float):
        kpi = kpis.by_id(item.code.removeprefix(KPI))
        return f"{value * kpi.factor:.{kpi.decimals}f}"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _unit(item: Item, t: Texts) -> str:
    if not item.code.startswith(KPI):
        return ""
    kpi = kpis.by_id(item.code.removeprefix(KPI))
    return t.pick(kpi.shown_unit_zh, kpi.shown_unit_en)


def _row(found: Report, t: Texts) -> Row:
    kind = table().kinds[found.kind]
    key = "report.days" if found.kind in ("Q", "Y") else "report.day"
    since = found.overdue_since
    return Row(
        href=f"/factories/{found.factory}/reports/{found.report_id}",
        factory=t.pick(found.name_zh, found.name_en),
        kind=t.pick(kind.zh, kind.en),
        period=t(key, start=found.period_start, end=found.period_end - timedelta(days=1)),
        state=_state(found.state, t),
        due=found.due_on.isoformat(),
        estimated=found.due_estimated,
        overdue=None if since is None else t("report.overdue", day=since),
    )


def _state(code: str, t: Texts) -> str:
    name = table().states[code]
    return t.pick(name.zh, name.en)


def _back(code: str, report_id: int) -> Response:
    return RedirectResponse(f"/factories/{code}/reports/{report_id}", 303)
