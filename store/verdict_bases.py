"""What a year's figures rest on beside rows, kept to tell whether two years are comparable."""

from collections.abc import Collection, Mapping
from datetime import date
from typing import Any

from psycopg.types.json import Jsonb

from store.db import Connection, transaction
from store.queries import query


def kept(conn: Connection, factory_id: int, starts: Collection[date]) -> dict[date, dict[str, Any]]:
    """Return what was kept of some years of a factory, by their first days."""
    values = {"factory_id": factory_id, "starts": sorted(starts)}
    with transaction(conn):
        rows = conn.execute(query("kept_bases"), values)
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


def give_up(conn: Connection, factory_id: int, actor: str, reason: str) -> list[date]:
    """Put what a factory's years rest on aside, and return their first days.

    They are kept anew, as the plan is then, when the years are judged next: right where a fault of
    the plan was corrected and all its hours were recomputed. Raises Refused without a reason.
    """
    values = {"factory_id": factory_id, "actor": actor, "reason": reason.strip()}
    with transaction(conn):
        years = sorted(row[0] for row in conn.execute(query("give_up_bases"), values))
        conn.execute(query("mark_verdicts"), values)
        return years
