"""Serving the application on this machine alone."""

import ipaddress
import socket
from collections.abc import Callable
from contextlib import closing, suppress

import uvicorn

import store
from api.app import create_app
from api.errors import NotLoopback, NotServed

DEFAULT_PORT = 8321

_STOP_WITHIN_S = 5
_MOST_REQUESTS = 200

Ready = Callable[[str], None]


def serve(
    database_url: str,
    host: str = "127.0.0.1",
    port: int = DEFAULT_PORT,
    ready: Ready = lambda address: None,
) -> None:
    """Serve until SIGTERM or Ctrl-C; `ready` is called with the address once it answers.

    Port 0 takes a free one. Raises NotLoopback for any other host than this machine, NotServed
    when the port is taken, StoreUnavailable when no database answers.
    """
    settings = config(database_url, host, port)
    # Here rather than when the application starts, where uvicorn would print a traceback.
    store.connect(database_url).close()
    with closing(_listen(host, port)) as listener:
        server = _Server(settings, ready, _address(listener))
        with suppress(KeyboardInterrupt):
            server.run(sockets=[listener])
    if not server.started:
        raise NotServed("the application did not start; the log says why")


def config(database_url: str, host: str, port: int) -> uvicorn.Config:
    """Return uvicorn's settings; raises NotLoopback for any other host than this machine."""
    if not _is_loopback(host):
        raise NotLoopback(
            f"{host or 'an empty host'} is open to others and there is no login yet: use "
            "127.0.0.1, and an SSH tunnel to look from another machine"
        )
    return uvicorn.Config(
        create_app(database_url),
        host=host,
        port=port,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_STOP_WITHIN_S,
        limit_concurrency=_MOST_REQUESTS,
    )


class _Server(uvicorn.Server):
    """Tells when it answers."""

    def __init__(self, settings: uvicorn.Config, ready: Ready, address: str) -> None:
        super().__init__(settings)
        self._ready = ready
        self._address = address

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then tell."""
        await super().startup(sockets)
        if self.started:
            self._ready(self._address)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise NotServed(
            f"port {port} of {host} cannot be used ({error.strerror}); choose another by --port"
        ) from error
    return listener


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
