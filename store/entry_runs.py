"""Lists that officers hand over on a page: they ask for trials and imports, the owner does them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from psycopg.types.json import Jsonb

from store.acting import Actor
from store.db import Connection, transaction
from store.queries import query


@dataclass(frozen=True, slots=True)
class EntryRun:
    """A trial of a list, or the import of the list of a trial; the report is there once done."""

    run_id: int
    trial_id: int | None
    file_name: str
    file_sha256: str
    skip_faulty: bool
    state: str
    attempts: int
    error: str | None
    account_id: int
    actor: str
    asked_at: datetime
    report: dict[str, Any] | None
    ended_at: datetime | None
    import_id: int | None


@dataclass(frozen=True, slots=True)
class HeldRun:
    """A run that is being done, with its list; no content where the list is kept no more."""

    trial_id: int | None
    file_name: str
    file_sha256: str
    content: bytes | None
    skip_faulty: bool
    account_id: int
    actor: str
    role: str


def ask_trial(
    conn: Connection, actor: Actor, file_name: str, file_sha256: str, content: bytes, at: datetime
) -> int:
    """Have a list judged and return the number of the run."""
    values = _who(actor) | {
        "file_name": file_name, "file_sha256": file_sha256, "content": content, "at": at,
    }  # fmt: skip
    with transaction(conn):
        row = conn.execute(query("ask_entry_trial"), values).fetchone()
    assert row is not None
    return int(row[0])


def ask_import(
    conn: Connection, actor: Actor, trial_id: int, *, skip_faulty: bool, at: datetime
) -> int | None:
    """Have the list of a trial taken in and return the number of the run; None where it was."""
    values = _who(actor) | {"trial_id": trial_id, "skip_faulty": skip_faulty, "at": at}
    with transaction(conn):
        row = conn.execute(query("ask_entry_import"), values).fetchone()
    return None if row is None else int(row[0])


def listed(
    conn: Connection, run_id: int | None = None, *, before: int | None = None, most: int = 50
) -> list[EntryRun]:
    """Return runs, newest first, behind a number; or one of them."""
    values = {"run_id": run_id, "before": before, "most": most}
    with transaction(conn):
        return [EntryRun(*row) for row in conn.execute(query("list_entry_runs"), values)]


def take(conn: Connection, lost_after: timedelta) -> tuple[int, int] | None:
    """Take the next run and return it with the number of this attempt; None if none waits."""
    with transaction(conn):
        row = conn.execute(query("take_entry_run"), {"lost_after": lost_after}).fetchone()
    return None if row is None else (int(row[0]), int(row[1]))


def hold(conn: Connection, run_id: int, attempt: int) -> HeldRun | None:
    """Hold a run until the caller's transaction ends; None where another attempt has begun."""
    values = {"run_id": run_id, "attempts": attempt}
    row = conn.execute(query("hold_entry_run"), values).fetchone()
    return None if row is None else HeldRun(*row)


def finish(conn: Connection, run_id: int, report: Mapping[str, Any]) -> None:
    """Keep what came of a run that is held."""
    with transaction(conn):
        conn.execute(query("finish_entry_run"), {"run_id": run_id, "report": Jsonb(dict(report))})


def fail(conn: Connection, run_id: int, attempt: int, error: str, wait: timedelta | None) -> None:
    """Say why an attempt failed; without a wait the run is given up."""
    values = {"run_id": run_id, "attempts": attempt, "error": error, "wait": wait}
    with transaction(conn):
        conn.execute(query("fail_entry_run"), values)


def drop_lists(conn: Connection, kept: timedelta) -> None:
    """Let go of the lists of trials that are older than that."""
    with transaction(conn):
        conn.execute(query("drop_entry_lists"), {"kept": kept})


def _who(actor: Actor) -> dict[str, int | str | None]:
    return {"account_id": actor.account_id, "actor": actor.name, "role": actor.role}
