"""What lies under a figure, from its inputs down to the gateway's key."""

from collections import Counter
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

import store
from kpi.calendar import from_us, local_midnight
from kpi.facts.basis import Columns
from kpi.figures.records import counting_days, records_window
from kpi.provenance import ledger
from kpi.provenance.basis import assets_under, kinds_under, named_period, window
from store import provenance, registry, retention
from store.formed import Figure, Formed, said_by
from store.provenance import Keys, LedgerRow, RecordVersion
from store.registry import Asset, MonitoringPlan

_WORST = 5
_MOST_RECORDS = 200
_MOST_BATCHES = 1000
HOUR_S = 3600.0
# What only the states of a machine tell.
_OF_STATES = (
    *("planned_s", "run_s", "setup_s", "stop_s", "idle_s", "unknown_s", "uncounted_s"),
    *("run_doubt_s", "rest_doubt_s"),
)
_SUMS = (
    *_OF_STATES,
    *("total", "good", "reject", "ideal_total_s", "ideal_good_s", "energy"),
)


@dataclass(frozen=True, slots=True)
class WorstHour:
    """An hour in which much of the time or count is not known [s]; of a meter, its reading."""

    hour: datetime
    unknown_s: float
    uncounted_s: float


@dataclass(frozen=True, slots=True)
class AssetFacts:
    """The hour facts of one asset under a figure, added up; what it does not have is left out."""

    asset: str
    name_zh: str
    hours: int
    rows: int
    sums: dict[str, float]
    worst_hours: list[WorstHour]


@dataclass(frozen=True, slots=True)
class BatchUnder:
    """A batch with rows or records under a figure."""

    gateway: str
    seq: int
    rows: int
    records: int
    sha256: str
    prev_sha256: str
    signature_ok: bool
    received_at: datetime


@dataclass(frozen=True, slots=True)
class GatewayUnder:
    """A gateway whose batches lie under a figure, and the key that it is known by."""

    gateway: str
    key_fingerprint: str
    enrolled_at: datetime | None
    enrolled_by: str | None
    revoked_at: datetime | None
    batches: int


@dataclass(frozen=True, slots=True)
class RecordUnder:
    """A business record under a figure: the version that counts and the batch that brought it."""

    kind: str
    key: str
    version: int
    at: datetime
    gateway: str
    seq: int


@dataclass(frozen=True, slots=True)
class Explanation(Formed):
    """A figure and all that it stands on; periods are local days, half-open."""

    figure_id: int
    factory: str
    period: str
    revision: int
    computed_at: datetime
    inputs_sha256: str
    facts: list[AssetFacts]
    batch_count: int
    # The first 1000 in the order in which they came.
    batches: list[BatchUnder]
    gateways: list[GatewayUnder]
    record_count: int
    # The first 200 in the order of kind and key.
    records: list[RecordUnder]
    # Set where rows under the figure are no longer kept: those before this time.
    rows_from: datetime | None


def explain(conn: store.Connection, figure_id: int) -> Explanation:
    """Walk a figure down: inputs, hour facts, batches, gateways, records; raises Refused."""
    with store.transaction(conn):
        code, figure = provenance.figure(conn, figure_id)
        plan = registry.monitoring_plan(conn, registry.factory_by_code(conn, code))
        assets = assets_under(plan, figure.kpi)
        records = records_under(conn, plan, figure)
        under = _under(conn, plan, figure, assets, records)
        keys = provenance.keys(conn, plan.factory.factory_id)
        return Explanation(
            **said_by(figure),
            figure_id=figure.figure_id,
            factory=code,
            period=named_period(figure.period_kind, figure.period_start, figure.period_end),
            revision=figure.revision,
            computed_at=figure.computed_at,
            inputs_sha256=figure.inputs_sha256.hex(),
            facts=[_facts(conn, plan, figure, asset) for asset in assets],
            batch_count=len(under),
            batches=[_batch(*each, keys) for each in under[:_MOST_BATCHES]],
            gateways=_gateways(keys, [batch for batch, _, _ in under]),
            record_count=len(records),
            records=[
                RecordUnder(each.kind, each.key, each.version, each.at, each.gateway, each.seq)
                for each in records[:_MOST_RECORDS]
            ],
            rows_from=_rows_from(conn, figure),
        )


def _rows_from(conn: store.Connection, figure: Figure) -> datetime | None:
    known = retention.horizon(conn, figure.factory_id)
    is_final = known is not None and figure.period_start < known.final_until
    return known.rows_from if known is not None and is_final else None


