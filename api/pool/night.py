"""The night's run: every rule over every factory in the pool, some hundred factories at a time.

Warnings are kept and cleared, and with them the machine moves a membership between the initial
state and the warning; what else the rules see is proposed to people. A factory that fails stops no
other. The same day again changes nothing.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from api.pool import lifecycle, membership, settings, warnings, workdays
from api.pool.lifecycle import Lifecycle
from api.pool.policy import Policy
from api.pool.warning_checks import Outcome, Seen
from api.pool.warnings import Rule
from store import Connection, events, memberships, transaction
from store import night as reading
from store import warnings as stored
from store.acting import SYSTEM
from store.audit import note
from store.night import Asked, Member, Open, Readings
from store.warnings import Given

log = logging.getLogger(__name__)

CHUNK = 200  # factories whose readings are held at a time
_HANDLING = {"site_check_passed", "review_passed"}
_PAUSED = "suspended"
_MOST_FAILURES = 1000

Progress = Callable[[int], None]


@dataclass
class Night:
    """What a run found and did; failures say by factory what went wrong."""

    as_of: datetime
    factories: int = 0
    warned: int = 0
    cleared: int = 0
    proposed: int = 0
    ended: int = 0
    moved: int = 0
    failures: dict[str, str] = field(default_factory=dict)

    def counts(self) -> dict[str, int]:
        """Return the numbers by name."""
        return {
            "factories": self.factories,
            "warned": self.warned,
            "cleared": self.cleared,
            "proposed": self.proposed,
            "ended": self.ended,
            "moved": self.moved,
            "failed": len(self.failures),
        }


@dataclass(frozen=True, slots=True)
class _Rules:
    """All that is the same for every factory of a run."""

    now: datetime
    policy: Policy
    machine: Lifecycle
    asked: Asked


@dataclass(frozen=True, slots=True)
class _Judged:
    """What is to be done about one factory."""

    member: Member
    fire: list[Outcome]
    clear: list[Given]
    open_after: int


def run(conn: Connection, now: datetime, *, progress: Progress = lambda _: None) -> Night | None:
    """Judge every membership as of a time; None where another run is at it.

    `progress` is told how many factories were looked at so far.
    """
    found = Night(now)
    with reading.alone(conn) as is_alone:
        if not is_alone:
            return None
        given = _given(conn, now)
        after = 0
        while members := reading.members(conn, now, given.asked.handling, after=after, most=CHUNK):
            after = members[-1].factory_id
            _judge_all(conn, given, members, found)
            found.factories += len(members)
            progress(found.factories)
        for factory_id in reading.left_with_open(conn):
            try:
                _end_all(conn, given, factory_id, found)
            except Exception as error:  # nor does one that left keep the others
                _failed(found, f"factory {factory_id}", error)
    return found


def _given(conn: Connection, now: datetime) -> _Rules:
    today = workdays.today(now)
    policy = settings.current(conn, today)
    settings.kept(conn, policy)
    machine = lifecycle.held(policy)
    quarters = policy.count("warning.worse_quarters") + 1
    asked = Asked(
        now=now,
        first=today - timedelta(days=policy.count("warning.completeness_days")),
        end=today,
        quarters_from=workdays.add_months(today, -3 * quarters),
        rules=tuple(policy.text("warning.findings").split()),
        handling=tuple(
            each.transition_id
            for each in machine.transitions.values()
            if each.to == machine.initial and _HANDLING & set(each.guards)
        ),
    )
    return _Rules(now, policy, machine, asked)


def _judge_all(conn: Connection, given: _Rules, members: Sequence[Member], found: Night) -> None:
    """Read factories together; where that fails, each alone, so that only the culprit fails."""
    try:
        readings = reading.read(conn, [each.factory_id for each in members], given.asked)
    except Exception as error:
        if len(members) == 1:
            _failed(found, members[0].factory, error)
            return
        for each in members:
            _judge_all(conn, given, [each], found)
        return
    for member in members:
        try:
            _judge(conn, given, member, readings, found)
        except Exception as error:  # one factory's fault keeps no other from being judged
            _failed(found, member.factory, error)


def _failed(found: Night, factory: str, error: Exception) -> None:
    log.warning("the night's run failed for %s: %s", factory, error)
    if len(found.failures) < _MOST_FAILURES:
        found.failures[factory] = str(error) or type(error).__name__


def _judge(
    conn: Connection, given: _Rules, member: Member, readings: Readings, found: Night
) -> None:
    seen = _seen(given, member, readings)
    standing = readings.open.get(member.factory_id, [])
    judged = _warnings(seen, standing)
    moves = _step(given.machine, member, judged.open_after) is not None
    if not (judged.fire or judged.clear or moves or _proposals_differ(given, seen, standing)):
        return
    counts = Night(given.now)
    with transaction(conn):
        _keep_warnings(conn, given, judged, counts, moves=moves)
        if moves:
            seen = _moved(conn, given, seen, judged, counts)
        _keep_proposals(conn, given, seen, standing, counts)
    # Only what was committed counts.
    found.warned += counts.warned
    found.cleared += counts.cleared
    found.proposed += counts.proposed
    found.ended += counts.ended
    found.moved += counts.moved


def _seen(given: _Rules, member: Member, readings: Readings) -> Seen:
    number = member.factory_id
    return Seen(
        today=given.asked.end,
        policy=given.policy,
        member=member,
        assets=readings.assets.get(number, 0),
        days=readings.days.get(number, {}),
        gateways=readings.gateways.get(number, []),
        notices=readings.notices.get(number, []),
        quarters=[
            each
            for each in readings.quarters.get(number, [])
            if each.period_end > member.entered_on
        ],
        reports=[
            each for each in readings.reports.get(number, []) if each.period_end > member.entered_on
        ],
        findings=readings.findings.get(number, []),
        accidents=readings.accidents.get(number, []),
        late=readings.late.get(number, []),
    )


def _warnings(seen: Seen, standing: Sequence[Open]) -> _Judged:
    """Compare what the rules say with what is open; a paused stay keeps what it has."""
    is_open = {(each.rule, each.subject) for each in standing if each.steps is None}
    if seen.member.state == _PAUSED:
        return _Judged(seen.member, [], [], len(is_open))
    outcomes = {(each.rule, each.subject): each for each in warnings.judge(seen, "warning")}
    fire = [each for key, each in outcomes.items() if each.holds and key not in is_open]
    clear = []
    for rule, subject in sorted(is_open):
        outcome = outcomes.get((rule, subject))
        if outcome is None and _unseen(rule) == "gone":
            numbers: dict[str, Any] = {"looked_on": seen.today.isoformat(), "found": 0}
            clear.append(Given(seen.member.factory_id, rule, subject, seen.today, numbers))
        elif outcome is not None and not outcome.holds:
            clear.append(_record(seen, outcome))
    return _Judged(seen.member, fire, clear, len(is_open) + len(fire) - len(clear))


def _unseen(rule: str) -> str:
    known = warnings.rules().get(rule)
    return "stays" if known is None else known.unseen


def _record(seen: Seen, outcome: Outcome, steps: tuple[str, ...] = ()) -> Given:
    return Given(
        seen.member.factory_id, outcome.rule, outcome.subject, outcome.since, outcome.numbers, steps
    )


def _keep_warnings(
    conn: Connection, given: _Rules, judged: _Judged, counts: Night, *, moves: bool
) -> None:
    for each in judged.fire:
        kept = Given(judged.member.factory_id, each.rule, each.subject, each.since, each.numbers)
        if stored.fire(conn, kept, given.policy.policy_id, given.now):
            counts.warned += 1
            _tell(conn, given, kept, "warning_fired", said=each, moves=moves)
    for ended in judged.clear:
        if stored.clear(conn, ended, given.now):
            counts.cleared += 1
            _tell(conn, given, ended, "warning_cleared")


def _moved(conn: Connection, given: _Rules, seen: Seen, judged: _Judged, counts: Night) -> Seen:
    """Let the machine take the step that the open warnings ask for; return what is seen then."""
    member = seen.member
    step = _step(given.machine, member, judged.open_after)
    assert step is not None
    open_now = memberships.open_warnings(conn, member.factory_id)
    causes = [{"rule": each.rule, "numbers": each.numbers} for each in open_now]
    after = membership.move(
        conn, SYSTEM, member.factory_id, step,
        version=member.version, comment=warnings.causes(causes, "zh"), now=given.now,
    ).membership  # fmt: skip
    counts.moved += 1
    changed = Member(
        member.membership_id, member.factory_id, member.factory, after.state, after.version,
        after.stage, after.entered_on, after.reviewed_on, after.deadline, member.handled_at,
    )  # fmt: skip
    return Seen(today=seen.today, policy=seen.policy, member=changed)


def _step(machine: Lifecycle, member: Member, open_warnings: int) -> str | None:
    """Return the machine's own step between the initial state and the warning, where one is due."""
    wanted = (
        {machine.initial: machine.warning} if open_warnings else {machine.warning: machine.initial}
    )
    to = wanted.get(member.state)
    for each in machine.leaving(member.state):
        if each.to == to and lifecycle.SYSTEM in each.who:
            return each.transition_id
    return None


