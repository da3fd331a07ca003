"""Serving the application: to this machine, and over TLS to others."""

import ipaddress
import socket
from collections.abc import Callable, Collection
from contextlib import closing, suppress

import uvicorn

import store
from api.access import AccessPolicy
from api.app import create_app
from api.errors import NotLoopback, NotServed
from api.peer import PeerProtocol, Tls
from api.provider import Provider

DEFAULT_PORT = 8321

_STOP_WITHIN_S = 5
_MOST_REQUESTS = 200
_BEAT_EVERY_S = 5

Ready = Callable[[str], None]
Beat = Callable[[], None]


def serve(
    database_url: str,
    host: str = "127.0.0.1",
    port: int = DEFAULT_PORT,
    ready: Ready = lambda address: None,
    *,
    tls: Tls | None = None,
    certificate_header: str | None = None,
    names: Collection[str] = (),
    access: AccessPolicy | None = None,
    provider: Provider | None = None,
    beat: Beat | None = None,
) -> None:
    """Serve until SIGTERM or Ctrl-C; `ready` is called with the address once it answers.

    `beat` is called every few seconds while it answers.

    Port 0 takes a free one. With tls it speaks HTTPS; only then may gateways come from elsewhere,
    and people under the host names given. Raises NotLoopback for any other host than this machine
    without tls, NotServed when the port or a certificate cannot be used, StoreUnavailable when no
    database answers.
    """
    settings = config(
        database_url, host, port,
        tls=tls, certificate_header=certificate_header, names=names, access=access,
        provider=provider,
    )  # fmt: skip
    # Here rather than when the application starts, where uvicorn would print a traceback.
    store.connect(database_url).close()
    with closing(_listen(host, port)) as listener:
        server = _Server(settings, ready, _address(listener, tls), beat)
        with suppress(KeyboardInterrupt):
            server.run(sockets=[listener])
    if not server.started:
        raise NotServed("the application did not start; the log says why")


def config(
    database_url: str,
    host: str,
    port: int,
    *,
    tls: Tls | None = None,
    certificate_header: str | None = None,
    names: Collection[str] = (),
    access: AccessPolicy | None = None,
    provider: Provider | None = None,
) -> uvicorn.Config:
    """Return uvicorn's settings; raises NotLoopback and NotServed as serve does."""
    if not host or (tls is None and not _is_loopback(host)):
        raise NotLoopback(
            f"{host or 'an empty host'} is open to others, who are served over TLS only: give "
            "--tls-certificate and --tls-key, or use 127.0.0.1"
        )
    if tls is not None:
        tls.check()
    if provider is not None:
        provider.check()
    return uvicorn.Config(
        create_app(database_url, certificate_header, names=names, access=access, provider=provider),
        host=host,
        port=port,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_STOP_WITHIN_S,
        limit_concurrency=_MOST_REQUESTS,
        http=PeerProtocol,
        **({} if tls is None else tls.settings()),
    )


class _Server(uvicorn.Server):
    """Tells when it answers."""

    def __init__(
        self, settings: uvicorn.Config, ready: Ready, address: str, beat: Beat | None
    ) -> None:
        super().__init__(settings)
        self._beat = beat
        self._ready = ready
        self._address = address

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then tell."""
        await super().startup(sockets)
        if self.started:
            self._ready(self._address)

    async def on_tick(self, counter: int) -> bool:
        """Beat from the loop that answers requests, every tenth of a second called by uvicorn."""
        if self._beat is not None and counter % (_BEAT_EVERY_S * 10) == 0:
            self._beat()
        return await super().on_tick(counter)


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


def _address(listener: socket.socket, tls: Tls | None) -> str:
    host, port = listener.getsockname()[:2]
    scheme = "http" if tls is None else "https"
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
