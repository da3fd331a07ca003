"""Pool entry without an application: a bureau's list of the factories that it has.

All of a list is stored or nothing, unless faulty rows are to be left out. The same list again
changes nothing. What a monitoring plan says of a factory later stays as it is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Literal, get_args

from api.pool import lifecycle, membership, settings, workdays
from api.pool.entry_fields import Entry, RowProblem, entry_of, problem
from api.pool.entry_sheet import columns, read
from api.pool.policy import Policy
from store import Connection, entries, events, memberships, pool, transaction
from store.acting import Actor
from store.audit import note
from store.entries import EntryFactory, EntryPromise, KnownEnterprise, KnownFactory

Outcome = Literal["new", "changed", "same", "faulty"]
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)

_NAMES = {
    "name_zh": "factory", "kind": "kind", "region": "county", "baseline_from": "baseline_from",
    "baseline_to": "baseline_to", "renovated_on": "renovated", "enterprise_zh": "enterprise",
    "credit_code": "credit_code",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Change:
    """A value of a stored factory that the list says otherwise; baseline_to is half-open."""

    name: str
    column: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class RowReport:
    """What becomes of one row, and what is wrong or odd in it."""

    row: int
    factory: str
    code: str
    outcome: Outcome
    changes: tuple[Change, ...]
    problems: tuple[RowProblem, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """What becomes of a list; written tells whether anything was stored."""

    written: bool
    rows: tuple[RowReport, ...]

    def count(self, outcome: Outcome) -> int:
        """Return how many rows come to an outcome."""
        return sum(each.outcome == outcome for each in self.rows)

    @property
    def problems(self) -> list[RowProblem]:
        """Return all that is wrong or odd, by row."""
        return [problem for each in self.rows for problem in each.problems]


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is to be done with one row."""

    entry: Entry
    known: KnownFactory | None
    report: RowReport


def import_list(
    conn: Connection,
    actor: Actor,
    content: bytes,
    *,
    now: datetime,
    dry_run: bool = False,
    skip_faulty: bool = False,
    source: str = "",
) -> Report:
    """Take in a list and report on each row; source names it in the record.

    With a faulty row nothing is stored, unless it is to be skipped; in a dry run nothing is
    either way. For who owns the database. Raises ImportRefused for a list that cannot be read.
    """
    lines = read(content)
    today = workdays.today(now)
    with transaction(conn):
        entries.lock(conn)
        policy = settings.current(conn, today)
        stored = _Stored(conn, policy)
        regions = {each.code: each for each in pool.regions(conn)}
        plans, rows = [], []
        for line in lines:
            entry, problems = entry_of(line, regions, today)
            if entry is None:
                name = line.cells.get("factory")
                text = "" if name is None else str(name.value)
                rows.append(RowReport(line.number, text, "", "faulty", (), tuple(problems)))
                continue
            plan = stored.judge(entry, problems)
            rows.append(plan.report)
            if plan.report.outcome != "faulty":
                plans.append(plan)
        writes = not dry_run and (skip_faulty or len(plans) == len(rows))
        if writes:
            for plan in plans:
                _store(conn, actor, plan, policy, source, now)
    return Report(writes and any(each.outcome != "same" for each in rows), tuple(rows))


