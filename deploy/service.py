"""What the embedded database and the embedded broker have in common."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from deploy.children import Child, first_number, wait_until_ended
from deploy.errors import StartFailed
from deploy.places import Account, private_folder, remove_folder, service_account, sole_user
from deploy.ports import LOOPBACK, free_port

_START_TRIES = 5


class Service(ABC):
    """A program on a loopback port of its own, with its files in a private folder.

    `home` is made at the first start; its files survive a stop. Start the service from a thread
    that lives as long as the service shall (see `Child`).
    """

    name: str
    account_name: str
    start_timeout_s = 60.0

    def __init__(self, home: Path) -> None:
        self.home = home
        self.host = LOOPBACK
        self.port = 0
        self._folder = home
        self._account: Account | None = None
        self._child: Child | None = None
        self._open = ExitStack()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int | None:
        """The process id while the service runs, else None."""
        return self._child.pid if self._child else None

    @property
    def log_path(self) -> Path:
        """What the program printed since its last start."""
        return self._folder / "log"

    def start(self) -> None:
        """Start the program and return when it accepts connections.

        Raises AlreadyRunning when another process runs it from this folder, ProgramMissing when
        it is not installed, StartFailed with the reason when it does not come up.
        """
        self._check_installed()
        self._account = service_account(self.account_name)
        self._folder = private_folder(self.home, self._account)
        with ExitStack() as opened:
            opened.enter_context(sole_user(self._folder, self.name))
            wait_until_ended(self.name, first_number(self._folder / "pid"), self._folder)
            self._prepare(opened)
            self._launch()
            self._open = opened.pop_all()

    def stop(self) -> None:
        """Stop the program and wait until it has ended; without effect when it does not run."""
        if self._child is not None:
            self._child.stop()
            self._child = None
        self._open.close()

    def remove(self) -> None:
        """Stop the program and delete its folder with all that it holds."""
        self.stop()
        remove_folder(self.home)

    def _launch(self) -> None:
        """Start the program; once more with another port when somebody took ours meanwhile."""
        for remaining in reversed(range(_START_TRIES)):
            self.port = free_port()
            child = self._start_child()
            (self._folder / "pid").write_text(f"{child.pid}\n")
            try:
                child.wait_until(self._readiness(child), self.start_timeout_s)
            except StartFailed:
                child.stop()
                if remaining and self._port_was_taken(child.log_path.read_text(errors="replace")):
                    continue
                raise
            except BaseException:
                child.stop()
                raise
            self._child = child
            return

    @abstractmethod
    def _check_installed(self) -> None:
        """Raise ProgramMissing when the program is not installed."""

    @abstractmethod
    def _prepare(self, opened: ExitStack) -> None:
        """Make what the program needs before its first start; `opened` is closed by `stop`."""

    @abstractmethod
    def _start_child(self) -> Child:
        """Write the configuration for `port` and start the program."""

    @abstractmethod
    def _readiness(self, child: Child) -> Callable[[], bool]:
        """Return the question whether *this* child is ready: a port may be somebody else's."""

    @abstractmethod
    def _port_was_taken(self, log: str) -> bool:
        """Say whether the log of a failed start blames the port."""
