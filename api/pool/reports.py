"""Self-reports: opened and filled in by the system, answered by one person, submitted by another.

Officers pass a report or return it with a reason for each item; no function here lets them change
what the enterprise says. What was passed is locked and opened again only with a reason.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from api.errors import NotFound
from api.pool import evidence, report_items, settings, workdays
from api.pool import lifecycle as machine
from api.pool.errors import Declined, NotAllowed, NotPossible, StaleVersion
from api.pool.lifecycle import Transition
from api.pool.policy import Policy
from api.pool.reasons import Reason, reason
from api.pool.report_items import KPI, Given, Item
from api.pool.report_table import Step, table
from api.pool.roles import ROLES
from api.pool.workdays import Day
from store import Connection, events, reports, transaction
from store.acting import SYSTEM, Actor
from store.audit import note
from store.evidence_items import NewItem
from store.reports import Member, NewReport, NewStep, Next, Report

_LONGEST_COMMENT = 2000
_MONTHS = {"Q": 3, "Y": 12}
# Evidence of the follow-up knows these changes; others are told and nothing more.
_KNOWN_CHANGES = {"stop", "relocation", "restructuring"}
_SHOWN_MISSING = 5
# A report that only waits for the approver stays with the approver.
_OVERDUE = {"to_approve": "overdue_approval"}
_RETURNS = {"county_returned", "city_returned"}


@dataclass(frozen=True, slots=True)
class View:
    """A report with its items and the steps from here, each with why it is not open."""

    report: Report
    items: tuple[Item, ...]
    steps: tuple[machine.Step, ...]

    @property
    def to_fill(self) -> int:
        """Return how many items somebody has to write, beside the figures to confirm."""
        return sum(each.must_fill for each in self.items)

    @property
    def left(self) -> int:
        """Return how many items are not answered yet."""
        return sum(not each.is_answered for each in self.items)


def open_due(conn: Connection, *, now: datetime) -> list[int]:
    """Open the reports of the newest quarter and year that ended since a factory's entry.

    Each once, filled in with what was verified by now; return the new ones. A report of a later
    period does not wait for an earlier one that was missed while nothing ran: that one is opened
    too, back to the entry.
    """
    today = workdays.today(now)
    found = []
    with transaction(conn):
        policy = settings.current(conn, today)
        for member in reports.members(conn):
            kpis = reports.promised(conn, member.factory_id)
            for kind, start, end in _ended(member, today):
                due = Day(max(_due(kind, end, policy), today))
                new = NewReport(
                    member.membership_id, member.factory_id, kind, start, end, "open", due.on,
                    due.estimated, kpis,
                )  # fmt: skip
                found += _open(conn, SYSTEM, new, policy, now)
    return found


def refresh(conn: Connection, *, now: datetime) -> int:
    """Tell new revisions of figures to the reports that are still worked on; return how many."""
    with transaction(conn):
        return sum(reports.prefill(conn, number, now) for number in reports.to_prefill(conn))


def mark_overdue(conn: Connection, *, now: datetime) -> list[int]:
    """Mark the reports that are late, each once, and return them."""
    today = workdays.today(now)
    with transaction(conn):
        late = reports.late(conn, today)
        for number in late:
            found = _read(conn, number)
            step = table().steps[_OVERDUE.get(found.state, "overdue")]
            _take(conn, SYSTEM, found, step, "", {}, settings.current(conn, today), now)
    return late


def nightly(conn: Connection, *, now: datetime) -> dict[str, int]:
    """Do what a day brings: open reports, tell new revisions, mark what is late."""
    return {
        "opened": len(open_due(conn, now=now)),
        "refreshed": refresh(conn, now=now),
        "overdue": len(mark_overdue(conn, now=now)),
    }


def begin(
    conn: Connection, actor: Actor, factory_id: int, kind: str, happened_on: date, *, now: datetime
) -> int:
    """Begin a report of a change or an accident and return its number.

    Raises NotFound, NotPossible for who left the pool, NotAllowed, Declined for a day to come.
    """
    if kind not in ("CHG", "ACC"):
        raise Declined("reports of quarters and years are opened by the system")
    if actor.role != "ent_filler":
        raise NotAllowed("the enterprise's filler begins a report")
    today = workdays.today(now)
    if happened_on > today:
        raise Declined(f"{happened_on} is still to come")
    with transaction(conn):
        stay = evidence.running(conn, factory_id)
        policy = settings.current(conn, today)
        term = policy.term("report.change" if kind == "CHG" else "report.accident")
        due = workdays.last_day(happened_on, term)
        new = NewReport(
            stay.membership_id, factory_id, kind, happened_on, _next_day(happened_on), "filling",
            due.on, due.estimated, [],
        )  # fmt: skip
        (number,) = _open(conn, actor, new, policy, now)
    return number


def view(conn: Connection, actor: Actor, report_id: int) -> View:
    """Return a report with its items and what the actor can do now; raises NotFound."""
    found = _read(conn, report_id)
    asked = report_items.items(conn, found)
    return View(found, asked, _possible(found, asked, actor))


def fill(
    conn: Connection,
    actor: Actor,
    report_id: int,
    given: Sequence[Given],
    *,
    version: int,
    now: datetime,
) -> Report:
    """Keep answers; earlier ones stay beside them.

    Raises NotFound, StaleVersion, NotPossible, NotAllowed, or Declined for one that does not fit.
    """
    with transaction(conn):
        at, step = _at(conn, actor, report_id, "fill", version)
        answers = report_items.checked(given, at.items)
        policy = settings.current(conn, workdays.today(now))
        after = _take(conn, actor, at.report, step, "", {}, policy, now, told=False)
        reports.add_answers(conn, actor, after, answers, now)
        before = {each.code: each.value for each in at.items if each.answer is not None}
        note(
            conn, actor, "report_filled", kind="report", key=report_id,
            factory_id=after.factory_id,
            before={each.item: before.get(each.item) for each in answers},
            after={each.item: each.value for each in answers},
        )  # fmt: skip
    return after


def move(
    conn: Connection,
    actor: Actor,
    report_id: int,
    step_id: str,
    *,
    version: int,
    comment: str = "",
    items: Mapping[str, str] | None = None,
    now: datetime,
) -> Report:
    """Take a step of a report; `items` say why each is returned.

    Raises as `fill` does, with what is possible where the step is not open.
    """
    with transaction(conn):
        at, step = _at(conn, actor, report_id, step_id, version)
        if step_id == "fill":
            raise Declined("fill in answers instead")
        why = _checked_reasons(step.transition, comment, items or {}, at.items)
        policy = settings.current(conn, workdays.today(now))
        after = _take(conn, actor, at.report, step, comment.strip(), why, policy, now)
        if step_id == "submit":
            _submitted(conn, actor, after, at.items, now)
    return after


def _ended(member: Member, today: date) -> list[tuple[str, date, date]]:
    """Return the quarters and years that ended since a factory's entry, oldest first."""
    entered = workdays.today(member.since)
    found = []
    for kind, months in _MONTHS.items():
        first = (entered.month - 1) // months * months + 1
        start = date(entered.year, first, 1)
        while (end := workdays.add_months(start, months)) <= today:
            found.append((kind, start, end))
            start = end
    return found


