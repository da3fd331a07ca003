"""Running the whole demo as a person does, and seeing every process that it starts."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.support.processes import began, is_alive
from tests.support.waiting import wait_for

_ROOT = Path(__file__).parents[2]
MILLPOND = Path(sys.executable).with_name("millpond")
_LOOK_EVERY_S = 0.05
_END_S = 60.0
# What is printed must not depend on the terminal that the tests happen to run in.
_TERMINAL = ("FORCE_COLOR", "NO_COLOR", "PY_COLORS", "TTY_COMPATIBLE", "TTY_INTERACTIVE")
_WIDTH = 200


class Watched:
    """A program with its output in a file, and everything that descends from it."""

    def __init__(self, command: list[str], output: Path) -> None:
        self.output = output
        environment = {
            key: text
            for key, text in os.environ.items()
            if "MILLPOND" not in key and key not in _TERMINAL
        }
        environment["COLUMNS"] = str(_WIDTH)
        with output.open("w") as file:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                env=environment,
                cwd=_ROOT,
                start_new_session=True,
            )
        self.seen: dict[int, str] = {self.process.pid: _name(self.process.pid)}
        self._since: dict[int, int | None] = {self.process.pid: began(self.process.pid)}
        self._stop = threading.Event()
        self._looking = threading.Thread(target=self._look, daemon=True)
        self._looking.start()

    def said(self) -> str:
        """Return what it has printed so far."""
        return self.output.read_text()

    def wait_for_text(self, text: str, timeout_s: float) -> None:
        """Wait until the program has printed a text; fail when it ends without."""
        wait_for(lambda: text in self.said() or not self._runs(), text, timeout_s)
        assert text in self.said(), self.said()

    def left(self) -> list[str]:
        """Return the processes that are still there."""
        return [name for pid, name in list(self.seen.items()) if self._lives(pid)]

    def wait_until_all_ended(self) -> int:
        """Return the exit code as soon as nothing that it started is left."""
        wait_for(lambda: not self._runs(), "the end of the program", _END_S)
        self._end_looking()
        wait_for(lambda: not self.left(), f"the end of {self.left()}", _END_S)
        return self.process.wait()

    def close(self) -> None:
        """Stop the program, if it still runs."""
        if self._runs():
            self.process.terminate()
            try:
                self.process.wait(_END_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self._end_looking()

    def _runs(self) -> bool:
        return self.process.poll() is None

    def _lives(self, pid: int) -> bool:
        """Say whether it is there, and not another one that got its number since."""
        return is_alive(pid) and began(pid) == self._since.get(pid)

    def _end_looking(self) -> None:
        self._stop.set()
        self._looking.join()

    def _look(self) -> None:
        parents: dict[int, int] = {}
        while not self._stop.wait(_LOOK_EVERY_S):
            _follow(parents)
            while found := [p for p, q in parents.items() if q in self.seen and p not in self.seen]:
                self._since |= {pid: began(pid) for pid in found}
                self.seen |= {pid: _name(pid) for pid in found}
            # One that was seen between its fork and its exec still had its parent's name.
            living = [pid for pid in parents if pid in self.seen and self._lives(pid)]
            self.seen |= {pid: _name(pid) for pid in living}


def _follow(parents: dict[int, int]) -> None:
    """Bring up to date who started whom; each process is asked once, for a machine has many."""
    living = {int(name) for name in os.listdir("/proc") if name.isdecimal()}
    for gone in parents.keys() - living:
        del parents[gone]
    for pid in living - parents.keys():
        with suppress(OSError):
            status = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            parents[pid] = int(status[1])


def _name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return "a process that is gone"


@contextmanager
def watched(command: list[str], output: Path) -> Iterator[Watched]:
    """Run a program for the length of the block and see what it starts."""
    running = Watched(command, output)
    try:
        yield running
    finally:
        running.close()


def demo(home: Path, *options: str) -> list[str]:
    """Return the command line of a demo with its files in a folder."""
    return [str(MILLPOND), "demo", "--home", str(home), *options]
