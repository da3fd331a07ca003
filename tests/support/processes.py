"""Looking at processes and sockets of this machine, as the kernel shows them."""

import os
from pathlib import Path


def is_alive(pid: int) -> bool:
    """Say whether the process exists and is no zombie."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):  # the latter when it ends while it is read
        return False
    return state != "Z"


def began(pid: int) -> int | None:
    """Return when a process began, in ticks since the machine did; tells it from later ones.

    None when it is gone.
    """
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])
    except (FileNotFoundError, ProcessLookupError):
        return None


def children_of(pid: int) -> list[int]:
    """Return the processes that the process has started and that have not been waited for."""
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for task in tasks for child in task.read_text().split()]


def owner_of(pid: int) -> int:
    """Return the user id that the process runs under."""
    return os.stat(f"/proc/{pid}").st_uid


def listening_addresses(port: int) -> set[str]:
    """Return the local addresses, as the kernel's hex, that accept connections on the port."""
    listening = "0A"
    found = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            _, local, _, state, *_ = line.split()
            address, _, local_port = local.partition(":")
            if state == listening and int(local_port, 16) == port:
                found.add(address)
    return found
