"""`millpond pool`: the pool's entry list and the rules of its follow-up."""

from contextlib import closing
from datetime import UTC, datetime
from getpass import getuser
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

import store
from deploy.commands import (
    pool_accounts,
    pool_documents,
    pool_entries,
    pool_generate,
    pool_night,
    pool_notices,
    pool_reports,
)
from deploy.commands.common import DatabaseOption, JsonOption, console, database_url, print_json
from store.acting import Actor

if TYPE_CHECKING:
    from api.pool.entry import Report

app = typer.Typer(no_args_is_help=True)
lifecycle_app = typer.Typer(no_args_is_help=True)
app.add_typer(pool_accounts.app)
app.command()(pool_night.night)
app.command()(pool_entries.entries)
app.command()(pool_generate.generate)
app.command()(pool_notices.todos)
app.command()(pool_notices.outbox)
app.add_typer(pool_documents.app, name="document")
app.add_typer(pool_reports.reports_app, name="report")
app.add_typer(pool_reports.disputes_app, name="dispute")
app.add_typer(lifecycle_app, name="lifecycle", help="The states and transitions of membership.")

_Actor = Annotated[
    str | None, typer.Option("--actor", help="Who does it; by default the account's name.")
]


@app.command("import")
def import_list(
    file: Annotated[Path, typer.Argument(help="The list: XLSX or CSV, one row a factory.")],
    dry_run: Annotated[bool, typer.Option(help="Report on each row and store nothing.")] = False,
    skip_faulty: Annotated[
        bool, typer.Option(help="Store the other rows where some are faulty.")
    ] = False,
    actor: _Actor = None,
    as_json: JsonOption = False,
    database: DatabaseOption = None,
) -> None:
    """Take in the list of the factories that a bureau has; exits with 1 when a row is faulty.

    All of it is stored or nothing, unless faulty rows are skipped. The same list again changes
    nothing.

    Example: `millpond pool import pool.xlsx --dry-run`
    """
    from api.pool.entry import import_list as take_in  # slow to import

    content = file.read_bytes()
    with closing(store.connect(database_url(database))) as conn:
        report = take_in(
            conn, Actor(None, actor or getuser(), "operator"), content,
            now=datetime.now(UTC), dry_run=dry_run, skip_faulty=skip_faulty, source=file.name,
        )  # fmt: skip
    if as_json:
        print_json(report)
    else:
        _show(report, dry_run)
    raise typer.Exit(1 if report.count("faulty") else 0)


@app.command()
def template(
    file: Annotated[Path, typer.Argument(help="Where to write it: .xlsx or .csv.")],
) -> None:
    """Write an entry list with every head and one sample row; a file that exists is kept.

    Example: `millpond pool template pool.xlsx`
    """
    from api.pool import entry_template
    from api.pool.errors import ImportRefused

    if file.suffix.lower() not in (".xlsx", ".csv"):
        raise ImportRefused(f"{file}: the name must end in .xlsx or .csv")
    is_csv = file.suffix.lower() == ".csv"
    content = entry_template.as_csv() if is_csv else entry_template.as_workbook()
    with file.open("xb") as out:
        out.write(content)
    print(f"wrote {file}; take the sample row out before you import it")


@lifecycle_app.command("check")
def check_lifecycle(
    file: Annotated[Path, typer.Argument(help="A lifecycle file, TOML.")],
) -> None:
    """Say what is wrong with a bureau's own lifecycle, with the line, or that nothing is.

    Example: `millpond pool lifecycle check lifecycle.toml`
    """
    from api.pool.settings import check_lifecycle as check

    found = check(file.read_text(encoding="utf-8"))
    print(
        f"{file}: {found.lifecycle_id}, {len(found.states)} states and "
        f"{len(found.transitions)} transitions, nothing wrong"
    )


def _show(report: "Report", dry_run: bool) -> None:
    table = Table("row", "factory", "outcome", "what")
    for row in report.rows:
        said = [f"{each.column}: {each.before or '-'} → {each.after}" for each in row.changes]
        said += [
            f"{'!' if each.severity == 'error' else '?'} {each.column}: {each.what}; {each.do}"
            for each in row.problems
        ]
        if row.outcome != "same" or said:
            table.add_row(str(row.row), row.factory, row.outcome, "\n".join(said))
    console.print(table)
    counts = ", ".join(
        f"{report.count(outcome)} {outcome}" for outcome in ("new", "changed", "same", "faulty")
    )
    print(f"{counts}: {_done(report, dry_run)}")


def _done(report: "Report", dry_run: bool) -> str:
    if report.written:
        return "stored"
    if dry_run:
        return "a dry run, nothing is stored"
    if report.count("faulty"):
        return "nothing is stored; correct the faulty rows, or give --skip-faulty"
    return "nothing to store"
