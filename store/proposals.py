"""What one person proposes and another confirms: values of the policy, and texts of letters."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from psycopg.types.json import Jsonb

from store.acting import Actor
from store.db import Connection, transaction
from store.queries import query


@dataclass(frozen=True, slots=True)
class Book:
    """Where one sort of proposals is kept: the names of its statements, and how a value is."""

    listed: str
    propose: str
    decide: str
    as_json: bool


VALUES = Book("list_policy_values", "propose_value", "decide_value", as_json=True)
TEXTS = Book("list_templates", "propose_template", "decide_template", as_json=False)


@dataclass(frozen=True, slots=True)
class New:
    """A value for a subject from a day on, by the document that says so."""

    subject: str
    value: Any
    valid_from: date
    source: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """What somebody proposed, and what became of it; outcome is None while it waits."""

    number: int
    subject: str
    value: Any
    valid_from: date
    source: str
    account_id: int | None
    actor: str
    proposed_at: datetime
    outcome: str | None
    decided_id: int | None
    decided_by: str | None
    decided_at: datetime | None
    answer: str | None


def listed(
    conn: Connection,
    book: Book,
    *,
    subject: str | None = None,
    waiting: bool = False,
    before: int | None = None,
    most: int = 200,
) -> list[Proposal]:
    """Return what was proposed, newest first: of a subject, only what waits, below a number."""
    return _listed(conn, book, subject=subject, waiting=waiting, before=before, most=most)


def get(conn: Connection, book: Book, number: int) -> Proposal | None:
    """Return a proposal."""
    return next(iter(_listed(conn, book, number=number)), None)


def _listed(
    conn: Connection,
    book: Book,
    *,
    subject: str | None = None,
    number: int | None = None,
    waiting: bool = False,
    before: int | None = None,
    most: int = 1,
) -> list[Proposal]:
    given = {
        "subject": subject,
        "number": number,
        "waiting": waiting,
        "before": before,
        "most": most,
    }
    with transaction(conn):
        return [Proposal(*row) for row in conn.execute(query(book.listed), given)]


def propose(conn: Connection, book: Book, actor: Actor, new: New, at: datetime) -> int:
    """Keep a proposal and return its number."""
    given = {
        "subject": new.subject,
        "value": Jsonb(new.value) if book.as_json else new.value,
        "valid_from": new.valid_from,
        "source": new.source,
        "account_id": actor.account_id,
        "actor": actor.name,
        "at": at,
    }
    with transaction(conn):
        row = conn.execute(query(book.propose), given).fetchone()
    assert row is not None
    return int(row[0])


def decide(
    conn: Connection, book: Book, actor: Actor, number: int, outcome: str, answer: str, at: datetime
) -> bool:
    """Confirm, decline or withdraw a proposal; False where it does not wait.

    Raises Refused for confirming or declining one's own, and for withdrawing another's.
    """
    given = {
        "number": number,
        "outcome": outcome,
        "account_id": actor.account_id,
        "actor": actor.name,
        "answer": answer,
        "at": at,
    }
    with transaction(conn):
        return conn.execute(query(book.decide), given).fetchone() is not None
