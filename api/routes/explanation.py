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
from kpi.provenance.explain import Explanation as Explained
from kpi.reasons import published
from store import Connection
from store.registry import Factory

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
        found = published(
            asdict(explained(conn, factory, kpi, period_kind, period_start, revision))
        )
    found["period"] = {"start": found.pop("period_start"), "end": found.pop("period_end")}
    return Explanation.model_validate(found)


def explained(
    conn: Connection,
    factory: Factory,
    kpi: str,
    period_kind: PeriodKind,
    start: date,
    revision: int | None,
) -> Explained:
    """Return a figure with all that it stands on, the newest unless a revision is named.

    Raises NotFound where there is none.
    """
    known = store.figures.revisions(conn, factory.factory_id, kpi, period_kind, start)
    chosen = [each for each in known if revision in (None, each.revision)]
    if not chosen:
        raise NotFound(f"{factory.code} has no such figure {kpi} for the period from {start}")
    return explain(conn, chosen[-1].figure_id)