def _proposed(given: _Rules, seen: Seen) -> Iterator[tuple[Outcome, tuple[str, ...]]]:
    """Yield each proposal with the steps from the present state that it speaks for."""
    for outcome in warnings.judge(seen, "proposal"):
        rule: Rule = warnings.rules()[outcome.rule]
        steps = tuple(
            each.transition_id
            for each in given.machine.leaving(seen.member.state)
            if set(rule.guards) & set(each.guards)
        )
        if outcome.holds and steps:
            yield outcome, steps


def _proposals_differ(given: _Rules, seen: Seen, standing: Sequence[Open]) -> bool:
    wanted = {(each.rule, each.subject) for each, _ in _proposed(given, seen)}
    return wanted != {(each.rule, each.subject) for each in standing if each.steps is not None}


def _keep_proposals(
    conn: Connection, given: _Rules, seen: Seen, standing: Sequence[Open], counts: Night
) -> None:
    wanted = {(each.rule, each.subject): (each, steps) for each, steps in _proposed(given, seen)}
    for one in standing:
        if one.steps is not None and (one.rule, one.subject) not in wanted:
            numbers = {"looked_on": seen.today.isoformat(), "state": seen.member.state}
            ended = Given(seen.member.factory_id, one.rule, one.subject, seen.today, numbers)
            if stored.end_proposal(conn, ended, given.now):
                counts.ended += 1
                _tell(conn, given, ended, "proposal_ended")
    for outcome, steps in wanted.values():
        kept = _record(seen, outcome, steps)
        if stored.propose(conn, kept, given.policy.policy_id, given.now):
            counts.proposed += 1
            _tell(conn, given, kept, "step_proposed", said=outcome)


