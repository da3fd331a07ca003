"""Self-reports: the enterprise answers and submits, the county and the city pass or return."""

from datetime import UTC, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Response

import store.registry
import store.reports
from api.bodies import BoundedRoute, bounded
from api.database import TheDatabase
from api.idempotency import Made, TheOnce
from api.identity import Caller, needs
from api.paging import cut
from api.permissions import Permission
from api.pool import report_items, report_opening, reports
from api.pool.report_items import Item
from api.pool.report_table import table
from api.pool_problems import shown_step
from api.problems import described
from api.routes import report_models as models
from api.routes.parameters import Before, Code, FactoryFilter, Number, StateFilter
from api.routes.versions import IfMatch, etag, version_of
from store import Connection
from store.reports import Prefilled, Report

router = APIRouter(tags=["pool"], route_class=BoundedRoute)

_MOST = 200
_MOST_BYTES = 512 * 1024

Reader = Annotated[Caller, needs(Permission.READ_POOL)]
Filler = Annotated[Caller, needs(Permission.FILL_REPORT)]
Mover = Annotated[Caller, needs(Permission.MOVE_REPORT)]


@router.get("/reports", summary="List reports", responses=described(401, 403, 404, 422))
def list_reports(
    caller: Reader,
    database: TheDatabase,
    factory: FactoryFilter = None,
    state: StateFilter = None,
    kind: Annotated[
        Literal["Q", "Y", "CHG", "ACC"] | None, Query(description="Only of this kind")
    ] = None,
    before: Before = None,
    limit: Annotated[int, Query(ge=1, le=_MOST)] = 100,
) -> models.ReportList:
    """The reports of the factories in the caller's scope, newest first."""
    with database.acting(caller) as conn:
        if factory is not None:
            store.registry.factory_by_code(conn, factory)
        found = store.reports.listed(
            conn, factory=factory, state=state, kind=kind, before=before, most=limit + 1
        )
    shown, more = cut(found, limit, lambda each: each.report_id)
    return models.ReportList(
        items=[_shown(each) for each in shown],
        next_before=more,
    )


@router.get(
    "/factories/{code}/reports/{report_id}",
    summary="Read a report and what can be done now",
    responses=described(401, 403, 404, 422),
)
def read_report(
    caller: Reader, database: TheDatabase, code: Code, report_id: Number, response: Response
) -> models.ReportDetail:
    """All that is asked with what was said; its ETag goes into `If-Match` of what changes it."""
    with database.acting(caller) as conn:
        reports.of_factory(conn, code, report_id)
        found = reports.view(conn, caller.actor, report_id)
        taken = store.reports.steps(conn, report_id)
    response.headers["ETag"] = etag("report", found.report.report_id, found.report.version)
    response.headers["Cache-Control"] = "no-store"
    return models.ReportDetail(
        report=_shown(found.report),
        to_fill=found.to_fill,
        left=found.left,
        items=[_item(each) for each in found.items],
        taken=[
            models.ReportStep(
                version=each.version,
                step=each.step,
                from_state=each.from_state,
                to_state=each.to_state,
                at=each.at,
                by=each.actor,
                role=each.role,
                comment=each.comment,
                items=each.items,
                due_on=each.due_on,
            )
            for each in taken
        ],
        steps=[shown_step(each) for each in found.steps],
    )


@router.get(
    "/factories/{code}/reports/{report_id}/answers/{item}",
    summary="List every answer to an item",
    responses=described(401, 403, 404, 422),
)
def list_answers(
    caller: Reader,
    database: TheDatabase,
    code: Code,
    report_id: Number,
    item: Annotated[str, Path(pattern=r"^[\w.]{1,60}$", examples=["staff"])],
) -> models.AnswerHistory:
    """Oldest first: what was corrected after a return stays on record."""
    with database.acting(caller) as conn:
        reports.of_factory(conn, code, report_id)
        found = store.reports.answers_ever(conn, report_id, item)
    return models.AnswerHistory(
        items=[
            models.AnswerPast(
                item=each.item,
                stance=each.stance,
                value=each.value,
                figure_id=each.figure_id,
                note=each.note,
                by=each.actor,
                at=each.at,
            )
            for each in found
        ]
    )


