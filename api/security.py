"""Headers of every answer, and who may ask for what.

The pages need no script at all, so the policy allows none. There is no login yet, so they answer
to this machine alone: to its own addresses, and under its own names, since a page of another site
that makes its own name point to this machine would be let in by the browser. Gateways come from
anywhere and under any name, to the part of the interface that asks each for its token.
"""

import ipaddress

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

_OWN_HOSTS = {"127.0.0.1", "localhost", "[::1]"}


class Guard:
    """ASGI middleware: adds the headers, and keeps what is not for gateways to this machine."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        if scope["path"].startswith(INGEST_PATH):
            await self._app(scope, receive, send_guarded)
        elif not _is_this_machine(scope):
            refusal = problem(Request(scope), 403, "Only this machine itself may ask for this.")
            await refusal(scope, receive, send_guarded)
        elif _host(scope) not in _OWN_HOSTS:
            refusal = problem(
                Request(scope), 421, "This host name is not served; use 127.0.0.1 or localhost."
            )
            await refusal(scope, receive, send_guarded)
        else:
            await self._app(scope, receive, send_guarded)


def _is_this_machine(scope: Scope) -> bool:
    client = scope.get("client")
    try:
        return client is not None and ipaddress.ip_address(client[0]).is_loopback
    except ValueError:
        return False


def _host(scope: Scope) -> str:
    host = Headers(scope=scope).get("host", "")
    name, separator, port = host.rpartition(":")
    return name if separator and port.isdecimal() else host
