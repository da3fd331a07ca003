"""`millpond kpi`."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from deploy.commands.common import DatabaseOption, database_url

app = typer.Typer(no_args_is_help=True)


@app.command()
def refresh(database: DatabaseOption = None) -> None:
    """Recompute the facts of dirty hours, then the figures and verdicts above them, once.

    Example: `millpond kpi refresh`
    """
    url, now = database_url(database), datetime.now(UTC)
    from kpi import jobs  # slow to import

    assets = jobs.run_facts(url, now)
    factories = jobs.run_figures(url, now)
    print(f"{assets} assets and {factories} factories brought up to date")


@app.command()
def vectors(
    directory: Annotated[Path, typer.Argument(help="Folder of worked examples (*.json).")],
) -> None:
    """Run worked examples against the formulas; exits with 1 when one fails.

    Example: `millpond kpi vectors examples/`
    """
    import kpi.vectors  # its formulas are slow to import

    report = kpi.vectors.run(directory)
    for case in report.failures:
        print(case.line)
    print(report.summary)
    raise typer.Exit(1 if report.failures else 0)
