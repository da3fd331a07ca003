"""How the installation runs, for the system administrator: no message, batch or figure is in it."""

from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files

from store.db import Connection, transaction
from store.queries import query


@dataclass(frozen=True, slots=True)
class OutboxLetter:
    """An e-mail or SMS that waits or failed; kind is its template, the address is masked."""

    delivery_id: int
    channel: str
    kind: str
    state: str
    attempts: int
    sent_at: datetime
    next_try_at: datetime
    error: str | None
    address: str | None


@dataclass(frozen=True, slots=True)
class JobState:
    """A job with its newest run; outcome is done, failed, running or cut short."""

    name: str
    started_at: datetime
    ended_at: datetime | None
    outcome: str
    error: str | None
    done_at: datetime | None
    failed_in_day: int


@dataclass(frozen=True, slots=True)
class FailedPiece:
    """A piece of a job's work that failed at its last try."""

    name: str
    piece: str
    failures: int
    error: str
    failed_since: datetime
    next_try_at: datetime


@dataclass(frozen=True, slots=True)
class GatewayState:
    """A gateway and its newest batch: which, when it came, and how far its clock was off."""

    code: str
    factory: str
    revoked_at: datetime | None
    seq: int | None
    received_at: datetime | None
    clock_skew_s: float | None


@dataclass(frozen=True, slots=True)
class QueueState:
    """A queue: what waits, since when, and what was given up in the last seven days."""

    name: str
    waiting: int
    oldest: datetime | None
    failed: int


@dataclass(frozen=True, slots=True)
class DatabaseState:
    """The database: size in bytes, versions, and the newest of the migrations applied."""

    size_bytes: int
    server: str
    timescaledb: str | None
    started_at: datetime
    migration: str
    migrations: int
    migrated_at: datetime


def outbox(conn: Connection, *, before: int | None = None, most: int = 50) -> list[OutboxLetter]:
    """Return what waits or failed, newest first, behind a number."""
    with transaction(conn):
        rows = conn.execute(query("list_outbox"), {"before": before, "most": most})
        return [OutboxLetter(*row) for row in rows]


def retry(conn: Connection, delivery_id: int) -> bool:
    """Try again what failed for good; False where it did not. Raises NotPermitted for others."""
    with transaction(conn):
        row = conn.execute(query("retry_delivery"), {"delivery_id": delivery_id}).fetchone()
    return row is not None and bool(row[0])


def jobs(conn: Connection) -> list[JobState]:
    """Return each job with its newest run."""
    with transaction(conn):
        return [JobState(*row) for row in conn.execute(query("operation_jobs"))]


def failed_pieces(conn: Connection, *, most: int = 50) -> list[FailedPiece]:
    """Return the pieces of the jobs' work that failed at their last try, longest first."""
    with transaction(conn):
        rows = conn.execute(query("operation_retries"), {"most": most})
        return [FailedPiece(*row) for row in rows]


def gateways(conn: Connection, *, most: int = 200) -> list[GatewayState]:
    """Return gateways, those that are silent longest first."""
    with transaction(conn):
        rows = conn.execute(query("operation_gateways"), {"most": most})
        return [GatewayState(*row) for row in rows]


def queues(conn: Connection) -> list[QueueState]:
    """Return how long each queue is."""
    with transaction(conn):
        return [QueueState(*row) for row in conn.execute(query("operation_queues"))]


def database(conn: Connection) -> DatabaseState:
    """Return the state of the database."""
    with transaction(conn):
        row = conn.execute(query("operation_database")).fetchone()
    assert row is not None
    return DatabaseState(*row)


def shipped_migrations() -> int:
    """Return how many migrations this version brings."""
    folder = files("store").joinpath("migrations")
    return sum(each.name.endswith(".sql") for each in folder.iterdir())
