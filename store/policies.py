"""Values of the policy that the bureau set, and those that something was decided under."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from psycopg.types.json import Jsonb

from store.acting import Actor
from store.db import Connection, transaction
from store.queries import query


@dataclass(frozen=True, slots=True)
class Confirmed:
    """A value that holds from a day on."""

    key: str
    value: Any
    valid_from: date
    source: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """A value that somebody proposed, and what became of it."""

    value_id: int
    key: str
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


def confirmed(conn: Connection) -> list[Confirmed]:
    """Return every confirmed value in the order of the confirmations."""
    with transaction(conn):
        return [Confirmed(*row) for row in conn.execute(query("confirmed_values"))]


def keep(conn: Connection, policy_id: str, values: Mapping[str, Any]) -> None:
    """Keep the values of a policy under its id, once."""
    with transaction(conn):
        conn.execute(query("keep_policy"), {"policy_id": policy_id, "values": Jsonb(dict(values))})


def values(conn: Connection, policy_id: str) -> dict[str, Any] | None:
    """Return the values of a policy that something was decided under."""
    with transaction(conn):
        row = conn.execute(query("policy_version"), {"policy_id": policy_id}).fetchone()
    return None if row is None else dict(row[0])


def proposals(
    conn: Connection, *, key: str | None = None, value_id: int | None = None, most: int = 200
) -> list[Proposal]:
    """Return what was ever proposed, newest first."""
    with transaction(conn):
        given = {"key": key, "value_id": value_id, "most": most}
        return [Proposal(*row) for row in conn.execute(query("list_policy_values"), given)]


def propose(conn: Connection, actor: Actor, value: Confirmed, at: datetime) -> int:
    """Keep a proposal and return its number."""
    given = {
        "key": value.key,
        "value": Jsonb(value.value),
        "valid_from": value.valid_from,
        "source": value.source,
        "account_id": actor.account_id,
        "actor": actor.name,
        "at": at,
    }
    with transaction(conn):
        row = conn.execute(query("propose_value"), given).fetchone()
    assert row is not None
    return int(row[0])


def decide(
    conn: Connection, actor: Actor, value_id: int, outcome: str, answer: str, at: datetime
) -> bool:
    """Confirm or decline a proposal; False where it does not wait. Raises Refused for one's own."""
    given = {
        "value_id": value_id,
        "outcome": outcome,
        "account_id": actor.account_id,
        "actor": actor.name,
        "answer": answer,
        "at": at,
    }
    with transaction(conn):
        return conn.execute(query("decide_value"), given).fetchone() is not None