def _due(kind: str, end: date, policy: Policy) -> date:
    """Return the last day for a report of a period that ended before a day."""
    if kind == "Q":
        return workdays.add_months(end, 0).replace(
            day=min(policy.count("report.quarter_due"), _days_in(end))
        )
    month, day = policy.text("report.year_due").split("-")
    return date(end.year, int(month), min(int(day), _days_in(date(end.year, int(month), 1))))


def _days_in(month: date) -> int:
    first = month.replace(day=1)
    return (workdays.add_months(first, 1) - first).days


def _next_day(day: date) -> date:
    return date.fromordinal(day.toordinal() + 1)


def _open(
    conn: Connection, actor: Actor, new: NewReport, policy: Policy, now: datetime
) -> list[int]:
    step = NewStep("open", None, "", {}, settings.kept(conn, policy))
    number = reports.open_report(conn, actor, new, step, now)
    if number is None:
        return []
    if new.kind in _MONTHS:
        reports.prefill(conn, number, now)
    after = {"kind": new.kind, "period_start": new.period_start.isoformat(),
             "period_end": new.period_end.isoformat(), "due_on": new.due_on.isoformat(),
             "state": new.state}  # fmt: skip
    note(
        conn, actor, "report_opened", kind="report", key=number, factory_id=new.factory_id,
        after=after,
    )  # fmt: skip
    payload = after | {"report_id": number, "deadline": new.due_on.isoformat()}
    events.happened(conn, actor, new.factory_id, "report_opened", payload, now)
    return [number]


