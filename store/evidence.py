"""What data say of the claims of the construction points."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from psycopg.types.json import Jsonb

from store.db import Connection, transaction
from store.queries import query


@dataclass(frozen=True, slots=True)
class NewEvidence:
    """What one method says of one claim; not_computable has a reason; it expires on a local day."""

    claim: str
    method: str
    window_start: datetime
    window_end: datetime
    rule_version: str
    verdict: str
    reason: str | None
    numbers: Mapping[str, Any]
    links: Mapping[str, Any]
    expires_on: date


@dataclass(frozen=True, slots=True)
class StoredEvidence(NewEvidence):
    """Stored evidence."""

    computed_at: datetime


def save(conn: Connection, factory_id: int, found: Sequence[NewEvidence]) -> None:
    """Store what was found; what was found of the same window before is replaced."""
    rows = [
        asdict(each)
        | {
            "factory_id": factory_id,
            "numbers": Jsonb(dict(each.numbers)),
            "links": Jsonb(dict(each.links)),
        }
        for each in found
    ]
    with transaction(conn):
        if rows:
            conn.cursor().executemany(query("upsert_evidence"), rows)


def latest(conn: Connection, factory_id: int) -> list[StoredEvidence]:
    """Return the newest answer to each claim by each method, by claim."""
    with transaction(conn):
        rows = conn.execute(query("latest_evidence"), {"factory_id": factory_id})
        return [StoredEvidence(*row) for row in rows]
