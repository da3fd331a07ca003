"""`millpond db backup` and `millpond db restore`."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from deploy.backups import making
from deploy.backups.restoring import restore as fill
from deploy.commands.common import DatabaseOption, database_url
from deploy.errors import RestoreFailed

_MOST_LISTED = 20


def backup(
    file: Annotated[
        Path, typer.Argument(help="A file that is not there yet, or a folder: named by the time.")
    ],
    keep: Annotated[
        int | None,
        typer.Option(help="Of a folder: delete all but so many backups afterwards.", min=1),
    ] = None,
    database: DatabaseOption = None,
) -> None:
    """Write the whole database to one file and check what was written; people may go on working.

    It holds everything but what lies outside the database: keys, certificates and settings. Only
    the account that makes it can read it.

    Example: `millpond db backup /var/backups/millpond --keep 14`
    """
    in_folder = file.is_dir()
    if keep is not None and not in_folder:
        raise typer.BadParameter("--keep goes with a folder", param_hint="--keep")
    path = making.named(file, datetime.now(UTC)) if in_folder else file
    with _telling() as tell:
        found = making.make(database_url(database), path, tell).content
    print(
        f"wrote {path}: {path.stat().st_size:,} bytes with {found.factories:,} factories, "
        f"{found.batches:,} batches, {found.figures:,} figures and {found.audit_entries:,} entries "
        "of the audit; read back and whole"
    )
    if found.audit_last is not None:
        print(f"note down elsewhere: the audit ends at {found.audit_entries}:{found.audit_last}")
    if keep is not None:
        for old in making.thin_out(file, keep):
            print(f"deleted {old}")


def restore(
    file: Annotated[Path, typer.Argument(help="A backup, as `millpond db backup` wrote it.")],
    database: DatabaseOption = None,
) -> None:
    """Fill an empty database from a backup and verify it: every batch and chain, and the audit.

    The role that pages act in is made where the server has none. Needs a superuser, as TimescaleDB
    asks for. What fails midway leaves the database empty.

    Example: `millpond db restore backup.millpond --database postgresql://127.0.0.1/restored`
    """
    with _telling() as tell:
        manifest, found = fill(database_url(database), file, tell)
    for note in found.notes[:_MOST_LISTED]:
        print(note)
    if found.problems:
        more = len(found.problems) - _MOST_LISTED
        lines = found.problems[:_MOST_LISTED] + ([f"and {more} more"] if more > 0 else [])
        raise RestoreFailed("\n".join(["restored, but not all of it holds:", *lines]))
    print(
        f"restored the backup of {manifest.made_at}: {found.batches:,} batches with "
        f"{found.rows:,} rows, their hashes, chains and signatures hold; {found.entries:,} entries "
        "of the audit, whose chain holds"
    )


@contextmanager
def _telling() -> Iterator[Callable[[str, int, int | None], None]]:
    """Show on a terminal how far the work is; on standard error, whose lines a log may keep."""
    shown = Console(stderr=True)
    count = TextColumn("{task.completed:,.0f} {task.description}")
    columns = (count, BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=shown, transient=True, disable=not shown.is_terminal) as bars:
        tasks: dict[str, Any] = {}

        def tell(what: str, done: int, of: int | None) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(what, total=of)
            bars.update(tasks[what], completed=done, total=of)

        yield tell
