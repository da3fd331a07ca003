"""Telling the service manager that a service is ready and alive, in systemd's notify protocol.

sd_notify(3): datagrams of NAME=VALUE to the socket that NOTIFY_SOCKET names. Without it, as in a
terminal or a container, nothing is told.
"""

import os
import socket
from contextlib import suppress

_SOCKET_VARIABLE = "NOTIFY_SOCKET"


class Supervisor:
    """Whoever started this process, and waits for a beat from it."""

    def __init__(self) -> None:
        self._is_ready = False

    def beat(self) -> None:
        """Tell that the work goes on; the first beat tells that it has begun."""
        _tell("WATCHDOG=1" if self._is_ready else "READY=1\nWATCHDOG=1")
        self._is_ready = True


def _tell(text: str) -> None:
    """Send it; a manager that has gone is no reason to end."""
    address = os.environ.get(_SOCKET_VARIABLE, "")
    if not address.startswith(("/", "@")):
        return
    name = "\0" + address[1:] if address.startswith("@") else address
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.settimeout(1.0)
        sender.sendto(text.encode(), name)
