"""Disputes: the enterprise says why, the figure is run and measured again, the city decides.

A decision never edits a figure: it says, by a document, that the new measurement counts as verified
for the verdicts, or that the figure stands. Every value stays.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal

import store.figures
from api.errors import NotFound
from api.pool import lifecycle as machine
from api.pool import settings, stepping, workdays
from api.pool.dispute_table import FINAL, table
from api.pool.errors import Declined, NotAllowed, NotPossible
from api.pool.kpi_values import check_value
from api.pool.reasons import Reason, reason
from api.pool.refused import refused
from api.pool.report_table import Step
from store import Connection, disputes, events, evidence_items, reports, transaction
from store.acting import Actor
from store.audit import note
from store.disputes import Disputable, Dispute, NewDispute, NewStep, Taken
from store.figures import Figure, PeriodKind
from store.registry import factory_by_code

RerunState = Literal["none", "queued", "running", "done", "failed"]

_ENTERPRISE = ("ent_filler", "ent_approver")
_LONGEST_TEXT = 2000
_SIDES = ("county", "verifier")
# Figures that were told longer ago are not looked at for the term to dispute them.
_LONGEST_TERM = timedelta(days=400)


@dataclass(frozen=True, slots=True)
class View:
    """A dispute with what was done so far and the steps from here."""

    dispute: Dispute
    taken: tuple[Taken, ...]
    steps: tuple[machine.Step, ...]


@dataclass(frozen=True, slots=True)
class Measured:
    """What was measured again, in the figure's unit; bounds and how it was done."""

    value: float
    low: float
    high: float
    method: str


@dataclass(frozen=True, slots=True)
class Given:
    """A step with what it needs.

    `side` (county or verifier, and which verifier) says who measures, `document` what decides;
    a measurement comes with the hash of a file that was handed over.
    """

    step: str
    comment: str = ""
    side: str | None = None
    verifier_id: int | None = None
    measured: Measured | None = None
    document: str = ""
    file_sha256: str | None = None


def raise_dispute(
    conn: Connection,
    actor: Actor,
    factory_id: int,
    kpi: str,
    period_start: date,
    *,
    claimed: float,
    reason: str,
    file_sha256: str,
    period_kind: PeriodKind = "rolling12",
    now: datetime,
) -> int:
    """Dispute the newest figure of a closed period with a reason and evidence; return its number.

    Raises NotFound, NotAllowed, NotPossible after the term or while one is open, Declined.
    """
    if actor.role not in _ENTERPRISE:
        raise refused("not_enterprise", NotAllowed)
    if not math.isfinite(claimed):
        raise refused("claim", Declined)
    _check_text("reason", reason)
    with transaction(conn):
        figure = newest_figure(conn, factory_id, kpi, period_kind, period_start)
        check_value(kpi, claimed)
        if not _is_there(conn, factory_id, file_sha256):
            raise refused("no_file", Declined)
        today, due = workdays.today(now), _last_day(conn, figure, now)
        if today > due:
            raise refused("dispute_late", NotPossible, day=due)
        new = NewDispute(
            factory_id, figure.figure_id, kpi, period_kind, period_start, figure.period_end,
            "raised", claimed, today, due, now,
        )  # fmt: skip
        policy = settings.kept(conn, settings.current(conn, today))
        said = {"claimed": claimed, "figure_id": figure.figure_id, "revision": figure.revision}
        step = NewStep("raise", None, "raised", reason.strip(), said, file_sha256, policy)
        number = disputes.begin(conn, actor, new, step, now)
        if number is None:
            raise refused("dispute_open", NotPossible)
        _tell(conn, actor, of(conn, number), "raise", reason.strip(), said, now)
    return number


def of(conn: Connection, dispute_id: int) -> Dispute:
    """Return a dispute in the scope; raises NotFound."""
    found = disputes.dispute(conn, dispute_id)
    if found is None:
        raise NotFound(f"there is no dispute {dispute_id}")
    return found


def of_factory(conn: Connection, code: str, dispute_id: int) -> Dispute:
    """Return a dispute of a factory; raises UnknownFactory or NotFound."""
    factory = factory_by_code(conn, code)
    found = disputes.dispute(conn, dispute_id)
    if found is None or found.factory_id != factory.factory_id:
        raise NotFound(f"{code} has no dispute {dispute_id}")
    return found


