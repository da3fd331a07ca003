"""The audit: from the stored rows up to the figure, everything worked out again and compared."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import store
import store.figures
from kpi.calendar import add_months, local_midnight, months
from kpi.figures.records import counting_days, records_window
from kpi.jobs.basis import last_full_hour
from kpi.jobs.evidence import gathered
from kpi.provenance import facts, ledger, published, recomputed, rows, seals
from kpi.provenance.basis import Problem, assets_under, kinds_under, window
from store import locks, provenance, registry, retention
from store.figures import Figure
from store.registry import Asset, Factory, MonitoringPlan

_YEAR = timedelta(days=366)

# What is being checked, how many are done, of how many.
Tell = Callable[[str, int, int], Any]


@dataclass(slots=True)
class Audit:
    """What was checked, what is not as it was, and what could not be told."""

    factory: str
    figures: int = 0
    hours: int = 0
    batches: int = 0
    rows: int = 0
    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """Tell whether everything that was checked is as it was."""
        return not self.problems


@dataclass(slots=True)
class _Scope:
    """What one audit looks at, and the connection that it looks through."""

    conn: store.Connection
    plan: MonitoringPlan
    now: datetime
    tell: Tell
    found: Audit

    @property
    def factory(self) -> Factory:
        return self.plan.factory


def audit_figure(
    conn: store.Connection, figure_id: int, now: datetime, tell: Tell | None = None
) -> Audit:
    """Audit one figure: the batches and facts under it, and the figure; raises Refused."""
    code, figure = provenance.figure(conn, figure_id)
    scope = _scope(conn, registry.factory_by_code(conn, code), now, tell)
    assets = _assets(scope.plan, figure.kpi)
    start, end = window(scope.plan, figure.period_start, figure.period_end, figure.kpi)
    numbers = _batches_with_rows(scope, assets, start, end) | _batches_with_records(scope, figure)
    _check(scope, assets, (figure.period_start, figure.period_end), sorted(numbers), end)
    newest = store.figures.revisions(
        conn, figure.factory_id, figure.kpi, figure.period_kind, figure.period_start
    )[-1]
    _figures(scope, [figure], {newest.figure_id})
    return scope.found


def audit_factory(
    conn: store.Connection, factory: Factory, now: datetime, tell: Tell | None = None
) -> Audit:
    """Audit all of a factory: each batch, each hour, each figure."""
    scope = _scope(conn, factory, now, tell)
    known_until = provenance.known_until(conn, factory.factory_id)
    start = local_midnight(factory.baseline_from, factory.timezone)
    last = start if known_until is None else min(known_until, now) + timedelta(hours=1)
    _batches_with_rows(scope, scope.plan.assets, start, last)
    days = factory.baseline_from, _first_after(last, factory.timezone)
    _check(scope, scope.plan.assets, days, None)
    known = provenance.figures(conn, factory.factory_id)
    newest = {(each.kpi, each.period_kind, each.period_start): each.figure_id for each in known}
    _figures(scope, known, set(newest.values()))
    scope.found.problems += published.check(conn, factory.factory_id, factory.code)
    scope.found.problems += recomputed.gaps(factory.code, known)
    return scope.found


def _scope(conn: store.Connection, factory: Factory, now: datetime, tell: Tell | None) -> _Scope:
    plan = registry.monitoring_plan(conn, factory)
    return _Scope(conn, plan, now, tell or (lambda *_: None), Audit(factory.code))


def _assets(plan: MonitoringPlan, kpi: str) -> list[Asset]:
    # How long the business systems were heard of decides how much their records cover.
    own = assets_under(plan, kpi)
    return own + [asset for asset in plan.assets if asset.kind == "system" and asset not in own]


def _first_after(at: datetime, zone: str) -> date:
    return add_months(at.astimezone(ZoneInfo(zone)).date().replace(day=1), 1)


def _batches_with_rows(
    scope: _Scope, assets: Sequence[Asset], start: datetime, end: datetime
) -> set[int]:
    """Return the batches with rows of a window; rows that no batch accounts for are problems."""
    numbers: set[int] = set()
    ids = [asset.asset_id for asset in assets]
    while start < end:
        until = min(start + timedelta(days=31), end)
        for number, (_, astray) in provenance.rows_by_batch(scope.conn, ids, start, until).items():
            numbers.add(number)
            if astray:
                where = f"batch number {number}"
                said = f"{astray} rows say that they came in {where}, whose ledger row denies it"
                scope.found.problems.append(Problem("content", where, said))
        start = until
    return numbers


def _batches_with_records(scope: _Scope, figure: Figure) -> set[int]:
    """Return the batches that brought record versions which count for a figure's period."""
    kinds = kinds_under(figure.kpi)
    if not kinds:
        return set()
    zone = scope.factory.timezone
    reach = local_midnight(records_window(scope.factory.baseline_from), zone)
    versions = provenance.record_versions(
        scope.conn, scope.factory.factory_id, kinds, reach, scope.now + timedelta(days=366)
    )
    return {
        each.batch_id
        for each in versions
        if any(
            figure.period_start <= day < figure.period_end
            for day in counting_days(
                each.kind, each.at.astimezone(ZoneInfo(zone)).date(), each.body
            )
        )
    }