def _end_all(conn: Connection, given: _Rules, factory_id: int, found: Night) -> None:
    """End what is open of a factory that left the pool."""
    readings = reading.read(conn, [factory_id], given.asked)
    with transaction(conn):
        for each in readings.open.get(factory_id, []):
            numbers = {"looked_on": given.asked.end.isoformat(), "left": True}
            ended = Given(factory_id, each.rule, each.subject, given.asked.end, numbers)
            if each.steps is None:
                found.cleared += stored.clear(conn, ended, given.now)
                _tell(conn, given, ended, "warning_cleared")
            else:
                found.ended += stored.end_proposal(conn, ended, given.now)
                _tell(conn, given, ended, "proposal_ended")


def _tell(
    conn: Connection,
    given: _Rules,
    what: Given,
    kind: str,
    *,
    said: Outcome | None = None,
    moves: bool | None = None,
) -> None:
    payload: dict[str, Any] = {
        "rule": what.rule,
        "subject": what.subject,
        "since": what.since.isoformat(),
        "numbers": dict(what.numbers),
        "policy_id": given.policy.policy_id,
    }
    if what.steps:
        payload["steps"] = list(what.steps)
    if moves is not None:
        payload["moves"] = moves
    if said is not None:
        payload["said"] = {each: warnings.said(said, each) for each in ("zh", "en")}
    events.happened(conn, SYSTEM, what.factory_id, kind, payload, given.now)
    note(
        conn, SYSTEM, kind, kind="warning", key=f"{what.rule} {what.subject}".strip(),
        factory_id=what.factory_id, after=payload,
    )  # fmt: skip
