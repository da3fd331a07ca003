"""`millpond pool report` and `millpond pool dispute`: what the night does, at once."""

from contextlib import closing
from datetime import UTC, datetime
from typing import Annotated

import typer

import store
import store.disputes
import store.reruns
from deploy.commands.common import DatabaseOption, JsonOption, database_url, print_json

reports_app = typer.Typer(no_args_is_help=True)
disputes_app = typer.Typer(no_args_is_help=True)


@reports_app.callback()
def reports_group() -> None:
    """Self-reports of enterprises."""


@disputes_app.callback()
def disputes_group() -> None:
    """Disputes about verified figures."""


@reports_app.command("open")
def open_reports(as_json: JsonOption = False, database: DatabaseOption = None) -> None:
    """Open the reports of the quarters and years that ended, and mark what is overdue.

    Each once, filled in with what was verified by now; the night does the same. What is open
    already is told new revisions of its figures.

    Example: `millpond pool report open`
    """
    from api.pool import report_opening  # slow to import

    with closing(store.connect(database_url(database))) as conn:
        found = report_opening.nightly(conn, now=datetime.now(UTC))
    if as_json:
        print_json(found)
    else:
        print(", ".join(f"{count:,} {name}" for name, count in found.items()))


@disputes_app.command()
def rerun(
    dispute: Annotated[
        int | None, typer.Argument(help="Its number; by default all that were asked for.")
    ] = None,
    as_json: JsonOption = False,
    database: DatabaseOption = None,
) -> None:
    """Run a disputed period again now and keep what comes out beside the figure.

    `millpond api serve` does so by itself as soon as a figure is disputed. Exits with 1 where one
    failed.

    Example: `millpond pool dispute rerun 12`
    """
    from api.pool import reruns  # slow to import

    failed: dict[int, str] = {}
    with closing(store.connect(database_url(database))) as conn:
        asked = store.reruns.to_make(conn) if dispute is None else [dispute]
        if dispute is None:
            failed = reruns.make_all(conn, now=datetime.now(UTC))
        else:
            reruns.make(conn, dispute, now=datetime.now(UTC))
        made = [store.disputes.dispute(conn, each) for each in asked if each not in failed]
    shown = [
        {
            "dispute": each.dispute_id,
            "factory": each.factory,
            "kpi": each.kpi,
            "period_start": each.period_start,
            "before": each.figure.point,
            "after": each.rerun and each.rerun.point,
        }
        for each in made
        if each is not None
    ]
    if as_json:
        print_json({"made": shown, "failed": failed})
    else:
        for one in shown:
            print(
                f"dispute {one['dispute']}, {one['factory']} {one['kpi']} from "
                f"{one['period_start']}: {one['before']} → {one['after']}"
            )
        for number, why in failed.items():
            print(f"dispute {number}: {why}")
        if not shown and not failed:
            print("no re-run waits")
    raise typer.Exit(1 if failed else 0)
