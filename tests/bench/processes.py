"""Processes that a measurement starts, feeds and looks at: their CPU time and their memory."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

_END_S = 30.0
_POLL_S = 0.1  # what is asked shares the processor with what is measured
_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


class Role:
    """A child of ours that speaks in lines."""

    def __init__(self, module: str, *arguments: object) -> None:
        command = [sys.executable, "-m", module, *(str(one) for one in arguments)]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def line(self) -> str:
        """Return the next line; raises RuntimeError where the process ended without one."""
        assert self._process.stdout is not None
        found = self._process.stdout.readline()
        if not found:
            raise RuntimeError(f"{self._process.args!r} ended with {self._process.wait(_END_S)}")
        return found.strip()

    def go(self) -> None:
        """Let it go on."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()

    def end(self) -> None:
        """Stop it, if it still runs."""
        self._process.kill()
        self._process.communicate()


@contextmanager
def role(module: str, *arguments: object) -> Iterator[Role]:
    """Hold a child for the length of the block."""
    child = Role(module, *arguments)
    try:
        yield child
    finally:
        child.end()


@contextmanager
def gateway(file: Path) -> Iterator[int]:
    """Run a gateway of its own and yield its process number; it is asked to end at the end."""
    with file.with_suffix(".log").open("wb") as log:
        process = subprocess.Popen([sys.executable, "-m", "collectors", str(file)], stderr=log)
    try:
        yield process.pid
    finally:
        process.terminate()
        try:
            process.wait(_END_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(_END_S)


def cpu_s(pid: int) -> float:
    """Return the seconds of CPU that a process has used, those of all its threads together."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def rss_mb(pid: int) -> float:
    """Return the memory that a process holds, in MB."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE / 1e6


def until(condition: Callable[[], bool], what: str, timeout_s: float = 120.0) -> None:
    """Wait for a condition; raises RuntimeError when it never holds."""
    deadline_s = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline_s:
            raise RuntimeError(f"waited {timeout_s:.0f} s in vain for {what}")
        time.sleep(_POLL_S)
