"""Figures with their revisions, promises, self-reports, verdicts and the follow-up feed."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from typing import Any, Literal

from psycopg.types.json import Jsonb

from store import locks
from store.db import Connection, transaction
from store.formed import Figure, NewFigure, PeriodKind, figure_of
from store.queries import query

__all__ = [
    "Change", "Figure", "NewFigure", "NewVerdict", "PeriodKind", "Promise", "SelfReport", "Verdict",
    "decide", "decide_all", "due_months", "figure_of", "first_month", "latest",
    "newest_verdicts", "past_verdicts", "promises", "publish", "publish_all", "revisions",
    "self_reports", "verdicts",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Promise:
    """What the application promised for one KPI, in the figure's unit."""

    kpi: str
    before_value: float | None
    before_basis: str
    expected_value: float


@dataclass(frozen=True, slots=True)
class SelfReport:
    """What the factory reported for one KPI and period, in the figure's unit."""

    kpi: str
    period_start: date
    period_end: date
    value: float
    reported_at: datetime


@dataclass(frozen=True, slots=True)
class NewVerdict:
    """The two verdicts on one rolling year, never mixed, with what they compare.

    `reasons` say why a word is missing or two years are not comparable: each has `about`
    (fulfilment or consistency), `code` and `text`.
    """

    factory_id: int
    kpi: str
    period_start: date
    period_end: date
    figure_id: int
    before_value: float | None
    before_basis: str | None
    expected_value: float | None
    reported_value: float | None
    fulfilment: float | None
    fulfilment_low: float | None
    fulfilment_high: float | None
    fulfilment_verdict: str
    deviation: float | None
    consistency_verdict: str
    policy_version: str
    reasons: list[dict[str, str | None]]


@dataclass(frozen=True, slots=True)
class Verdict(NewVerdict):
    """Stored verdicts."""

    decided_at: datetime


@dataclass(frozen=True, slots=True)
class Change:
    """One entry of the follow-up feed."""

    cursor: int
    factory: str
    kpi: str
    what: Literal["figure", "fulfilment", "consistency"]
    period_kind: PeriodKind
    period_start: date
    period_end: date
    before: dict[str, Any] | None
    after: dict[str, Any]
    figure_id: int
    changed_at: datetime


def latest(
    conn: Connection,
    factory_id: int,
    *,
    kpi: str | None = None,
    period_kind: PeriodKind | None = None,
    since: date | None = None,
    until: date | None = None,
) -> list[Figure]:
    """Return the newest revision of each figure whose period meets [since, until)."""
    values = {
        "factory_id": factory_id,
        "kpi": kpi,
        "period_kind": period_kind,
        "since": since,
        "until": until,
    }
    with transaction(conn):
        return [figure_of(row) for row in conn.execute(query("latest_figures"), values)]


def revisions(
    conn: Connection, factory_id: int, kpi: str, period_kind: PeriodKind, period_start: date
) -> list[Figure]:
    """Return all revisions of one figure, oldest first."""
    values = {
        "factory_id": factory_id,
        "kpi": kpi,
        "period_kind": period_kind,
        "period_start": period_start,
    }
    with transaction(conn):
        return [figure_of(row) for row in conn.execute(query("figure_revisions"), values)]


def due_months(conn: Connection, kpi: str, until: datetime, factory_id: int) -> list[date]:
    """Return the months where a KPI has to be formed because time went by, not new data.

    A month that ended has to be closed, also when nothing came any more; the open month's figure
    goes up to the time that its inputs name as `until`.
    """
    values = {"kpi": kpi, "until": until, "factory_id": factory_id}
    with transaction(conn):
        return [row[0] for row in conn.execute(query("due_months"), values)]


def first_month(conn: Connection, kpi: str, factory_id: int) -> date | None:
    """Return the first month of which a factory has a figure of a KPI, None before the first."""
    with transaction(conn):
        values = {"kpi": kpi, "factory_id": factory_id}
        row = conn.execute(query("first_figure_month"), values).fetchone()
    return None if row is None else row[0]


def publish(conn: Connection, figure: NewFigure, *, is_open: bool) -> int:
    """Store a figure and return its number; see publish_all."""
    return publish_all(conn, figure.factory_id, [(figure, is_open)])[0]


