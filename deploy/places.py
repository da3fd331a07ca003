"""Private folders for the programs that Millpond runs, and the accounts these run under.

PostgreSQL refuses to run as root. When root starts Millpond, the programs run under an account
without rights, which may be unable to enter the checkout. The permissions of the checkout are the
user's: the folder then lies in `/var/lib/millpond`, and the checkout holds a link to it.
"""

import fcntl
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from deploy.errors import AlreadyRunning, DeployError, ProgramMissing

OUTSIDE = Path("/var/lib/millpond")


@dataclass(frozen=True)
class Account:
    """A system account that a program runs under."""

    name: str
    uid: int
    gid: int


def service_account(*names: str) -> Account | None:
    """Return the first of these accounts that exists, or None when we are not root ourselves.

    Without root's rights a program runs as whoever starts it.
    """
    if os.geteuid() != 0:
        return None
    for name in (*names, "nobody"):
        with suppress(KeyError):
            entry = pwd.getpwnam(name)
            return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)
    raise ProgramMissing(f"none of the accounts {', '.join(names)} exists; run `make setup`")


def as_account(account: Account | None) -> list[str]:
    """Return the start of a command line that runs the rest of it under the account."""
    command = ["setpriv"]
    if account is not None:
        command += [f"--reuid={account.uid}", f"--regid={account.gid}", "--clear-groups"]
    return command


def can_enter(account: Account | None, folder: Path) -> bool:
    """Say whether the account may pass through the folder and everything above it.

    The system is asked, because permission bits alone do not tell it (access lists, containers).
    """
    test = [*as_account(account), "test", "-x", str(folder)]
    return subprocess.run(test, check=False, timeout=10, cwd="/").returncode == 0


def private_folder(home: Path, account: Account | None) -> Path:
    """Return the real folder behind `home`, made if absent, open to the account alone."""
    home = Path(os.path.abspath(home))
    home.parent.mkdir(parents=True, exist_ok=True)
    if not home.exists():
        _make(home, account)
    folder = home.resolve()
    if folder.stat().st_uid == 0:  # fresh, or an earlier start was cut off
        _give(folder, account)
    if not can_enter(account, folder):
        who = account.name if account else "this user"
        raise DeployError(f"{who} may no longer enter {folder}; open it, or remove {home}")
    return folder


def _make(home: Path, account: Account | None) -> None:
    home.unlink(missing_ok=True)  # a link whose target was removed
    if can_enter(account, home.parent):
        home.mkdir(mode=0o700, exist_ok=True)
        return
    OUTSIDE.mkdir(mode=0o755, parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f"{home.name}-", dir=OUTSIDE))
    try:
        home.symlink_to(folder)
    except FileExistsError:  # another process was faster; its folder counts
        folder.rmdir()


def _give(path: Path, account: Account | None) -> None:
    if account is not None:
        os.chown(path, account.uid, account.gid)


def write_private(path: Path, text: str, account: Account | None) -> None:
    """Write a file that only the account (and root) can read."""
    path.unlink(missing_ok=True)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    _give(path, account)


def remove_folder(home: Path) -> None:
    """Remove the folder behind `home`, wherever it lies, and the link to it."""
    shutil.rmtree(home.resolve(), ignore_errors=True)
    home.unlink(missing_ok=True)


@contextmanager
def sole_user(folder: Path, what: str) -> Iterator[None]:
    """Hold the folder's lock, or raise AlreadyRunning; the system frees it if we are killed."""
    with open(folder / "lock", "a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyRunning(
                f"{what} is already running from {folder}; stop that one first (Ctrl-C there)"
            ) from None
        yield
