"""The live part of the demo: simulated plants and one gateway each, as processes of their own."""

import json
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import simulators.plant
import simulators.scenarios
import store
from collectors import config
from collectors.enrolment import enrol
from deploy.children import Child
from deploy.errors import StartFailed
from deploy.places import write_private
from store import measurements, registry

_READY_S = 60.0
_POLL_S = 0.25


@contextmanager
def live_plant(
    scenario: str, as_of: datetime, mqtt_port: int, database_url: str, home: Path
) -> Iterator[None]:
    """Run a simulated plant and the gateway that reads it, for the length of the block."""
    plant = simulators.plant.build(simulators.scenarios.load(scenario), as_of)
    with _running("simulator", _simulator(scenario, as_of, mqtt_port), home) as simulator:
        simulator.wait_until(lambda: _ports(simulator) is not None, _READY_S)
        ports = _ports(simulator)
        assert ports is not None
        text = plant.gateway_toml(*ports, mqtt_port, database_url=database_url)
        file = home / "gateway" / "gateway.toml"
        file.parent.mkdir(parents=True, exist_ok=True)
        write_private(file, text, None)
        enrol(config.load(file), plant.plan()["factory"]["code"])
        with _running("gateway", [sys.executable, "-m", "collectors", str(file)], home):
            yield


def _simulator(scenario: str, as_of: datetime, mqtt_port: int) -> list[str]:
    return [
        *(sys.executable, "-m", "simulators.serve"),
        *("--scenario", scenario),
        *("--as-of", as_of.isoformat()),
        *("--mqtt-port", str(mqtt_port)),
    ]


@contextmanager
def _running(name: str, command: list[str], home: Path) -> Iterator[Child]:
    folder = home / name
    folder.mkdir(parents=True, exist_ok=True)
    child = Child(
        f"the {home.name} {name}",
        command,
        account=None,
        folder=folder,
        stop_signal=signal.SIGTERM,
    )
    try:
        yield child
    finally:
        child.stop(timeout_s=15.0)


def _ports(simulator: Child) -> tuple[int, int] | None:
    """Return the OPC UA and the Modbus port once the simulator has told them."""
    for line in simulator.log_path.read_text(errors="replace").splitlines():
        if line.startswith('{"ready"'):
            ready = json.loads(line)
            return ready["opcua_port"], ready["modbus_port"]
    return None


def wait_for_live(url: str, since: datetime, timeout_s: float = _READY_S) -> dict[str, int]:
    """Wait until every tag of every factory has a row newer than `since`; return how many each.

    Raises StartFailed with the tags that stay silent.
    """
    deadline = time.monotonic() + timeout_s
    with closing(store.connect(url)) as conn:
        while True:
            silent = silent_tags(conn, since)
            if not any(silent.values()):
                return {
                    factory.code: len(measurements.newest(conn, factory.factory_id))
                    for factory in registry.factories(conn)
                }
            if time.monotonic() > deadline:
                first = next(names for names in silent.values() if names)
                raise StartFailed(f"no live data from {', '.join(first[:5])}; see the gateway log")
            time.sleep(_POLL_S)


def silent_tags(conn: store.Connection, since: datetime) -> dict[str, list[str]]:
    """Return by factory the tags whose newest row is not newer than a time."""
    return {
        factory.code: [
            row.name for row in measurements.newest(conn, factory.factory_id) if row.ts <= since
        ]
        for factory in registry.factories(conn)
    }


def utc_now() -> datetime:
    """Return the present time to the second, in UTC."""
    return datetime.now(UTC).replace(microsecond=0)
