"""How the installation runs, gathered for the system administrator's page and interface."""

import shutil
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

from api.errors import NotFound
from api.pool import nightly, notices
from store import Connection, operation, transaction
from store.acting import Actor
from store.audit import note
from store.operation import DatabaseState, FailedPiece, GatewayState, JobState, QueueState

# What the jobs of one turn stand at after so long: nobody serves, or a turn hangs.
OVERDUE_S = 3600


@dataclass(frozen=True, slots=True)
class Disk:
    """The disk of the machine that serves, in bytes."""

    size_bytes: int
    free_bytes: int


@dataclass(frozen=True, slots=True)
class System:
    """The whole state at one moment; migrations are those that this version brings."""

    at: datetime
    version: str
    migrations: int
    database: DatabaseState
    disk: Disk
    queues: list[QueueState]
    jobs: list[JobState]
    failed_pieces: list[FailedPiece]
    gateways: list[GatewayState]
    night_at: str
    turn_s: int


def state(conn: Connection, now: datetime) -> System:
    """Return how everything stands; conn acts for who may see it."""
    usage = shutil.disk_usage(Path.cwd())
    return System(
        at=now,
        version=version("millpond"),
        migrations=operation.shipped_migrations(),
        database=operation.database(conn),
        disk=Disk(usage.total, usage.free),
        queues=operation.queues(conn),
        jobs=operation.jobs(conn),
        failed_pieces=operation.failed_pieces(conn),
        gateways=operation.gateways(conn),
        night_at=f"{nightly.AT:%H:%M}",
        turn_s=notices.EVERY_S,
    )


def retry_letter(conn: Connection, actor: Actor, delivery_id: int) -> None:
    """Give a letter that failed another round of tries; raises NotFound where none waits either."""
    with transaction(conn):
        if not operation.retry(conn, delivery_id):
            waiting = operation.outbox(conn, before=delivery_id + 1, most=1)
            if not waiting or waiting[0].delivery_id != delivery_id:
                raise NotFound(f"no letter {delivery_id} waits or has failed")
            return
        note(conn, actor, "letter_retried", kind="delivery", key=delivery_id)
