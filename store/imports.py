"""What an import asks before it begins, and what an operator sees of what was refused."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from store.db import Connection, transaction
from store.queries import query

_NEWEST = 2**63 - 1


@dataclass(frozen=True, slots=True)
class StoredRows:
    """Rows that the database has of a tag: how many, and the times of the first and the last."""

    tag: str
    rows: int
    first: datetime
    last: datetime


@dataclass(frozen=True, slots=True)
class RefusedEntry:
    """Something that a gateway could not take: where it came from, why, and what it was."""

    number: int
    gateway: str
    source: str
    reason: str
    payload: str
    seen_at: datetime


def stored_rows(
    conn: Connection, gateway: str, tags: Sequence[str], first: datetime, last: datetime
) -> list[StoredRows]:
    """Return which of some tags of a gateway's factory have rows in [first, last]."""
    values = {"gateway": gateway, "tags": list(tags), "first": first, "last": last}
    with transaction(conn):
        return [StoredRows(*row) for row in conn.execute(query("stored_rows"), values)]


def refused_entries(
    conn: Connection, factory_id: int, *, before: int | None = None, most: int = 100
) -> list[RefusedEntry]:
    """Return what a factory's gateways could not take, newest first, older than a number."""
    values = {"factory_id": factory_id, "before": before or _NEWEST, "most": most}
    with transaction(conn):
        return [RefusedEntry(*row) for row in conn.execute(query("refused_entries"), values)]
