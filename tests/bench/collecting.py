"""The collector against the least that anybody could do with the same feed.

The gateway is a process as in a plant, with its spool on this disk; a feed is another process,
the bare way a third. Compared are the seconds of CPU of the collecting process alone: what broker,
server and database need is not its doing.
"""

import secrets
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import store
from collectors.config.file import GatewayConfig, load
from collectors.errors import SpoolError
from collectors.gateway_status import GatewayStatus, status
from deploy.broker import EmbeddedBroker
from deploy.ports import free_port
from tests.bench.feeds import MACHINES, NAMESPACE
from tests.bench.processes import cpu_s, gateway, role, rss_mb, until
from tests.bench.ratio import Ratio
from tests.collectors.plant import enrolled, prepare_database, write_file
from tests.support.database import cloned_database, scratch_home

_VALUES = 50
_REPEATS = 3
_MQTT_PER_SECOND, _MQTT_SECONDS = 500, 8.0
_OPCUA_NODES, _OPCUA_PER_SECOND, _OPCUA_SECONDS = 1000, 3000, 8.0
_MANY_TAGS = 10_000
_MOST_MB = 150.0

MQTT = """
[[source]]
name = "bench"
kind = "mqtt"
host = "127.0.0.1"
port = {port}
client_id = "{client}"
  [[source.template]]
  topic = "bench/{{machine}}/values"
  tag = "{{machine}}.{{key}}"
  value = "data.*"
  ts = "t"
  ts_unit = "ms"
"""
OPCUA = """
[[source]]
name = "bench"
kind = "opcua"
url = "opc.tcp://127.0.0.1:{port}"
security = "none"
publish_ms = {publish_ms}
{tags}
"""


def mqtt_source(port: int) -> str:
    """Return a source with every message of the MQTT feed, in a session that nobody had before."""
    return MQTT.format(port=port, client=f"gw-bench-{secrets.token_hex(4)}")


def mqtt_tags() -> list[str]:
    """Return the tags that the MQTT feed fills."""
    return [f"m{machine:02}.v{place:02}" for machine in range(MACHINES) for place in range(_VALUES)]


def opcua_source(port: int, nodes: int, publish_ms: int = 100) -> str:
    """Return a source with every node of the OPC UA feed."""
    tags = "".join(
        f'  [[source.tag]]\n  tag = "v{n}"\n  node = "nsu={NAMESPACE};s=v{n}"\n'
        for n in range(nodes)
    )
    return OPCUA.format(port=port, publish_ms=publish_ms, tags=tags)


def rows_in(url: str) -> int:
    """Return how many rows a database has."""
    with closing(store.connect(url)) as conn:
        row = conn.execute("SELECT count(*) FROM telemetry.measurement").fetchone()
        return 0 if row is None else int(row[0])


def state(config: GatewayConfig) -> GatewayStatus | None:
    """Return the state of a gateway, or None before its first word."""
    try:
        return status(config)
    except SpoolError:
        return None


def is_up(config: GatewayConfig) -> bool:
    """Tell whether all sources of a gateway are read."""
    found = state(config)
    return found is not None and [one.state for one in found.sources] == ["up"]


def prepared(folder: Path, url: str, source: str, tags: list[str]) -> GatewayConfig:
    """Return a gateway file with a source, enrolled in a database that has the tags."""
    prepare_database(url, tags)
    path = write_file(folder, source, url)
    # The default, as in a plant; tests do not wait that long.
    text = path.read_text(encoding="utf-8").replace("batch_seconds = 0.1", "batch_seconds = 1.0")
    path.write_text(text, encoding="utf-8")
    return enrolled(path)


