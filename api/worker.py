"""Working off a queue of the database, each piece in a process that is ended when it takes long.

What a process does may hang, crash or take more memory than there is: neither the pages nor the
other pieces suffer from it.
"""

import logging
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

import store
from api.errors import ApiError
from store import Connection
from store.errors import StoreError, StoreUnavailable

# How a process ends: what can never succeed, and what may the next time.
REFUSED, UNAVAILABLE = 3, 4

_log = logging.getLogger(__name__)

_POLL_S = 2.0
_LOOK_S = 0.2
_JOIN_WITHIN_S = 15.0
_LONGEST_ERROR = 400
_MOST_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Limits:
    """How long one attempt may take, and the waits before the next ones."""

    seconds: float = 180.0
    waits_s: Sequence[float] = (10.0, 60.0)

    @property
    def lost_after(self) -> timedelta:
        """Return after which time nobody works at a piece any more that was taken."""
        return timedelta(seconds=2 * self.seconds + 60)


@dataclass(frozen=True, slots=True)
class Taken:
    """A piece of work and the number of this attempt."""

    number: int
    attempt: int


class Queue(Protocol):
    """Where pieces of work wait, and which module makes one of them."""

    @property
    def module(self) -> str:
        """The module whose `main` works at one piece."""

    @property
    def limits(self) -> Limits:
        """How long an attempt may take unless the caller says otherwise."""

    def prepare(self, conn: Connection) -> None:
        """Put into the queue what became due."""

    def take(self, conn: Connection, lost_after: timedelta) -> Taken | None:
        """Take the next piece, or one whose worker was lost; None where none waits."""

    def fail(self, conn: Connection, taken: Taken, error: str, wait: timedelta | None) -> None:
        """Keep why an attempt failed; without a wait the piece is given up."""


class _Stopped(Exception):
    """The worker is to end."""


def work_off(
    queue: Queue,
    url: str,
    *,
    limits: Limits | None = None,
    command: Sequence[str] | None = None,
    stop: threading.Event | None = None,
) -> int:
    """Do what is due and waits, one piece after the other, and return how many were done."""
    limits, stop = limits or queue.limits, stop or threading.Event()
    command = command or (sys.executable, "-m", queue.module)
    done = 0
    with store.connect(url) as conn:
        queue.prepare(conn)
        for _ in range(_MOST_AT_ONCE):
            taken = None if stop.is_set() else queue.take(conn, limits.lost_after)
            if taken is None:
                break
            done += _attempt(conn, queue, url, taken, limits, command, stop)
    return done


def _attempt(
    conn: Connection,
    queue: Queue,
    url: str,
    taken: Taken,
    limits: Limits,
    command: Sequence[str],
    stop: threading.Event,
) -> bool:
    arguments = [*command, str(taken.number), str(taken.attempt)]
    again = None
    if taken.attempt <= len(limits.waits_s):
        again = timedelta(seconds=limits.waits_s[taken.attempt - 1])
    try:
        code, said = _run(arguments, url, limits.seconds, stop)
    except TimeoutError:
        queue.fail(conn, taken, f"timeout: {limits.seconds:g} s", again)
        return False
    except _Stopped:
        queue.fail(conn, taken, "stopped", timedelta(0))
        return False
    if code == 0:
        return True
    is_final = code == REFUSED
    what = "refused" if is_final else "broken"
    queue.fail(conn, taken, f"{what}: {said}", None if is_final else again)
    return False


def _run(
    arguments: Sequence[str], url: str, seconds: float, stop: threading.Event
) -> tuple[int, str]:
    """Run a command to its end; raises TimeoutError or _Stopped once it has ended it."""
    process = subprocess.Popen(
        arguments,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        # What a process says as it dies may be cut anywhere.
        errors="replace",
    )
    given: str | None = f"{url}\n"
    try:
        for _ in range(max(1, round(seconds / _LOOK_S))):
            if stop.is_set():
                raise _Stopped
            try:
                _, errors = process.communicate(given, timeout=_LOOK_S)
            except subprocess.TimeoutExpired:
                given = None
                continue
            # No database keeps the character U+0000.
            lines = errors.replace("\0", "").strip().splitlines()
            return process.returncode, lines[-1][:_LONGEST_ERROR] if lines else ""
        raise TimeoutError
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()


class Work(Protocol):
    """What a process does with one piece of work."""

    def __call__(self, conn: Connection, number: int, attempt: int, /) -> object:
        """Do it; raises ApiError or StoreError where it can never be done."""


def process(work: Work) -> int:
    """Do the piece that the command line names and return how the process ends.

    The address of the database comes by the input, where no other user of the machine reads it.
    """
    number, attempt = int(sys.argv[1]), int(sys.argv[2])
    url = sys.stdin.readline().strip()
    try:
        with store.connect(url) as conn:
            work(conn, number, attempt)
    except StoreUnavailable as error:
        print(error, file=sys.stderr)
        return UNAVAILABLE
    except (ApiError, StoreError) as error:
        print(error, file=sys.stderr)
        return REFUSED
    return 0


class _Worker(threading.Thread):
    def __init__(self, queue: Queue, url: str) -> None:
        super().__init__(name=queue.module, daemon=True)
        self._queue, self._url = queue, url
        self.stop = threading.Event()

    def run(self) -> None:
        while not self.stop.wait(_POLL_S):
            try:
                work_off(self._queue, self._url, stop=self.stop)
            except StoreError:
                # The server is away: it is asked again after the next wait.
                continue
            except Exception:
                # Such as no memory for another process: the thread must outlive it.
                _log.exception("a turn of %s failed", self.name)


@contextmanager
def working(url: str, *queues: Queue) -> Iterator[None]:
    """Work off each queue in a thread of its own for the length of the block."""
    workers = [_Worker(each, url) for each in queues]
    for each in workers:
        each.start()
    try:
        yield
    finally:
        for each in workers:
            each.stop.set()
        for each in workers:
            each.join(_JOIN_WITHIN_S)
