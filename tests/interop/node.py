"""Running a peer from the npm registry for the length of a block."""

import json
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

_FOLDER = Path(__file__).parent
_READY_S = 60.0
_END_S = 10.0


@dataclass
class Peer:
    """A Node.js program: told by JSON lines, and heard by JSON lines."""

    process: subprocess.Popen[str]
    ready: dict[str, Any] = field(default_factory=dict)
    said: SimpleQueue[dict[str, Any]] = field(default_factory=SimpleQueue)
    complained: list[str] = field(default_factory=list)

    def tell(self, **message: Any) -> None:
        """Send a JSON line to the program's standard input."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(message) + "\n")
        self.process.stdin.flush()

    def hear(self, timeout_s: float = 60.0) -> dict[str, Any]:
        """Return the next JSON line that the program prints; fail when there is none in time."""
        try:
            return self.said.get(timeout=timeout_s)
        except Empty:
            raise AssertionError("\n".join(["the peer says nothing", *self.complained])) from None


@contextmanager
def run_node(script: str, *arguments: str) -> Iterator[Peer]:
    """Run a script of this folder, which prints one JSON line when it is ready.

    It ends with its standard input, so that it cannot outlive the tests.
    """
    process = subprocess.Popen(
        [_node(), str(_FOLDER / script), *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=_FOLDER,
    )
    peer = Peer(process)
    listening = [
        threading.Thread(target=_listen, args=(peer,), daemon=True),
        threading.Thread(target=_note_complaints, args=(peer,), daemon=True),
    ]
    for thread in listening:
        thread.start()
    try:
        peer.ready = peer.hear(_READY_S)
        yield peer
    finally:
        _end(process)
        for thread in listening:
            thread.join(_END_S)
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream is not None:
                stream.close()


def _node() -> str:
    """Return the set-up's own Node.js where the system's is too old, else the system's."""
    own = sorted((_FOLDER / "runtime" / "node_modules").glob("node-linux-*/bin/node"))
    return str(own[0]) if own else "node"


def _listen(peer: Peer) -> None:
    assert peer.process.stdout is not None
    for line in peer.process.stdout:
        if line.startswith("{"):
            peer.said.put(json.loads(line))


def _note_complaints(peer: Peer) -> None:
    assert peer.process.stderr is not None
    for line in peer.process.stderr:
        peer.complained.append(line.rstrip())


def _end(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(_END_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
