"""Verbs that run until they are told to stop: SIGTERM and Ctrl-C end them in order."""

import json
import signal
from pathlib import Path

import httpx
import pytest

from deploy.broker import EmbeddedBroker
from deploy.ports import LOOPBACK
from tests.collectors.plant import enrolled, meter_source, prepare_database, write_file
from tests.deploy.command import millpond
from tests.deploy.demo_run import MILLPOND, Watched, watched
from tests.support.ports import free_port
from tests.support.waiting import wait_for

DEADLINE_S = 60.0


def _stop(running: Watched, number: signal.Signals) -> None:
    running.process.send_signal(number)
    assert running.wait_until_all_ended() == 0, running.said()
    assert "Traceback" not in running.said()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_pages(number: signal.Signals, database_url: str, tmp_path: Path) -> None:
    port = free_port()
    words = ["api", "serve", "--port", str(port), "--database", database_url]
    with watched([str(MILLPOND), *words], tmp_path / "output") as running:
        wait_for(lambda: _answers(port), "the first page", DEADLINE_S)
        _stop(running, number)


def _answers(port: int) -> bool:
    try:
        return httpx.get(f"http://{LOOPBACK}:{port}/login", timeout=30).status_code == 200
    except httpx.ConnectError:
        return False


def test_a_simulated_plant(broker: EmbeddedBroker, tmp_path: Path) -> None:
    words = ["simulate", "serve", "fibre", "--mqtt-port", str(broker.port)]
    with watched([str(MILLPOND), *words], tmp_path / "output") as running:
        running.wait_for_text("}\n", DEADLINE_S)
        ready = json.loads(running.said())
        assert ready["opcua_port"] != ready["modbus_port"]
        _stop(running, signal.SIGTERM)


def test_a_gateway_and_its_status_afterwards(
    database_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    prepare_database(database_url, ["EM01.energy"])
    file = write_file(tmp_path, meter_source(port=free_port(), timeout_s=0.3), database_url)
    enrolled(file)
    with watched([str(MILLPOND), "collector", "run", str(file)], tmp_path / "output") as running:
        running.wait_for_text("meters", DEADLINE_S)
        _stop(running, signal.SIGINT)
    said = millpond(capsys, "collector", "status", file, "--json")
    found = json.loads(said.out)
    assert (said.code, found["gateway"]) == (0, "gw-test")
    (source,) = found["sources"]
    assert (source["name"], source["state"]) == ("meters", "down")
    shown = millpond(capsys, "collector", "status", file).out
    assert "meters" in shown
    assert source["reason"].split()[0] in shown