@router.post(
    "/factories/{code}/reports",
    summary="Begin the report of a change or an accident",
    response_model=models.Report,
    responses=described(400, 401, 403, 404, 408, 409, 413, 422),
)
def begin_report(
    caller: Filler, once: TheOnce, code: Code, given: models.NewEventReport
) -> Response:
    """Quarters and years are opened by the system."""

    def make(conn: Connection) -> Made:
        factory = store.registry.factory_by_code(conn, code)
        number = report_opening.begin(
            conn, caller.actor, factory.factory_id, given.kind, given.happened_on,
            now=datetime.now(UTC),
        )  # fmt: skip
        return _made(reports.of(conn, number))

    return once(caller, given, make)


@router.post(
    "/factories/{code}/reports/{report_id}/answers",
    summary="Fill in answers",
    response_model=models.Report,
    responses=described(400, 401, 403, 404, 408, 409, 412, 413, 422, 428),
    openapi_extra=bounded(_MOST_BYTES),
)
def fill_report(
    caller: Filler,
    once: TheOnce,
    code: Code,
    report_id: Number,
    given: models.NewAnswers,
    if_match: IfMatch = None,
) -> Response:
    """Confirm or dispute verified figures, and give what no machine knows."""

    def make(conn: Connection) -> Made:
        reports.of_factory(conn, code, report_id)
        answers = [
            report_items.Given(each.item, each.stance, each.value, each.note, each.figure_id)
            for each in given.answers
        ]
        found = reports.fill(
            conn, caller.actor, report_id, answers,
            version=version_of(if_match, "report", report_id), now=datetime.now(UTC),
        )  # fmt: skip
        return _made(found)

    return once(caller, given, make)


@router.post(
    "/factories/{code}/reports/{report_id}/steps",
    summary="Hand over, submit, pass or return a report",
    response_model=models.Report,
    responses=described(400, 401, 403, 404, 408, 409, 412, 413, 422, 428),
    openapi_extra=bounded(_MOST_BYTES),
)
def move_report(
    caller: Mover,
    once: TheOnce,
    code: Code,
    report_id: Number,
    given: models.NewReportStep,
    if_match: IfMatch = None,
) -> Response:
    """409 says what is possible now; officers change no answer, they return it with a reason."""

    def make(conn: Connection) -> Made:
        reports.of_factory(conn, code, report_id)
        found = reports.move(
            conn, caller.actor, report_id, given.step,
            version=version_of(if_match, "report", report_id), comment=given.comment,
            items=given.items, now=datetime.now(UTC),
        )  # fmt: skip
        return _made(found)

    return once(caller, given, make)


def _made(found: Report) -> Made:
    return Made(_shown(found), etag("report", found.report_id, found.version))


def _shown(found: Report) -> models.Report:
    kind, state = table().kinds[found.kind], table().states[found.state]
    return models.Report(
        report_id=found.report_id,
        factory=found.factory,
        name_zh=found.name_zh,
        name_en=found.name_en,
        kind=_KINDS[found.kind],
        kind_zh=kind.zh,
        kind_en=kind.en,
        period_start=found.period_start,
        period_end=found.period_end,
        state=found.state,
        state_zh=state.zh,
        state_en=state.en,
        version=found.version,
        due_on=found.due_on,
        due_estimated=found.due_estimated,
        overdue_since=found.overdue_since,
        opened_at=found.opened_at,
        submitted_at=found.submitted_at,
    )


_KINDS: dict[str, Literal["Q", "Y", "CHG", "ACC"]] = {
    "Q": "Q", "Y": "Y", "CHG": "CHG", "ACC": "ACC",
}  # fmt: skip


def _item(found: Item) -> models.ReportItem:
    figure, answer = found.figure, found.answer
    stances: dict[str, Literal["confirmed", "disputed", "given"]] = {
        "confirmed": "confirmed", "disputed": "disputed", "given": "given",
    }  # fmt: skip
    return models.ReportItem(
        item=found.code,
        zh=found.name.zh,
        en=found.name.en,
        form=found.form if isinstance(found.form, str) else list(found.form),
        optional=found.optional,
        verified=None if figure is None else _verified(figure),
        stance=stances[answer.stance] if answer else None,
        value=found.value,
        last=found.last,
        note=answer.note if answer else "",
        answered=found.is_answered,
        returned=found.returned,
    )


def _verified(figure: Prefilled) -> models.VerifiedFigure:
    return models.VerifiedFigure(
        figure_id=figure.figure_id,
        revision=figure.revision,
        unit=figure.unit,
        point=figure.point,
        low=figure.low,
        high=figure.high,
        grade=figure.grade,
        told_at=figure.told_at,
    )