def measure(server_url: str) -> Iterator[Ratio]:
    """Measure each feed a few times, ours and the bare way in turns."""
    with ExitStack() as opened:
        broker = EmbeddedBroker(scratch_home("bench"))
        opened.callback(broker.remove)
        broker.start()
        pairs = [_mqtt_once(server_url, broker.port) for _ in range(_REPEATS)]
    points = int(_MQTT_PER_SECOND * _MQTT_SECONDS) * _VALUES
    yield Ratio(
        what=f"MQTT, {_VALUES} values a message, to the database: points a CPU second",
        against="bare paho callback that parses",
        target=0.40,
        values=tuple(bare_s / ours_s for ours_s, bare_s in pairs),
        note=f"{min(ours_s for ours_s, _ in pairs) / points * 1e6:.1f} µs a value",
    )
    pairs = [_opcua_once() for _ in range(_REPEATS)]
    points = int(_OPCUA_PER_SECOND * _OPCUA_SECONDS)
    yield Ratio(
        what="OPC UA subscription to spool: values a CPU second",
        against="bare asyncua handler",
        target=1 / 1.5,
        values=tuple(bare_s / ours_s for ours_s, bare_s in pairs),
        note=f"{min(ours_s for ours_s, _ in pairs) / points * 1e6:.1f} µs a value",
    )
    held_mb = _memory()
    yield Ratio(
        what=f"memory with {_MANY_TAGS:,} OPC UA tags",
        against=f"{_MOST_MB:.0f} MB",
        target=1.0,
        values=(_MOST_MB / held_mb,),
        note=f"{held_mb:.0f} MB",
    )


def _mqtt_once(server_url: str, port: int) -> tuple[float, float]:
    """Return the seconds of CPU that ours and the bare way need for the same messages."""
    feed = ("tests.bench.feeds", "mqtt", port, _MQTT_PER_SECOND, _MQTT_SECONDS, _VALUES)
    points = int(_MQTT_PER_SECOND * _MQTT_SECONDS) * _VALUES
    with tempfile.TemporaryDirectory() as folder, cloned_database(server_url) as url:
        config = prepared(Path(folder), url, mqtt_source(port), mqtt_tags())
        with gateway(config.path) as pid, role(*feed) as feeding:
            until(lambda: is_up(config), "the gateway")
            feeding.line()
            before_s = cpu_s(pid)
            feeding.go()
            feeding.line()
            until(lambda: rows_in(url) >= points, "all rows in the database")
            ours_s = cpu_s(pid) - before_s
    with role("tests.bench.bare", "mqtt", port, points, 0) as bare, role(*feed) as feeding:
        bare.line()
        feeding.line()
        feeding.go()
        return ours_s, float(bare.line())


def _opcua_once() -> tuple[float, float]:
    points = int(_OPCUA_PER_SECOND * _OPCUA_SECONDS)
    port = free_port()
    feed = ("tests.bench.feeds", "opcua", port, _OPCUA_PER_SECOND, _OPCUA_SECONDS, _OPCUA_NODES)
    with tempfile.TemporaryDirectory() as folder, role(*feed) as feeding:
        feeding.line()
        # No database answers: what is read stays in the spool.
        config = load(write_file(Path(folder), opcua_source(port, _OPCUA_NODES)))
        with gateway(config.path) as pid:
            until(lambda: _waiting(config) >= _OPCUA_NODES, "the first values")
            before_s = cpu_s(pid)
            feeding.go()
            until(lambda: _waiting(config) >= _OPCUA_NODES + points, "all values in the spool")
            ours_s = cpu_s(pid) - before_s
    with role(*feed) as feeding:
        feeding.line()
        with role("tests.bench.bare", "opcua", port, points, _OPCUA_NODES) as bare:
            bare.line()
            feeding.go()
            return ours_s, float(bare.line())


def _waiting(config: GatewayConfig) -> int:
    found = state(config)
    return 0 if found is None else found.backlog_rows


def _memory() -> float:
    """Return the MB of a gateway that has read each of many tags, and some thousand changes."""
    port = free_port()
    feed = ("tests.bench.feeds", "opcua", port, 2000, 10.0, _MANY_TAGS)
    with tempfile.TemporaryDirectory() as folder, role(*feed) as feeding:
        feeding.line()
        config = load(write_file(Path(folder), opcua_source(port, _MANY_TAGS, 500)))
        with gateway(config.path) as pid:
            until(lambda: _waiting(config) >= _MANY_TAGS, "the first values")
            feeding.go()
            until(lambda: _waiting(config) >= 3 * _MANY_TAGS, "changes of every tag")
            return rss_mb(pid)
