"""`millpond collector`."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from collectors import enrolment, gateway_status, logs
from collectors.config import document
from collectors.config import file as config
from collectors.errors import ConfigRefused
from collectors.history.gateway import import_gateway
from deploy.commands.browse import browse
from deploy.commands.common import JsonOption, console, print_json
from deploy.commands.history import import_history, refused
from deploy.commands.init import init
from deploy.supervisor import Supervisor

if TYPE_CHECKING:
    from collectors.probe import ProbeResult

app = typer.Typer(no_args_is_help=True)
app.command()(browse)
app.command("import")(import_history)
app.command()(refused)
app.command()(init)

FileArgument = Annotated[Path, typer.Argument(help="Gateway file (TOML).")]


@app.command()
def check(file: FileArgument, as_json: JsonOption = False) -> None:
    """Read a gateway file without any network and list every problem with its line.

    Of a sound file it says besides what the other side must be set to.

    Example: `millpond collector check gateway.toml`
    """
    problems = config.check(file)
    if as_json:
        print_json(problems)
        raise typer.Exit(1 if problems else 0)
    if problems:
        raise ConfigRefused(problems)
    print(f"{file}: no problem found")
    for source in config.load(file).sources:
        for each in source.advice():
            print(f'advice for source "{source.name}": {each}')


@app.command()
def probe(file: FileArgument, as_json: JsonOption = False) -> None:
    """Connect to every source and read every tag once.

    Exits with 1 when a tag gives no good value.

    Example: `millpond collector probe gateway.toml`
    """
    settings = config.load(file)
    from collectors.probe import probe as probe_tags  # the protocols are slow to import

    logs.set_up()
    results = asyncio.run(probe_tags(settings))
    if as_json:
        print_json(results)
    else:
        console.print(_probe_table(results))
    raise typer.Exit(0 if all(result.value is not None for result in results) else 1)


def _probe_table(results: "list[ProbeResult]") -> Table:
    table = Table("tag", "source", "value", "unit", "status", "source time", "ms", "note")
    for each in results:
        value = "-" if each.value is None else f"{each.value:g}"
        latency = "-" if each.latency_ms is None else f"{each.latency_ms:.0f}"
        table.add_row(
            *(each.tag, each.source, value, each.unit, each.status_name),
            *(each.ts or "-", latency, each.note or ""),
        )
    return table


@app.command()
def enrol(
    file: FileArgument,
    factory: Annotated[
        str | None, typer.Option(help="Code of the factory, for a sink that is the database.")
    ] = None,
    code: Annotated[
        str | None, typer.Option(help="One-time code of the city, for a sink over HTTPS.")
    ] = None,
    for_import: Annotated[
        bool, typer.Option("--for-import", help="Enrol the gateway that imports of history use.")
    ] = False,
) -> None:
    """Register the gateway's public key, so that its batches are taken.

    Give the factory, or the code that `millpond db enrolment-code` printed at the city.

    Example: `millpond collector enrol gateway.toml --factory DEMO-FIBRE`
    """
    settings = config.load(file)
    if for_import:
        settings = import_gateway(settings)
    if factory is not None and code is None:
        key = enrolment.enrol(settings, factory)
    elif code is not None and factory is None:
        key = enrolment.enrol_by_code(settings, code)
    else:
        raise typer.BadParameter("give either --factory or --code")
    print(f"enrolled with the public key {key}")


@app.command()
def keys(
    kind: Annotated[
        str, typer.Argument(help="A kind of source, or gateway for the tables around them.")
    ] = "gateway",
    as_json: JsonOption = False,
) -> None:
    """List every key of a gateway file with its type, its default and its meaning.

    Example: `millpond collector keys modbus`
    """
    found = document.keys(kind)
    if as_json:
        print_json(found)
        return
    table = Table("table", "key", "type", "default", "meaning")
    for key in found:
        table.add_row(escape(key.table), key.name, key.type, escape(key.default), key.about)
    console.print(table)


@app.command()
def run(
    file: FileArgument,
    as_json: Annotated[bool, typer.Option("--json", help="Write the log as JSON lines.")] = False,
) -> None:
    """Run the gateway until Ctrl-C or SIGTERM; a changed file is taken over while it runs.

    Example: `millpond collector run gateway.toml`
    """
    settings = config.load(file)
    from collectors.__main__ import run_until_signalled

    logs.set_up(as_json=as_json)
    asyncio.run(run_until_signalled(settings, Supervisor().beat))


@app.command()
def status(file: FileArgument, as_json: JsonOption = False) -> None:
    """Show from the spool what waits, what left and what was lost, source by source.

    Example: `millpond collector status gateway.toml --json`
    """
    found = gateway_status.status(config.load(file))
    if as_json:
        print_json(found)
        return
    console.print(_counts(found))
    table = Table("source", "state", "since", "last good value", "reason")
    for each in found.sources:
        last = "-" if each.last_good is None else f"{each.last_good:%Y-%m-%d %H:%M:%S}"
        since = f"{each.since:%Y-%m-%d %H:%M:%S}"
        table.add_row(each.name, each.state, since, last, each.reason or "")
    console.print(table)


@app.command()
def resend(file: FileArgument) -> None:
    """Send again what the database had refused for good, after its reason was removed.

    Example: `millpond collector resend gateway.toml`
    """
    from collectors.resend import resend as put_back

    rows, records = put_back(config.load(file))
    print(f"{rows:,} rows and {records:,} records wait to be sent again")


def _counts(found: gateway_status.GatewayStatus) -> Table:
    table = Table(show_header=False, title=found.gateway, title_justify="left")
    for name in (
        *("backlog_rows", "backlog_records", "last_acknowledged_seq", "rows_sent", "records_sent"),
        *("dropped_rows", "dropped_records", "quarantined", "batches_aside", "spool_bytes"),
    ):
        table.add_row(name.replace("_", " "), f"{getattr(found, name):,}")
    if found.clock_ahead_s is not None:
        table.add_row("clock ahead of the city's", f"{found.clock_ahead_s:.1f} s")
    if found.unknown_tags:
        table.add_row("not in the plan", ", ".join(found.unknown_tags))
    return table
