"""Values of the policy that the bureau set, and those that something was decided under."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from psycopg.types.json import Jsonb

from store.db import Connection, reading, transaction
from store.queries import query


@dataclass(frozen=True, slots=True)
class Confirmed:
    """A value that holds from a day on."""

    key: str
    value: Any
    valid_from: date
    source: str


def confirmed(conn: Connection) -> list[Confirmed]:
    """Return every confirmed value in the order of the confirmations."""
    with reading():
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
