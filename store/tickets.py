"""Help tickets: an enterprise asks, an officer answers."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from store.acting import Actor
from store.db import Connection, transaction
from store.queries import query

TicketState = Literal["open", "answered", "closed"]


@dataclass(frozen=True, slots=True)
class Ticket:
    """A ticket; due is the last day for an answer while it is open."""

    ticket_id: int
    factory_id: int
    factory: str
    name_zh: str
    name_en: str
    subject: str
    level: str
    state: TicketState
    version: int
    account_id: int | None
    actor: str
    opened_at: datetime
    changed_at: datetime
    due: date | None
    due_estimated: bool
    report_id: int | None


@dataclass(frozen=True, slots=True)
class Source:
    """The item of a report that asked for help."""

    report_id: int
    item: str


@dataclass(frozen=True, slots=True)
class Said:
    """What somebody said to a ticket."""

    act: str
    text: str
    account_id: int | None
    actor: str
    role: str
    at: datetime


def add(
    conn: Connection,
    actor: Actor,
    factory_id: int,
    subject: str,
    level: str,
    due: date,
    *,
    due_estimated: bool,
    source: Source | None = None,
    at: datetime,
) -> int:
    """Open a ticket, for an item of a report or not, and return its number."""
    values = {
        "factory_id": factory_id,
        "subject": subject,
        "level": level,
        "due": due,
        "due_estimated": due_estimated,
        "account_id": actor.account_id,
        "actor": actor.name,
        "at": at,
        "report_id": None if source is None else source.report_id,
        "item": None if source is None else source.item,
    }
    with transaction(conn):
        row = conn.execute(query("insert_ticket"), values).fetchone()
    assert row is not None
    return int(row[0])


def say(
    conn: Connection, actor: Actor, ticket_id: int, factory_id: int, act: str, text: str,
    at: datetime,
) -> None:  # fmt: skip
    """Keep what somebody said to a ticket."""
    values = {
        "ticket_id": ticket_id,
        "factory_id": factory_id,
        "act": act,
        "text": text,
        "account_id": actor.account_id,
        "actor": actor.name,
        "role": actor.role,
        "at": at,
    }
    with transaction(conn):
        conn.execute(query("insert_ticket_entry"), values)


def move(
    conn: Connection,
    ticket: Ticket,
    state: TicketState,
    at: datetime,
    *,
    due: date | None = None,
    due_estimated: bool = False,
) -> int | None:
    """Bring a ticket to a state and return its version; None where somebody else was first."""
    values = {
        "ticket_id": ticket.ticket_id,
        "version": ticket.version,
        "state": state,
        "due": due,
        "due_estimated": due_estimated,
        "at": at,
    }
    with transaction(conn):
        row = conn.execute(query("move_ticket"), values).fetchone()
    return None if row is None else int(row[0])


def find(conn: Connection, ticket_id: int) -> Ticket | None:
    """Return a ticket, or None where there is none in the scope."""
    with transaction(conn):
        row = conn.execute(query("read_ticket"), {"ticket_id": ticket_id}).fetchone()
    return None if row is None else Ticket(*row)


def of_source(conn: Connection, source: Source) -> Ticket | None:
    """Return the ticket of a report's item, if it asked for help already."""
    values = {"report_id": source.report_id, "item": source.item}
    with transaction(conn):
        row = conn.execute(query("ticket_of_source"), values).fetchone()
    return None if row is None else Ticket(*row)


def listed(
    conn: Connection,
    *,
    state: str | None = None,
    factory: str | None = None,
    before: int | None = None,
    most: int = 50,
) -> list[Ticket]:
    """Return tickets, newest first, before the number of the last one shown."""
    values = {"state": state, "factory": factory, "before": before, "most": most}
    with transaction(conn):
        return [Ticket(*row) for row in conn.execute(query("list_tickets"), values)]


def said(conn: Connection, ticket_id: int) -> list[Said]:
    """Return what was said to a ticket, oldest first."""
    with transaction(conn):
        rows = conn.execute(query("list_ticket_entries"), {"ticket_id": ticket_id})
        return [Said(*row) for row in rows]
