"""A gateway killed at any moment loses nothing that was acknowledged and counts nothing twice."""

import hashlib
import json
import random
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import store
from collectors.gateway_status import status
from deploy.broker import EmbeddedBroker
from store.signing import verify
from tests.collectors.plant import enrolled, prepare_database, write_file
from tests.collectors.publisher import Publisher
from tests.collectors.servers import loop_thread, modbus_server
from tests.support.ports import free_port
from tests.support.waiting import wait_for

KILLS = 12
PER_SECOND, LONGEST_S = 800, 0.8
# While the gateway is away, and as long as it may live.
AWAY, ALIVE = 200, int(PER_SECOND * LONGEST_S)
FIRST = datetime(2026, 3, 1, tzinfo=UTC)
READY = "reading 2 sources"


@contextmanager
def gateway_process(
    path: Path, log: Path, ready: str = READY
) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a gateway as a process of its own; it is killed at the end if it still runs."""
    with log.open("wb") as errors:
        process = subprocess.Popen([sys.executable, "-m", "collectors", str(path)], stderr=errors)
    try:
        wait_for(lambda: ready in log.read_text(), "the gateway's start", timeout_s=60)
        yield process
    finally:
        process.kill()
        process.wait(30)


def number_message(number: int) -> tuple[str, dict[str, Any]]:
    """Return a numbered message: every fifth is a record, the others are values."""
    if number % 5 == 0:
        key = f"R{number:06}"
        body = {"id": key, "line": key, "quantity": 1, "due": "2026-03-10", "n": number}
        return "kill/record", body
    at = FIRST + timedelta(milliseconds=number)
    return "kill/value", {"n": number, "at": at.isoformat()}


def gateway_sources(broker: EmbeddedBroker, modbus_port: int) -> str:
    return f"""
[[source]]
name = "business"
kind = "mqtt"
host = "127.0.0.1"
port = {broker.port}
client_id = "gw-kill-{modbus_port}"
  [[source.tag]]
  tag = "numbers"
  topic = "kill/value"
  value = "n"
  ts = "at"
  [[source.record]]
  topic = "kill/record"
  kind = "order_line"
  key = "id"
  at = "due"
[[source]]
name = "meters"
kind = "modbus"
host = "127.0.0.1"
port = {modbus_port}
poll_s = 0.05
  [[source.tag]]
  tag = "meter"
  address = 7
  type = "uint16"
"""


def test_killed_at_any_moment(tmp_path: Path, database_url: str, broker: EmbeddedBroker) -> None:
    port = free_port()
    prepare_database(database_url, ["numbers", "meter"])
    path = write_file(tmp_path, gateway_sources(broker, port), database_url)
    path.write_text(path.read_text().replace("batch_seconds = 0.1", "batch_seconds = 0.05"))
    config = enrolled(path)
    moments = random.Random(20260301)
    log = tmp_path / "gateway.log"
    with loop_thread() as loop, modbus_server(loop, port) as meter:
        with gateway_process(path, log):
            # The broker keeps messages for a session only once it knows the session.
            wait_for(lambda: [s.state for s in status(config).sources] == ["up"] * 2, "both up")
        with Publisher(broker, number_message, PER_SECOND) as publisher:
            for kill in range(KILLS):
                publisher.go_on(AWAY)
                with gateway_process(path, log) as process:
                    publisher.go_on(ALIVE)
                    meter.registers[7] = kill
                    time.sleep(moments.uniform(0.0, LONGEST_S))
                    process.send_signal(signal.SIGKILL)
                    process.wait(30)
        published = publisher.acknowledged()
        with gateway_process(path, log) as process:
            ledger = Ledger(database_url)
            wait_for(lambda: ledger.size() >= published, f"{published} messages", timeout_s=60)
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 0
    assert published > KILLS * 100
    ledger.check_numbers(published)
    ledger.check_chain()
    assert status(config).dropped_rows == 0


@dataclass(frozen=True, slots=True)
class Ledger:
    """What is in the database, checked by means of its own."""

    url: str

    def all(self, query: str) -> list[tuple[Any, ...]]:
        with closing(store.connect(self.url)) as conn:
            return conn.execute(query.encode()).fetchall()

    def size(self) -> int:
        (row,) = self.all(
            "SELECT (SELECT count(*) FROM telemetry.measurement JOIN registry.tag USING (tag_id) "
            "WHERE name = 'numbers') + (SELECT count(*) FROM telemetry.record)"
        )
        return int(row[0])

    def check_numbers(self, published: int) -> None:
        values = self.all(
            "SELECT ts, value, status FROM telemetry.measurement JOIN registry.tag USING (tag_id) "
            "WHERE name = 'numbers' AND value IS NOT NULL ORDER BY ts"
        )
        numbers = [number for number in range(1, published + 1) if number % 5]
        expected = [(FIRST + timedelta(milliseconds=n), float(n), 0) for n in numbers]
        assert values == expected
        records = self.all("SELECT key, version, body ->> 'n' FROM telemetry.record ORDER BY key")
        numbers = [number for number in range(1, published + 1) if number % 5 == 0]
        assert records == [(f"R{n:06}", 1, str(n)) for n in numbers]

    def check_chain(self) -> None:
        """Recompute hashes from the rows, with no help from the code that made them.

        Rows that a broker gave again after a kill are in the database once, with the batch that
        had them first; the hash of the later batch cannot be recomputed from the rows then.
        """
        absorbed = {batch for (batch,) in self.all("SELECT batch_id FROM telemetry.absorbed")}
        assert self.all("SELECT * FROM telemetry.conflict") == []
        assert self.all("SELECT * FROM telemetry.finding") == []
        ((public_key,),) = self.all("SELECT public_key FROM registry.gateway")
        batches = self.all(
            "SELECT seq, batch_id, prev_sha256, sha256, signature FROM telemetry.batch ORDER BY seq"
        )
        assert [batch[0] for batch in batches] == list(range(1, len(batches) + 1))
        assert len(absorbed) < len(batches)
        rows, records = self.rows_by_batch(), self.records_by_batch()
        before = bytes(32)
        for _, batch_id, prev, sha256, signature in batches:
            assert prev == before
            data = rows.get(batch_id, b"") + records.get(batch_id, b"")
            if batch_id not in absorbed:
                assert sha256 == hashlib.sha256(before + data).digest()
            before = sha256
            assert verify(public_key, sha256, signature)

    def rows_by_batch(self) -> dict[int, bytes]:
        packed: dict[int, bytes] = {}
        for batch_id, *row in self.all(
            "SELECT batch_id, tag_id, (extract(epoch FROM ts) * 1000000)::int8, "
            "coalesce(value, 'NaN'), status FROM telemetry.measurement ORDER BY 1, 2, 3"
        ):
            packed[batch_id] = packed.get(batch_id, b"") + struct.pack(">iqdi", *row)
        return packed

    def records_by_batch(self) -> dict[int, bytes]:
        packed: dict[int, bytes] = {}
        for batch_id, kind, key, body in self.all(
            "SELECT batch_id, kind, key, body FROM telemetry.record ORDER BY 1, 2, 3"
        ):
            # 2026-03-10, midnight in Shanghai.
            fields = [kind, key, "2026-03-09T16:00:00+00:00", body]
            text = json.dumps(fields, sort_keys=True, separators=(",", ":")).encode()
            packed[batch_id] = packed.get(batch_id, b"") + struct.pack(">I", len(text)) + text
        return packed
