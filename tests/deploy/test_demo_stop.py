"""A demo that is stopped while it works leaves nothing behind, and two never share a folder."""

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.places import remove_folder
from tests.deploy.demo_run import Watched, demo, watched
from tests.support.database import quick_home
from tests.support.waiting import wait_for

DEADLINE_S = 90.0


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """The folder of one demo after another, as in a checkout."""
    folder = quick_home("demo")
    yield folder
    for name in ("postgres", "broker"):
        remove_folder(folder / name)
    remove_folder(folder)


def _wait_for_workers(running: Watched) -> None:
    """Wait until the past is being loaded."""
    running.wait_for_text("✓", DEADLINE_S)
    wait_for(lambda: " ".join(running.left()).count("forkserver") >= 3, "two workers", DEADLINE_S)


def _stop(running: Watched, number: signal.Signals) -> int:
    """Stop the demo while it works, and return its exit code when all has ended."""
    _wait_for_workers(running)
    programs = " ".join(running.left())
    assert "postgres" in programs
    assert "mosquitto" in programs
    if number in (signal.SIGINT, signal.SIGHUP):  # a terminal tells everything in the foreground
        os.killpg(running.process.pid, number)
    else:
        running.process.send_signal(number)
    code = running.wait_until_all_ended()
    assert "Traceback" not in running.said()
    return code


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP, signal.SIGKILL])
def test_a_demo_that_is_stopped_ends_everything(
    number: signal.Signals, home: Path, tmp_path: Path
) -> None:
    with watched(demo(home), tmp_path / "output") as running:
        assert _stop(running, number) == (-number if number == signal.SIGKILL else 130)


def test_a_second_demo_in_the_same_folder_says_so(home: Path, tmp_path: Path) -> None:
    with watched(demo(home), tmp_path / "output") as running:
        running.wait_for_text("✓", DEADLINE_S)
        second = subprocess.run(
            demo(home), capture_output=True, text=True, timeout=DEADLINE_S, check=False
        )
        assert second.returncode == 1
        assert second.stdout == ""
        (line,) = second.stderr.splitlines()
        assert line.startswith("millpond: ")
        assert "already running" in line
        assert str(home) in line
        assert running.process.poll() is None
        assert _stop(running, signal.SIGTERM) == 130
