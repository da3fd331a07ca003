"""The comparison: promised, reported and verified side by side."""

from typing import Annotated, Any

from fastapi import APIRouter, Request, Response

import api.comparison
import store.registry
from api import kpis
from api.comparison import Comparison
from api.database import TheDatabase
from api.identity import Caller, needs
from api.permissions import Permission
from api.problems import described
from api.routes import models
from api.routes.answers import tagged_json
from api.routes.parameters import Code, PeriodStart
from kpi.reasons import published, verdict_published
from store.pool import Compared, RollingYear

router = APIRouter(tags=["comparison"])


@router.get(
    "/factories/{code}/comparison",
    summary="Compare what was promised, reported and verified",
    response_model=models.Comparison,
    responses=described(401, 403, 404, 422)
    | {304: {"description": "Unchanged since the ETag given"}},
)
def read_comparison(
    request: Request,
    database: TheDatabase,
    caller: Annotated[Caller, needs(Permission.READ_FIGURES)],
    code: Code,
    period_start: PeriodStart = None,
) -> Response:
    """Per KPI of one rolling year, with both verdicts: fulfilment 兑现 and consistency 一致."""
    with database.acting(caller) as conn:
        factory = store.registry.factory_by_code(conn, code)
        found = api.comparison.load(conn, factory, period_start)
    return tagged_json(request, _comparison(found))


def _comparison(found: Comparison) -> models.Comparison:
    return models.Comparison(
        factory=found.factory.code,
        period=None if found.year is None else _window(found.year),
        periods=[_window(year) for year in found.years],
        items=[_item(found, row) for row in found.rows],
    )


def _window(year: RollingYear) -> models.Window:
    return models.Window(start=year.period_start, end=year.period_end)


def _item(found: Comparison, row: Compared) -> models.ComparedKpi:
    kpi = kpis.by_id(row.kpi)
    return models.ComparedKpi.model_validate(
        {
            "kpi": row.kpi,
            "name_zh": kpi.zh,
            "name_en": kpi.en,
            "unit": kpi.unit,
            "better": kpi.better,
            "before": {"value": row.before_value, "basis": row.before_basis},
            "expected": row.expected_value,
            "self_reported": row.reported_value,
            "verified": _verified(row),
            "settled": _settled(found, row),
            "fulfilment": _fulfilment(found, row),
            "consistency": {
                "deviation": row.deviation,
                "verdict": api.comparison.consistency_word(row),
            },
            "policy_version": row.policy_version,
            "reasons": [verdict_published(each) for each in row.reasons or []],
            "decided_at": row.decided_at,
        }
    )


def _verified(row: Compared) -> dict[str, Any] | None:
    if row.figure_id is None:
        return None
    names = (
        "point", "low", "high", "coverage", "grade", "reason", "revision", "method_version",
        "coefficient_version", "computed_at", "key_equipment",
    )  # fmt: skip
    return published({name: getattr(row, name) for name in names})


def _settled(found: Comparison, row: Compared) -> dict[str, Any] | None:
    settled = found.settled.get(row.kpi)
    if settled is None:
        return None
    names = ("value", "low", "high", "document", "dispute_id", "file_sha256")
    return {name: getattr(settled, name) for name in names}


def _fulfilment(found: Comparison, row: Compared) -> dict[str, Any]:
    return {
        "value": row.fulfilment,
        "low": row.fulfilment_low,
        "high": row.fulfilment_high,
        "verdict": api.comparison.fulfilment_word(found, row),
    }