def _read(conn: Connection, report_id: int) -> Report:
    found = reports.report(conn, report_id)
    if found is None:
        raise NotFound(f"there is no report {report_id}")
    return found


def _at(
    conn: Connection, actor: Actor, report_id: int, step_id: str, version: int
) -> tuple[View, Step]:
    """Return a held report and the step to take; raises where it cannot be taken."""
    _read(conn, report_id)
    reports.lock(conn, report_id)
    at = view(conn, actor, report_id)
    if at.report.version != version:
        raise StaleVersion(
            f"the report was changed in the meantime: it is at version {at.report.version}, not "
            f"{version}; read it again"
        )
    known = table().steps.get(step_id)
    if known is None:
        raise NotFound(f"a report has no step {step_id}")
    for step in at.steps:
        if step.transition.transition_id == step_id:
            if step.reasons:
                raise _refusal(step, at.steps)
            return at, known
    name = table().states[at.report.state].en
    raise NotPossible(f"{step_id} is no step of a report that is {name!r}", at.steps)


def _refusal(step: machine.Step, steps: tuple[machine.Step, ...]) -> Declined:
    said = f"{step.transition.name.en}: {'; '.join(each.en for each in step.reasons)}"
    if any(each.code in ("role", "maker") for each in step.reasons):
        return NotAllowed(said)
    return NotPossible(said, steps)


def _possible(found: Report, asked: Sequence[Item], actor: Actor) -> tuple[machine.Step, ...]:
    return tuple(
        machine.Step(each.transition, tuple(_why_not(each, found, asked, actor)))
        for each in table().leaving(found.state)
        if each.transition.who != ("system",)
    )


def _why_not(step: Step, found: Report, asked: Sequence[Item], actor: Actor) -> list[Reason]:
    why = []
    who = step.transition.who
    if actor.role not in who:
        names = [ROLES[each] for each in who]
        why.append(
            reason(
                "step",
                "role",
                roles_zh="、".join(zh for zh, _ in names),
                roles_en=" or ".join(en for _, en in names),
            )
        )
    missing = [each.code for each in asked if not each.is_answered]
    if "complete" in step.needs and missing:
        shown = ", ".join(missing[:_SHOWN_MISSING]) + (" …" * (len(missing) > _SHOWN_MISSING))
        why.append(reason("step", "incomplete", count=len(missing), items=shown))
    authors = {found.filled_id, *(each.answer.account_id for each in asked if each.answer)}
    if "other" in step.needs and actor.account_id in authors - {None}:
        why.append(reason("step", "maker"))
    return why


