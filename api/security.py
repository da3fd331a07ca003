"""Headers of every answer, and the refusal of foreign host names.

The pages need no script at all, so the policy allows none. A page of another site that makes its
own name point to this machine would be let in by the browser, but not by the host check.
"""

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import problem

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
    """ASGI middleware: adds the headers and answers only under this machine's own names."""

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

        if _host(scope) in _OWN_HOSTS:
            await self._app(scope, receive, send_guarded)
            return
        refusal = problem(
            Request(scope), 421, "This host name is not served; use 127.0.0.1 or localhost."
        )
        await refusal(scope, receive, send_guarded)


def _host(scope: Scope) -> str:
    host = Headers(scope=scope).get("host", "")
    name, separator, port = host.rpartition(":")
    return name if separator and port.isdecimal() else host
