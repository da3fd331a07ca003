"""Self-reports of enterprises: what was filled in for them, their answers and steps."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from psycopg.types.json import Jsonb

from store.acting import Actor
from store.db import Connection, transaction
from store.queries import query


@dataclass(frozen=True, slots=True)
class Report:
    """A report of a quarter, a year, a change or an accident; local dates, half-open."""

    report_id: int
    membership_id: int
    factory_id: int
    factory: str
    name_zh: str
    name_en: str
    region: str
    factory_kind: str
    kind: str
    period_start: date
    period_end: date
    state: str
    version: int
    due_on: date
    due_estimated: bool
    overdue_since: date | None
    opened_at: datetime
    filled_id: int | None
    filled_by: str | None
    submitted_at: datetime | None
    kpis: list[str]


@dataclass(frozen=True, slots=True)
class NewReport:
    """A report to open."""

    membership_id: int
    factory_id: int
    kind: str
    period_start: date
    period_end: date
    state: str
    due_on: date
    due_estimated: bool
    kpis: list[str]


@dataclass(frozen=True, slots=True)
class Member:
    """A factory in the pool that has to report, and since when it is in."""

    membership_id: int
    factory_id: int
    since: datetime


@dataclass(frozen=True, slots=True)
class Prefilled:
    """A verified figure that a report was filled in with, in its stored unit."""

    figure_id: int
    kpi: str
    revision: int
    unit: str
    point: float | None
    low: float | None
    high: float | None
    grade: str
    reason: str | None
    told_at: datetime


@dataclass(frozen=True, slots=True)
class NewAnswer:
    """What an enterprise says of an item; stance is confirmed, disputed or given."""

    item: str
    stance: str
    value: Any
    figure_id: int | None
    note: str


@dataclass(frozen=True, slots=True)
class Answer(NewAnswer):
    """An answer that was kept."""

    account_id: int | None
    actor: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Taken:
    """A step that was taken; items say why each was returned."""

    version: int
    step: str
    from_state: str | None
    to_state: str
    at: datetime
    account_id: int | None
    actor: str
    role: str
    comment: str
    items: dict[str, str]
    due_on: date


@dataclass(frozen=True, slots=True)
class Next:
    """Where a step brings a report."""

    state: str
    due_on: date
    due_estimated: bool
    overdue_since: date | None
    filled_id: int | None
    filled_by: str | None
    submitted_at: datetime | None


@dataclass(frozen=True, slots=True)
class NewStep:
    """What is kept of a step beside who took it."""

    step: str
    from_state: str | None
    comment: str
    items: Mapping[str, str]
    policy_id: str


def members(conn: Connection, factory_id: int | None = None) -> list[Member]:
    """Return the factories that have to report, or the one named."""
    with transaction(conn):
        rows = conn.execute(query("members_to_report"), {"factory_id": factory_id})
        return [Member(*row) for row in rows]


def opened(conn: Connection) -> set[tuple[int, str, date]]:
    """Return membership, kind and first day of the quarters and years that have a report."""
    with transaction(conn):
        return {(row[0], row[1], row[2]) for row in conn.execute(query("reports_opened"))}


def promised(conn: Connection, factory_id: int) -> list[str]:
    """Return the KPIs that a factory promised."""
    with transaction(conn):
        rows = conn.execute(query("promised_kpis"), {"factory_id": factory_id})
        return [row[0] for row in rows]


def open_report(
    conn: Connection, actor: Actor, new: NewReport, step: NewStep, at: datetime
) -> int | None:
    """Open a report and return its number; None where that of the period is there already."""
    with transaction(conn):
        row = conn.execute(query("insert_report"), asdict(new) | {"at": at}).fetchone()
        if row is None:
            return None
        place = {"report_id": row[0], "factory_id": new.factory_id, "version": 1}
        _keep(conn, actor, place, (new.state, new.due_on), step, at)
    return int(row[0])


def prefill(conn: Connection, reports: Sequence[int], at: datetime) -> int:
    """Tell the newest verified figures of the reports' years; return how many were new."""
    with transaction(conn):
        done = conn.execute(query("prefill_reports"), {"reports": list(reports), "at": at})
        return done.rowcount


def to_prefill(conn: Connection) -> list[int]:
    """Return the reports of quarters and years that enterprises still work on."""
    with transaction(conn):
        return [row[0] for row in conn.execute(query("reports_to_prefill"))]


def late(conn: Connection, day: date) -> list[int]:
    """Return the reports that were due before a day and are not marked as late."""
    with transaction(conn):
        return [row[0] for row in conn.execute(query("reports_late"), {"day": day})]


