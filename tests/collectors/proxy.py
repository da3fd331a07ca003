"""A TCP proxy that can cut a connection and refuse new ones: a network that fails on demand."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

from tests.collectors.servers import LoopThread
from tests.support.ports import free_port

_CHUNK = 65_536


class Proxy:
    """Passes bytes between a loopback port and a server while it is up."""

    def __init__(self, loop: LoopThread, host: str, port: int) -> None:
        self._loop = loop
        self._target = (host, port)
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._flows = asyncio.Event()
        self._flows.set()
        self._marker: bytes | None = None
        self._passed: set[asyncio.StreamWriter] = set()
        self.port = free_port()
        # How many answers were withheld.
        self.withheld = 0

    def withhold_answer_to(self, marker: bytes | None) -> None:
        """Pass what holds the marker on to the server, and cut before its answer comes back."""
        self._marker = marker

    def lead_to(self, port: int) -> None:
        """Lead new connections to another port: the server came back on that one."""
        self._target = (self._target[0], port)

    def up(self) -> None:
        """Accept connections."""
        self._loop.call(self._up())

    def down(self) -> None:
        """Refuse connections and cut those that there are."""
        self._loop.call(self._down())

    def freeze(self) -> None:
        """Pass nothing on any more, without a sign to either side."""
        self._loop.call(self._freeze())

    async def _freeze(self) -> None:
        self._flows.clear()

    async def _up(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)

    async def _down(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            server.close()
        for writer in list(self._writers):
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there_reader, there_writer = await asyncio.open_connection(*self._target)
        except OSError:  # the server is away: so is whoever leads to it
            writer.transport.abort()
            return
        pair = {writer, there_writer}
        self._writers |= pair
        try:
            there = self._pass(reader, there_writer, writer)
            await asyncio.gather(there, self._pass(there_reader, writer))
        finally:
            self._writers -= pair
            for one in pair:
                one.transport.abort()

    async def _pass(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        asking: asyncio.StreamWriter | None = None,
    ) -> None:
        """Pass bytes to a writer; asking is whom the answers go to, where these are questions."""
        with suppress(ConnectionError):
            while data := await reader.read(_CHUNK):
                await self._flows.wait()
                if not await self._goes_on(data, writer, asking):
                    return
                writer.write(data)
                await writer.drain()
        with suppress(ConnectionError, RuntimeError):
            writer.close()

    async def _goes_on(
        self, data: bytes, writer: asyncio.StreamWriter, asking: asyncio.StreamWriter | None
    ) -> bool:
        """Say whether these bytes reach the writer, or the connection has just ended."""
        if writer in self._passed:
            self._passed.discard(writer)
            self.withheld += 1
            writer.transport.abort()
            return False
        if asking is not None and self._marker is not None and self._marker in data:
            self._passed.add(asking)
        return True


@contextmanager
def proxied(loop: LoopThread, url: str) -> Iterator[tuple[Proxy, str]]:
    """Hold a proxy, not yet up, in front of a database; yield it with the URL that leads to it."""
    parts = urlsplit(url)
    assert parts.hostname is not None
    assert parts.port is not None
    proxy = Proxy(loop, parts.hostname, parts.port)
    user, _, _ = parts.netloc.rpartition("@")
    try:
        yield proxy, parts._replace(netloc=f"{user}@127.0.0.1:{proxy.port}").geturl()
    finally:
        proxy.down()