def view(conn: Connection, actor: Actor, dispute_id: int) -> View:
    """Return a dispute and what the actor can do now; raises NotFound."""
    found = of(conn, dispute_id)
    taken = disputes.steps(conn, dispute_id)
    steps = tuple(
        machine.Step(each.transition, tuple(_why_not(each, found, taken, actor)))
        for each in table().steps.values()
        if found.state in each.transition.sources and each.transition.who != ("system",)
    )
    return View(found, tuple(taken), steps)


def move(
    conn: Connection, actor: Actor, dispute_id: int, given: Given, *, version: int, now: datetime
) -> Dispute:
    """Take a step.

    Raises NotFound, StaleVersion, NotPossible, NotAllowed, or Declined for what is lacking.
    """
    with transaction(conn):
        of(conn, dispute_id)
        disputes.lock(conn, dispute_id)
        at = view(conn, actor, dispute_id)
        step = _open_step(at, given.step, version)
        if step.adverse:
            _check_text("why", given.comment)
        elif len(given.comment) > _LONGEST_TEXT:
            raise refused("long_comment", Declined, most=_LONGEST_TEXT)
        said = _said(conn, at, given)
        after = take(conn, actor, at.dispute, step, given, said, now)
        if given.step == "accept":
            value = said["value"], said["low"], said["high"]
            disputes.settle(conn, actor, after, value, given.document.strip(), now)
            disputes.judge_again(conn, dispute_id)
    return after


def disputable(conn: Connection, factory_id: int, now: datetime) -> list[tuple[Disputable, date]]:
    """Return the figures of closed years within the term to dispute them, with its last day."""
    today = workdays.today(now)
    term = settings.current(conn, today).term("dispute.term")
    known = disputes.disputable(conn, factory_id, now - _LONGEST_TERM)
    ends = {day: workdays.last_day(day, term).on
            for day in {workdays.today(each.told_at) for each in known}}  # fmt: skip
    found = [(each, ends[workdays.today(each.told_at)]) for each in known]
    return [(each, last) for each, last in found if today <= last]


def waits(found: Dispute) -> bool:
    """Tell whether a re-run was asked for, is not finished and was not given up."""
    return rerun_state(found) in ("queued", "running")


def rerun_state(found: Dispute) -> RerunState:
    """Return where the newest re-run stands; one that was never asked for is none."""
    asked = found.rerun_asked_at
    if asked is None:
        return "none"
    if found.rerun_at is not None and found.rerun_at >= asked:
        return "done"
    if found.rerun_failed_at is not None:
        return "failed"
    return "queued" if found.rerun_taken_at is None else "running"


def newest_figure(
    conn: Connection, factory_id: int, kpi: str, kind: PeriodKind, start: date
) -> Figure:
    """Return the newest revision of a closed period's figure; raises NotFound."""
    revisions = store.figures.revisions(conn, factory_id, kpi, kind, start)
    if not revisions or revisions[-1].revision == 0:
        raise NotFound(f"there is no closed figure of {kpi} from {start} on")
    return revisions[-1]


def _last_day(conn: Connection, figure: Figure, now: datetime) -> date:
    """Return the last day on which a figure may be disputed: counted from when it was told."""
    told = reports.told_at(conn, figure.figure_id) or figure.computed_at
    term = settings.current(conn, workdays.today(now)).term("dispute.term")
    return workdays.last_day(workdays.today(told), term).on


def _open_step(at: View, step_id: str, version: int) -> machine.Transition:
    stepping.check_version("dispute", version, at.dispute.version)
    state = table().states[at.dispute.state]
    return stepping.chosen("dispute", step_id, table().steps, at.steps, state).transition


def _why_not(step: Step, found: Dispute, taken: list[Taken], actor: Actor) -> list[Reason]:
    who = step.transition.who
    side = next((each.data["to"] for each in reversed(taken) if each.step == "assign"), None)
    if step.transition.transition_id == "measure":
        who = ("verifier",) if side == "verifier" else ("county_officer",)
    why = []
    if actor.role not in who:
        why.append(stepping.not_of(who))
    elif step.transition.transition_id == "measure" and found.assigned_id not in (
        None, actor.account_id,
    ):  # fmt: skip
        why.append(reason("step", "assigned"))
    measures = [each for each in taken if each.step == "measure"]
    if "measured" in step.needs and not measures:
        why.append(reason("step", "unmeasured"))
    authors = {each.account_id for each in measures} - {None}
    if "other" in step.needs and actor.account_id in authors:
        why.append(reason("step", "measured"))
    if "rerun_done" in step.needs and waits(found):
        why.append(reason("step", "rerunning"))
    return why


