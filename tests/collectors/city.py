"""A city to send to: the real API over TLS with a certificate of the test's own, that can go."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import uvicorn

import api.server
import store
from api.peer import Tls
from collectors.config.file import GatewayConfig, load
from collectors.enrolment import enrol_by_code
from store import access
from tests.collectors.plant import FACTORY, GATEWAY, write_parts
from tests.collectors.proxy import Proxy
from tests.collectors.servers import LoopThread
from tests.support.certificates import Authority, Pair
from tests.support.ports import free_port
from tests.support.waiting import wait_for

_CHUNK = 65_536


class City:
    """Serves a database on one port while it is up."""

    def __init__(self, database_url: str, authority: Authority, pair: Pair | None = None) -> None:
        self.database_url = database_url
        self.authority = authority
        self.port = free_port()
        pair = pair or authority.issue("city")
        self._tls = Tls(pair.certificate, pair.key, authority.certificate)
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """Return the address that gateways are given."""
        return f"https://127.0.0.1:{self.port}"

    def up(self) -> None:
        """Answer from now on."""
        config = api.server.config(self.database_url, "127.0.0.1", self.port, tls=self._tls)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, name="city")
        thread.start()
        self._server, self._thread = server, thread
        wait_for(lambda: server.started or not thread.is_alive(), "the city to answer")
        assert server.started, "the city ended at once"

    def down(self) -> None:
        """Answer no more."""
        server, thread = self._server, self._thread
        self._server = self._thread = None
        if server is not None and thread is not None:
            server.should_exit = True
            thread.join(30)
            assert not thread.is_alive(), "the city did not stop"

    def code(self, gateway: str = GATEWAY, *, by_certificate: bool = False) -> str:
        """Return an enrolment code, as an officer has it printed."""
        with closing(store.connect(self.database_url)) as conn:
            return access.make_enrolment_code(
                conn, FACTORY, gateway, actor="officer", by_certificate=by_certificate
            )

    def revoke(self) -> None:
        """Shut the gateway out."""
        with closing(store.connect(self.database_url)) as conn:
            access.revoke_gateway(conn, GATEWAY, actor="officer")


@contextmanager
def city_of(database_url: str, folder: Path) -> Iterator[City]:
    """Hold a city that is up, with an authority of its own."""
    city = City(database_url, Authority(folder))
    city.up()
    try:
        yield city
    finally:
        city.down()


def write_city_file(
    folder: Path, sources: str, city: City, *, url: str | None = None, more: str = ""
) -> Path:
    """Write a gateway file that sends to a city and return its path."""
    sink = f"""\
kind = "https"
url = "{url or city.url}"
ca = "{city.authority.certificate}"
timeout_s = 10
{more}"""
    return write_parts(folder, sink, sources)


def enrolled_at(city: City, path: Path) -> GatewayConfig:
    """Load a gateway file and enrol its gateway at the city."""
    config = load(path)
    enrol_by_code(config, city.code())
    return config


@dataclass
class Fate:
    """What happens to a connection: cut after so many bytes to the city, or no answer comes."""

    most_bytes: int | None = None
    is_deaf: bool = False


class LossyProxy(Proxy):
    """A network that cuts a request in the middle, or loses an answer on its way back."""

    def __init__(self, loop: LoopThread, port: int) -> None:
        super().__init__(loop, "127.0.0.1", port)
        self.fate = Fate()
        self.lost_bytes = 0

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there_writer = await asyncio.open_connection(*self._target)
        self._writers |= {writer, there_writer}
        try:
            await asyncio.gather(
                self._forth(reader, there_writer, writer), self._back(there_reader, writer)
            )
        finally:
            self._writers -= {writer, there_writer}
            for one in (writer, there_writer):
                one.transport.abort()

    async def _forth(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        back: asyncio.StreamWriter,
    ) -> None:
        passed = 0
        with suppress(ConnectionError):
            while data := await reader.read(_CHUNK):
                most = self.fate.most_bytes
                if most is not None and passed + len(data) > most:
                    writer.write(data[: most - passed])
                    await writer.drain()
                    writer.transport.abort()
                    back.transport.abort()
                    return
                passed += len(data)
                writer.write(data)
                await writer.drain()
            writer.close()

    async def _back(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(_CHUNK):
                if self.fate.is_deaf:
                    self.lost_bytes += len(data)
                    continue
                writer.write(data)
                await writer.drain()
            writer.close()


@contextmanager
def lossy(loop: LoopThread, city: City) -> Iterator[tuple[LossyProxy, str]]:
    """Hold a proxy that is up in front of a city; yield it with the URL that leads to it."""
    proxy = LossyProxy(loop, city.port)
    proxy.up()
    try:
        yield proxy, f"https://127.0.0.1:{proxy.port}"
    finally:
        proxy.down()
