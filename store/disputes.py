"""Disputes about verified figures: raised, run again, measured again, decided; all of it kept."""

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from psycopg.types.json import Jsonb

from store.acting import Actor
from store.db import Connection, transaction
from store.queries import query


@dataclass(frozen=True, slots=True)
class Value:
    """A figure's revision with its number and its bounds, in the stored unit."""

    revision: int
    point: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Dispute:
    """A dispute about a figure; `rerun` is what the period came out as when it was run again."""

    dispute_id: int
    factory_id: int
    factory: str
    name_zh: str
    name_en: str
    region: str
    figure_id: int
    kpi: str
    period_kind: str
    period_start: date
    period_end: date
    state: str
    version: int
    claimed: float
    raised_on: date
    due_on: date
    rerun_asked_at: datetime | None
    rerun_figure_id: int | None
    rerun_at: datetime | None
    assigned_id: int | None
    closed_at: datetime | None
    unit: str
    figure: Value
    rerun: Value | None


@dataclass(frozen=True, slots=True)
class NewDispute:
    """A dispute to keep."""

    factory_id: int
    figure_id: int
    kpi: str
    period_kind: str
    period_start: date
    period_end: date
    state: str
    claimed: float
    raised_on: date
    due_on: date


@dataclass(frozen=True, slots=True)
class NewStep:
    """What is kept of a step beside who took it."""

    step: str
    from_state: str | None
    to_state: str
    comment: str
    data: Mapping[str, Any]
    file_sha256: str | None
    policy_id: str


@dataclass(frozen=True, slots=True)
class Taken:
    """A step that was taken."""

    version: int
    step: str
    from_state: str | None
    to_state: str
    at: datetime
    account_id: int | None
    actor: str
    role: str
    comment: str
    data: dict[str, Any]
    file_sha256: str | None


@dataclass(frozen=True, slots=True)
class Settled:
    """What counts as verified for verdicts since a decision, and the document that says so."""

    kpi: str
    period_start: date
    period_end: date
    value: float
    low: float
    high: float
    document: str
    dispute_id: int


def begin(
    conn: Connection, actor: Actor, new: NewDispute, step: NewStep, at: datetime
) -> int | None:
    """Keep a dispute and return its number; None where one about the period is open."""
    with transaction(conn):
        row = conn.execute(query("insert_dispute"), asdict(new)).fetchone()
        if row is None:
            return None
        _keep(conn, actor, (row[0], new.factory_id, 1), step, at)
    return int(row[0])


def dispute(conn: Connection, dispute_id: int) -> Dispute | None:
    """Return one dispute in the scope."""
    with transaction(conn):
        row = conn.execute(query("read_dispute"), {"dispute_id": dispute_id}).fetchone()
    return None if row is None else _of(row)


def lock(conn: Connection, dispute_id: int) -> None:
    """Hold a dispute within the caller's transaction."""
    conn.execute(query("lock_dispute"), {"dispute_id": dispute_id}).fetchone()


def listed(
    conn: Connection,
    *,
    factory: str | None = None,
    state: str | None = None,
    before: int | None = None,
    most: int = 100,
) -> list[Dispute]:
    """Return disputes in the scope, the newest first, those with a number below `before`."""
    values = {"factory": factory, "state": state, "before": before, "most": most}
    with transaction(conn):
        return [_of(row) for row in conn.execute(query("list_disputes"), values)]


def move(
    conn: Connection,
    actor: Actor,
    found: Dispute,
    step: NewStep,
    at: datetime,
    *,
    rerun_asked_at: datetime | None,
    assigned_id: int | None,
    closed_at: datetime | None,
) -> bool:
    """Take a step; False where somebody else was first or the account may not."""
    values = {
        "dispute_id": found.dispute_id,
        "version": found.version,
        "state": step.to_state,
        "rerun_asked_at": rerun_asked_at,
        "assigned_id": assigned_id,
        "closed_at": closed_at,
    }
    with transaction(conn):
        if conn.execute(query("move_dispute"), values).fetchone() is None:
            return False
        _keep(conn, actor, (found.dispute_id, found.factory_id, found.version + 1), step, at)
    return True


def keep_rerun(conn: Connection, dispute_id: int, figure_id: int, at: datetime) -> None:
    """Say which figure a re-run found."""
    with transaction(conn):
        values = {"dispute_id": dispute_id, "figure_id": figure_id, "at": at}
        conn.execute(query("keep_rerun"), values)


def steps(conn: Connection, dispute_id: int) -> list[Taken]:
    """Return the steps of a dispute, oldest first."""
    with transaction(conn):
        rows = conn.execute(query("dispute_steps"), {"dispute_id": dispute_id})
        return [Taken(*row) for row in rows]


def to_rerun(conn: Connection) -> list[int]:
    """Return the open disputes whose re-run was asked for and not made since."""
    with transaction(conn):
        return [row[0] for row in conn.execute(query("disputes_to_rerun"))]


def mark_months(conn: Connection, found: Dispute) -> None:
    """Have every month of a disputed period formed again."""
    values = {
        "factory_id": found.factory_id,
        "first": found.period_start,
        "end": found.period_end,
    }
    with transaction(conn):
        conn.execute(query("mark_formed_months_between"), values)


def settle(
    conn: Connection,
    actor: Actor,
    found: Dispute,
    value: tuple[float, float, float],
    document: str,
    at: datetime,
) -> None:
    """Say what counts as verified for the verdicts on a disputed period; the figure stays."""
    values = {
        "factory_id": found.factory_id,
        "kpi": found.kpi,
        "period_start": found.period_start,
        "period_end": found.period_end,
        "value": value[0],
        "low": value[1],
        "high": value[2],
        "document": document,
        "dispute_id": found.dispute_id,
        "account_id": actor.account_id,
        "actor": actor.name,
        "at": at,
    }
    with transaction(conn):
        conn.execute(query("insert_settled"), values)


def judge_again(conn: Connection, dispute_id: int) -> None:
    """Have the verdicts given again after a decision."""
    with transaction(conn):
        conn.execute(query("judge_again"), {"dispute_id": dispute_id})


def settled(
    conn: Connection, factory_id: int, kpis: Collection[str], starts: Collection[date]
) -> list[Settled]:
    """Return what was settled of some KPIs for periods that begin on some days."""
    values = {"factory_id": factory_id, "kpis": sorted(kpis), "starts": sorted(starts)}
    with transaction(conn):
        return [Settled(*row) for row in conn.execute(query("settled_of_years"), values)]


def _of(row: tuple[Any, ...]) -> Dispute:
    rerun = None if row[26] is None else Value(*row[26:30])
    return Dispute(*(*row[:22], Value(*row[22:26]), rerun))


def _keep(
    conn: Connection, actor: Actor, place: tuple[int, int, int], step: NewStep, at: datetime
) -> None:
    values = asdict(step) | {
        "dispute_id": place[0],
        "factory_id": place[1],
        "version": place[2],
        "data": Jsonb(dict(step.data)),
        "at": at,
        "account_id": actor.account_id,
        "actor": actor.name,
        "role": actor.role,
    }
    conn.execute(query("insert_dispute_step"), values)
