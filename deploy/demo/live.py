"""The live part of the demo: simulated plants and one gateway each, as processes of their own."""

import json
import signal
import sys
import time
from collections.abc import Iterator, Sequence
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
def simulator(scenario: str, as_of: datetime, mqtt_port: int, home: Path) -> Iterator[Child]:
    """Run the servers of a simulated plant for the length of the block; they start meanwhile."""
    with _running("simulator", _simulator(scenario, as_of, mqtt_port), home) as child:
        yield child


@contextmanager
def gateway(
    scenario: str, servers: Child, mqtt_port: int, database_url: str, home: Path
) -> Iterator[Child]:
    """Run the gateway that reads a simulated plant, as soon as its servers are ready."""
    servers.wait_until(lambda: _ports(servers) is not None, _READY_S)
    ports = _ports(servers)
    assert ports is not None
    # What the gateway reads is the same at any time.
    plant = simulators.plant.build(simulators.scenarios.load(scenario), utc_now())
    file = home / "gateway" / "gateway.toml"
    file.parent.mkdir(parents=True, exist_ok=True)
    write_private(file, plant.gateway_toml(*ports, mqtt_port, database_url=database_url), None)
    enrol(config.load(file), plant.scenario.factory.code)
    command = [sys.executable, "-m", "collectors", str(file)]
    with _running("gateway", command, home) as child:
        yield child


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


def _ports(servers: Child) -> tuple[int, int] | None:
    """Return the OPC UA and the Modbus port once the simulator has told them."""
    for line in servers.log_path.read_text(errors="replace").splitlines():
        if line.startswith('{"ready"'):
            ready = json.loads(line)
            return ready["opcua_port"], ready["modbus_port"]
    return None


def wait_for_live(
    url: str, since: datetime, children: Sequence[Child], timeout_s: float = _READY_S
) -> int:
    """Wait until every tag has a good row newer than `since`; return how many tags there are.

    Raises StartFailed with the tags that stay silent, or with the child that ended.
    """
    deadline = time.monotonic() + timeout_s
    with closing(store.connect(url)) as conn:
        tags = _tags(conn)
        while silent := tags - _fresh(conn, since):
            for child in children:
                if not child.is_running:
                    raise StartFailed(f"{child.name} ended: {child.last_line()}")
            if time.monotonic() > deadline:
                names = ", ".join(sorted(name for _, name in silent)[:5])
                logs = ", ".join(str(child.log_path) for child in children)
                raise StartFailed(f"no live data from {names} (logs: {logs})")
            time.sleep(_POLL_S)
        return len(tags)


def _tags(conn: store.Connection) -> set[tuple[str, str]]:
    return {
        (factory.code, tag.name)
        for factory in registry.factories(conn)
        for tag in registry.monitoring_plan(conn, factory).tags
    }


def _fresh(conn: store.Connection, since: datetime) -> set[tuple[str, str]]:
    return {
        (factory.code, row.name)
        for factory in registry.factories(conn)
        for row in measurements.newest(conn, factory.factory_id)
        if row.ts > since and row.value is not None
    }


def utc_now() -> datetime:
    """Return the present time to the second, in UTC."""
    return datetime.now(UTC).replace(microsecond=0)
