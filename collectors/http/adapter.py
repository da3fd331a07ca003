"""HTTP: a request is answered when the spool holds what it brought."""

import asyncio
import socket
from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.routing import Route

from collectors.config.secrets import secret
from collectors.context import Context
from collectors.errors import NotSet, SourceError, SourceLost, SourceUnreachable
from collectors.http.intake import Intake
from collectors.http.server import Server, listen
from collectors.http.settings import HttpSource
from collectors.sample import Delivery

_SIGN_OF_LIFE_S = 1.0
_CLOSE_S = 5.0


class HttpAdapter:
    """One listening address; a request that is not answered with 202 is to be sent again."""

    errors: tuple[type[Exception], ...] = (SourceError, OSError, NotSet)

    def __init__(self, source: HttpSource, context: Context) -> None:
        self._source = source
        self._context = context
        self._intake: Intake | None = None
        self._server: Server | None = None
        self._serving: asyncio.Task[None] | None = None
        self._listening: socket.socket | None = None

    @property
    def tags(self) -> Sequence[str]:
        """The tags of this source."""
        return [tag.tag for tag in self._source.tags]

    async def open(self) -> None:
        """Begin to listen; raises OSError where the port is taken or the certificate unusable."""
        source, folder = self._source, self._context.folder
        if self._context.probing:
            raise SourceUnreachable("this source listens and cannot be asked; send it something")
        token = secret(folder, source.token_env, source.token_file)
        self._intake = Intake(source, self._context.zone, token)
        routes = [
            Route("/records/{kind}", self._intake.take_records, methods=["POST"]),
            Route("/tags", self._intake.take_tags, methods=["POST"]),
        ]
        self._server = Server(Starlette(routes=routes), source, folder)
        self._listening = listen(source.host, source.port)
        serving = self._server.serve([self._listening])
        self._serving = asyncio.create_task(serving, name=source.name)

    async def receive(self) -> Delivery:
        """Return what the next request brought; empty when there was none for a while."""
        assert self._serving is not None
        assert self._intake is not None
        if self._serving.done():
            raise SourceLost("the server ended by itself")
        try:
            async with asyncio.timeout(_SIGN_OF_LIFE_S):
                return await self._intake.next()
        except TimeoutError:
            return Delivery()

    async def close(self) -> None:
        """Stop listening; those whose requests still wait are told to come again."""
        if self._intake is not None:
            self._intake.end()
        if self._server is not None:
            self._server.should_exit = True
        serving, self._serving = self._serving, None
        if serving is not None:
            await asyncio.wait((serving,), timeout=_CLOSE_S)
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)
        if self._listening is not None:
            # One that is told to end before it has begun leaves this to us.
            self._listening.close()
            self._listening = None
