"""`millpond kpi jobs`."""

from contextlib import closing
from datetime import datetime
from typing import Annotated, Any

import typer
from rich.table import Table

import store
from deploy.commands.common import DatabaseOption, JsonOption, console, database_url, print_json
from deploy.commands.output import folding
from store import job_runs

_TIME = "%Y-%m-%d %H:%M:%S"


def jobs(
    name: Annotated[str | None, typer.Option(help="Only this job, such as facts.")] = None,
    most: Annotated[int, typer.Option(help="How many runs.", min=1, max=10_000)] = 20,
    as_json: JsonOption = False,
    database: DatabaseOption = None,
) -> None:
    """Say how the newest runs of the jobs went, and what failed and when it is tried again.

    Example: `millpond kpi jobs`
    """
    with closing(store.connect(database_url(database))) as conn:
        runs = job_runs.recent(conn, name, most=most)
        retries = [each for each in job_runs.retries(conn) if name in (None, each.name)]
    if as_json:
        print_json({"runs": runs, "retries": retries})
        return
    if runs:
        console.print(_runs(runs))
    else:
        print(f"no run of {name or 'a job'} is on record; `millpond kpi refresh` runs them once")
    if retries:
        console.print(_retries(retries))


def _runs(runs: list[job_runs.JobRun]) -> Table:
    table = folding("job", "started", "ended", "outcome", "counts", "error", title="Runs")
    for run in runs:
        counts = ", ".join(f"{name} {count:,}" for name, count in run.counts.items() if count)
        table.add_row(
            *(run.name, _shown(run.started_at), _shown(run.ended_at), run.outcome, counts),
            run.error or "",
        )
    return table


def _retries(retries: list[job_runs.JobRetry]) -> Table:
    table = folding("job", "piece", "failures", "since", "next try", "error", title="To try again")
    for each in retries:
        table.add_row(
            *(each.name, each.piece, f"{each.failures:,}", _shown(each.failed_since)),
            *(_shown(each.next_try_at), each.error),
        )
    return table


def _shown(at: datetime | None) -> Any:
    return "" if at is None else f"{at.astimezone():{_TIME}}"
