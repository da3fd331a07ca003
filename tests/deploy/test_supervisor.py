"""Whoever started a service hears when it is ready and that it lives, as sd_notify(3) says."""

import os
import select
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.supervisor import Supervisor
from tests.collectors.plant import enrolled, meter_source, prepare_database, write_file
from tests.deploy.command import millpond
from tests.deploy.demo_run import MILLPOND, watched
from tests.support.ports import free_port

DEADLINE_S = 60.0


@pytest.fixture
def manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """The socket at which a service manager listens."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "notify"))
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        yield listener


def _heard(manager: socket.socket) -> list[str]:
    assert select.select([manager], [], [], DEADLINE_S)[0], "nothing was told"
    return manager.recv(4096).decode().split("\n")


def test_a_gateway_tells_when_its_sources_are_read_and_that_it_goes_on(
    manager: socket.socket, database_url: str, tmp_path: Path
) -> None:
    prepare_database(database_url, ["EM01.energy"])
    file = write_file(tmp_path, meter_source(port=free_port(), timeout_s=0.3), database_url)
    enrolled(file)
    with watched([str(MILLPOND), "collector", "run", str(file)], tmp_path / "output") as running:
        assert _heard(manager) == ["READY=1", "WATCHDOG=1"]
        assert _heard(manager) == ["WATCHDOG=1"]
        running.process.terminate()
        assert running.wait_until_all_ended() == 0, running.said()


def test_the_pages_tell_that_they_answer_and_say_so_when_asked(
    manager: socket.socket, database_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    port = free_port()
    asking = ("api", "health", "--url", f"http://127.0.0.1:{port}")
    said = millpond(capsys, *asking)
    assert (said.code, "does not answer" in said.line) == (1, True)
    words = ["api", "serve", "--port", str(port), "--database", database_url]
    with watched([str(MILLPOND), *words], tmp_path / "output") as running:
        assert _heard(manager) == ["READY=1", "WATCHDOG=1"]
        assert _heard(manager) == ["WATCHDOG=1"]
        said = millpond(capsys, *asking)
        assert (said.code, said.out) == (0, f"http://127.0.0.1:{port} works\n")
        running.process.terminate()
        assert running.wait_until_all_ended() == 0, running.said()


def test_nobody_is_told_where_nobody_asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for address in ("", "elsewhere", str(tmp_path / "gone")):
        monkeypatch.setitem(os.environ, "NOTIFY_SOCKET", address)
        Supervisor().beat()
