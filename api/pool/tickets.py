"""Help tickets: an enterprise asks, an officer answers, the enterprise closes or opens again."""

from dataclasses import replace
from datetime import datetime

from api.errors import NotFound
from api.messages import catalogue
from api.permissions import CITY, COUNTY, ENTERPRISE
from api.pool import settings, workdays
from api.pool.errors import Declined, NotAllowed, NotPossible, StaleVersion
from api.pool.lifecycle import Name, Step, Transition
from api.pool.refused import refused
from api.pool.workdays import Day
from store import Connection, events, tickets, transaction
from store.acting import Actor
from store.audit import note
from store.tickets import Source, Ticket, TicketState

LEVELS = ("county", "city")
LONGEST_SUBJECT, LONGEST_TEXT = 200, 4000

_OFFICERS = COUNTY | CITY
_EVENTS = {
    "open": "ticket_opened",
    "answer": "ticket_answered",
    "reply": "ticket_replied",
    "close": "ticket_closed",
    "reopen": "ticket_reopened",
}


def ask(
    conn: Connection,
    actor: Actor,
    factory_id: int,
    *,
    subject: str,
    text: str,
    level: str,
    source: Source | None = None,
    now: datetime,
) -> int:
    """Open a ticket for a factory and return its number; raises NotAllowed or Declined."""
    if actor.role not in ENTERPRISE:
        raise refused("ticket_enterprise", NotAllowed)
    subject, text = subject.strip(), text.strip()
    if not subject or len(subject) > LONGEST_SUBJECT:
        raise refused("ticket_subject", Declined, most=LONGEST_SUBJECT)
    _check(text)
    if level not in LEVELS:
        raise refused("ticket_level", Declined)
    with transaction(conn):
        due = _due(conn, now)
        number = tickets.add(
            conn, actor, factory_id, subject, level, due.on,
            due_estimated=due.estimated, source=source, at=now,
        )  # fmt: skip
        _keep(conn, actor, of(conn, number), "open", "open", text, now)
    return number


def reply(
    conn: Connection, actor: Actor, ticket_id: int, text: str, *, version: int, now: datetime
) -> Ticket:
    """Say something to a ticket; an officer's reply answers it. Raises as `close` does."""
    text = text.strip()
    _check(text)
    with transaction(conn):
        found = _at(conn, actor, ticket_id, version)
        if found.state == "closed":
            raise _not_now("ticket_ended", actor, found)
        if actor.role in _OFFICERS:
            _check_level(actor, found)
            moved = _move(conn, found, "answered", now, None)
            _keep(conn, actor, moved, "reply", "answer", text, now)
        else:
            due = Day(found.due, found.due_estimated) if found.due else None
            moved = _move(conn, found, found.state, now, due)
            _keep(conn, actor, moved, "reply", "reply", text, now)
    return moved


def close(
    conn: Connection, actor: Actor, ticket_id: int, text: str, *, version: int, now: datetime
) -> Ticket:
    """Close a ticket: its enterprise at any time, an officer once it is answered, with why.

    Raises NotFound, StaleVersion, NotAllowed, NotPossible or Declined.
    """
    with transaction(conn):
        found = _at(conn, actor, ticket_id, version)
        if found.state == "closed":
            raise _not_now("ticket_closed", actor, found)
        if actor.role in _OFFICERS:
            _check_level(actor, found)
            _check(text.strip())
            if found.state != "answered":
                raise _not_now("ticket_unanswered", actor, found)
        moved = _move(conn, found, "closed", now, None)
        _keep(conn, actor, moved, "close", "close", text.strip(), now)
    return moved


def reopen(
    conn: Connection, actor: Actor, ticket_id: int, text: str, *, version: int, now: datetime
) -> Ticket:
    """Open a ticket again that is answered or closed; the enterprise says why.

    Raises as `close` does.
    """
    if actor.role not in ENTERPRISE:
        raise refused("ticket_reopen", NotAllowed)
    _check(text.strip())
    with transaction(conn):
        found = _at(conn, actor, ticket_id, version)
        if found.state == "open":
            raise _not_now("ticket_open", actor, found)
        moved = _move(conn, found, "open", now, _due(conn, now))
        _keep(conn, actor, moved, "reopen", "reopen", text.strip(), now)
    return moved


