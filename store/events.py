"""What happened to factories of the pool, in the order of a cursor."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from store.acting import Actor, signature
from store.db import Connection, transaction
from store.queries import query


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a factory, in the order of the cursor."""

    cursor: int
    factory: str
    kind: str
    at: datetime
    account_id: int | None
    actor: str
    role: str
    payload: dict[str, Any]


def happened(
    conn: Connection,
    actor: Actor,
    factory_id: int,
    kind: str,
    payload: Mapping[str, Any],
    at: datetime,
) -> None:
    """Say that something happened; others read it by its cursor once the transaction commits."""
    values = signature(actor) | {
        "factory_id": factory_id,
        "kind": kind,
        "payload": Jsonb(dict(payload)),
        "at": at,
    }
    with transaction(conn):
        conn.execute(query("insert_event"), values)


def since(
    conn: Connection, cursor: int, *, factory: str | None = None, most: int = 200
) -> list[Event]:
    """Return what happened after a cursor, oldest first; cursor 0 is the beginning."""
    values = {"cursor": cursor, "factory": factory, "most": most}
    with transaction(conn):
        return [Event(*row) for row in conn.execute(query("events_since"), values)]
