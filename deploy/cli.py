"""The `millpond` command: groups of verbs, each failure one plain line and a non-zero exit."""

import io
import sys
from collections.abc import Iterator, Sequence

import typer

from api.errors import ApiError
from collectors.errors import CollectorError
from deploy.commands import api as api_commands
from deploy.commands import collector, database, kpi, pool, simulate
from deploy.commands.demo import demo
from deploy.errors import DeployError
from kpi.errors import KpiError
from simulators.errors import SimulatorError
from store.errors import StoreError

_FAILURES = (StoreError, CollectorError, KpiError, ApiError, DeployError, SimulatorError, OSError)

app = typer.Typer(
    name="millpond",
    help="Verifies what factories promised on entering the pool. 智能工厂培育库指标核验",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("demo")(demo)
app.add_typer(database.app, name="db", help="The database: schema and monitoring plans.")
app.add_typer(collector.app, name="collector", help="A gateway in the plant.")
app.add_typer(kpi.app, name="kpi", help="Facts, figures and verdicts.")
app.add_typer(pool.app, name="pool", help="The pool: entry lists and the rules of its follow-up.")
app.add_typer(api_commands.app, name="api", help="Pages and REST interface.")
app.add_typer(simulate.app, name="simulate", help="Simulated plants.")


def main() -> None:
    """Run the command and end the process with its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # Names are Chinese; a terminal that cannot show them still gets the figures.
            stream.reconfigure(errors="replace")
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run the command and return its exit code: 1 after a failure, 2 for words it cannot read.

    An error that has a name becomes plain lines on standard error, one for each thing wrong.
    """
    try:
        return int(app(arguments, prog_name="millpond", standalone_mode=False) or 0)
    except typer.TyperException as error:
        lines, code = _usage(error), error.exit_code
    except _FAILURES as error:
        lines, code = _said(error), 1
    for line in lines:
        print(f"millpond: {line}", file=sys.stderr)
    return code


def _said(error: Exception) -> Iterator[str]:
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        yield f"{error.filename}: {error.strerror}"
    else:
        yield from str(error).splitlines() or [type(error).__name__]


def _usage(error: typer.TyperException) -> Iterator[str]:
    text = " ".join(error.format_message().split())
    if text:  # a group without a verb has shown its help and has nothing more to say
        context = getattr(error, "ctx", None)
        path = context.command_path if context else "millpond"
        yield f"{text.rstrip('.')}; see `{path} --help`"
