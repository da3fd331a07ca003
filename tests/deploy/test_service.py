"""What holds for the embedded database and the embedded broker alike."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import deploy.ports
from deploy.broker import EmbeddedBroker
from deploy.embedded import EmbeddedPostgres
from deploy.errors import AlreadyRunning
from deploy.service import Service
from tests.deploy.conftest import copied
from tests.support.database import scratch_home
from tests.support.processes import is_alive, listening_addresses, owner_of
from tests.support.waiting import wait_for

Make = Callable[[Path], Service]

LOOPBACK_HEX = "0100007F"


def _postgres(home: Path) -> Service:
    return EmbeddedPostgres(home, durable=False)


@pytest.fixture(params=["postgres", "broker"])
def make(request: pytest.FixtureRequest, made_cluster: Path) -> Make:
    if request.param == "broker":
        return EmbeddedBroker
    return lambda home: copied(made_cluster, home)


@pytest.fixture(scope="module", params=[_postgres, EmbeddedBroker], ids=["postgres", "broker"])
def running(request: pytest.FixtureRequest) -> Iterator[Service]:
    with request.param(scratch_home("service")) as service:
        yield service
    service.remove()


def test_it_listens_on_loopback_only(running: Service) -> None:
    assert listening_addresses(running.port) == {LOOPBACK_HEX}


def test_it_never_runs_as_root(running: Service) -> None:
    assert running.pid is not None
    assert owner_of(running.pid) != 0
    assert running.home.stat().st_mode & 0o777 == 0o700


def test_ctrl_c_in_the_terminal_does_not_reach_it(running: Service) -> None:
    assert running.pid is not None
    assert os.getsid(running.pid) != os.getsid(0)
    assert os.getpgid(running.pid) != os.getpgid(0)


@pytest.mark.parametrize("make", [_postgres, EmbeddedBroker], ids=["postgres", "broker"])
def test_a_folder_that_only_we_may_enter(closed_folder: Path, make: Make) -> None:
    """Root's services run under another account, so their files must lie elsewhere."""
    home = closed_folder / "home"
    with make(home) as service:
        assert service.pid is not None
        assert home.is_symlink() == (os.geteuid() == 0)
        assert closed_folder.stat().st_mode & 0o777 == 0o700
    target = home.resolve()
    with make(home) as again:
        assert home.resolve() == target
        again.remove()
    assert not target.exists()
    assert not home.is_symlink()


def test_two_run_at_once_and_stop_apart(folder: Path, make: Make) -> None:
    with make(folder / "one") as one:
        with make(folder / "two") as two:
            pid = two.pid
            assert pid is not None
            assert listening_addresses(two.port) == {LOOPBACK_HEX}
        assert not is_alive(pid)
        assert listening_addresses(two.port) == set()
        assert two.pid is None
        assert listening_addresses(one.port) == {LOOPBACK_HEX}


def test_a_second_one_in_the_same_folder_is_refused(folder: Path, make: Make) -> None:
    with make(folder / "home") as first:
        second = type(first)(first.home)
        with pytest.raises(AlreadyRunning, match="already running"):
            second.start()
        second.stop()
        assert first.pid is not None
        assert is_alive(first.pid)
        assert listening_addresses(first.port) == {LOOPBACK_HEX}


def test_a_port_that_was_taken_meanwhile_is_given_up(
    folder: Path, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    with make(folder / "first") as first:
        offered = iter([first.port, deploy.ports.free_port()])
        monkeypatch.setattr("deploy.service.free_port", lambda: next(offered))
        with make(folder / "second") as second:
            assert second.port != first.port
            assert listening_addresses(second.port) == {LOOPBACK_HEX}


@pytest.mark.parametrize("kind", ["postgres", "broker"])
def test_nothing_outlives_a_killed_starter(folder: Path, kind: str) -> None:
    home = folder / "home"
    with subprocess.Popen(
        [sys.executable, "-m", "tests.deploy.starter", kind, str(home)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    ) as starter:
        assert starter.stdout is not None
        pid = int(starter.stdout.readline())
        assert is_alive(pid)
        starter.send_signal(signal.SIGKILL)
    service = _postgres(home) if kind == "postgres" else EmbeddedBroker(home)
    with service:  # at once: it must wait for the one that is still shutting down
        assert not is_alive(pid)
        assert service.pid != pid
    wait_for(lambda: not is_alive(pid), "the end of the service")
