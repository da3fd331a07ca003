"""To-dos: opened and closed by what happens, recalled before their deadline, raised after it.

Everything here is done by the machine in its own name; a repeated or interrupted turn doubles
nothing, since events are read by a cursor that moves with what follows from them.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from api.pool import lifecycle, settings, todo_rules, todo_texts, workdays
from api.pool.lifecycle import Lifecycle
from api.pool.policy import Policy
from api.pool.todo_rules import Rule, Rules, TodoKind
from api.pool.workdays import Day
from store import Connection, messages, todos, transaction
from store.todos import Due, Happening, NewTodo, Step

MOST_QUEUED = 10_000

_EVENTS_AT_ONCE = 200
_DUE_AT_ONCE = 200
_MOST_ROUNDS = 500
# Days before its deadline from which a to-do that was never recalled may still be raised.
_LONGEST_AGO = timedelta(days=3660)
_DAY = timedelta(days=1)
_MORNING = 8  # o'clock


@dataclass
class Turn:
    """What one turn did."""

    events: int = 0
    opened: int = 0
    closed: int = 0
    recalled: int = 0
    raised: int = 0
    told: int = 0


@dataclass(frozen=True, slots=True)
class _Given:
    now: datetime
    policy: Policy
    machine: Lifecycle
    rules: Rules
    channels: frozenset[str]
    found: Turn = field(default_factory=Turn)


def turn(conn: Connection, *, now: datetime, channels: Collection[str] = ()) -> Turn:
    """Follow what happened, then recall and raise what is due; conn sees all.

    `channels` are those that messages are sent by beside the application: email, sms.
    """
    policy = settings.current(conn, workdays.today(now))
    given = _Given(now, policy, lifecycle.held(policy), todo_rules.shipped(), frozenset(channels))
    for _ in range(_MOST_ROUNDS):
        if not _follow(conn, given):
            break
    for step in ("first", "last", "raised"):
        _remind(conn, given, step)
    return given.found


def _follow(conn: Connection, given: _Given) -> bool:
    with transaction(conn):
        cursor = todos.hold(conn)
        found = todos.happened_since(conn, cursor, _EVENTS_AT_ONCE)
        for each in found:
            for rule in given.rules.following(each.kind, each.payload):
                _apply(conn, given, rule, each)
        if found:
            todos.advance(conn, found[-1].cursor)
    given.found.events += len(found)
    return len(found) == _EVENTS_AT_ONCE


def _apply(conn: Connection, given: _Given, rule: Rule, what: Happening) -> None:
    done = 0
    for name in rule.close:
        done += todos.close(conn, what.factory_id, name, None, what.at)
    for name in rule.close_one:
        one = given.rules.kinds[name].object_of(what.payload)
        done += todos.close(conn, what.factory_id, name, one, what.at)
    given.found.closed += done
    for name in (*rule.open, *(rule.then if done else ())):
        _open(conn, given, given.rules.kinds[name], what)
    if rule.tell:
        names = todo_texts.names(what.payload, given.machine)
        sent = messages.tell(
            conn, what.factory_id, rule.tell, f"told.{what.kind}", names, given.now
        )
        _deliver(conn, given, "told", sent)


def _open(conn: Connection, given: _Given, kind: TodoKind, what: Happening) -> None:
    names = todo_texts.names(what.payload, given.machine)
    due = _due(given, kind, what)
    for role in kind.whose(what.payload, given.machine):
        new = NewTodo(
            factory_id=what.factory_id,
            role=role,
            kind=kind.name,
            object=kind.object_of(what.payload),
            names=names,
            due=None if due is None else due.on,
            due_estimated=due is not None and due.estimated,
        )
        number = todos.open_one(conn, new, what.at)
        if number is not None:
            given.found.opened += 1
            _tell(conn, given, new, number, "opened")


def _due(given: _Given, kind: TodoKind, what: Happening) -> Day | None:
    named = kind.due_of(what.payload)
    if named is not None:
        return Day(named, bool(what.payload.get("deadline_estimated")))
    if kind.term is None:
        return None
    return workdays.last_day(workdays.today(what.at), given.policy.term(kind.term))


def _remind(conn: Connection, given: _Given, step: Step) -> None:
    today = workdays.today(given.now)
    before = {name: given.policy.count(f"reminder.{name}") for name in ("first", "last")}
    window = {
        "first": (today + (before["last"] + 1) * _DAY, today + before["first"] * _DAY),
        "last": (today, today + before["last"] * _DAY),
        "raised": (today - _LONGEST_AGO, today - given.policy.count("reminder.escalation") * _DAY),
    }[step]
    # What was opened on this very day is no surprise to whom it was told.
    opened_before = None if step == "raised" else workdays.ends_at(today - _DAY)
    for _ in range(_MOST_ROUNDS):
        with transaction(conn):
            found = todos.to_notice(
                conn, step, *window, opened_before=opened_before, most=_DUE_AT_ONCE
            )
            for each in found:
                todos.notice(conn, each, step, given.now)
                (_raise if step == "raised" else _recall)(conn, given, each, step)
        if len(found) < _DUE_AT_ONCE:
            return


def _recall(conn: Connection, given: _Given, due: Due, step: Step) -> None:
    given.found.recalled += 1
    names = todo_texts.of_todo(due.kind, due.names, due.due, estimated=due.due_estimated)
    sent = messages.tell(
        conn, due.factory_id, [due.role], step, names, given.now, todo_id=due.todo_id
    )
    _deliver(conn, given, step, sent)


def _raise(conn: Connection, given: _Given, due: Due, step: Step) -> None:
    above = given.rules.above.get(due.role)
    if above is None:
        return
    until = workdays.last_day(workdays.today(given.now), given.policy.term("reminder.raised"))
    new = NewTodo(
        factory_id=due.factory_id,
        role=above,
        kind=due.kind,
        object=due.object,
        names=due.names,
        due=until.on,
        due_estimated=until.estimated,
        raised_from=due.todo_id,
    )
    number = todos.open_one(conn, new, given.now)
    if number is None:  # two below let the same pass, or it is that level's own to-do already
        return
    given.found.raised += 1
    names = todo_texts.of_todo(due.kind, due.names, due.due, estimated=due.due_estimated)
    sent = messages.tell(conn, due.factory_id, [above], step, names, given.now, todo_id=number)
    _deliver(conn, given, step, sent)


def _tell(conn: Connection, given: _Given, new: NewTodo, number: int, template: str) -> None:
    names = todo_texts.of_todo(new.kind, new.names, new.due, estimated=new.due_estimated)
    sent = messages.tell(
        conn, new.factory_id, [new.role], template, names, given.now, todo_id=number
    )
    _deliver(conn, given, template, sent)


def _deliver(conn: Connection, given: _Given, template: str, sent: list[int]) -> None:
    given.found.told += len(sent)
    by = [
        name
        for name, templates in given.rules.channels.items()
        if template in templates and name in given.channels
    ]
    if by and sent:
        morning = _next_morning(given.now)
        messages.deliver(conn, sent, by, given.now, most_queued=MOST_QUEUED, morning=morning)


def _next_morning(now: datetime) -> datetime:
    """Return the next time of the city at which letters of a whole day go out."""
    local = now.astimezone(workdays.ZONE)
    morning = local.replace(hour=_MORNING, minute=0, second=0, microsecond=0)
    return morning if local < morning else morning + _DAY
