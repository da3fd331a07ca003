"""`millpond simulate`."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

import simulators.scenarios
from deploy.commands.common import print_json
from deploy.ports import require_free

if TYPE_CHECKING:
    from simulators.plant import Plant

app = typer.Typer(no_args_is_help=True)

ScenarioArgument = Annotated[str, typer.Argument(help="Name of the scenario.")]
PortOption = Annotated[int, typer.Option(help="0 takes a free port.", min=0, max=65535)]


@app.command()
def names() -> None:
    """List the scenarios.

    Example: `millpond simulate names`
    """
    for name in simulators.scenarios.names():
        print(name)


@app.command()
def plan(scenario: ScenarioArgument) -> None:
    """Print the monitoring plan of a scenario as of now, for `millpond db load-plan`.

    Example: `millpond simulate plan fibre > plan.json`
    """
    print_json(_plant(scenario).plan())


@app.command()
def truth(scenario: ScenarioArgument) -> None:
    """Print the true KPIs of a scenario as of now: baseline, after, and month by month.

    Example: `millpond simulate truth machining`
    """
    print_json(_plant(scenario).truth())


@app.command()
def serve(
    scenario: ScenarioArgument,
    mqtt_port: Annotated[
        int, typer.Option(help="Port of a broker on 127.0.0.1.", min=1, max=65535)
    ],
    opcua_port: PortOption = 0,
    modbus_port: PortOption = 0,
) -> None:
    """Serve a simulated plant over OPC UA, Modbus TCP and MQTT until Ctrl-C.

    Example: `millpond simulate serve machining --mqtt-port 1883`
    """
    simulators.scenarios.load(scenario)  # an unknown name is told in one line
    for port in (opcua_port, modbus_port):
        require_free(port)
    from simulators.serve import main  # slow to import, and no other verb needs it

    options = {
        "--scenario": scenario,
        "--as-of": datetime.now(UTC).isoformat(),
        "--mqtt-port": str(mqtt_port),
        "--opcua-port": str(opcua_port),
        "--modbus-port": str(modbus_port),
    }
    raise typer.Exit(main([word for pair in options.items() for word in pair]))


def _plant(scenario: str) -> "Plant":
    from simulators.plant import build  # slow to import

    return build(simulators.scenarios.load(scenario), datetime.now(UTC))
