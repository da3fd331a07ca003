"""`millpond pool document`: the register of letters and reports."""

from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

import store
from deploy.commands.common import DatabaseOption, JsonOption, console, database_url, print_json

app = typer.Typer(no_args_is_help=True)


@app.callback()
def group() -> None:
    """Letters and reports."""


@app.command()
def verify(
    file: Annotated[Path, typer.Argument(help="A letter or report, PDF or DOCX.")],
    as_json: JsonOption = False,
    database: DatabaseOption = None,
) -> None:
    """Say which document of the register a file is; exits with 1 when it is none of them.

    A file that was changed by one byte, or opened and saved again, is none of them.

    Example: `millpond pool document verify 核验报告.pdf`
    """
    from api.exports import register  # slow to import

    content = file.read_bytes()
    with closing(store.connect(database_url(database))) as conn:
        found = register.check(conn, content)
    if as_json:
        print_json(found)
    elif found.documents:
        table = Table("document", "factory", "kind", "version", "asked by", "made at")
        for each in found.documents:
            table.add_row(
                str(each.document_id), each.factory, each.kind, str(each.version), each.actor,
                f"{each.made_at:%Y-%m-%d %H:%M} UTC",
            )  # fmt: skip
        console.print(table)
        print(f"{file}: as it was made, SHA-256 {found.sha256}")
    else:
        print(f"{file}: not in the register, or changed since; SHA-256 {found.sha256}")
    raise typer.Exit(0 if found.documents else 1)


@app.command()
def work(database: DatabaseOption = None) -> None:
    """Make all that steps made due and people asked for, and end; `millpond api serve` does so too.

    Example: `millpond pool document work`
    """
    from api.exports.worker import DOCUMENTS  # slow to import
    from api.worker import work_off

    made = work_off(DOCUMENTS, database_url(database))
    print(f"{made} documents made")