def records_under(
    conn: store.Connection, plan: MonitoringPlan, figure: Figure
) -> list[RecordVersion]:
    """Return the newest versions, known when the figure was formed, that count for its period."""
    kinds = kinds_under(figure.kpi)
    if not kinds:
        return []
    factory = plan.factory
    zone = ZoneInfo(factory.timezone)
    reach = local_midnight(records_window(factory.baseline_from), factory.timezone)
    end = datetime.combine(figure.period_end, datetime.min.time(), UTC) + timedelta(days=366)
    newest: dict[tuple[str, str], RecordVersion] = {}
    for each in provenance.record_versions(conn, factory.factory_id, kinds, reach, end):
        if each.received_at <= figure.computed_at:
            newest[each.kind, each.key] = each
    return [
        each
        for each in newest.values()
        if any(
            figure.period_start <= day < figure.period_end
            for day in counting_days(each.kind, each.at.astimezone(zone).date(), each.body)
        )
    ]


def _facts(
    conn: store.Connection, plan: MonitoringPlan, figure: Figure, asset: Asset
) -> AssetFacts:
    start, end = window(plan, figure.period_start, figure.period_end, figure.kpi)
    found = provenance.stored_facts(conn, asset.asset_id, start, end)
    roles = {tag.role for tag in plan.tags if tag.asset_id == asset.asset_id}
    found = _told_by(roles, found)
    lost = found["unknown_s"] + found["uncounted_s"]
    worst = [place for place in np.argsort(-lost, kind="stable")[:_WORST].tolist() if lost[place]]
    without = () if "state" in roles else _OF_STATES
    has = {name: found[name][~np.isnan(found[name])] for name in _SUMS if name not in without}
    return AssetFacts(
        asset=asset.code,
        name_zh=asset.name_zh,
        hours=len(lost),
        rows=int(found["row_count"].sum()),
        sums={name: float(column.sum()) for name, column in has.items() if len(column)},
        worst_hours=[
            WorstHour(
                from_us(int(found["hour_us"][place])),
                float(found["unknown_s"][place]),
                float(found["uncounted_s"][place]),
            )
            for place in worst
        ],
    )


def _told_by(roles: Set[str], found: Columns) -> Columns:
    """Return the facts with what is not known of an asset without states: its readings, else all.

    A meter has no state that could be unknown, and a business system is heard of or not.
    """
    if "state" in roles:
        return found
    silent = np.isnan(found["energy"]) if "energy" in roles else found["known_s"] <= 0
    return {**found, "unknown_s": np.where(silent, HOUR_S, 0.0)}


def _under(
    conn: store.Connection,
    plan: MonitoringPlan,
    figure: Figure,
    assets: Sequence[Asset],
    records: Sequence[RecordVersion],
) -> list[tuple[LedgerRow, int, int]]:
    """Return the batches under a figure, each with how many rows and records it has there."""
    start, end = window(plan, figure.period_start, figure.period_end, figure.kpi)
    ids = [asset.asset_id for asset in assets]
    rows = provenance.rows_by_batch(conn, ids, start, end)
    told = Counter(record.batch_id for record in records)
    found = provenance.ledger(conn, plan.factory.factory_id, sorted({*rows, *told}))
    return [
        (batch, rows.get(batch.batch_id, (0, 0))[0], told[batch.batch_id])
        for batch in found
        # What came later forms later revisions.
        if batch.received_at <= figure.computed_at
    ]


def _batch(batch: LedgerRow, rows: int, records: int, keys: Mapping[str, Keys]) -> BatchUnder:
    return BatchUnder(
        gateway=batch.gateway,
        seq=batch.seq,
        rows=rows,
        records=records,
        sha256=batch.sha256.hex(),
        prev_sha256=batch.prev_sha256.hex(),
        signature_ok=ledger.signed_by(batch, keys[batch.gateway])[1],
        received_at=batch.received_at,
    )


def _gateways(keys: Mapping[str, Keys], batches: Sequence[LedgerRow]) -> list[GatewayUnder]:
    sent = Counter(batch.gateway for batch in batches)
    found = []
    for code in sorted(sent):
        last = keys[code].enrolments[-1] if keys[code].enrolments else None
        found.append(
            GatewayUnder(
                gateway=code,
                key_fingerprint=ledger.fingerprint(keys[code].current),
                enrolled_at=None if last is None else last.at,
                enrolled_by=None if last is None else last.actor,
                revoked_at=keys[code].revoked_at,
                batches=sent[code],
            )
        )
    return found
