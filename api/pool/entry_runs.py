"""Entry lists by page: a trial that reports on each row, then the import as a step of its own.

Officers only ask; a process of the machine, which owns the database, does both. Run as a module it
does one run: `python -m api.pool.entry_runs NUMBER ATTEMPT`.
"""

import hashlib
import resource
import sys
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

from api.errors import NotFound
from api.pool.entry import OUTCOMES, Report, import_list
from api.pool.entry_sheet import refused
from api.pool.errors import ImportNotOpen, ImportRefused
from api.worker import Limits, Taken, process
from store import Connection, entry_runs, transaction
from store.acting import Actor
from store.audit import note
from store.entry_runs import EntryRun

MOST_BYTES = 5 * 1024 * 1024
LONGEST_NAME = 200
# Problems that are kept of a list; of more their number is told.
MOST_PROBLEMS = 2000

_KEPT = timedelta(days=30)
# A workbook of 5 MiB can unfold to any size.
_MEMORY_BYTES = 2 * 1024**3


def give(conn: Connection, actor: Actor, name: str, content: bytes, now: datetime) -> int:
    """Have a list judged and return the number of the run; raises ImportRefused for its size."""
    if not 0 < len(content) <= MOST_BYTES:
        raise refused("bytes", most=MOST_BYTES, given=len(content))
    sha256 = hashlib.sha256(content).hexdigest()
    shown = "".join(each for each in name if each.isprintable()).strip()[-LONGEST_NAME:] or "list"
    with transaction(conn):
        number = entry_runs.ask_trial(conn, actor, shown, sha256, content, now)
        said = {"file": shown, "sha256": sha256, "bytes": len(content)}
        note(conn, actor, "entry_list_given", kind="entry_list", key=number, after=said)
    return number


def take_in(
    conn: Connection, actor: Actor, trial_id: int, *, skip_faulty: bool, now: datetime
) -> int:
    """Have the list of a trial taken in and return the number of the run.

    Raises NotFound without such a trial, ImportNotOpen where it is not open: not done yet, not
    readable, with faulty rows that are not to be left out, or asked for already.
    """
    trial = of(conn, trial_id)
    if fault := not_open(trial, skip_faulty=skip_faulty):
        raise refused(fault, ImportNotOpen)
    with transaction(conn):
        number = entry_runs.ask_import(conn, actor, trial_id, skip_faulty=skip_faulty, at=now)
        if number is None:
            raise refused("already", ImportNotOpen)
        said = {"trial": trial_id, "sha256": trial.file_sha256, "skip_faulty": skip_faulty}
        note(conn, actor, "entry_import_asked", kind="entry_list", key=number, after=said)
    return number


def of(conn: Connection, run_id: int) -> EntryRun:
    """Return a run; raises NotFound."""
    found = entry_runs.listed(conn, run_id)
    if not found:
        raise NotFound(f"there is no entry list {run_id}")
    return found[0]


def not_open(trial: EntryRun, *, skip_faulty: bool) -> str | None:
    """Return why the list of a trial cannot be taken in now, or None."""
    if trial.trial_id is not None or trial.report is None or "refused" in trial.report:
        return "no_trial"
    if trial.import_id is not None:
        return "already"
    counts = trial.report["counts"]
    if counts["faulty"] and not skip_faulty:
        return "faulty"
    return None if counts["new"] or counts["changed"] else "nothing"


def run(conn: Connection, run_id: int, attempt: int) -> None:
    """Do a trial or an import and keep its report, both in one transaction."""
    with transaction(conn):
        held = entry_runs.hold(conn, run_id, attempt)
        if held is None:
            return
        actor = Actor(held.account_id, held.actor, held.role)
        try:
            if held.content is None:
                raise refused("gone")
            report = import_list(
                conn, actor, held.content, now=datetime.now(UTC), dry_run=held.trial_id is None,
                skip_faulty=held.skip_faulty, source=held.file_name,
            )  # fmt: skip
        except ImportRefused as error:
            entry_runs.finish(conn, run_id, {"refused": {"zh": error.zh, "en": str(error)}})
            return
        said = told(report)
        entry_runs.finish(conn, run_id, said)
        if held.trial_id is not None:
            after = {
                "sha256": held.file_sha256, "trial": held.trial_id, "written": report.written,
                **said["counts"],
            }  # fmt: skip
            note(conn, actor, "entry_list_imported", kind="entry_list", key=run_id, after=after)


def told(report: Report) -> dict[str, Any]:
    """Return a report as it is kept: the rows that say something, and how many say the same."""
    rows, kept = [], 0
    for each in report.rows:
        room = max(0, MOST_PROBLEMS - kept)
        problems = [_told(asdict(one)) for one in each.problems[:room]]
        kept += len(problems)
        if each.outcome != "same" or problems:
            rows.append(
                {
                    "row": each.row,
                    "factory": each.factory,
                    "code": each.code,
                    "outcome": each.outcome,
                    "changes": [asdict(one) for one in each.changes],
                    "problems": problems,
                }
            )
    return {
        "written": report.written,
        "counts": {outcome: report.count(outcome) for outcome in OUTCOMES},
        "untold": len(report.problems) - kept,
        "rows": rows,
    }


def _told(problem: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in problem.items() if name != "row"}


class Entries:
    """Runs that wait to be done."""

    module = "api.pool.entry_runs"
    limits = Limits(seconds=300.0)

    def prepare(self, conn: Connection) -> None:
        """Let go of lists that are kept no more."""
        entry_runs.drop_lists(conn, _KEPT)

    def take(self, conn: Connection, lost_after: timedelta) -> Taken | None:
        """Take the next run."""
        found = entry_runs.take(conn, lost_after)
        return None if found is None else Taken(*found)

    def fail(self, conn: Connection, taken: Taken, error: str, wait: timedelta | None) -> None:
        """Keep why it failed; the page shows it."""
        entry_runs.fail(conn, taken.number, taken.attempt, error, wait)


ENTRIES = Entries()


def main() -> int:
    """Do the run that the command line names."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    return process(run)


if __name__ == "__main__":
    sys.exit(main())