def of(conn: Connection, ticket_id: int) -> Ticket:
    """Return a ticket in the scope; raises NotFound."""
    found = tickets.find(conn, ticket_id)
    if found is None:
        raise NotFound(f"there is no ticket {ticket_id}")
    return found


def possible(actor: Actor, found: Ticket) -> tuple[Step, ...]:
    """Return what an actor can do with a ticket as it stands: reply, close, reopen."""
    is_officer = actor.role in _OFFICERS
    if not (is_officer or actor.role in ENTERPRISE) or (is_officer and not _is_level(actor, found)):
        return ()
    acts: list[tuple[str, TicketState]] = []
    if found.state != "closed":
        acts.append(("reply", "answered" if is_officer else found.state))
    if found.state == "answered" or (found.state == "open" and not is_officer):
        acts.append(("close", "closed"))
    if found.state != "open" and not is_officer:
        acts.append(("reopen", "open"))
    return tuple(
        Step(
            Transition(
                transition_id=act,
                sources=(found.state,),
                to=to,
                name=Name(**catalogue()[f"tickets.{act}"]),
                who=(actor.role,),
                guards=(),
                deadline=None,
                extends=False,
                documents=(),
                adverse=act != "close" or is_officer,
                confirmed_by=(),
                source="",
            ),
            (),
        )
        for act, to in acts
    )


def _not_now(why: str, actor: Actor, ticket: Ticket) -> NotPossible:
    found = refused(why, NotPossible)
    found.possible = possible(actor, ticket)
    return found


def _at(conn: Connection, actor: Actor, ticket_id: int, version: int) -> Ticket:
    if actor.role not in ENTERPRISE | _OFFICERS:
        raise refused("ticket_role", NotAllowed)
    found = of(conn, ticket_id)
    if found.version != version:
        raise refused("stale_ticket", StaleVersion)
    return found


def _check(text: str) -> None:
    if not text or len(text) > LONGEST_TEXT:
        raise refused("ticket_text", Declined, most=LONGEST_TEXT)


def _check_level(actor: Actor, found: Ticket) -> None:
    if not _is_level(actor, found):
        raise refused("ticket_city", NotAllowed)


def _is_level(actor: Actor, found: Ticket) -> bool:
    return found.level != "city" or actor.role in CITY


def _due(conn: Connection, now: datetime) -> Day:
    today = workdays.today(now)
    return workdays.last_day(today, settings.current(conn, today).term("ticket.answer"))


def _move(
    conn: Connection, found: Ticket, state: TicketState, now: datetime, due: Day | None
) -> Ticket:
    version = tickets.move(
        conn, found, state, now,
        due=None if due is None else due.on, due_estimated=due is not None and due.estimated,
    )  # fmt: skip
    if version is None:
        raise refused("stale_ticket", StaleVersion)
    return replace(
        found, state=state, version=version, changed_at=now,
        due=None if due is None else due.on, due_estimated=due is not None and due.estimated,
    )  # fmt: skip


def _keep(
    conn: Connection, actor: Actor, found: Ticket, act: str, what: str, text: str, now: datetime
) -> None:
    tickets.say(conn, actor, found.ticket_id, found.factory_id, act, text, now)
    after = {
        "ticket": found.ticket_id,
        "subject": found.subject,
        "level": found.level,
        "state": found.state,
        "deadline": found.due and found.due.isoformat(),
        "deadline_estimated": found.due_estimated,
    }
    event = _EVENTS[what]
    note(
        conn, actor, event, kind="ticket", key=found.ticket_id, factory_id=found.factory_id,
        after=after, reason=text or None,
    )  # fmt: skip
    events.happened(conn, actor, found.factory_id, event, after, now)
