"""One source that fails: the others go on, and the log has one line for it and one for its end."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from collectors.backoff import Backoff
from collectors.gateway_status import status
from collectors.status import BAD_NO_COMMUNICATION, GOOD
from tests.collectors.plant import enrolled, prepare_database, rows_of, running, write_file
from tests.collectors.servers import LoopThread, ModbusServer, loop_thread, modbus_server
from tests.support.ports import free_port
from tests.support.waiting import wait_for


@pytest.fixture
def loop() -> Iterator[LoopThread]:
    with loop_thread() as opened:
        yield opened


def modbus_source(name: str, port: int) -> str:
    return f"""
[[source]]
name = "{name}"
kind = "modbus"
host = "127.0.0.1"
port = {port}
poll_s = 0.1
timeout_s = 5
  [[source.tag]]
  tag = "{name}.x"
  address = 7
  type = "uint16"
"""


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [
        record.getMessage()
        for record in caplog.records
        if record.name == "collectors.source" and record.levelno >= logging.WARNING
    ]


def test_a_source_that_is_down_stops_nobody(
    tmp_path: Path, database_url: str, loop: LoopThread, caplog: pytest.LogCaptureFixture
) -> None:
    good_port, late_port = free_port(), free_port()
    prepare_database(database_url, ["good.x", "late.x"])
    sources = modbus_source("good", good_port) + modbus_source("late", late_port)
    config = enrolled(write_file(tmp_path, sources, database_url))
    late = ModbusServer(loop, late_port, (1,))

    def states() -> dict[str, str]:
        return {one.name: one.state for one in status(config).sources}

    def rows(tag: str) -> list[tuple[float | None, int]]:
        return [row[2:] for row in rows_of(database_url) if row[0] == tag]

    with modbus_server(loop, good_port) as good, running(config):
        wait_for(lambda: states() == {"good": "up", "late": "down"}, "one up and one down")
        wait_for(lambda: rows("late.x") == [(None, BAD_NO_COMMUNICATION)], "the bad row")
        late.start()
        wait_for(lambda: states() == {"good": "up", "late": "up"}, "both up", timeout_s=40)
        wait_for(lambda: (7.0, GOOD) in rows("late.x"), "a good row")
        good.registers[7] = 8
        late.stop()
        wait_for(lambda: states()["late"] == "down", "one down again")
        wait_for(lambda: (8.0, GOOD) in rows("good.x"), "the change at the other")
    assert rows("late.x") == [
        (None, BAD_NO_COMMUNICATION),
        (7.0, GOOD),
        (None, BAD_NO_COMMUNICATION),
    ]
    told = lines(caplog)
    assert len(told) == 3
    assert told[0].startswith(
        f"source late failed: no Modbus device answers at 127.0.0.1:{late_port}"
    )
    assert told[1] == "source late is back"
    assert told[2].startswith("source late failed: ")


def test_waiting_grows_to_its_bound_and_starts_anew() -> None:
    backoff = Backoff(1.0, 30.0)
    delays = [backoff.next_s() for _ in range(12)]
    for delay_s, most_s in zip(delays, [1, 2, 4, 8, 16] + [30] * 7, strict=True):
        assert most_s / 2 <= delay_s <= most_s
    backoff.reset()
    assert backoff.next_s() <= 1.0