class _Stored:
    """What is stored already, and what earlier rows of the list add to it."""

    def __init__(self, conn: Connection, policy: Policy) -> None:
        self._policy = policy
        self._factories = entries.factories(conn)
        self._by_code = {each.given.code: each for each in self._factories}
        self._by_name = {
            (each.given.enterprise_zh, each.given.name_zh): each for each in self._factories
        }
        found = entries.enterprises(conn)
        self._enterprises = {each.name_zh: each for each in found}
        self._by_credit = {each.credit_code: each for each in found if each.credit_code}
        self._ended = entries.ended(conn)
        self._rows: dict[str, int] = {}
        self._credits: dict[str, str] = {}

    def judge(self, entry: Entry, problems: list[RowProblem]) -> _Plan:
        """Say what becomes of a row, beside what is stored and the rows before it."""
        known = self._known(entry)
        entry = self._named(entry, known)
        found = [*problems, *self._contradictions(entry)]
        changes = self._changes(entry, known)
        if known is not None and known.has_plan:
            held = [each for each in changes if each.name in _NAMES.values()]
            changes = [each for each in changes if each not in held]
            found += [
                problem(entry.row, each.name, "warning", "plan", given=each.before) for each in held
            ]
        enters = known is None or known.membership_id is None or known.left_on is not None
        if enters:
            found += self._wait(entry, known)
        outcome: Outcome = "new" if enters else "changed" if changes else "same"
        if any(each.severity == "error" for each in found):
            outcome = "faulty"
        name = f"{entry.given.enterprise_zh} {entry.given.name_zh}"
        report = RowReport(
            entry.row,
            name,
            entry.given.code,
            outcome,
            tuple(changes if known else ()),
            tuple(found),
        )
        return _Plan(entry, known, report)

    def _known(self, entry: Entry) -> KnownFactory | None:
        if entry.code:
            return self._by_code.get(entry.code)
        return self._by_name.get((entry.given.enterprise_zh, entry.given.name_zh))

    def _named(self, entry: Entry, known: KnownFactory | None) -> Entry:
        """Return the entry with its code, and with the English names that are stored."""
        given = entry.given
        code = known.given.code if known else entry.code or given.credit_code or ""
        enterprise = self._enterprises.get(given.enterprise_zh)
        given = replace(
            given,
            code=code,
            name_en=known.given.name_en if known else given.name_en,
            enterprise_en=enterprise.name_en if enterprise else given.enterprise_en,
            credit_code=given.credit_code or (enterprise.credit_code if enterprise else None),
        )
        return replace(entry, given=given)

    def _contradictions(self, entry: Entry) -> list[RowProblem]:
        given, found = entry.given, []
        if not given.code:
            found.append(_wrong(entry, "code", "no_code"))
        elif given.code in self._rows:
            first = self._rows[given.code]
            found.append(_wrong(entry, "code", "twice", first=first, given=given.code))
        self._rows.setdefault(given.code, entry.row)
        if other := self._other_name(given):
            found.append(
                _wrong(entry, "credit_code", "taken", given=given.credit_code, other=other)
            )
        known = self._enterprises.get(given.enterprise_zh)
        if known and known.credit_code and known.credit_code != given.credit_code:
            found.append(
                _wrong(
                    entry, "credit_code", "another", given=known.credit_code, other=known.name_zh
                )
            )
        return found

    def _other_name(self, given: EntryFactory) -> str | None:
        """Return who has the credit code of a row already, under another name."""
        if given.credit_code is None:
            return None
        stored: KnownEnterprise | None = self._by_credit.get(given.credit_code)
        name = stored.name_zh if stored else self._credits.get(given.credit_code)
        self._credits.setdefault(given.credit_code, given.enterprise_zh)
        return None if name in (None, given.enterprise_zh) else name

    def _changes(self, entry: Entry, known: KnownFactory | None) -> list[Change]:
        if known is None:
            return []
        found = [
            _change(column, getattr(known.given, name), getattr(entry.given, name))
            for name, column in _NAMES.items()
            if getattr(known.given, name) != getattr(entry.given, name)
        ]
        if known.entered_on not in (None, entry.entered_on) and known.left_on is None:
            found.append(_change("entered", known.entered_on, entry.entered_on))
        for promise in entry.promises:
            was = known.promises.get(promise.kpi)
            for part in ("before", "expected", "basis"):
                old = None if was is None else getattr(was, part)
                new = getattr(promise, part)
                if old != new:
                    found.append(_change(f"{promise.kpi}_{part}", old, new))
        return found

    def _wait(self, entry: Entry, known: KnownFactory | None) -> list[RowProblem]:
        """Return why an enterprise that left may not come back yet."""
        enterprise = self._enterprises.get(entry.given.enterprise_zh)
        number = known.enterprise_id if known else enterprise.enterprise_id if enterprise else None
        machine = lifecycle.held(self._policy)
        for stay in self._ended:
            key = machine.reentry.get(stay.state)
            if stay.enterprise_id != number or key is None:
                continue
            term = self._policy.term(key)
            first = workdays.last_day(stay.left_on, term).on
            if term.amount and entry.entered_on < first:
                state = machine.states[stay.state].name.zh
                return [
                    _wrong(
                        entry, "entered", "waits",
                        given=stay.factory, day=stay.left_on, state=state, first=first,
                    )
                ]  # fmt: skip
            if entry.entered_on < stay.left_on and stay.factory == entry.given.code:
                return [_wrong(entry, "entered", "left", given=stay.factory, day=stay.left_on)]
        return []


def _store(
    conn: Connection, actor: Actor, plan: _Plan, policy: Policy, source: str, now: datetime
) -> None:
    outcome, known, entry = plan.report.outcome, plan.known, plan.entry
    if outcome == "same":
        return
    has_plan = known is not None and known.has_plan
    factory_id = entries.save(conn, entry.given, entry.promises, has_plan=has_plan)
    if outcome == "new":
        membership.enter(conn, actor, factory_id, entry.entered_on, policy, comment=source, now=now)
    elif known is not None and known.membership_id and known.entered_on != entry.entered_on:
        memberships.correct_entry(conn, known.membership_id, entry.entered_on)
    changed = {each.column: [each.before, each.after] for each in plan.report.changes}
    after: dict[str, Any] = {
        "row": entry.row,
        "factory": entry.given.code,
        "promises": _said(entry.promises),
        "changed": changed,
    }
    action = "entry_imported" if outcome == "new" else "entry_corrected"
    note(
        conn, actor, action, kind="entry", key=entry.given.code, factory_id=factory_id,
        after=after, reason=source or None,
    )  # fmt: skip
    if outcome == "changed":
        events.happened(conn, actor, factory_id, action, {"changed": changed}, now)


def _said(promises: Sequence[EntryPromise]) -> Mapping[str, Any]:
    return {each.kpi: [each.before, each.basis, each.expected] for each in promises}


def _change(column: str, before: date | float | str | None, after: Any) -> Change:
    return Change(column, columns()[column].zh, _text(before), _text(after))


def _text(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.12g}" if isinstance(value, float) else str(value)


def _wrong(entry: Entry, column: str, code: str, **values: object) -> RowProblem:
    return problem(entry.row, column, "error", code, **values)
