"""Programs that run as our children and never outlive us."""

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from deploy.errors import StartFailed
from deploy.places import Account, as_account

_POLL_S = 0.02
_PREDECESSOR_TIMEOUT_S = 60.0
_ENVIRONMENT = ("PATH", "HOME", "TMPDIR")


class Child:
    """A program in the foreground of its own session, its output in a log file.

    The kernel sends it `stop_signal` when we die, however we die (setpriv asks for that after it
    has changed the account; a change of account would clear it). The kernel means the *thread*
    that started the child: start it from one that lives as long as the child shall.

    A session of its own keeps Ctrl-C of the terminal away from it: we stop it, in our order.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        account: Account | None,
        folder: Path,
        stop_signal: signal.Signals,
    ) -> None:
        self.name = name
        self.log_path = folder / "log"
        self._stop_signal = stop_signal
        if self.log_path.exists():
            self.log_path.replace(folder / "log.previous")
        with open(self.log_path, "wb") as log:
            self._process = subprocess.Popen(
                [*as_account(account), f"--pdeathsig={stop_signal.name}", "--", *command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=folder,
                env={key: os.environ[key] for key in _ENVIRONMENT if key in os.environ},
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether the program has not ended."""
        return self._process.poll() is None

    def wait_until(self, ready: Callable[[], bool], timeout_s: float) -> None:
        """Wait until `ready()`; raise StartFailed when the program ends or the time is over."""
        deadline = time.monotonic() + timeout_s
        while not ready():
            if not self.is_running:
                raise StartFailed(f"{self.name} ended at once: {self.last_line()}")
            if time.monotonic() > deadline:
                raise StartFailed(
                    f"{self.name} was not ready after {timeout_s:.0f} s (log: {self.log_path})"
                )
            time.sleep(_POLL_S)

    def stop(self, timeout_s: float = 60.0) -> None:
        """Ask the program to end, harder after `timeout_s`; return when it has ended."""
        for number, wait_s in (
            (self._stop_signal, timeout_s),
            (signal.SIGQUIT, 10.0),
            (signal.SIGKILL, 10.0),
        ):
            if not self.is_running:
                return
            self._process.send_signal(number)
            try:
                self._process.wait(wait_s)
            except subprocess.TimeoutExpired:
                continue

    def last_line(self) -> str:
        """Return the last line of the log that says something, with the log's path."""
        lines = self.log_path.read_text(errors="replace").split("\n")
        telling = [line for line in lines if "FATAL" in line or "rror" in line] or lines
        said = next((line.strip() for line in reversed(telling) if line.strip()), "no output")
        return f"{said} (log: {self.log_path})"


def first_number(path: Path) -> int | None:
    """Return the number that the file begins with, or None."""
    try:
        match = re.match(r"\d+", path.read_text())
    except FileNotFoundError:
        return None
    return int(match.group()) if match else None


def wait_until_ended(name: str, pid: int | None, folder: Path) -> None:
    """Wait until no process of this id works in the folder; raise StartFailed after a minute.

    A server whose starter was killed is still busy shutting down. The folder tells it from a
    stranger that got the same id later.
    """
    deadline = time.monotonic() + _PREDECESSOR_TIMEOUT_S
    while pid is not None and _works_in(pid, folder):
        if time.monotonic() > deadline:
            raise StartFailed(f"an earlier {name} (process {pid}) does not end; stop it first")
        time.sleep(_POLL_S)


def _works_in(pid: int, folder: Path) -> bool:
    try:
        return Path(os.readlink(f"/proc/{pid}/cwd")) == folder
    except OSError:
        return False
