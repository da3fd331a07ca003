"""`millpond kpi`."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer
from rich.table import Table

import store
from deploy.commands.common import (
    DatabaseOption,
    FactoryOption,
    JsonOption,
    console,
    database_url,
    print_json,
)
from deploy.commands.kpi_check import check
from deploy.commands.kpi_compare import compare
from deploy.commands.kpi_evidence import evidence
from deploy.commands.kpi_figures import figures
from deploy.commands.kpi_jobs import jobs as list_jobs
from deploy.commands.kpi_locks import listed, lock, unlock
from deploy.commands.kpi_provenance import audit, diff, explain
from deploy.commands.kpi_recompute import recompute
from deploy.commands.kpi_reliability import reliability
from deploy.commands.kpi_verdicts import policies, rebase, verdicts
from deploy.commands.kpi_waterfall import waterfall
from deploy.commands.output import folding
from store import registry

if TYPE_CHECKING:
    from kpi.gaps import TagGaps

app = typer.Typer(no_args_is_help=True)
app.command("jobs")(list_jobs)
app.command()(check)
app.command()(evidence)
app.command()(recompute)
for _readout in (figures, compare, waterfall, reliability):
    app.command()(_readout)
for _verb in (explain, audit, diff, lock, unlock):
    app.command()(_verb)
app.command("locks")(listed)
for _verdicts in (verdicts, policies, rebase):
    app.command()(_verdicts)

_TIME = "%Y-%m-%d %H:%M:%S"


@app.command()
def refresh(database: DatabaseOption = None) -> None:
    """Recompute the facts of dirty hours, then figures, verdicts and findings, once.

    Example: `millpond kpi refresh`
    """
    url, now = database_url(database), datetime.now(UTC)
    from kpi import jobs  # slow to import
    from kpi.jobs.finding_job import run_findings

    assets = jobs.run_facts(url, now)
    factories = jobs.run_figures(url, now)
    months = run_findings(url, now)
    print(f"{months} months checked, {assets} assets and {factories} factories brought up to date")


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


@app.command()
def gaps(
    factory: FactoryOption,
    start: Annotated[
        datetime | None,
        typer.Option("--from", help="Local time of the factory; a day before the end."),
    ] = None,
    end: Annotated[
        datetime | None, typer.Option("--to", help="Local time of the factory; now.")
    ] = None,
    tag: Annotated[
        list[str] | None, typer.Option(help="Only this tag, with each of its gaps; repeatable.")
    ] = None,
    as_json: JsonOption = False,
    database: DatabaseOption = None,
) -> None:
    """Say of each tag when it was heard, when it was bad and when nobody collected it.

    Example: `millpond kpi gaps --factory DEMO-FIBRE --from 2026-08-01 --to 2026-08-02`
    """
    from kpi.gaps import report  # slow to import

    with store.connect(database_url(database)) as conn:
        found_factory = registry.factory_by_code(conn, factory)
        zone = ZoneInfo(found_factory.timezone)
        until = datetime.now(UTC) if end is None else end.replace(tzinfo=zone)
        since = until - timedelta(days=1) if start is None else start.replace(tzinfo=zone)
        found = report(conn, found_factory, since, until, tag)
    if as_json:
        print_json(found)
        return
    console.print(_gap_table(found))
    for one in found if tag else ():
        for gap in one.gaps:
            first, last = (f"{at.astimezone(zone):{_TIME}}" for at in (gap.start, gap.end))
            print(f"{one.tag}  {gap.kind.replace('_', ' ')}  {first} .. {last}")


def _gap_table(found: "list[TagGaps]") -> Table:
    table = folding("tag", "role", "rows", "good", "bad", "not collected", "gaps", "longest")
    for one in found:
        whole_s = one.good_s + one.bad_s + one.not_collected_s
        shares = (one.good_s, one.bad_s, one.not_collected_s)
        longest = max((gap.end - gap.start for gap in one.gaps), default=timedelta())
        table.add_row(
            *(one.tag, one.role, f"{one.rows:,}"),
            *(f"{share_s / whole_s:.1%}" for share_s in shares),
            *(f"{one.gap_count:,}", str(longest).partition(".")[0]),
        )
    return table
