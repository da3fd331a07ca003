"""Steps of memberships that were asked for and wait for a second person."""

from dataclasses import dataclass
from datetime import datetime

from store.acting import Actor, signature
from store.db import Connection, transaction
from store.memberships import Membership
from store.queries import query


@dataclass(frozen=True, slots=True)
class Request:
    """A step that was asked for and waits for a second person."""

    request_id: int
    transition_id: str
    version: int
    account_id: int | None
    actor: str
    role: str
    comment: str
    at: datetime


def waiting(conn: Connection, membership_id: int) -> Request | None:
    """Return the request of a stay that waits for its confirmation."""
    with transaction(conn):
        row = conn.execute(query("open_request"), {"membership_id": membership_id}).fetchone()
    return None if row is None else Request(*row)


def ask(
    conn: Connection,
    actor: Actor,
    membership: Membership,
    transition_id: str,
    comment: str,
    at: datetime,
) -> int:
    """Ask for a step that a second person confirms; raises Refused where one waits already."""
    values = signature(actor) | {
        "membership_id": membership.membership_id,
        "factory_id": membership.factory_id,
        "version": membership.version,
        "transition_id": transition_id,
        "comment": comment,
        "at": at,
    }
    with transaction(conn):
        row = conn.execute(query("insert_request"), values).fetchone()
    assert row is not None
    return int(row[0])


def end(
    conn: Connection, actor: Actor, membership_id: int, outcome: str, answer: str, at: datetime
) -> int | None:
    """End the request that waits and return its number; None where there is none."""
    values = signature(actor) | {
        "membership_id": membership_id,
        "outcome": outcome,
        "answer": answer,
        "at": at,
    }
    with transaction(conn):
        row = conn.execute(query("decide_request"), values).fetchone()
    return None if row is None else int(row[0])
