"""Published figures and their revisions."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Path, Query

import store.figures
import store.registry
from api.database import TheDatabase
from api.errors import NotFound
from api.identity import Caller, needs
from api.kpis import KpiId
from api.permissions import Permission
from api.problems import described
from api.routes import models
from api.routes.models import PeriodKind
from api.routes.parameters import Code
from kpi.reasons import published
from store.figures import Figure

router = APIRouter(tags=["figures"])


@router.get(
    "/factories/{code}/figures",
    summary="List a factory's figures",
    responses=described(401, 403, 404, 422),
)
def list_figures(
    database: TheDatabase,
    caller: Annotated[Caller, needs(Permission.READ_FIGURES)],
    code: Code,
    kpi: Annotated[KpiId | None, Query(description="Only this KPI")] = None,
    period_kind: Annotated[PeriodKind | None, Query(description="Only months or years")] = None,
    since: Annotated[date | None, Query(description="Only periods that end after it")] = None,
    until: Annotated[date | None, Query(description="Only periods that begin before it")] = None,
) -> models.FigureList:
    """The newest revision of each, with its bounds, coverage, grade and method version."""
    with database.acting(caller) as conn:
        factory = store.registry.factory_by_code(conn, code)
        found = store.figures.latest(
            conn, factory.factory_id, kpi=kpi, period_kind=period_kind, since=since, until=until
        )
    return models.FigureList(factory=code, items=[_figure(figure) for figure in found])


@router.get(
    "/factories/{code}/figures/{kpi}/{period_kind}/{period_start}/revisions",
    summary="List all revisions of one figure",
    responses=described(401, 403, 404, 422),
)
def list_revisions(
    database: TheDatabase,
    caller: Annotated[Caller, needs(Permission.READ_FIGURES)],
    code: Code,
    kpi: KpiId,
    period_kind: PeriodKind,
    period_start: Annotated[date, Path(description="The first day of the period")],
) -> models.FigureList:
    """Oldest first; late data or a new method add one and leave the earlier ones as they are."""
    with database.acting(caller) as conn:
        factory = store.registry.factory_by_code(conn, code)
        found = store.figures.revisions(conn, factory.factory_id, kpi, period_kind, period_start)
    if not found:
        raise NotFound(f"{code} has no figure {kpi} for the {period_kind} from {period_start}")
    return models.FigureList(factory=code, items=[_figure(figure) for figure in found])


def _figure(figure: Figure) -> models.Figure:
    names = (
        "kpi", "period_kind", "revision", "unit", "point", "low", "high", "coverage", "grade",
        "reason", "method_version", "coefficient_version", "inputs", "computed_at",
    )  # fmt: skip
    return models.Figure.model_validate(
        published({name: getattr(figure, name) for name in names})
        | {
            "period": {"start": figure.period_start, "end": figure.period_end},
            "inputs_sha256": figure.inputs_sha256.hex(),
        }
    )
