"""`millpond collector import` and `refused`: files of the past, and what could not be taken."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from collectors.config import file as config
from collectors.config.file import GatewayConfig
from collectors.errors import CollectorError
from deploy.commands.common import JsonOption, console, print_json
from store.errors import StoreError

if TYPE_CHECKING:
    from collectors.history.report import ImportReport


def import_history(
    file: Annotated[Path, typer.Argument(help="Gateway file (TOML).")],
    mapping: Annotated[Path, typer.Argument(help="Mapping file (TOML): what stands in the files.")],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only read the files and tell what would come.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Import tables of the past: CSV, XLSX and Parquet.

    Exits with 1 when a row was refused or a tag is not in the plan. An import that was interrupted
    goes on with the same command; a file that was imported before adds nothing.

    Example: `millpond collector import gateway.toml history.toml --dry-run`
    """
    settings = config.load(file)
    from collectors import logs  # the libraries of tables are slow to import
    from collectors.history import importer
    from collectors.history import mapping as mappings

    logs.set_up()
    wanted = mappings.load(mapping)
    with _shown_progress(as_json) as progress:
        tell = _Bars(progress).tell
        if dry_run:
            report = _dry_run(settings, wanted, tell)
        else:
            known = importer.known_tags(settings)
            report = importer.run_import(settings, wanted, known, tell)
    if as_json:
        print_json(report)
    else:
        _print(report)
    raise typer.Exit(0 if report.is_clean else 1)


def _dry_run(settings: GatewayConfig, wanted: Any, tell: Any) -> "ImportReport":
    """Look at the files; without a database any tag is taken for known, and that is said."""
    from collectors.history import importer

    known, note = None, None
    try:
        known = importer.known_tags(settings)
    except (CollectorError, StoreError) as error:
        note = f"tags and overlap were not compared with the database: {error}"
    report = importer.dry_run(settings, wanted, known, tell)
    report.note = note
    if known is not None:
        report.overlap = importer.stored_already(settings, report)
    return report


def _shown_progress(as_json: bool) -> Progress:
    # On standard error, so that what is printed at the end can be read by a program.
    shown = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    return Progress(*columns, console=shown, disable=as_json or not shown.is_terminal)


class _Bars:
    """One bar for each file."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._tasks: dict[str, Any] = {}

    def tell(self, name: str, rows: int, total: int | None) -> None:
        """Show how far a file is."""
        if name not in self._tasks:
            self._tasks[name] = self._progress.add_task(name, total=total)
        self._progress.update(self._tasks[name], completed=rows)


def _print(report: "ImportReport") -> None:
    table = Table("file", "rows", "values", "records", "refused", "from", "to", "note")
    for one in report.files:
        note = one.fault or ("imported before" if one.is_known else "")
        times = (f"{at:%Y-%m-%d %H:%M:%S}" if at else "-" for at in (one.first, one.last))
        counts = (one.rows, one.values, one.records, one.refused)
        table.add_row(one.file, *(f"{count:,}" for count in counts), *times, note)
    console.print(table)
    for one in report.files:
        for reject in one.refused_rows:
            print(f"{one.file}, row {reject.line}: {reject.reason}")
        for tag, rows in sorted(one.unknown_tags.items()):
            print(f"{one.file}: {tag} is not in the plan ({rows:,} rows)")
    for stored in report.overlap or ():
        print(f"the database has {stored.rows:,} rows of {stored.tag} in this time already")
    if report.note:
        print(report.note)
    if not report.is_dry_run:
        print(
            f"sent {report.sent_rows:,} rows and {report.sent_records:,} records: "
            f"{report.absorbed:,} rows were there already, {report.conflicts:,} have another value"
        )


def refused(
    file: Annotated[Path, typer.Argument(help="Gateway file (TOML).")],
    most: Annotated[int, typer.Option(help="How many entries, newest first.")] = 50,
    as_json: JsonOption = False,
) -> None:
    """List what this gateway could not take, with the reason, newest first.

    Example: `millpond collector refused gateway.toml --json`
    """
    from collectors.quarantined import refused as refused_of

    found = refused_of(config.load(file), most)
    if as_json:
        print_json(found)
        return
    table = Table("when", "source", "reason", "what came")
    for one in found:
        when = f"{one.seen_at:%Y-%m-%d %H:%M:%S}"
        table.add_row(when, one.source, one.reason, one.payload[:200])
    console.print(table)
