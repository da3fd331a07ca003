"""The page of one factory."""

from datetime import UTC, date, datetime
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

import api.comparison
import store.evidence
import store.figures
import store.findings
import store.locks
import store.memberships
import store.pool
import store.warnings
from api import kpis
from api.database import TheDatabase
from api.identity import Caller, needs
from api.kpis import KpiId
from api.language import TheLanguage
from api.messages import Texts
from api.pages.factory_view import factory_page
from api.pages.picture_data import months_view
from api.pages.proof_view import MOST_FINDINGS, SEVERITIES, proof
from api.pages.stay_view import stay
from api.pages.templates import page
from api.permissions import Permission
from api.pool import lifecycle, settings
from api.routes.factories import standing_of
from api.routes.parameters import Code, PeriodStart
from store import Connection
from store.figures import Figure

router = APIRouter()

_CHANGES = 10
_MOST_CHANGES = 500
_MOST_TAGS = 1000
# Of each severity.
_MOST_FINDINGS = 500


@router.get("/factories/{code}", response_class=HTMLResponse)
def read_factory(
    request: Request,
    database: TheDatabase,
    caller: Annotated[Caller, needs(Permission.READ_FIGURES)],
    language: TheLanguage,
    code: Code,
    period_start: PeriodStart = None,
    kpi: Annotated[KpiId, Query()] = "oee",
    whole: Annotated[bool, Query()] = False,
) -> HTMLResponse:
    """Show what was promised, reported and verified, month by month, and the live data."""
    t = Texts(language)
    with database.acting(caller) as conn:
        standing = standing_of(conn, code)
        factory = standing.factory
        found = api.comparison.load(conn, factory, period_start)
        by_kpi = month_figures(conn, factory.factory_id, factory.baseline_from)
        changes = store.pool.newest_changes(conn, factory, most=_MOST_CHANGES)
        tags = store.pool.live_tags(conn, factory.factory_id, most=_MOST_TAGS)
        found_by_rules = [
            each
            for severity in SEVERITIES
            for each in store.findings.listed(
                conn, factory.factory_id, severity=severity, most=_MOST_FINDINGS
            )
        ]
        names = store.findings.asset_names(conn, factory.factory_id)
        evidence = store.evidence.latest(conn, factory.factory_id)
        held = store.locks.locks(conn, factory.factory_id)
        open_warnings = store.warnings.count_open(conn, factory.factory_id)
        today = datetime.now(UTC).astimezone(ZoneInfo(factory.timezone)).date()
        stays = store.memberships.newest(conn, factory.factory_id)
        machine = lifecycle.held(settings.current(conn, today))
    most = len(found_by_rules) if whole else MOST_FINDINGS
    stands_on = proof(t, found_by_rules, evidence, held, today, names=names, most=most)
    run = months_view(t, kpis.by_id(kpi), by_kpi.get(kpi, []), frozenset(by_kpi))
    shown = changes if whole else changes[:_CHANGES]
    view = factory_page(t, standing, found, run, shown, stands_on, tags)
    stands = None if stays is None else stay(t, machine, stays, today)
    return page(
        request,
        "factory.html",
        view=view,
        change_count=len(changes),
        open_warnings=open_warnings,
        stay=stands,
    )


def month_figures(conn: Connection, factory_id: int, since: date) -> dict[str, list[Figure]]:
    """Return the newest revision of each month by KPI, oldest first."""
    by_kpi: dict[str, list[Figure]] = {}
    for figure in store.figures.latest(conn, factory_id, period_kind="month", since=since):
        by_kpi.setdefault(figure.kpi, []).append(figure)
    return by_kpi
