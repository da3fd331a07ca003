"""One result as a table for a person, as JSON or as CSV."""

import csv
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any, Literal

import typer
from rich.console import RenderableType
from rich.table import Table

from deploy.commands.common import JsonOption, console, print_json

__all__ = ["CsvOption", "Form", "FormatOption", "JsonOption", "Shown", "folding", "show"]

Form = Literal["table", "json", "csv"]
FormatOption = Annotated[Form, typer.Option("--format", help="How to print.")]
CsvOption = Annotated[bool, typer.Option("--csv", help="Print CSV.")]


def folding(*heads: str, title: str | None = None) -> Table:
    """Return a table that breaks a long word in two before it leaves any of it out."""
    table = Table(title=title)
    for head in heads:
        table.add_column(head, overflow="fold")
    return table


@dataclass(frozen=True, slots=True)
class Shown:
    """What is shown: tables of texts for a person, flat rows for CSV, and all of it for JSON."""

    table: RenderableType
    rows: Sequence[Mapping[str, Any]]
    whole: Any


def show(found: Shown, form: Form, as_json: bool, as_csv: bool) -> None:
    """Print in the form that was asked for; --json and --csv go before --format."""
    if as_json or (form == "json" and not as_csv):
        print_json(found.whole)
    elif as_csv or form == "csv":
        _print_csv(found.rows)
    else:
        console.print(found.table)


def _print_csv(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print rows with the names of the first as head; nothing known stays empty."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    if rows:
        writer.writerow(rows[0])
        writer.writerows([_cell(value) for value in row.values()] for row in rows)


def _cell(value: Any) -> Any:
    """Return what a cell holds: times in ISO 8601, lists and objects in JSON."""
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, list | tuple | Mapping):
        return json.dumps(value, ensure_ascii=False, default=str)
    return value
