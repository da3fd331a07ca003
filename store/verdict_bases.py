"""What a year's figures rest on beside rows, kept to tell whether two years are comparable."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from psycopg.types.json import Jsonb

from store.db import Connection, transaction
from store.queries import query


def kept(conn: Connection, factory_id: int) -> dict[date, dict[str, Any]]:
    """Return what was kept of a factory, by the first day of the year."""
    with transaction(conn):
        rows = conn.execute(query("kept_bases"), {"factory_id": factory_id})
        return {row[0]: row[1] for row in rows}


def keep(conn: Connection, factory_id: int, bases: Mapping[date, Mapping[str, Any]]) -> None:
    """Keep what years rest on, by their first day; what was kept of a year before stays."""
    rows = [
        {"factory_id": factory_id, "period_start": day, "basis": Jsonb(basis)}
        for day, basis in bases.items()
    ]
    if rows:
        with transaction(conn):
            conn.cursor().executemany(query("keep_basis"), rows)
