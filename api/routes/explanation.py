"""What a figure stands on: inputs, hour facts, batches, gateways, records."""

from dataclasses import asdict
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
from api.routes.explanation_models import Explanation
from api.routes.models import PeriodKind
from api.routes.parameters import Code
from kpi.provenance import explain
from kpi.reasons import published

router = APIRouter(tags=["figures"])


@router.get(
    "/factories/{code}/figures/{kpi}/{period_kind}/{period_start}/explanation",
    summary="Explain one figure",
    responses=described(401, 403, 404, 422),
)
def read_explanation(
    database: TheDatabase,
    caller: Annotated[Caller, needs(Permission.READ_FIGURES)],
    code: Code,
    kpi: KpiId,
    period_kind: PeriodKind,
    period_start: Annotated[date, Path(description="The first day of the period")],
    revision: Annotated[int | None, Query(ge=0, description="The newest by default")] = None,
) -> Explanation:
    """From the number down to the signed batches that it was formed from."""
    with database.acting(caller) as conn:
        factory = store.registry.factory_by_code(conn, code)
        known = store.figures.revisions(conn, factory.factory_id, kpi, period_kind, period_start)
        chosen = [each for each in known if revision in (None, each.revision)]
        if not chosen:
            raise NotFound(f"{code} has no such figure {kpi} for the period from {period_start}")
        found = published(asdict(explain(conn, chosen[-1].figure_id)))
    found["period"] = {"start": found.pop("period_start"), "end": found.pop("period_end")}
    return Explanation.model_validate(found)
