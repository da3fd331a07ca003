"""Options that several verbs share, and how results are printed."""

import json
import os
from dataclasses import asdict, is_dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote, urlsplit

import typer
from rich.console import Console

from deploy.errors import DatabaseNotNamed, FileNotReadable

DATABASE_VARIABLE = "MILLPOND_DATABASE_URL"
PASSWORD_FILE_VARIABLE = "MILLPOND_DATABASE_PASSWORD_FILE"

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
    """Return the database's URL from the option or the environment; raises DatabaseNotNamed.

    The environment may name a file with the password, which then stands in no URL.
    """
    url = given or os.environ.get(DATABASE_VARIABLE)
    if not url:
        raise DatabaseNotNamed(
            f"no database is named: give --database URL or set {DATABASE_VARIABLE} "
            "(postgresql://user:password@host:port/name)"
        )
    file = os.environ.get(PASSWORD_FILE_VARIABLE)
    return _with_password(url, Path(file)) if file and not given else url


def _with_password(url: str, file: Path) -> str:
    """Return the URL with the password that a file holds; raises FileNotReadable."""
    try:
        password = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise FileNotReadable(
            f"{file} cannot be read: {PASSWORD_FILE_VARIABLE} names it"
        ) from error
    parts = urlsplit(url)
    if not parts.username or not password:
        raise DatabaseNotNamed(
            f"{PASSWORD_FILE_VARIABLE} goes with a password in {file} and a URL that names a user, "
            "such as postgresql://millpond@db/millpond"
        )
    place = parts.netloc.rpartition("@")[2]
    user = parts.netloc.rpartition("@")[0].partition(":")[0]
    return parts._replace(netloc=f"{user}:{quote(password, safe='')}@{place}").geturl()


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
