"""Free TCP ports on the loopback interface."""

import socket

from deploy.errors import PortTaken

LOOPBACK = "127.0.0.1"


def free_port() -> int:
    """Return a loopback TCP port that nobody listens on at this moment.

    Another process may take it before the caller does: whoever listens must be ready to try again.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


def free_port_near(wanted: int) -> int:
    """Return the wanted loopback port, or any free one when somebody listens on it."""
    try:
        require_free(wanted)
    except PortTaken:
        return free_port()
    return wanted


def require_free(port: int) -> None:
    """Return when nobody listens on the loopback port, else raise PortTaken; 0 is always free."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As servers do: a connection that has just ended does not keep the port.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError as error:
            raise PortTaken(
                f"port {port} of {LOOPBACK} cannot be used ({error.strerror}): give another one"
            ) from error