def _checked_reasons(
    transition: Transition, comment: str, items: Mapping[str, str], asked: Sequence[Item]
) -> dict[str, str]:
    if transition.adverse and not comment.strip():
        raise Declined(f"{transition.name.en} goes against the enterprise; say why")
    if len(comment) > _LONGEST_COMMENT:
        raise Declined(f"a comment may have {_LONGEST_COMMENT} characters")
    if items and transition.to not in _RETURNS:
        raise Declined("only a return says why for each item")
    known = {each.code for each in asked}
    found = {}
    for code, why in items.items():
        if code not in known:
            raise Declined(f"this report has no item {code}")
        if not why.strip() or len(why) > _LONGEST_COMMENT:
            raise Declined(f"{code}: say why, in up to {_LONGEST_COMMENT} characters")
        found[code] = why.strip()
    if transition.transition_id in ("county_return", "city_return") and not found:
        raise Declined("name each item that is returned, with why")
    return found


def _take(
    conn: Connection,
    actor: Actor,
    found: Report,
    step: Step,
    comment: str,
    items: Mapping[str, str],
    policy: Policy,
    now: datetime,
    *,
    told: bool = True,
) -> Report:
    name = step.transition.transition_id
    to = _next(found, step.transition, actor, policy, now)
    new = NewStep(name, found.state, comment, items, settings.kept(conn, policy))
    if not reports.move(conn, actor, found, to, new, now):
        raise NotAllowed(f"{step.transition.name.en}: this account may not move the report")
    after = _read(conn, found.report_id)
    if told:
        action = "report_overdue" if name.startswith("overdue") else f"report_{name}"
        note(
            conn, actor, action, kind="report", key=found.report_id,
            factory_id=found.factory_id,
            before={"state": found.state, "version": found.version},
            after={"state": after.state, "version": after.version, "items": dict(items),
                   "due_on": after.due_on.isoformat()},
            reason=comment or None,
        )  # fmt: skip
        payload = _payload(after) | {"comment": comment, "items": dict(items)}
        events.happened(conn, actor, found.factory_id, action, payload, now)
    return after


def _next(
    found: Report, transition: Transition, actor: Actor, policy: Policy, now: datetime
) -> Next:
    due = Day(found.due_on, found.due_estimated)
    overdue_since = found.overdue_since
    name, to = transition.transition_id, transition.to
    if transition.deadline is not None:
        due = workdays.last_day(workdays.today(now), policy.term(transition.deadline))
        overdue_since = None
    if name.startswith("overdue"):
        overdue_since = workdays.today(now)
    by = (found.filled_id, found.filled_by)
    if name == "hand_over":
        by = actor.account_id, actor.name
    submitted_at = found.submitted_at
    if name == "submit":
        submitted_at, overdue_since = now, None
    elif to in _RETURNS:
        submitted_at = None
    return Next(to, due.on, due.estimated, overdue_since, *by, submitted_at)


def _submitted(
    conn: Connection, actor: Actor, found: Report, asked: Sequence[Item], now: datetime
) -> None:
    """Make what was submitted known: as reported values, and to whom it concerns."""
    values = {each.code: each.value for each in asked if not each.code.startswith(KPI)}
    if found.kind in _MONTHS:
        reports.take(conn, found.report_id)
    if text := values.get("difficulties"):
        payload = _payload(found) | {"text": text}
        events.happened(conn, actor, found.factory_id, "help_asked", payload, now)
    if found.kind == "ACC":
        payload = _payload(found) | values
        events.happened(conn, actor, found.factory_id, "accident_reported", payload, now)
    if found.kind == "CHG":
        payload = _payload(found) | values
        events.happened(conn, actor, found.factory_id, "change_reported", payload, now)
        what = values["change_what"]
        if what in _KNOWN_CHANGES:
            item = NewItem("change_report", found.period_start, {"what": what},
                           note=str(values["change_text"]))  # fmt: skip
            evidence.record(conn, actor, found.factory_id, item, now=now)


def _payload(found: Report) -> dict[str, object]:
    return {
        "report_id": found.report_id,
        "kind": found.kind,
        "period_start": found.period_start.isoformat(),
        "period_end": found.period_end.isoformat(),
        "state": found.state,
        "version": found.version,
        "deadline": found.due_on.isoformat(),
        "deadline_estimated": found.due_estimated,
    }
