"""Working off the queue of documents: each in a process that is ended when it takes too long."""

import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import store
from api.exports import register
from api.exports.making import REFUSED
from store import Connection, documents, events, transaction
from store.acting import Actor
from store.errors import StoreError

_COMMAND = (sys.executable, "-m", "api.exports.making")
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
        """Return after which time nobody makes a document any more that was taken."""
        return timedelta(seconds=2 * self.seconds + 60)


class Stopped(Exception):
    """The worker is to end."""


def work_off(
    url: str,
    *,
    limits: Limits | None = None,
    command: Sequence[str] = _COMMAND,
    stop: threading.Event | None = None,
) -> int:
    """Make what is due and waits, one after the other, and return how many were made."""
    limits, stop = limits or Limits(), stop or threading.Event()
    made = 0
    with store.connect(url) as conn:
        register.ask_for_steps(conn, datetime.now(UTC))
        for _ in range(_MOST_AT_ONCE):
            taken = None if stop.is_set() else documents.take(conn, limits.lost_after)
            if taken is None:
                break
            made += _attempt(conn, url, taken, limits, command, stop)
    return made


def _attempt(
    conn: Connection,
    url: str,
    taken: tuple[int, int],
    limits: Limits,
    command: Sequence[str],
    stop: threading.Event,
) -> bool:
    document_id, attempt = taken
    arguments = [*command, str(document_id), str(attempt)]
    try:
        code, said = _run(arguments, url, limits.seconds, stop)
    except TimeoutError:
        _failed(conn, taken, "timeout", f"{limits.seconds:g} s", limits, final=False)
        return False
    except Stopped:
        documents.fail(conn, document_id, attempt, "stopped", timedelta(0))
        return False
    if code == 0:
        return True
    what = "refused" if code == REFUSED else "broken"
    _failed(conn, taken, what, said, limits, final=code == REFUSED)
    return False


def _run(
    arguments: Sequence[str], url: str, seconds: float, stop: threading.Event
) -> tuple[int, str]:
    """Run a command to its end; raises TimeoutError or Stopped once it has ended it."""
    process = subprocess.Popen(
        arguments,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    given: str | None = f"{url}\n"
    try:
        for _ in range(max(1, round(seconds / _LOOK_S))):
            if stop.is_set():
                raise Stopped
            try:
                _, errors = process.communicate(given, timeout=_LOOK_S)
            except subprocess.TimeoutExpired:
                given = None
                continue
            lines = errors.strip().splitlines()
            return process.returncode, lines[-1][:_LONGEST_ERROR] if lines else ""
        raise TimeoutError
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()


def _failed(
    conn: Connection,
    taken: tuple[int, int],
    what: str,
    said: str,
    limits: Limits,
    *,
    final: bool,
) -> None:
    document_id, attempt = taken
    again = None if final or attempt > len(limits.waits_s) else limits.waits_s[attempt - 1]
    wait = None if again is None else timedelta(seconds=again)
    with transaction(conn):
        if not documents.fail(conn, document_id, attempt, f"{what}: {said}", wait):
            return
        document = documents.get(conn, document_id)
        if document is not None and wait is None:
            actor = Actor(document.account_id, document.actor, document.role)
            told = {"document_id": document_id, "kind": document.kind, "error": document.error}
            now = datetime.now(UTC)
            events.happened(conn, actor, document.factory_id, "document_failed", told, now)


class _Worker(threading.Thread):
    def __init__(self, url: str) -> None:
        super().__init__(name="documents", daemon=True)
        self._url = url
        self.stop = threading.Event()

    def run(self) -> None:
        while not self.stop.wait(_POLL_S):
            try:
                work_off(self._url, stop=self.stop)
            except StoreError:
                # The server is away: it is asked again after the next wait.
                continue


@contextmanager
def working(url: str) -> Iterator[None]:
    """Work off the queue in a thread for the length of the block."""
    worker = _Worker(url)
    worker.start()
    try:
        yield
    finally:
        worker.stop.set()
        worker.join(_JOIN_WITHIN_S)
