"""Headers of every answer, and who may ask for what.

The pages need no script at all, so the policy allows none. To others than this machine they answer
only over TLS and under the host names that the operator gave: a page of another site that makes its
own name point here would be let in by the browser. Gateways come from anywhere and under any name,
to the part of the interface that asks each for its token.
"""

import ipaddress
from collections.abc import Collection

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import problem
from api.refusals import INGEST_PATH

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}

# For a year, browsers come to a host that spoke TLS by nothing else.
_TLS_ONLY = "max-age=31536000"
_OWN_HOSTS = {"127.0.0.1", "localhost", "[::1]"}


class Guard:
    """ASGI middleware: adds the headers, and serves others over TLS under the given names alone."""

    def __init__(self, app: ASGIApp, names: Collection[str] = ()) -> None:
        self._app = app
        self._names = frozenset(name.lower() for name in names)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        is_named = scope["scheme"] == "https" and _host(scope) in self._names

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                if is_named:
                    headers.setdefault("Strict-Transport-Security", _TLS_ONLY)
            await send(message)

        refused = None
        if not is_named and not scope["path"].startswith(INGEST_PATH):
            refused = _refusal(scope)
        await (refused or self._app)(scope, receive, send_guarded)


def _refusal(scope: Scope) -> ASGIApp | None:
    if not _is_this_machine(scope):
        return problem(
            Request(scope),
            403,
            "Others than this machine are served over TLS and under the names that the operator "
            "gave (--name).",
        )
    if _host(scope) not in _OWN_HOSTS:
        return problem(
            Request(scope),
            421,
            "This host name is not served; use 127.0.0.1 or localhost, or a name that the operator "
            "gave (--name) over TLS.",
        )
    return None


def _is_this_machine(scope: Scope) -> bool:
    client = scope.get("client")
    try:
        return client is not None and ipaddress.ip_address(client[0]).is_loopback
    except ValueError:
        return False


def _host(scope: Scope) -> str:
    host = Headers(scope=scope).get("host", "")
    name, separator, port = host.rpartition(":")
    return (name if separator and port.isdecimal() else host).lower()
