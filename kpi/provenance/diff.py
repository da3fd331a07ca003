"""What changed between two figures, and why: inputs side by side, and what arrived between."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import store
from kpi.errors import NotComputable
from kpi.provenance.basis import assets_under, kinds_under, window
from kpi.provenance.explain import records_under
from kpi.provenance.recomputed import flat, name
from store import provenance, registry
from store.figures import Figure

_FIELDS = (
    *("point", "low", "high", "coverage", "grade", "reason"),
    *("method_version", "coefficient_version"),
)


@dataclass(frozen=True, slots=True)
class Change:
    """A field or an input that is not the same in both figures."""

    what: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class Arrival:
    """A batch that arrived between two figures with rows under them."""

    gateway: str
    seq: int
    rows: int
    received_at: datetime


@dataclass(frozen=True, slots=True)
class RecordChange:
    """A record that counts for the later figure in another version; None: it was not there."""

    kind: str
    key: str
    before: int | None
    after: int | None
    gateway: str
    seq: int


@dataclass(frozen=True, slots=True)
class Difference:
    """Two figures of one factory and KPI: what changed, what arrived between, and why in words."""

    before: str
    after: str
    changes: list[Change]
    arrivals: list[Arrival]
    records: list[RecordChange]
    why: list[str]


def differences(conn: store.Connection, first_id: int, second_id: int) -> Difference:
    """Compare two figures of one factory and KPI; raises NotComputable for others, or Refused."""
    with store.transaction(conn):
        (code, first), (other, second) = (
            provenance.figure(conn, each) for each in (first_id, second_id)
        )
        if (code, first.kpi) != (other, second.kpi):
            raise NotComputable(
                f"{name(code, first)} and {name(other, second)} are figures of different "
                "factories or KPIs; compare two of the same"
            )
        changes = list(_changes(first, second))
        arrivals = _arrivals(conn, code, first, second)
        records = _records(conn, code, first, second)
    return Difference(
        before=name(code, first),
        after=name(code, second),
        changes=changes,
        arrivals=arrivals,
        records=records,
        why=list(_why(first, second, changes, arrivals, records)),
    )


def _changes(first: Figure, second: Figure) -> Iterator[Change]:
    for field in _FIELDS:
        before, after = getattr(first, field), getattr(second, field)
        if before != after:
            yield Change(field, before, after)
    inputs = dict(flat(first.inputs)), dict(flat(second.inputs))
    for key in dict.fromkeys((*inputs[0], *inputs[1])):
        before, after = inputs[0].get(key), inputs[1].get(key)
        if before != after:
            yield Change(f"input {key}", before, after)


def _arrivals(conn: store.Connection, code: str, first: Figure, second: Figure) -> list[Arrival]:
    plan = registry.monitoring_plan(conn, registry.factory_by_code(conn, code))
    ids = [asset.asset_id for asset in assets_under(plan, first.kpi)]
    rows: dict[int, int] = {}
    for figure in (first, second):
        span = window(plan, figure.period_start, figure.period_end, figure.kpi)
        for number, (count, _) in provenance.rows_by_batch(conn, ids, *span).items():
            rows[number] = count
    since, until = sorted((first.computed_at, second.computed_at))
    return [
        Arrival(batch.gateway, batch.seq, rows[batch.batch_id], batch.received_at)
        for batch in provenance.ledger(conn, plan.factory.factory_id, sorted(rows))
        if since < batch.received_at <= until
    ]


def _records(
    conn: store.Connection, code: str, first: Figure, second: Figure
) -> list[RecordChange]:
    if not kinds_under(first.kpi):
        return []
    plan = registry.monitoring_plan(conn, registry.factory_by_code(conn, code))
    before, after = (
        {(each.kind, each.key): each for each in records_under(conn, plan, figure)}
        for figure in (first, second)
    )
    found = []
    for key in sorted({*before, *after}):
        old, new = before.get(key), after.get(key)
        shown = new or old
        assert shown is not None
        was, became = (None if each is None else each.version for each in (old, new))
        if was != became:
            found.append(RecordChange(*key, was, became, shown.gateway, shown.seq))
    return found


def _why(
    first: Figure,
    second: Figure,
    changes: list[Change],
    arrivals: list[Arrival],
    records: list[RecordChange],
) -> Iterator[str]:
    if not changes:
        yield "nothing changed"
        return
    if first.period_start != second.period_start or first.period_end != second.period_end:
        yield "the periods differ"
    if first.method_version != second.method_version:
        yield f"another method: {first.method_version}, then {second.method_version}"
    if first.coefficient_version != second.coefficient_version:
        versions = f"{first.coefficient_version}, then {second.coefficient_version}"
        yield f"other coefficients: {versions}"
    if arrivals:
        rows = sum(each.rows for each in arrivals)
        yield f"data arrived between: rows {rows}, batches {len(arrivals)}"
    if corrected := [each for each in records if each.before and each.after]:
        yield f"records corrected: {len(corrected)}"
    if new := [each for each in records if each.before is None]:
        yield f"records that came in or moved into the period: {len(new)}"
    if gone := [each for each in records if each.after is None]:
        yield f"records that moved out of the period: {len(gone)}"
    same = first.period_start == second.period_start and first.period_end == second.period_end
    if same and not arrivals and not records and first.method_version == second.method_version:
        yield "no row or record arrived between: the plan, the calendar or the clock changed"
