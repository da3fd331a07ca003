"""TLS of this server, and who is at the other end of a connection, for the application to see."""

import asyncio
import hashlib
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from api.errors import NotServed

SCOPE_KEY = "millpond.client_certificate"


@dataclass(frozen=True, slots=True)
class Tls:
    """The server's certificate with its key (PEM), and who may issue client certificates."""

    certificate: Path
    key: Path
    client_ca: Path | None = None

    def check(self) -> None:
        """Raise NotServed unless the files are there and fit each other."""
        try:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self.certificate, self.key)
            if self.client_ca is not None:
                context.load_verify_locations(self.client_ca)
        except (OSError, ssl.SSLError) as error:
            raise NotServed(
                f"the certificate {self.certificate}, its key {self.key} or the client CA cannot "
                f"be used ({error}): give PEM files that belong together"
            ) from error

    def settings(self) -> dict[str, Any]:
        """Return what uvicorn needs to know.

        A client certificate may come and is verified then; whether one must come is decided for
        each gateway by how it was enrolled.
        """
        found: dict[str, Any] = {"ssl_certfile": self.certificate, "ssl_keyfile": self.key}
        if self.client_ca is not None:
            found |= {"ssl_ca_certs": self.client_ca, "ssl_cert_reqs": ssl.CERT_OPTIONAL}
        return found


class PeerProtocol(H11Protocol):
    """HTTP/1.1 that tells the application the SHA-256 of the client's verified certificate."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in its base
        """Look at the certificate once for all requests of the connection."""
        super().connection_made(transport)
        session = transport.get_extra_info("ssl_object")
        certificate = None if session is None else session.getpeercert(binary_form=True)
        if certificate:
            self.app = _With(self.app, hashlib.sha256(certificate).digest())


class _With:
    def __init__(self, app: Any, fingerprint: bytes) -> None:
        self._app: ASGIApp = app
        self._fingerprint = fingerprint

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope[SCOPE_KEY] = self._fingerprint
        await self._app(scope, receive, send)