def publish_all(
    conn: Connection, factory_id: int, formed: Sequence[tuple[NewFigure, bool]]
) -> list[int]:
    """Store figures of one factory, each with whether its period is open; return their numbers.

    An open period keeps one provisional revision 0, written again as data arrive. A closed
    period gets a new revision when its inputs differ from the newest one, which then appears
    in the follow-up feed; the earlier ones stay. In a settled period no figure changes: what it
    would be stands beside it.
    """
    if not formed:
        return []
    with transaction(conn):
        conn.execute(query("lock_factory"), {"factory_id": factory_id})
        starts: dict[str, set[date]] = {}
        for figure, _ in formed:
            starts.setdefault(figure.period_kind, set()).add(figure.period_start)
        known = {_key(stored): stored for stored in _of_periods(conn, factory_id, starts)}
        settled = locks.held(conn, factory_id, starts)
        numbers: list[int | None] = []
        new: list[tuple[NewFigure, int, Figure | None]] = []
        beside: dict[bool, list[dict[str, Any]]] = {True: [], False: []}
        for figure, is_open in formed:
            newest = known.get(_key(figure))
            keeps = newest is not None and _keeps(newest, figure, is_open)
            if newest is not None and newest.revision > 0 and _key(figure)[1:] in settled:
                numbers.append(newest.figure_id)
                beside[keeps].append(asdict(figure) | {"inputs": Jsonb(figure.inputs)})
            elif newest is not None and keeps:
                numbers.append(newest.figure_id)
            else:
                numbers.append(None)
                revision = 0 if is_open else (newest.revision + 1 if newest else 1)
                new.append((figure, revision, newest))
        locks.stand_beside(conn, differing=beside[False], same=beside[True])
        added = iter(_insert_all(conn, new))
        return [number if number is not None else next(added) for number in numbers]


def _of_periods(
    conn: Connection, factory_id: int, starts: Mapping[str, Collection[date]]
) -> Iterator[Figure]:
    for kind, days in starts.items():
        values = {"factory_id": factory_id, "period_kind": kind, "starts": sorted(days)}
        yield from map(figure_of, conn.execute(query("figures_of_periods"), values).fetchall())


def _key(figure: Figure | NewFigure) -> tuple[str, str, date]:
    return figure.kpi, figure.period_kind, figure.period_start


def _keeps(newest: Figure, figure: NewFigure, is_open: bool) -> bool:
    """Tell whether the stored revision already says what was formed; a closed one stays closed."""
    return _same(newest, figure) and (newest.revision > 0 or is_open)


def _same(stored: Figure, figure: NewFigure) -> bool:
    return (
        stored.inputs_sha256 == figure.inputs_sha256
        and stored.method_version == figure.method_version
        and stored.coefficient_version == figure.coefficient_version
    )


def _insert_all(conn: Connection, new: Sequence[tuple[NewFigure, int, Figure | None]]) -> list[int]:
    """Add the revisions in one round trip and announce those of closed periods."""
    if not new:
        return []
    rows = [
        asdict(figure) | {"revision": revision, "inputs": Jsonb(figure.inputs)}
        for figure, revision, _ in new
    ]
    cursor = conn.cursor()
    cursor.executemany(query("upsert_figure"), rows, returning=True)
    stored = [row for result in cursor.results() for row in result]
    changes = [
        _entry(figure, number, "figure", _shown_if_closed(newest), _shown(figure, formed_at))
        for (figure, revision, newest), (number, formed_at) in zip(new, stored, strict=True)
        if revision > 0
    ]
    _announce(conn, changes)
    return [int(number) for number, _ in stored]


def _shown_if_closed(figure: Figure | None) -> dict[str, Any] | None:
    if figure is None or figure.revision == 0:
        return None
    return _shown(figure, figure.computed_at)


def _shown(figure: Figure | NewFigure, formed_at: datetime) -> dict[str, Any]:
    """Return what the feed says of a figure; an audit compares it with what is stored."""
    names = (
        *("point", "low", "high", "unit", "coverage", "grade", "reason"),
        *("method_version", "coefficient_version"),
    )
    instant = formed_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return {name: getattr(figure, name) for name in names} | {"formed_at": instant}


def _entry(
    about: NewFigure | NewVerdict,
    figure_id: int,
    what: str,
    before: dict[str, Any] | None,
    after: dict[str, Any],
) -> dict[str, Any]:
    return {
        "factory_id": about.factory_id,
        "kpi": about.kpi,
        "what": what,
        "period_kind": getattr(about, "period_kind", "rolling12"),
        "period_start": about.period_start,
        "period_end": about.period_end,
        "before": None if before is None else Jsonb(before),
        "after": Jsonb(after),
        "figure_id": figure_id,
    }


