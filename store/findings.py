"""Findings of the plausibility rules, and what the rules read beside rows, facts and records."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime

from psycopg.types.json import Jsonb

from store.db import Connection, transaction
from store.facts import FACT_COLUMNS, Columns
from store.pgcopy import PG_EPOCH_US, decode
from store.queries import query

_HOUR_COLUMNS = [name for name in FACT_COLUMNS if name != "digest"]
_HOUR_LAYOUT = {"asset_id": "i4", "hour_us": "i8", **{n: FACT_COLUMNS[n] for n in _HOUR_COLUMNS}}


@dataclass(frozen=True, slots=True)
class Limits:
    """What the plan says of an asset's nameplate and papers; None where it says nothing.

    Powers in kW, cycle in s, accuracy class in percent, losses as share, retention in days.
    """

    idle_kw: float | None = None
    working_kw: float | None = None
    rated_kw: float | None = None
    min_cycle_s: float | None = None
    accuracy_class: float | None = None
    calibrated_until: date | None = None
    loss_share: float | None = None
    retention_days: float | None = None


@dataclass(frozen=True, slots=True)
class Delivered:
    """A batch of the ledger: when it arrived, and the times of what it holds."""

    gateway: str
    seq: int
    imported: bool
    row_count: int
    first_ts: datetime
    last_ts: datetime
    received_at: datetime
    clock_skew_s: float | None
    collected_to: datetime | None


@dataclass(frozen=True, slots=True)
class Edit:
    """A later version of a record: its business time, and when the version arrived."""

    kind: str
    key: str
    version: int
    at: datetime
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Baseline:
    """An asset over the baseline: seconds planned, planned down, and heard of."""

    asset_id: int
    in_oee: bool
    planned_s: float
    planned_down_s: float
    known_s: float


@dataclass(frozen=True, slots=True)
class NewFinding:
    """What one rule found of one subject in a period; local dates, half-open."""

    rule: str
    rule_version: str
    severity: str
    subject: str
    asset_id: int | None
    tag_id: int | None
    measured: float | None
    threshold: float | None
    unit: str
    message: str
    shown: Sequence[Mapping[str, str]]
    shown_count: int


@dataclass(frozen=True, slots=True)
class Finding(NewFinding):
    """A stored finding; cleared when a later check of its period did not find it any more."""

    finding_id: int
    period_start: date
    period_end: date
    found_at: datetime
    cleared_at: datetime | None


def hour_facts(conn: Connection, factory_id: int, start: datetime, end: datetime) -> Columns:
    """Return the hour facts of a factory in [start, end) by asset and hour; no value reads as NaN.

    hour_us is microseconds since 1970.
    """
    values = {"factory_id": factory_id, "start": start, "end": end}
    with transaction(conn), conn.cursor().copy(query("copy_hour_facts"), values) as copy:
        found = decode(b"".join(copy), _HOUR_LAYOUT)
    found["hour_us"] += PG_EPOCH_US
    return found


def limits(conn: Connection, factory_id: int) -> dict[int, Limits]:
    """Return what the plan says of nameplates, by asset."""
    with transaction(conn):
        rows = conn.execute(query("list_asset_limits"), {"factory_id": factory_id})
        return {row[0]: Limits(*row[1:]) for row in rows}


def bills(conn: Connection, factory_id: int) -> dict[tuple[str, str], float]:
    """Return the quantity of a material that one unit of a product takes, by both names."""
    with transaction(conn):
        rows = conn.execute(query("list_bills"), {"factory_id": factory_id})
        return {(product, material): per_unit for product, material, per_unit in rows}


def delivered(conn: Connection, factory_id: int, start: datetime, end: datetime) -> list[Delivered]:
    """Return the batches of a factory with rows of [start, end), in the order of the ledger."""
    values = {"factory_id": factory_id, "start": start, "end": end}
    with transaction(conn):
        return [Delivered(*row) for row in conn.execute(query("delivered_batches"), values)]


def edits(conn: Connection, factory_id: int, start: datetime, end: datetime) -> list[Edit]:
    """Return the later versions of records whose business time lies in [start, end)."""
    values = {"factory_id": factory_id, "start": start, "end": end}
    with transaction(conn):
        return [Edit(*row) for row in conn.execute(query("record_edits"), values)]


def mark(conn: Connection, factory_id: int, months: Sequence[date]) -> None:
    """Mark local months, by their first days, to be checked again."""
    with transaction(conn):
        values = {"factory_id": factory_id, "months": list(months)}
        conn.execute(query("mark_findings"), values)


def marked(
    conn: Connection, until: datetime, factory_id: int | None = None
) -> list[tuple[int, date]]:
    """Return the factories and months that are to be checked, up to the last hour that ended."""
    values = {"factory_id": factory_id, "until": until}
    with transaction(conn):
        rows = conn.execute(query("marked_findings"), values)
        return [(row[0], row[1]) for row in rows]


def baseline(conn: Connection, factory_id: int, start: datetime, end: datetime) -> list[Baseline]:
    """Return what each asset of a factory that was heard did in a baseline [start, end)."""
    values = {"factory_id": factory_id, "start": start, "end": end}
    with transaction(conn):
        return [Baseline(*row) for row in conn.execute(query("baseline_sums"), values)]


def take_mark(conn: Connection, factory_id: int, month: date) -> bool:
    """Take a month inside the caller's transaction; False when another worker has it."""
    values = {"factory_id": factory_id, "month": month}
    return bool(conn.execute(query("take_findings_mark"), values).fetchall())


def replace(
    conn: Connection,
    factory_id: int,
    period: tuple[date, date],
    until: datetime,
    found: Sequence[NewFinding],
) -> None:
    """Store what a check of a period up to a time found, and clear what it did not find any more.

    What was found before keeps the time when it was first found.
    """
    key = {"factory_id": factory_id, "period_start": period[0], "period_end": period[1]}
    rows = [
        asdict(each)
        | key
        | {"checked_until": until, "shown": Jsonb([dict(one) for one in each.shown])}
        for each in found
    ]
    with transaction(conn):
        still = [f"{each.rule} {each.severity} {each.subject}" for each in found]
        conn.execute(query("clear_findings"), key | {"still": still})
        if rows:
            conn.cursor().executemany(query("upsert_finding"), rows)


def listed(
    conn: Connection,
    factory_id: int,
    *,
    since: date | None = None,
    until: date | None = None,
    month: date | None = None,
    rule: str | None = None,
    severity: str | None = None,
    cleared: bool = False,
    most: int = 10_000,
) -> list[Finding]:
    """Return the findings of a month, or of periods in [since, until), the newest period first.

    Those that were cleared come only where they are asked for.
    """
    values = {
        "factory_id": factory_id,
        "since": since,
        "until": until,
        "month": month,
        "rule": rule,
        "severity": severity,
        "cleared": cleared,
        "most": most,
    }
    with transaction(conn):
        return [Finding(*row) for row in conn.execute(query("list_findings"), values)]


def asset_names(conn: Connection, factory_id: int) -> dict[int, tuple[str, str]]:
    """Return what the machines and meters of a factory are called, in Chinese and English."""
    with transaction(conn):
        rows = conn.execute(query("asset_names"), {"factory_id": factory_id})
        return {asset_id: (name_zh, name_en) for asset_id, name_zh, name_en in rows}