def _said(conn: Connection, at: View, given: Given) -> dict[str, Any]:
    """Return what a step says, checked; raises Declined for what it lacks."""
    if (given.file_sha256 is not None) != (given.step == "measure"):
        raise refused("measure_file", Declined)
    if given.file_sha256 and not _is_there(conn, at.dispute.factory_id, given.file_sha256):
        raise refused("no_file", Declined)
    if given.step == "assign":
        return _assigned(conn, given)
    if given.step == "measure":
        return _measured(at.dispute.kpi, given.measured)
    if given.step not in ("accept", "reject"):
        return {}
    _check_text("document", given.document)
    said = {"document": given.document.strip()}
    if given.step == "reject":
        return said
    again = next(each for each in reversed(at.taken) if each.step == "measure")
    return said | {key: again.data[key] for key in ("value", "low", "high")} | {
        "file_sha256": again.file_sha256
    }  # fmt: skip


def _assigned(conn: Connection, given: Given) -> dict[str, Any]:
    if given.side not in _SIDES:
        raise refused("who_measures", Declined)
    if given.side == "county":
        return {"to": "county"}
    for each in disputes.verifiers(conn):
        if each.account_id == given.verifier_id:
            return {"to": "verifier", "verifier_id": each.account_id, "verifier": each.name}
    raise refused("which_verifier", Declined)


def _measured(kpi: str, found: Measured | None) -> dict[str, Any]:
    if found is None:
        raise refused("nothing_measured", Declined)
    low, value, high = found.low, found.value, found.high
    if not all(map(math.isfinite, (low, value, high))) or not low <= value <= high:
        raise refused("bounds", Declined)
    check_value(kpi, low, value, high)
    _check_text("method", found.method)
    return {"value": value, "low": low, "high": high, "method": found.method.strip()}


def _is_there(conn: Connection, factory_id: int, sha256: str) -> bool:
    return evidence_items.file(conn, factory_id, sha256) is not None


def take(
    conn: Connection,
    actor: Actor,
    found: Dispute,
    transition: machine.Transition,
    given: Given,
    said: Mapping[str, Any],
    now: datetime,
) -> Dispute:
    """Keep a step and tell of it; raises NotAllowed where the database does not let it."""
    name, to = transition.transition_id, transition.to or found.state
    policy = settings.kept(conn, settings.current(conn, workdays.today(now)))
    comment = given.comment.strip()
    step = NewStep(name, found.state, to, comment, said, given.file_sha256, policy)
    done = disputes.move(
        conn, actor, found, step, now,
        rerun_asked_at=now if name == "ask_rerun" else found.rerun_asked_at,
        assigned_id=said.get("verifier_id") if name == "assign" else found.assigned_id,
        closed_at=now if to in FINAL else None,
    )  # fmt: skip
    if not done:
        raise refused("not_moved", NotAllowed, step=transition.name)
    after = of(conn, found.dispute_id)
    _tell(conn, actor, after, name, comment, said, now)
    return after


def _tell(
    conn: Connection,
    actor: Actor,
    found: Dispute,
    step: str,
    comment: str,
    said: Mapping[str, Any],
    now: datetime,
) -> None:
    payload = {
        "dispute_id": found.dispute_id,
        "kpi": found.kpi,
        "period_start": found.period_start.isoformat(),
        "period_end": found.period_end.isoformat(),
        "state": found.state,
        "version": found.version,
        "comment": comment,
        **said,
    }
    note(
        conn, actor, f"dispute_{step}", kind="dispute", key=found.dispute_id,
        factory_id=found.factory_id, after=payload, reason=comment or None,
    )  # fmt: skip
    events.happened(conn, actor, found.factory_id, f"dispute_{step}", payload, now)


def _check_text(what: str, text: str) -> None:
    if not text.strip() or len(text) > _LONGEST_TEXT:
        raise refused(f"say_{what}", Declined, most=_LONGEST_TEXT)
