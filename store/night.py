"""What the night's run reads of many factories at once, before its rules judge them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypeVar

from store.db import Connection, transaction
from store.errors import translated
from store.queries import query

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Member:
    """A stay that runs; handled_at is when what was warned of was last dealt with."""

    membership_id: int
    factory_id: int
    factory: str
    state: str
    version: int
    stage: int
    entered_on: date
    reviewed_on: date | None
    deadline: date | None
    handled_at: datetime | None


@dataclass(frozen=True, slots=True)
class LastBatch:
    """The newest batch of a gateway; heard_on is the local day of its arrival."""

    gateway: str
    batch_id: int
    seq: int
    received_at: datetime
    heard_on: date


@dataclass(frozen=True, slots=True)
class Notice:
    """A stop of a whole factory that people gave notice of: local days, both included."""

    first: date
    last: date
    filed_on: date
    source: str


@dataclass(frozen=True, slots=True)
class QuarterVerdict:
    """The verdict on one KPI of the rolling year that ends with a quarter (that day excluded)."""

    kpi: str
    period_end: date
    figure_id: int
    verdict: str
    before: float | None
    verified: float | None


@dataclass(frozen=True, slots=True)
class JudgedReport:
    """The newest self-report of one KPI that was judged, and how."""

    kpi: str
    period_start: date
    period_end: date
    figure_id: int
    verdict: str
    reported: float
    verified: float | None
    deviation: float | None
    reported_at: datetime
    reported_on: date


@dataclass(frozen=True, slots=True)
class FailedChecks:
    """Failed checks of one rule that stand; of their numbers the first twenty."""

    rule: str
    count: int
    finding_ids: list[int]
    period_start: date
    period_end: date
    found_first: datetime


@dataclass(frozen=True, slots=True)
class Accident:
    """An accident on record, or one that the enterprise reported; source says where it stands."""

    source: str
    happened_on: date
    at: datetime


@dataclass(frozen=True, slots=True)
class LateReport:
    """A report that was due and is not with the county."""

    report_id: int
    kind: str
    period_start: date
    period_end: date
    due_on: date


@dataclass(frozen=True, slots=True)
class Open:
    """A warning that is open, or a proposal, which has steps."""

    rule: str
    subject: str
    steps: list[str] | None


@dataclass(frozen=True, slots=True)
class Readings:
    """All that the rules see of some factories, each by the factory's number.

    days holds the seconds that a factory's assets were heard of, by local day.
    """

    assets: Mapping[int, int]
    days: Mapping[int, Mapping[date, float]]
    gateways: Mapping[int, list[LastBatch]]
    notices: Mapping[int, list[Notice]]
    quarters: Mapping[int, list[QuarterVerdict]]
    reports: Mapping[int, list[JudgedReport]]
    findings: Mapping[int, list[FailedChecks]]
    accidents: Mapping[int, list[Accident]]
    late: Mapping[int, list[LateReport]]
    open: Mapping[int, list[Open]]


@dataclass(frozen=True, slots=True)
class Asked:
    """What is read: up to when, over which local days (the last one excluded), by which names.

    quarters_from is the first day after which a quarter's end counts; rules are those of
    plausibility; handling names the steps by which what was warned of is dealt with.
    """

    now: datetime
    first: date
    end: date
    quarters_from: date
    rules: tuple[str, ...]
    handling: tuple[str, ...]


def members(
    conn: Connection,
    now: datetime,
    handling: Sequence[str],
    *,
    after: int = 0,
    factories: Sequence[int] | None = None,
    most: int = 200,
) -> list[Member]:
    """Return the stays that run behind a factory's number, by it."""
    values = {
        "now": now,
        "handling": list(handling),
        "after": after,
        "factories": None if factories is None else list(factories),
        "most": most,
    }
    with transaction(conn):
        return [Member(*row) for row in conn.execute(query("night_members"), values)]


def read(conn: Connection, factories: Sequence[int], asked: Asked) -> Readings:
    """Return what the rules see of some factories: a handful of statements, however many."""
    values = {
        "factories": list(factories),
        "now": asked.now,
        "first": asked.first,
        "end": asked.end,
        "rules": list(asked.rules),
        "handling": list(asked.handling),
    }
    quarters = values | {"first": asked.quarters_from, "last": asked.end}
    with transaction(conn):
        days = _grouped(conn.execute(query("night_days"), values))
        return Readings(
            assets={row[0]: row[1] for row in conn.execute(query("night_assets"), values)},
            days={key: {row[0]: row[1] for row in rows} for key, rows in days.items()},
            gateways=_made(conn, "night_gateways", values, LastBatch),
            notices=_made(conn, "night_notices", values, Notice),
            quarters=_made(conn, "night_quarters", quarters, QuarterVerdict),
            reports=_made(conn, "night_reports", quarters, JudgedReport),
            findings=_made(conn, "night_findings", values, FailedChecks),
            accidents=_made(conn, "night_accidents", values, Accident),
            late=_made(conn, "night_late", values, LateReport),
            open=_made(conn, "night_open", values, Open),
        )


def left_with_open(conn: Connection) -> list[int]:
    """Return the factories that left while a warning or proposal was open."""
    with transaction(conn):
        return [row[0] for row in conn.execute(query("left_with_open"))]


@contextmanager
def alone(conn: Connection) -> Iterator[bool]:
    """Hold the place of the night's run; yield False where another run holds it."""
    with translated():
        found = conn.execute(query("try_lock_night")).fetchone() == (True,)
    try:
        yield found
    finally:
        if found:
            with translated():
                conn.execute(query("unlock_night"))


def _made(
    conn: Connection, name: str, values: Mapping[str, Any], kind: type[Row]
) -> dict[int, list[Row]]:
    found = _grouped(conn.execute(query(name), values))
    return {key: [kind(*row) for row in rows] for key, rows in found.items()}


def _grouped(rows: Iterable[tuple[Any, ...]]) -> dict[int, list[tuple[Any, ...]]]:
    """Return rows by their first column, without it."""
    found: dict[int, list[tuple[Any, ...]]] = {}
    for key, *rest in rows:
        found.setdefault(key, []).append(tuple(rest))
    return found
