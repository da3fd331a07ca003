"""What the plausibility rules found in a factory's data."""

from dataclasses import asdict
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

import store.findings
import store.registry
from api.database import TheDatabase
from api.identity import Caller, needs
from api.permissions import Permission
from api.problems import described
from api.routes.answers import tagged_json
from api.routes.finding_models import Finding, FindingList, Severity
from api.routes.parameters import Code
from kpi.plausibility import rules, sentence

router = APIRouter(tags=["findings"])

_MOST = 10_000


@router.get(
    "/factories/{code}/findings",
    summary="List what the plausibility rules found",
    response_model=FindingList,
    responses=described(401, 403, 404, 422)
    | {304: {"description": "Unchanged since the ETag given"}},
)
def list_findings(
    request: Request,
    database: TheDatabase,
    caller: Annotated[Caller, needs(Permission.READ_FIGURES)],
    code: Code,
    month: Annotated[date | None, Query(description="The month that begins on this day")] = None,
    rule: Annotated[str | None, Query(pattern=r"^[QP]\d\d$", examples=["P01"])] = None,
    severity: Annotated[Severity | None, Query(description="Only this severity")] = None,
    cleared: Annotated[bool, Query(description="Also what is gone")] = False,
    limit: Annotated[int, Query(ge=1, le=_MOST)] = 1000,
) -> Response:
    """With the sentence in both languages and the hours, records or batches that show each."""
    with database.acting(caller) as conn:
        factory = store.registry.factory_by_code(conn, code)
        found = store.findings.listed(
            conn,
            factory.factory_id,
            month=month,
            rule=rule,
            severity=severity,
            cleared=cleared,
            most=limit,
        )
    items = [_finding(one) for one in found]
    return tagged_json(request, FindingList(factory=code, items=items))


def _finding(found: store.findings.Finding) -> Finding:
    rule = rules()[found.rule]
    said = {f"sentence_{language}": sentence(found, language) for language in ("zh", "en")}
    names = {"name_zh": rule.name_zh, "name_en": rule.name_en}
    whole = asdict(found) | said | names
    return Finding.model_validate({name: whole[name] for name in Finding.model_fields})
