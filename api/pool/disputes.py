"""Disputes: the enterprise says why, the figure is run and measured again, the city decides.

A decision never edits a figure: it says, by a document, that the new measurement counts as verified
for the verdicts, or that the figure stands. Every value stays.
"""

import math
import tomllib
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cache
from importlib.resources import files
from typing import Any

import store
import store.figures
from api.errors import NotFound
from api.pool import lifecycle as machine
from api.pool import settings, stepping, workdays
from api.pool.errors import Declined, NotAllowed, NotPossible
from api.pool.lifecycle import Name
from api.pool.reasons import Reason, reason
from api.pool.refused import refused
from api.pool.report_table import Step, step_of
from kpi.jobs.basis import last_full_hour
from kpi.jobs.fact_job import recompute_asset
from kpi.jobs.figure_job import refresh_factory
from kpi.jobs.recompute import mark_range
from store import Connection, disputes, events, evidence_items, facts, reports, transaction
from store.acting import SYSTEM, Actor
from store.audit import note
from store.disputes import Dispute, NewDispute, NewStep, Taken
from store.figures import Figure, PeriodKind
from store.registry import factory_by_code

FINAL = frozenset({"settled", "withdrawn"})

_ENTERPRISE = ("ent_filler", "ent_approver")
_LONGEST_TEXT = 2000
_SIDES = ("county", "verifier")


@dataclass(frozen=True, slots=True)
class Table:
    """The states and steps of disputes."""

    states: Mapping[str, Name]
    steps: Mapping[str, Step]


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


@cache
def table() -> Table:
    """Return the shipped table; raises ValueError for one that names what there is not."""
    found = tomllib.loads(files("api.pool").joinpath("disputes.toml").read_text(encoding="utf-8"))
    states = {code: Name(**name) for code, name in found["state"].items()}
    steps = {each["id"]: step_of({"to": each["from"][0]} | each, states) for each in found["step"]}
    stays = {each["id"] for each in found["step"] if "to" not in each}
    return Table(states, {
        name: replace(each, transition=replace(each.transition, to="")) if name in stays else each
        for name, each in steps.items()
    })  # fmt: skip


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
    if not math.isfinite(claimed) or claimed < 0:
        raise refused("claim", Declined)
    _check_text("reason", reason)
    with transaction(conn):
        figure = _figure(conn, factory_id, kpi, period_kind, period_start)
        if evidence_items.file(conn, factory_id, file_sha256) is None:
            raise refused("no_file", Declined)
        today, due = workdays.today(now), _last_day(conn, figure, now)
        if today > due:
            raise refused("dispute_late", NotPossible, day=due)
        new = NewDispute(
            factory_id, figure.figure_id, kpi, period_kind, period_start, figure.period_end,
            "raised", claimed, today, due,
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
    conn: Connection,
    actor: Actor,
    dispute_id: int,
    step_id: str,
    *,
    version: int,
    comment: str = "",
    side: str | None = None,
    measured: Measured | None = None,
    document: str = "",
    file_sha256: str | None = None,
    now: datetime,
) -> Dispute:
    """Take a step; `side` (county or verifier) says who measures, `document` what decides.

    Raises NotFound, StaleVersion, NotPossible, NotAllowed, or Declined for what is lacking.
    """
    with transaction(conn):
        of(conn, dispute_id)
        disputes.lock(conn, dispute_id)
        at = view(conn, actor, dispute_id)
        step = _open_step(at, step_id, version)
        if step.adverse:
            _check_text("why", comment)
        elif len(comment) > _LONGEST_TEXT:
            raise refused("long_comment", Declined, most=_LONGEST_TEXT)
        said = _said(conn, at, step_id, side, measured, document, file_sha256)
        if step_id == "accept":
            said |= {key: _last_measured(at.taken).data[key] for key in ("value", "low", "high")}
        after = _take(conn, actor, at.dispute, step, comment.strip(), said, file_sha256, now)
        if step_id == "accept":
            value = said["value"], said["low"], said["high"]
            disputes.settle(conn, actor, after, value, document.strip(), now)
            disputes.judge_again(conn, dispute_id)
    return after


def waits(found: Dispute) -> bool:
    """Tell whether a re-run was asked for and is not finished."""
    return found.rerun_asked_at is not None and (
        found.rerun_at is None or found.rerun_at < found.rerun_asked_at
    )


