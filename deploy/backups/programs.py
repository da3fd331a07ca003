"""PostgreSQL's own programs, of a version that fits the server."""

import re
import shutil
import subprocess
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from deploy.embedded import INSTALLATIONS
from deploy.errors import ProgramMissing

_VERSION = re.compile(r"\(PostgreSQL\) (\d+)")
_CHUNK_BYTES = 1 << 20
_END_S = 30.0

Tell = Callable[[int], None]


def program(name: str, server: int) -> str:
    """Return a program of PostgreSQL of the server's major version, or else the next newer one.

    Raises ProgramMissing.
    """
    found = {
        int(folder.name): folder / "bin" / name
        for folder in INSTALLATIONS.glob("[0-9]*")
        if folder.name.isdecimal() and (folder / "bin" / name).exists()
    }
    if fitting := [major for major in found if major >= server]:
        return str(found[min(fitting)])
    on_path = shutil.which(name)
    if on_path is not None and _major(on_path) >= server:
        return on_path
    raise ProgramMissing(
        f"there is no {name} for the server's PostgreSQL {server}: install "
        f"postgresql-client-{server} on this machine"
    )


def _major(path: str) -> int:
    said = subprocess.run(
        [path, "--version"], capture_output=True, text=True, check=False, timeout=30
    )
    found = _VERSION.search(said.stdout)
    return int(found[1]) if found else 0


@contextmanager
def running(
    command: list[str], environment: dict[str, str], errors: Path, *, stdin: int, stdout: int | None
) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a program for the length of a block, what it complains of in a file."""
    with open(errors, "wb") as said:
        process = subprocess.Popen(
            # The kernel ends it when we die, however we die.
            ["setpriv", "--pdeathsig=SIGTERM", "--", *command],
            stdin=stdin,
            stdout=stdout,
            stderr=said,
            env=environment,
        )
    try:
        yield process
    finally:
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                with suppress(BrokenPipeError):
                    stream.close()
        if process.poll() is None:
            process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(_END_S)
        if process.poll() is None:
            process.kill()
            process.wait()


def chunks(stream: IO[bytes], size: int | None = None) -> Iterator[bytes]:
    """Yield what a stream holds, `size` bytes at most, in pieces of 1 MiB."""
    left = size
    while left is None or left > 0:
        chunk = stream.read(_CHUNK_BYTES if left is None else min(_CHUNK_BYTES, left))
        if not chunk:
            return
        if left is not None:
            left -= len(chunk)
        yield chunk


def feed(process: "subprocess.Popen[bytes]", content: Iterable[bytes]) -> None:
    """Give a program its input until it takes no more; its exit code says whether that was fine."""
    assert process.stdin is not None
    with suppress(BrokenPipeError):
        for chunk in content:
            process.stdin.write(chunk)
        process.stdin.flush()
    with suppress(BrokenPipeError):
        process.stdin.close()


def complaint(errors: Path, name: str) -> str:
    """Return the line in which a program says why it failed."""
    lines = [
        line.removeprefix(f"{name}: ")
        for line in errors.read_text(errors="replace").splitlines()
        if line.strip() and not line.startswith(f"{name}: warning")
    ]
    errors_first = [line for line in lines if "error" in line.lower() or "fatal" in line.lower()]
    return next(iter(errors_first or lines), "it said nothing")
