"""What data say of the claims of the construction points."""

from dataclasses import asdict
from datetime import UTC, date, datetime
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request, Response

import store.evidence
import store.registry
from api.database import TheDatabase
from api.identity import Caller, needs
from api.permissions import Permission
from api.problems import described
from api.routes.answers import tagged_json
from api.routes.evidence_models import Evidence, EvidenceList
from api.routes.parameters import Code
from kpi.annex1 import Claim, Rule, claims, rules
from kpi.reasons import published

router = APIRouter(tags=["evidence"])


@router.get(
    "/factories/{code}/evidence",
    summary="List the evidence for the construction points",
    response_model=EvidenceList,
    responses=described(401, 403, 404, 422)
    | {304: {"description": "Unchanged since the ETag given"}},
)
def list_evidence(
    request: Request,
    database: TheDatabase,
    caller: Annotated[Caller, needs(Permission.READ_FIGURES)],
    code: Code,
) -> Response:
    """The newest answer to each claim by each method, what shows it, and until when it holds."""
    with database.acting(caller) as conn:
        factory = store.registry.factory_by_code(conn, code)
        found = store.evidence.latest(conn, factory.factory_id)
    today = datetime.now(UTC).astimezone(ZoneInfo(factory.timezone)).date()
    known = {claim.claim: claim for claim in claims()}
    # Of a claim that the table no longer has, old answers stay in the store only.
    items = [
        _evidence(each, known[each.claim], rules()[each.method], today)
        for each in found
        if each.claim in known and each.method in rules()
    ]
    return tagged_json(request, EvidenceList(factory=code, items=items))


def _evidence(
    found: store.evidence.StoredEvidence, claim: Claim, rule: Rule, today: date
) -> Evidence:
    return Evidence(
        claim_zh=claim.zh,
        claim_en=claim.en,
        evidence_class=claim.evidence_class,
        method_zh=rule.zh,
        method_en=rule.en,
        expired=found.expires_on <= today,
        **published(asdict(found)),
    )
