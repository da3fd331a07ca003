"""Options that several verbs share, and how results are printed."""

import json
import os
from dataclasses import asdict, is_dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from deploy.errors import DatabaseNotNamed

DATABASE_VARIABLE = "MILLPOND_DATABASE_URL"

DatabaseOption = Annotated[
    str | None,
    typer.Option("--database", help=f"URL of the database; by default ${DATABASE_VARIABLE}."),
]
FactoryOption = Annotated[str, typer.Option(help="Code of the factory.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]

# Columns of a file or a pipe, which have no width of their own; COLUMNS overrides it.
_WIDTH_WITHOUT_TERMINAL = 200


def _console() -> Console:
    found = Console()
    if not found.is_terminal and "COLUMNS" not in os.environ:
        return Console(width=_WIDTH_WITHOUT_TERMINAL)
    return found


console = _console()


def database_url(given: str | None) -> str:
    """Return the database's URL from the option or the environment; raises DatabaseNotNamed."""
    url = given or os.environ.get(DATABASE_VARIABLE)
    if not url:
        raise DatabaseNotNamed(
            f"no database is named: give --database URL or set {DATABASE_VARIABLE} "
            "(postgresql://user:password@host:port/name)"
        )
    return url


def print_json(value: Any) -> None:
    """Print dataclasses, times, paths and plain values as JSON."""
    print(json.dumps(value, default=_plain, ensure_ascii=False, indent=2, allow_nan=False))


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")