def _announce(conn: Connection, changes: list[dict[str, Any]]) -> None:
    if changes:
        conn.execute(query("lock_follow_up"))
        conn.cursor().executemany(query("insert_follow_up"), changes)


def promises(conn: Connection, factory_id: int) -> dict[str, Promise]:
    """Return what a factory's application promised, by KPI."""
    with transaction(conn):
        rows = conn.execute(query("list_promises"), {"factory_id": factory_id})
        return {row[0]: Promise(*row) for row in rows}


def self_reports(conn: Connection, factory_id: int) -> list[SelfReport]:
    """Return what a factory reported."""
    with transaction(conn):
        rows = conn.execute(query("list_self_reports"), {"factory_id": factory_id})
        return [SelfReport(*row) for row in rows]


def decide(conn: Connection, verdict: NewVerdict) -> None:
    """Store the verdicts on one rolling year; each that changed appears in the feed.

    Those that they take the place of are kept where anything in them differs; the same ones are
    not written again.
    """
    with transaction(conn):
        conn.execute(query("lock_factory"), {"factory_id": verdict.factory_id})
        key = {
            "factory_id": verdict.factory_id,
            "kpi": verdict.kpi,
            "period_start": verdict.period_start,
        }
        row = conn.execute(query("get_verdict"), key).fetchone()
        before = None if row is None else Verdict(*row)
        if before is not None and _decided(before) == _decided(verdict):
            return
        if before is not None:
            conn.execute(query("keep_past_verdict"), key)
        values = asdict(verdict) | {"reasons": Jsonb(verdict.reasons)}
        conn.execute(query("upsert_verdict"), values)
        changes = []
        for what, word, number in (
            ("fulfilment", "fulfilment_verdict", "fulfilment"),
            ("consistency", "consistency_verdict", "deviation"),
        ):
            if before is None or getattr(before, word) != getattr(verdict, word):
                old = None if before is None else _word(before, word, number)
                new = _word(verdict, word, number)
                changes.append(_entry(verdict, verdict.figure_id, what, old, new))
        _announce(conn, changes)


def decide_all(conn: Connection, factory_id: int, verdicts: Sequence[NewVerdict]) -> None:
    """Store the verdicts of a factory that are new or differ from what is stored; see decide."""
    with transaction(conn):
        conn.execute(query("lock_factory"), {"factory_id": factory_id})
        values = {
            "factory_id": factory_id,
            "kpis": sorted({each.kpi for each in verdicts}),
            "starts": sorted({each.period_start for each in verdicts}),
        }
        rows = conn.execute(query("verdicts_of_years"), values)
        known = [Verdict(*row) for row in rows]
        stored = {(each.kpi, each.period_start): _decided(each) for each in known}
        for verdict in verdicts:
            if stored.get((verdict.kpi, verdict.period_start)) != _decided(verdict):
                decide(conn, verdict)


def _decided(verdict: NewVerdict) -> dict[str, Any]:
    return {name: getattr(verdict, name) for name in NewVerdict.__dataclass_fields__}


def _word(verdict: NewVerdict, word: str, number: str) -> dict[str, Any]:
    return {"verdict": getattr(verdict, word), number: getattr(verdict, number)}


def verdicts(conn: Connection, factory_id: int, period_start: date | None = None) -> list[Verdict]:
    """Return the verdicts of a factory on one rolling year, by default the newest."""
    values = {"factory_id": factory_id, "period_start": period_start}
    with transaction(conn):
        return [Verdict(*row) for row in conn.execute(query("list_verdicts"), values)]


def past_verdicts(conn: Connection, factory_id: int, kpi: str, period_start: date) -> list[Verdict]:
    """Return the verdicts on one KPI and rolling year that were replaced, oldest first."""
    values = {"factory_id": factory_id, "kpi": kpi, "period_start": period_start}
    with transaction(conn):
        return [Verdict(*row) for row in conn.execute(query("past_verdicts"), values)]


def newest_verdicts(conn: Connection) -> list[Verdict]:
    """Return the newest verdicts of all factories."""
    with transaction(conn):
        return [Verdict(*row) for row in conn.execute(query("newest_verdicts"))]