def report(conn: Connection, report_id: int) -> Report | None:
    """Return one report in the scope."""
    with transaction(conn):
        row = conn.execute(query("read_report"), {"report_id": report_id}).fetchone()
    return None if row is None else Report(*row)


def lock(conn: Connection, report_id: int) -> None:
    """Hold a report within the caller's transaction."""
    conn.execute(query("lock_report"), {"report_id": report_id}).fetchone()


def listed(
    conn: Connection,
    *,
    factory: str | None = None,
    state: str | None = None,
    kind: str | None = None,
    before: int | None = None,
    most: int = 100,
) -> list[Report]:
    """Return reports in the scope, the newest first, those with a number below `before`."""
    values = {"factory": factory, "state": state, "kind": kind, "before": before, "most": most}
    with transaction(conn):
        return [Report(*row) for row in conn.execute(query("list_reports"), values)]


def move(
    conn: Connection, actor: Actor, found: Report, to: Next, step: NewStep, at: datetime
) -> bool:
    """Take a step; False where somebody else was first or the account may not."""
    place = {
        "report_id": found.report_id,
        "factory_id": found.factory_id,
        "version": found.version + 1,
    }
    with transaction(conn):
        values = asdict(to) | {"report_id": found.report_id, "version": found.version}
        if conn.execute(query("move_report"), values).fetchone() is None:
            return False
        _keep(conn, actor, place, (to.state, to.due_on), step, at)
    return True


def steps(conn: Connection, report_id: int) -> list[Taken]:
    """Return the steps of a report, oldest first."""
    with transaction(conn):
        rows = conn.execute(query("report_steps"), {"report_id": report_id})
        return [Taken(*row) for row in rows]


def figures(conn: Connection, report_id: int) -> list[Prefilled]:
    """Return the newest figure of each KPI that a report was filled in with."""
    with transaction(conn):
        rows = conn.execute(query("report_figures"), {"report_id": report_id})
        return [Prefilled(*row) for row in rows]


def add_answers(
    conn: Connection, actor: Actor, found: Report, answers: Sequence[NewAnswer], at: datetime
) -> None:
    """Keep answers beside the earlier ones; raises NotPermitted for who may not answer."""
    values = {
        "report_id": found.report_id,
        "factory_id": found.factory_id,
        "account_id": actor.account_id,
        "actor": actor.name,
        "role": actor.role,
        "at": at,
        "items": [each.item for each in answers],
        "stances": [each.stance for each in answers],
        "values": [Jsonb(each.value) for each in answers],
        "figures": [each.figure_id for each in answers],
        "notes": [each.note for each in answers],
    }
    with transaction(conn):
        conn.execute(query("insert_answers"), values)


def answers(conn: Connection, report_id: int) -> list[Answer]:
    """Return the newest answer to each item."""
    with transaction(conn):
        rows = conn.execute(query("report_answers"), {"report_id": report_id})
        return [Answer(*row) for row in rows]


def answers_ever(conn: Connection, report_id: int, item: str) -> list[Answer]:
    """Return every answer to an item, oldest first."""
    with transaction(conn):
        values = {"report_id": report_id, "item": item}
        return [Answer(*row) for row in conn.execute(query("answers_ever"), values)]


def last_answers(conn: Connection, found: Report) -> dict[str, Any]:
    """Return what a factory answered last to each item in earlier submitted reports."""
    values = {"factory_id": found.factory_id, "report_id": found.report_id}
    with transaction(conn):
        return dict(conn.execute(query("last_answers"), values).fetchall())


def take(conn: Connection, report_id: int) -> None:
    """Make the KPIs of a submitted report what the enterprise reported, to be judged again."""
    with transaction(conn):
        conn.execute(query("take_report"), {"report_id": report_id})


def told_at(conn: Connection, figure_id: int) -> datetime | None:
    """Return when an enterprise was first told a figure by a report."""
    with transaction(conn):
        row = conn.execute(query("told_at"), {"figure_id": figure_id}).fetchone()
    return None if row is None else row[0]


def _keep(
    conn: Connection,
    actor: Actor,
    place: Mapping[str, int],
    to: tuple[str, date],
    step: NewStep,
    at: datetime,
) -> None:
    values = asdict(step) | {
        **place,
        "items": Jsonb(dict(step.items)),
        "to_state": to[0],
        "due_on": to[1],
        "at": at,
        "account_id": actor.account_id,
        "actor": actor.name,
        "role": actor.role,
    }
    conn.execute(query("insert_report_step"), values)
