"""What a killed run leaves behind goes with the next one; what is in use stays."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.database import claimed, remove_left_behind

_CLAIM = """
import sys
from pathlib import Path
from tests.support.database import claimed
with claimed(Path(sys.argv[1])):
    print("claimed", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    found = tmp_path / "millpond-tests-0123456789ab"
    (found / "data").mkdir(parents=True)
    return found


@contextmanager
def _claimed_elsewhere(home: Path) -> Iterator[subprocess.Popen[str]]:
    """Claim a folder in another process, as one that runs tests does."""
    with subprocess.Popen(
        [sys.executable, "-c", _CLAIM, str(home)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as holder:  # fmt: skip
        try:
            assert holder.stdout is not None
            assert holder.stdout.readline() == "claimed\n"
            yield holder
        finally:
            holder.kill()


def test_what_a_killed_run_had_claimed_is_removed(home: Path, tmp_path: Path) -> None:
    with _claimed_elsewhere(home):
        pass  # killed at the end
    assert remove_left_behind(tmp_path) == [home]
    assert list(tmp_path.iterdir()) == []


def test_what_a_run_that_goes_on_has_claimed_stays(home: Path, tmp_path: Path) -> None:
    with _claimed_elsewhere(home):
        assert remove_left_behind(tmp_path) == []
        assert (home / "data").exists()


def test_a_run_that_ends_leaves_no_claim_behind(home: Path, tmp_path: Path) -> None:
    with claimed(home):
        assert len(list(tmp_path.iterdir())) == 2
    assert list(tmp_path.iterdir()) == [home]


def test_a_folder_whose_server_is_still_ending_is_left_to_the_next_run(
    home: Path, tmp_path: Path
) -> None:
    (home / "pid").write_text(f"{os.getpid()}\n")
    with _claimed_elsewhere(home):
        pass
    assert remove_left_behind(tmp_path) == []
    (home / "pid").unlink()
    assert remove_left_behind(tmp_path) == [home]


def test_a_folder_that_nobody_claimed_stays(home: Path, tmp_path: Path) -> None:
    assert remove_left_behind(tmp_path) == []
    assert home.exists()
