"""Runs of the jobs, and the pieces of their work that failed and are tried again."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from psycopg.types.json import Jsonb

from store.db import Connection, transaction
from store.errors import translated
from store.queries import query


@dataclass(frozen=True, slots=True)
class JobRun:
    """One run of a job; outcome is done, failed, running or cut short."""

    run_id: int
    name: str
    started_at: datetime
    ended_at: datetime | None
    outcome: str
    error: str | None
    counts: dict[str, int]


@dataclass(frozen=True, slots=True)
class JobRetry:
    """A piece of work that failed at its last try."""

    name: str
    piece: str
    failures: int
    error: str
    failed_since: datetime
    next_try_at: datetime


@dataclass(frozen=True, slots=True)
class Backoff:
    """When a failed piece is tried again: after first_s, then twice as late, at most most_s."""

    first_s: float = 60.0
    most_s: float = 21_600.0


@dataclass
class RunningJob:
    """What a run has to say when it ends."""

    counts: dict[str, int] = field(default_factory=dict)
    error: str | None = None


@contextmanager
def running(conn: Connection, name: str, keep_days: int) -> Iterator[RunningJob]:
    """Note a run for the length of the block; what the block raises is noted and goes on."""
    with transaction(conn):
        row = conn.execute(
            query("begin_job_run"), {"name": name, "keep_days": keep_days}
        ).fetchone()
    assert row is not None
    key = {"run_id": row[0]}
    with translated():
        conn.execute(query("hold_job_run"), key)
    found = RunningJob()
    try:
        yield found
    except BaseException as error:
        found.error = found.error or str(error) or type(error).__name__
        raise
    finally:
        _end(conn, row[0], found)


def _end(conn: Connection, run_id: int, found: RunningJob) -> None:
    values = {
        "run_id": run_id,
        "outcome": "done" if found.error is None else "failed",
        "error": found.error,
        "counts": Jsonb(found.counts),
    }
    with transaction(conn):
        conn.execute(query("end_job_run"), values)
        conn.execute(query("release_job_run"), {"run_id": run_id})


def recent(conn: Connection, name: str | None = None, *, most: int = 20) -> list[JobRun]:
    """Return the newest runs, of one job or of all, newest first."""
    with transaction(conn):
        rows = conn.execute(query("list_job_runs"), {"name": name, "most": most})
        return [JobRun(*row) for row in rows]


def note_failures(conn: Connection, name: str, errors: Mapping[str, str], backoff: Backoff) -> None:
    """Note the pieces that failed, with why, and when each is tried again."""
    values = [
        {
            "name": name,
            "piece": piece,
            "error": error,
            "first_s": backoff.first_s,
            "most_s": backoff.most_s,
        }
        for piece, error in errors.items()
    ]
    with transaction(conn):
        conn.cursor().executemany(query("note_failed_piece"), values)


def forget_failures(conn: Connection, name: str, pieces: Sequence[str]) -> None:
    """Remove the failures of pieces that were done."""
    with transaction(conn):
        conn.execute(query("forget_failed_pieces"), {"name": name, "pieces": list(pieces)})


def waiting(conn: Connection, name: str) -> set[str]:
    """Return the pieces of a job that failed and are not to be tried yet."""
    with transaction(conn):
        return {piece for (piece,) in conn.execute(query("waiting_pieces"), {"name": name})}


def retries(conn: Connection) -> list[JobRetry]:
    """Return the pieces that failed at their last try, longest first."""
    with transaction(conn):
        return [JobRetry(*row) for row in conn.execute(query("list_job_retries"))]
