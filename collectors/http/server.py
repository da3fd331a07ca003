"""uvicorn inside the gateway's event loop: it neither takes signals nor ends the process."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from starlette.applications import Starlette

from collectors.http.settings import HttpSource

_CONNECTIONS = 64
_KEEP_ALIVE_S = 15
_SHUTDOWN_S = 2


class Server(uvicorn.Server):
    """A server for one source; raises OSError where the certificate cannot be used."""

    def __init__(self, application: Starlette, source: HttpSource, folder: Path) -> None:
        config = uvicorn.Config(
            application,
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            ws="none",
            limit_concurrency=_CONNECTIONS,
            timeout_keep_alive=_KEEP_ALIVE_S,
            timeout_graceful_shutdown=_SHUTDOWN_S,
            ssl_certfile=folder / source.certificate if source.certificate else None,
            ssl_keyfile=str(folder / source.certificate_key) if source.certificate_key else None,
        )
        config.load()
        super().__init__(config)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave SIGTERM and SIGINT to the gateway."""
        yield


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that is bound to an address; raises OSError where that is taken."""
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    found = socket.socket(family, kind, protocol)
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind(address)
        # Only listening tells that another process has the address.
        found.listen()
    except OSError:
        found.close()
        raise
    found.setblocking(False)
    return found
