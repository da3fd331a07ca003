"""The `millpond` command: groups of verbs, each failure one plain line and a non-zero exit."""

import sys

import typer

from api.errors import ApiError
from collectors.errors import CollectorError
from deploy.commands import api as api_commands
from deploy.commands import collector, database, kpi, simulate
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
app.add_typer(api_commands.app, name="api", help="Pages and REST interface.")
app.add_typer(simulate.app, name="simulate", help="Simulated plants.")


def main() -> None:
    """Run the command; an error that has a name becomes one line on standard error."""
    try:
        app()
    except _FAILURES as error:
        print(f"millpond: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
