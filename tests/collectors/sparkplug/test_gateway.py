"""From an edge node to the database, through a restart of the gateway."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

import store
from collectors import status
from deploy.broker import EmbeddedBroker
from tests.collectors.plant import enrolled, prepare_database, rows_of, running, write_file
from tests.collectors.receiving import paho_threads
from tests.collectors.sparkplug.edge_node import (
    INT32,
    EdgeNode,
    metric,
    raw_int,
    say_nothing,
    time_ms,
)
from tests.support.waiting import wait_for

SOURCE = """
[[source]]
name = "edge"
kind = "sparkplug"
host = "127.0.0.1"
port = {port}
client_id = "test-gateway-sparkplug"
reorder_s = 0.2
  [[source.tag]]
  tag = "speed"
  group = "gateway"
  node = "N"
  device = "D"
  metric = "speed"
  scale = 0.5
  [[source.template]]
  tag = "{{node}}.{{metric}}"
  group = "gateway"
"""


@pytest.fixture(autouse=True)
def _no_thread_is_left() -> Iterator[None]:
    yield
    wait_for(lambda: paho_threads() == [], "the end of paho's threads")


def test_an_edge_node_s_values_reach_the_database_through_a_restart(
    broker: EmbeddedBroker, database_url: str, tmp_path: Path
) -> None:
    prepare_database(database_url, ["speed", "N.load"])
    config = enrolled(write_file(tmp_path, SOURCE.format(port=broker.port), database_url))

    def last() -> dict[str, tuple[float | None, int]]:
        return {tag: (value, code) for tag, _, value, code in rows_of(database_url)}

    def listens(run: int) -> bool:
        """Ask the broker to pass on a message of this run, which ends among what is refused."""
        marker = f"marker-{run}"
        say_nothing(broker.port, "gateway", marker)
        with closing(store.connect(database_url)) as connection:
            rows = connection.execute("SELECT reason FROM telemetry.quarantine").fetchall()
        return any(marker in reason for (reason,) in rows)

    def send(node: EdgeNode, value: int) -> None:
        data = metric(value=raw_int(value & 0xFFFF_FFFF), alias=1, ts_ms=time_ms())
        node.send("DDATA", [data], "D")

    with EdgeNode(broker.port, "gateway", "N") as node:
        with running(config):
            wait_for(lambda: listens(1), "the first run to listen")
            node.birth(metric("load", 7, INT32, ts_ms=time_ms()))
            node.send("DBIRTH", [metric("speed", -12, INT32, alias=1, ts_ms=time_ms())], "D")
            wait_for(
                lambda: last() == {"speed": (-6.0, status.GOOD), "N.load": (7.0, status.GOOD)},
                "the births' values",
            )
        with running(config):
            wait_for(lambda: listens(2), "the second run to listen")
            send(node, -14)
            wait_for(lambda: last()["speed"] == (-7.0, status.GOOD), "the value after the restart")
            node.die()
            lost = (None, status.BAD_NO_COMMUNICATION)
            wait_for(lambda: last() == {"speed": lost, "N.load": lost}, "the death")
