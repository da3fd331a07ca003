"""The live part of the demo: simulated plants and one gateway each, as processes of their own."""

import json
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import simulators.plant
import simulators.scenarios
import store
from collectors.config import file as config
from collectors.enrolment import enrol
from deploy.children import Child
from deploy.errors import StartFailed
from deploy.places import write_private
from store import measurements, registry

_READY_S = 60.0
# Of registers too: whoever looks at a demo wants to see within a moment that all of it lives.
_HEARTBEAT_S = 15
_STOP_S = 15.0
_POLL_S = 0.25


@contextmanager
def live_plants(
    scenarios: Sequence[str], as_of: datetime, mqtt_port: int, database_url: str, home: Path
) -> Iterator[list[Child]]:
    """Run simulated plants and a gateway for each, for the length of the block."""
    servers: list[Child] = []
    gateways: list[Child] = []
    with _stopped_at_the_end(servers), _stopped_at_the_end(gateways):
        for name in scenarios:
            command = _simulator(name, as_of, mqtt_port)
            servers.append(_start("simulator", command, home / name))
        for name, server in zip(scenarios, servers, strict=True):
            file = _enrolled_gateway(name, server, mqtt_port, database_url, home / name)
            command = [sys.executable, "-m", "collectors", str(file)]
            gateways.append(_start("gateway", command, home / name))
        yield [*servers, *gateways]


@contextmanager
def _stopped_at_the_end(children: list[Child]) -> Iterator[None]:
    try:
        yield
    finally:
        with ThreadPoolExecutor(max(1, len(children))) as pool:
            list(pool.map(partial(Child.stop, timeout_s=_STOP_S), children))


def _start(name: str, command: list[str], home: Path) -> Child:
    folder = home / name
    folder.mkdir(parents=True, exist_ok=True)
    return Child(
        f"the {home.name} {name}",
        command,
        account=None,
        folder=folder,
        stop_signal=signal.SIGTERM,
    )


def _simulator(scenario: str, as_of: datetime, mqtt_port: int) -> list[str]:
    return [
        *(sys.executable, "-m", "simulators.serve"),
        *("--scenario", scenario),
        *("--as-of", as_of.isoformat()),
        *("--mqtt-port", str(mqtt_port)),
    ]


def _enrolled_gateway(
    scenario: str, server: Child, mqtt_port: int, database_url: str, home: Path
) -> Path:
    """Write the file of the gateway that reads a plant, make it known, and return the path."""
    # The tags are the same at any time.
    plant = simulators.plant.build(simulators.scenarios.load(scenario), utc_now())
    text = plant.gateway_toml(
        *_awaited_ports(server),
        mqtt_port,
        database_url=database_url,
        heartbeat_s=_HEARTBEAT_S,
    )
    file = home / "gateway" / "gateway.toml"
    file.parent.mkdir(parents=True, exist_ok=True)
    write_private(file, text, None)
    enrol(config.load(file), plant.scenario.factory.code)
    return file


def _awaited_ports(server: Child) -> tuple[int, int]:
    """Return the OPC UA and the Modbus port as soon as the simulator has told them."""
    server.wait_until(lambda: _ports(server) is not None, _READY_S)
    ports = _ports(server)
    assert ports is not None
    return ports


def _ports(server: Child) -> tuple[int, int] | None:
    for line in server.log_path.read_text(errors="replace").splitlines(keepends=True):
        if line.startswith('{"ready"') and line.endswith("\n"):
            ready = json.loads(line)
            return ready["opcua_port"], ready["modbus_port"]
    return None


def wait_for_live(
    url: str,
    since: datetime,
    children: Sequence[Child],
    timeout_s: float = _READY_S,
    progress: Callable[[int, int], None] | None = None,
) -> int:
    """Wait until every tag has a good row newer than `since`; return how many tags there are.

    Progress is told how many have, of how many.
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
            if progress is not None:
                progress(len(tags) - len(silent), len(tags))
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