def rerun_asked(url: str, *, now: datetime) -> int:
    """Run every disputed period again whose re-run was asked for; return how many there were."""
    with closing(store.connect(url)) as conn:
        asked = disputes.to_rerun(conn)
        for number in asked:
            _rerun(url, conn, number, now)
    return len(asked)


def _rerun(url: str, conn: Connection, dispute_id: int, now: datetime) -> None:
    """Form the facts and figures of a period anew and keep what comes out beside the old figure."""
    found = of(conn, dispute_id)
    factory = factory_by_code(conn, found.factory)
    mark_range(conn, [factory], found.period_start, found.period_end, now)
    before = last_full_hour(now)
    for asset_id in facts.dirty_assets(conn, before, factory.factory_id):
        recompute_asset(url, asset_id, before)
    disputes.mark_months(conn, found)
    refresh_factory(conn, factory, now)
    with transaction(conn):
        disputes.lock(conn, dispute_id)
        found = of(conn, dispute_id)
        if found.state in FINAL:
            return
        kind: PeriodKind = "rolling12" if found.period_kind == "rolling12" else "month"
        newest = _figure(conn, found.factory_id, found.kpi, kind, found.period_start)
        said = {
            "figure_id": newest.figure_id,
            "revision": newest.revision,
            "before": found.figure.point,
            "after": newest.point,
            "difference": None
            if newest.point is None or found.figure.point is None
            else newest.point - found.figure.point,
        }
        disputes.keep_rerun(conn, dispute_id, newest.figure_id, now)
        _take(conn, SYSTEM, found, table().steps["rerun"].transition, "", said, None, now)


def _figure(conn: Connection, factory_id: int, kpi: str, kind: PeriodKind, start: date) -> Figure:
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
    why = [] if actor.role in who else [stepping.not_of(who)]
    measures = [each for each in taken if each.step == "measure"]
    if "measured" in step.needs and not measures:
        why.append(reason("step", "unmeasured"))
    authors = {each.account_id for each in measures} - {None}
    if "other" in step.needs and actor.account_id in authors:
        why.append(reason("step", "measured"))
    if "rerun_done" in step.needs and waits(found):
        why.append(reason("step", "rerunning"))
    return why


def _said(
    conn: Connection,
    at: View,
    step_id: str,
    side: str | None,
    measured: Measured | None,
    document: str,
    file_sha256: str | None,
) -> dict[str, Any]:
    if (file_sha256 is not None) != (step_id == "measure"):
        raise refused("measure_file", Declined)
    if file_sha256 and evidence_items.file(conn, at.dispute.factory_id, file_sha256) is None:
        raise refused("no_file", Declined)
    if step_id == "assign":
        if side not in _SIDES:
            raise refused("who_measures", Declined)
        return {"to": side}
    if step_id == "measure":
        if measured is None:
            raise refused("nothing_measured", Declined)
        numbers = measured.low, measured.value, measured.high
        if not all(map(math.isfinite, numbers)) or not 0 <= numbers[0] <= numbers[1] <= numbers[2]:
            raise refused("bounds", Declined)
        _check_text("method", measured.method)
        return {"value": measured.value, "low": measured.low, "high": measured.high,
                "method": measured.method.strip()}  # fmt: skip
    if step_id in ("accept", "reject"):
        _check_text("document", document)
        return {"document": document.strip()}
    return {}


def _last_measured(taken: tuple[Taken, ...]) -> Taken:
    return next(each for each in reversed(taken) if each.step == "measure")


def _take(
    conn: Connection,
    actor: Actor,
    found: Dispute,
    transition: machine.Transition,
    comment: str,
    said: Mapping[str, Any],
    file_sha256: str | None,
    now: datetime,
) -> Dispute:
    name, to = transition.transition_id, transition.to or found.state
    policy = settings.kept(conn, settings.current(conn, workdays.today(now)))
    step = NewStep(name, found.state, to, comment, said, file_sha256, policy)
    done = disputes.move(
        conn, actor, found, step, now,
        rerun_asked_at=now if name == "ask_rerun" else found.rerun_asked_at,
        assigned_id=found.assigned_id,
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
