"""Self-reports: answered by one person of the enterprise, submitted by another, passed or returned.

Officers pass a report or return it with a reason for each item; no function here lets them change
what the enterprise says. What was passed is locked and opened again only with a reason.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from api.errors import NotFound
from api.pool import evidence, report_help, report_items, settings, stepping, workdays
from api.pool import lifecycle as machine
from api.pool.errors import Declined, NotAllowed
from api.pool.lifecycle import Transition
from api.pool.policy import Policy
from api.pool.reasons import Reason, reason
from api.pool.refused import refused
from api.pool.report_items import KPI, Given, Item
from api.pool.report_table import Step, table
from api.pool.workdays import Day
from store import Connection, events, reports, transaction
from store.acting import SYSTEM, Actor
from store.audit import note
from store.evidence_items import NewItem
from store.registry import factory_by_code
from store.reports import NewStep, Next, Report

_LONGEST_COMMENT = 2000
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


def mark_overdue(conn: Connection, *, now: datetime) -> list[int]:
    """Mark the reports that are late, each once, and return them."""
    today = workdays.today(now)
    with transaction(conn):
        late = reports.late(conn, today)
        for number in late:
            found = of(conn, number)
            step = table().steps[_OVERDUE.get(found.state, "overdue")]
            _take(conn, SYSTEM, found, step, "", {}, settings.current(conn, today), now)
    return late


def of(conn: Connection, report_id: int) -> Report:
    """Return a report in the scope; raises NotFound."""
    found = reports.report(conn, report_id)
    if found is None:
        raise NotFound(f"there is no report {report_id}")
    return found


def of_factory(conn: Connection, code: str, report_id: int) -> Report:
    """Return a report of a factory; raises UnknownFactory or NotFound."""
    factory = factory_by_code(conn, code)
    found = reports.report(conn, report_id)
    if found is None or found.factory_id != factory.factory_id:
        raise NotFound(f"{code} has no report {report_id}")
    return found


def view(conn: Connection, actor: Actor, report_id: int) -> View:
    """Return a report with its items and what the actor can do now; raises NotFound."""
    found = of(conn, report_id)
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
            raise refused("fill", Declined)
        why = _checked_reasons(step.transition, comment, items or {}, at.items)
        policy = settings.current(conn, workdays.today(now))
        after = _take(conn, actor, at.report, step, comment.strip(), why, policy, now)
        if step_id == "submit":
            _submitted(conn, actor, after, at.items, now)
    return after


def _at(
    conn: Connection, actor: Actor, report_id: int, step_id: str, version: int
) -> tuple[View, Step]:
    """Return a held report and the step to take; raises where it cannot be taken."""
    of(conn, report_id)
    reports.lock(conn, report_id)
    at = view(conn, actor, report_id)
    stepping.check_version("report", version, at.report.version)
    steps = table().steps
    stepping.chosen("report", step_id, steps, at.steps, table().states[at.report.state])
    return at, steps[step_id]


def _possible(found: Report, asked: Sequence[Item], actor: Actor) -> tuple[machine.Step, ...]:
    return tuple(
        machine.Step(each.transition, tuple(_why_not(each, found, asked, actor)))
        for each in table().leaving(found.state)
        if each.transition.who != ("system",)
    )


def _why_not(step: Step, found: Report, asked: Sequence[Item], actor: Actor) -> list[Reason]:
    who = step.transition.who
    why = [] if actor.role in who else [stepping.not_of(who)]
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
        raise refused("adverse", Declined, step=transition.name)
    if len(comment) > _LONGEST_COMMENT:
        raise refused("long_comment", Declined, most=_LONGEST_COMMENT)
    if items and transition.to not in _RETURNS:
        raise refused("no_return", Declined)
    known = {each.code: each.name for each in asked}
    found = {}
    for code, why in items.items():
        if code not in known:
            raise refused("no_item", Declined, item=code)
        if not why.strip() or len(why) > _LONGEST_COMMENT:
            raise refused("item_why", Declined, item=known[code], most=_LONGEST_COMMENT)
        found[code] = why.strip()
    if transition.transition_id in ("county_return", "city_return") and not found:
        raise refused("no_items", Declined)
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
        raise refused("not_moved", NotAllowed, step=step.transition.name)
    after = of(conn, found.report_id)
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
    if found.kind in ("Q", "Y"):
        reports.take(conn, found.report_id)
    if text := values.get("difficulties"):
        ticket = report_help.ask(conn, actor, found, "difficulties", str(text), now=now)
        payload = _payload(found) | {"text": text, "ticket": ticket}
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
