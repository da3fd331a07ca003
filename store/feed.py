"""The feed: what happened to which factory, under one cursor."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from store.db import Connection, transaction
from store.queries import query

NO_END = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Happened:
    """One entry: a change of a figure or verdict, a finding, or an event of the follow-up.

    Only a change has a KPI, a figure and a `before`, only an event the `role` of who did it, and an
    event has no period.
    """

    cursor: int
    factory: str
    what: str
    kpi: str | None
    period_kind: str | None
    period_start: date | None
    period_end: date | None
    before: dict[str, Any] | None
    after: dict[str, Any]
    figure_id: int | None
    role: str | None
    changed_at: datetime


def since(
    conn: Connection,
    cursor: int,
    *,
    factory: str | None = None,
    kinds: Sequence[str] = (),
    most: int = 200,
) -> list[Happened]:
    """Return up to `most` entries after a cursor, oldest first, in the caller's scope."""
    values = {"cursor": cursor, "factory": factory, "kinds": list(kinds), "most": most}
    with transaction(conn):
        return [Happened(*row) for row in conn.execute(query("feed_since"), values)]


def for_officer(
    conn: Connection,
    account_id: int,
    cursor: int,
    *,
    through: int = NO_END,
    kinds: Sequence[str] = (),
    most: int = 200,
) -> list[Happened]:
    """Return what an officer sees in (cursor, through]; for who owns the database."""
    values = {
        "account_id": account_id,
        "cursor": cursor,
        "through": through,
        "kinds": list(kinds),
        "most": most,
    }
    with transaction(conn):
        return [Happened(*row) for row in conn.execute(query("feed_for_officer"), values)]


def end(conn: Connection) -> int:
    """Return the newest cursor; 0 before the first entry."""
    with transaction(conn):
        ((found,),) = conn.execute(query("feed_end")).fetchall()
    return int(found)
