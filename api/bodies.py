"""Bodies that are bounded while they are read: in bytes and in time."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive

_MOST_BYTES = 16 * 1024
_WITHIN_S = 60.0
_LIMITS = "x-most-bytes"


def bounded(most_bytes: int) -> dict[str, Any]:
    """Return what a route of a BoundedRoute router gives as openapi_extra to take larger bodies."""
    return {_LIMITS: most_bytes}


def binary(most_bytes: int, media_type: str = "application/octet-stream") -> dict[str, Any]:
    """Return openapi_extra of a route that takes a file as its body."""
    content = {media_type: {"schema": {"type": "string", "format": "binary"}}}
    return bounded(most_bytes) | {"requestBody": {"required": True, "content": content}}


class BoundedRoute(APIRoute):
    """Reads 16 KiB of body at most, or as many bytes as the route says, within a minute."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler, whose request cannot be read beyond the bounds."""
        handle = super().get_route_handler()
        most = int((self.openapi_extra or {}).get(_LIMITS, _MOST_BYTES))

        async def handler(request: Request) -> Response:
            _refuse_announced(request, most)
            try:
                return await handle(Request(request.scope, _bounded(request.receive, most)))
            except ClientDisconnect as error:
                raise HTTPException(400, "The connection ended within the body.") from error

        return handler


def _refuse_announced(request: Request, most: int) -> None:
    length = request.headers.get("content-length", "0")
    # A peer that announces less than it sends is cut off while it is read.
    if length.isascii() and length.isdecimal() and int(length) > most:
        raise _too_large(most)


def _bounded(receive: Receive, most: int) -> Receive:
    taken = 0
    deadline_s: float | None = None

    async def take() -> Message:
        nonlocal taken, deadline_s
        now_s = asyncio.get_running_loop().time()
        deadline_s = deadline_s or now_s + _WITHIN_S
        try:
            async with asyncio.timeout(deadline_s - now_s):
                message = await receive()
        except TimeoutError as error:
            raise HTTPException(408, "The body did not come in time; send it again.") from error
        taken += len(message.get("body", b""))
        if taken > most:
            raise _too_large(most)
        return message

    return take


def _too_large(most: int) -> HTTPException:
    return HTTPException(413, f"The body is larger than {most} bytes; send less at once.")
