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

    figure_id: int
    revision: int
    point: float | None
    low: float | None
    high: float | None
    coverage: float
    grade: str
    reason: str | None
    method_version: str
    computed_at: datetime


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
    rerun_failed_at: datetime | None
    rerun_taken_at: datetime | None
    rerun_error: str | None
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
    rerun_asked_at: datetime


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
class Verifier:
    """Somebody who may be named to measure again."""

    account_id: int
    name: str


@dataclass(frozen=True, slots=True)
class Disputable:
    """The newest revision of a closed year, and when the enterprise was told it first."""

    figure_id: int
    kpi: str
    period_kind: str
    period_start: date
    period_end: date
    unit: str
    revision: int
    point: float | None
    told_at: datetime


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
    file_sha256: str | None


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


def steps(conn: Connection, dispute_id: int) -> list[Taken]:
    """Return the steps of a dispute, oldest first."""
    with transaction(conn):
        rows = conn.execute(query("dispute_steps"), {"dispute_id": dispute_id})
        return [Taken(*row) for row in rows]


def verifiers(conn: Connection) -> list[Verifier]:
    """Return who may be named to measure again; nobody to whom does not name them."""
    with transaction(conn):
        return [Verifier(*row) for row in conn.execute(query("list_verifiers"))]


def disputable(conn: Connection, factory_id: int, since: datetime) -> list[Disputable]:
    """Return the newest figures of closed years that were told since a time, newest first."""
    values = {"factory_id": factory_id, "since": since}
    with transaction(conn):
        return [Disputable(*row) for row in conn.execute(query("disputable_figures"), values)]


def files(conn: Connection, dispute_id: int) -> dict[str, str]:
    """Return the names of a dispute's papers by their hash."""
    with transaction(conn):
        rows = conn.execute(query("files_of_disputes"), {"dispute_id": dispute_id})
        return dict(rows.fetchall())


def papers(conn: Connection, factory_id: int) -> dict[str, str]:
    """Return the newest files that people handed over for a factory: their names by their hash."""
    with transaction(conn):
        rows = conn.execute(query("papers_of_factory"), {"factory_id": factory_id})
        return dict(rows.fetchall())


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
    rerun = None if row[35] is None else Value(*row[35:45])
    return Dispute(*(*row[:25], Value(*row[25:35]), rerun))


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
