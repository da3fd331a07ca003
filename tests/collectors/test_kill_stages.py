"""Killed between two steps: what the spool had is in the database once, whatever came between."""

import random
import signal
import sqlite3
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from asyncua import ua

from collectors.config.file import load
from collectors.gateway_status import status
from deploy.broker import EmbeddedBroker
from tests.collectors.plant import enrolled, prepare_database, rows_of, write_file
from tests.collectors.proxy import Proxy, proxied
from tests.collectors.publisher import Publisher
from tests.collectors.servers import OpcuaServer, loop_thread, node, opcua_server
from tests.collectors.test_kill import Ledger, gateway_process
from tests.support.ports import free_port
from tests.support.waiting import wait_for

ONE_SOURCE = "reading 1 sources"

MQTT = """
[[source]]
name = "business"
kind = "mqtt"
host = "127.0.0.1"
port = {port}
client_id = "gw-stages-{name}"
  [[source.tag]]
  tag = "numbers"
  topic = "stages/{name}"
  value = "n"
  ts = "at"
"""
OPCUA = """
[[source]]
name = "line1"
kind = "opcua"
url = "opc.tcp://127.0.0.1:{port}"
security = "none"
publish_ms = 50
  [[source.tag]]
  tag = "numbers"
  node = "{node}"
"""

Row = tuple[int, float]


def spooled(path: Path) -> set[Row]:
    """Return (µs, value) of every good row that a dead gateway's spool still has to send."""
    with closing(sqlite3.connect(path)) as conn:
        waiting = conn.execute("SELECT row_data FROM block").fetchall()
        cut = conn.execute("SELECT row_data FROM batch").fetchall()
    rows = [row for (data,) in waiting for row in struct.iter_unpack("<iqdi", data)]
    rows += [row for (data,) in cut for row in struct.iter_unpack(">iqdi", data)]
    return {(ts_us, value) for _, ts_us, value, _ in rows if value == value}


def stored(url: str) -> list[Row]:
    return [(ts_us, value) for _, ts_us, value, _ in rows_of(url) if value is not None]


@pytest.mark.parametrize("killed", [False, True], ids=["cut", "killed"])
def test_the_answer_to_a_commit_is_lost(
    tmp_path: Path, database_url: str, broker: EmbeddedBroker, killed: bool
) -> None:
    """The database has the batch and the gateway does not know: it sends the very same again."""
    name = "killed" if killed else "cut"
    prepare_database(database_url, ["numbers"])
    source = MQTT.format(port=broker.port, name=name)
    enrolled(write_file(tmp_path, source, database_url))

    def message(number: int) -> tuple[str, dict[str, object]]:
        at = datetime.now(UTC).replace(microsecond=0) + timedelta(microseconds=number)
        return f"stages/{name}", {"n": number, "at": at.isoformat()}

    with loop_thread() as loop, proxied(loop, database_url) as (proxy, url):
        path = write_file(tmp_path, source, url)
        config = load(path)
        proxy.up()
        log = tmp_path / "gateway.log"
        with gateway_process(path, log, ONE_SOURCE):
            wait_for(lambda: [s.state for s in status(config).sources] == ["up"], "the session")
        with Publisher(broker, message, per_second=300) as publisher:
            for turn in range(3):
                publisher.go_on(300)
                lose_an_answer(path, log, proxy, turn + 1, killed)
        published = publisher.acknowledged()
        with gateway_process(path, log, ONE_SOURCE):
            wait_for(lambda: len(stored(database_url)) >= published, "all", timeout_s=60)
    assert sorted(value for _, value in stored(database_url)) == list(range(1, published + 1))
    Ledger(database_url).check_chain()


def lose_an_answer(path: Path, log: Path, proxy: Proxy, turn: int, killed: bool) -> None:
    """Start the gateway, withhold the answer to a COMMIT, and kill it, or let it find out."""
    config = load(path)
    # Before it starts: on a busy machine all may be sent before anybody looks.
    before = status(config).rows_sent
    proxy.withhold_answer_to(b"COMMIT")
    with gateway_process(path, log, ONE_SOURCE) as process:
        wait_for(lambda: proxy.withheld >= turn, "a lost answer", timeout_s=60)
        proxy.withhold_answer_to(None)
        if killed:
            process.send_signal(signal.SIGKILL)
            process.wait(30)
        else:
            wait_for(lambda: status(config).rows_sent > before, "rows", timeout_s=60)


def run_until_killed(path: Path, log: Path, url: str, after_s: float) -> None:
    """Run the gateway until new rows are in the database and a little longer, and kill it."""
    sent = len(stored(url))
    with gateway_process(path, log, ONE_SOURCE) as process:
        wait_for(lambda: len(stored(url)) > sent, "rows", timeout_s=60)
        time.sleep(after_s)
        process.send_signal(signal.SIGKILL)
        process.wait(30)


@contextmanager
def counting(server: OpcuaServer) -> Iterator[None]:
    """Count a node up every 10 ms for the length of the block."""
    stop = threading.Event()

    def work() -> None:
        number = 0
        while not stop.wait(0.01):
            number += 1
            server.write("X", ua.Variant(float(number)))

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(30)


def test_an_opcua_gateway_killed_at_any_moment_keeps_what_its_spool_had(
    tmp_path: Path, database_url: str
) -> None:
    port = free_port()
    prepare_database(database_url, ["numbers"])
    path = write_file(tmp_path, OPCUA.format(port=port, node=node("X")), database_url)
    config = enrolled(path)
    moments = random.Random(20260302)
    log = tmp_path / "gateway.log"
    kept: set[Row] = set()
    with loop_thread() as loop, opcua_server(loop, port, {"X": ua.Variant(0.0)}) as server:
        with counting(server):
            for _ in range(6):
                run_until_killed(path, log, database_url, moments.uniform(0.0, 0.4))
                kept |= spooled(config.spool_path)
        with gateway_process(path, log, ONE_SOURCE) as process:
            wait_for(lambda: kept <= set(stored(database_url)), "what the spools had")
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 0
    assert kept
    ledger = Ledger(database_url)
    # After each restart the server says its current value again, which is there already.
    assert ledger.all("SELECT * FROM telemetry.conflict") == []
    assert ledger.all("SELECT * FROM telemetry.finding") == []
    numbers = [seq for (seq,) in ledger.all("SELECT seq FROM telemetry.batch ORDER BY seq")]
    assert numbers == list(range(1, len(numbers) + 1))
    assert status(config).backlog_rows == 0
