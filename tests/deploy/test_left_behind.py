"""What a killed run leaves behind goes with the next one; what is in use stays."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.database import remove_left_behind

_HOLD = """
import sys, time
from pathlib import Path
from deploy.places import sole_user
with sole_user(Path(sys.argv[1]), "the sample"):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def _held(home: Path) -> Iterator[subprocess.Popen[str]]:
    """Hold a cluster's folder in another process, as one that runs tests does."""
    (home / "data").mkdir(parents=True)
    with subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(home)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as holder:  # fmt: skip
        try:
            assert holder.stdout is not None
            assert holder.stdout.readline() == "held\n"
            yield holder
        finally:
            holder.kill()


def _age(home: Path) -> None:
    os.utime(home / "lock", (1_000_000_000, 1_000_000_000))


@pytest.mark.parametrize("name", ["millpond-tests-0123456789ab", "millpond-bench-0123456789ab"])
def test_the_cluster_of_a_killed_run_is_removed(tmp_path: Path, name: str) -> None:
    with _held(tmp_path / name) as holder:
        holder.send_signal(signal.SIGKILL)
        holder.wait(20)
    _age(tmp_path / name)
    assert remove_left_behind(tmp_path) == [tmp_path / name]
    assert list(tmp_path.iterdir()) == []


def test_the_cluster_of_a_run_that_goes_on_stays(tmp_path: Path) -> None:
    home = tmp_path / "millpond-tests-0123456789ab"
    with _held(home):
        _age(home)
        assert remove_left_behind(tmp_path) == []
    assert (home / "data").exists()


def test_a_cluster_whose_server_is_still_ending_stays(tmp_path: Path) -> None:
    home = tmp_path / "millpond-tests-0123456789ab"
    with _held(home):
        (home / "pid").write_text(f"{os.getpid()}\n")
    _age(home)
    assert remove_left_behind(tmp_path) == []


def test_a_cluster_that_was_only_just_made_stays(tmp_path: Path) -> None:
    home = tmp_path / "millpond-tests-0123456789ab"
    with _held(home):
        pass
    assert remove_left_behind(tmp_path) == []


def test_a_folder_of_another_name_or_without_a_lock_stays(tmp_path: Path) -> None:
    with _held(tmp_path / "millpond-demo-0123456789ab"):
        pass
    _age(tmp_path / "millpond-demo-0123456789ab")
    (tmp_path / "millpond-tests-0123456789ab").mkdir()
    assert remove_left_behind(tmp_path) == []