def _check(
    scope: _Scope,
    assets: Sequence[Asset],
    days: tuple[date, date],
    numbers: list[int] | None,
    until: datetime | None = None,
) -> None:
    """Check batches and facts, and name the rows that account for what differs."""
    found = scope.found
    signed = ledger.check(
        scope.conn,
        scope.factory.factory_id,
        numbers,
        lambda done, of: scope.tell("batches", done, of),
    )
    found.batches, found.rows = signed.batches, signed.rows
    found.notes += signed.incomplete
    found.notes += seals.note(scope.conn, scope.factory)
    found.problems += seals.check(scope.conn, scope.factory)
    formed = _facts(scope, assets, days, until)
    found.hours = formed.hours
    if formed.waiting:
        found.notes.append(
            f"{formed.waiting} hours wait to be computed again; run `millpond kpi refresh`"
        )
    found.problems += signed.problems
    found.problems += ledger.foreign_keys(scope.conn, scope.factory.factory_id)
    for content in signed.altered:
        problem = rows.named(scope.plan, content, formed.altered)
        if problem is not None:
            found.problems.append(problem)
    found.problems += formed.problems


def _facts(
    scope: _Scope, assets: Sequence[Asset], days: tuple[date, date], until: datetime | None
) -> facts.Checked:
    """Check the facts of some days, month by month, and those after them up to a time."""
    found = facts.Checked()
    spans = [window(scope.plan, *month) for month in months(days[0].replace(day=1), days[1])]
    if until is not None and spans and spans[-1][1] < until:
        # The last shift of the last day ends after it.
        spans.append((spans[-1][1], until))
    pieces = [(asset, span) for span in spans for asset in assets]
    for number, (asset, (start, end)) in enumerate(pieces, 1):
        facts.check(scope.conn, scope.plan, asset, start, end, scope.now, found)
        scope.tell("asset-months of facts", number, len(pieces))
    return found


def _figures(scope: _Scope, known: Sequence[Figure], newest: set[int]) -> None:
    """Check figures: each against its own hash, the newest ones against facts and records."""
    until = last_full_hour(scope.now)
    waits = provenance.waits_for_figures(scope.conn, scope.factory.factory_id, until)
    if waits:
        scope.found.notes.append(
            "data or records wait for the jobs, so that no figure was formed again; "
            "run `millpond kpi refresh`"
        )
    held = {
        (each.kpi, each.period_kind, each.period_start)
        for each in locks.pending(scope.conn, scope.factory.factory_id)
    }
    evidence: dict[datetime, recomputed.Formed] = {}
    final = retention.horizon(scope.conn, scope.factory.factory_id)
    for number, figure in enumerate(known, 1):
        scope.tell("figures", number, len(known))
        scope.found.figures += 1
        again = None
        is_final = final is not None and figure.period_start < final.final_until
        if figure.figure_id in newest and not waits and not is_final:
            at = _until(figure, until)
            if at not in evidence:
                since = None if final is None else (final.final_until, (at + _YEAR).date())
                found = gathered(scope.conn, scope.factory, at, since)
                evidence[at] = recomputed.Formed(found)
            again = evidence[at].again(figure)
        name = recomputed.name(scope.factory.code, figure)
        if again is not None and again.method_version != figure.method_version:
            other = f"{name} was formed by method {figure.method_version}"
            scope.found.notes.append(f"{other}; only its own hash was compared")
            again = None
        if again is not None and (figure.kpi, figure.period_kind, figure.period_start) in held:
            scope.found.notes.append(f"{name} is locked, and a new value stands beside it")
            again = None
        scope.found.problems += recomputed.problems(scope.factory.code, figure, again)


def _until(figure: Figure, until: datetime) -> datetime:
    """Return up to when a figure's evidence goes; that of a running period says so."""
    given = figure.inputs.get("until") if figure.revision == 0 else None
    return until if given is None else datetime.fromisoformat(given).astimezone(UTC)
