"""When a job has to look at a factory again because time goes by, though nothing new came.

The work of a turn must depend neither on how many factories there are nor on how long they have
been there: each has one time in an index, and a new one is due at once.
"""

from datetime import datetime
from typing import Literal

from store.db import Connection, transaction
from store.queries import query

Job = Literal["figures", "evidence"]


def factories(conn: Connection, job: Job, now: datetime) -> list[int]:
    """Return the numbers of the factories that a job is to look at by now."""
    with transaction(conn):
        rows = conn.execute(query("due_factories"), {"job": job, "now": now})
        return [row[0] for row in rows]


def put_off(conn: Connection, job: Job, factory_id: int, until: datetime) -> None:
    """Note that a job has looked at a factory and need not do so again before a time."""
    values = {"job": job, "factory_id": factory_id, "until": until}
    with transaction(conn):
        conn.execute(query("put_off_factory"), values)
