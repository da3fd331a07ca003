"""Real protocol servers in a thread of their own; each answers in a way that shows a mistake."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, TypeVar

from asyncua import ua
from asyncua.server.server import Server
from pymodbus.constants import ExcCodes
from pymodbus.pdu import ModbusPDU
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from tests.collectors.opcua_space import QuickStart

T = TypeVar("T")

_CALL_S = 60.0


class LoopThread:
    """An event loop in a thread, so that a server keeps answering while a test waits."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def call(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine there and return what it returns."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(_CALL_S)

    def close(self) -> None:
        """End what still runs there, then the thread."""
        self.call(self._end_tasks())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_CALL_S)
        self._loop.close()

    async def _end_tasks(self) -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)


@contextmanager
def loop_thread() -> Iterator[LoopThread]:
    """Hold a loop thread for the length of the block."""
    loop = LoopThread()
    try:
        yield loop
    finally:
        loop.close()


# --- OPC UA --------------------------------------------------------------------------------------

NAMESPACE = "urn:example:test:plant"


class OpcuaServer:
    """An OPC UA server with the variables that a test asks for; it can stop and come back."""

    def __init__(self, loop: LoopThread, port: int, values: dict[str, ua.Variant]) -> None:
        self._loop = loop
        self._values = values
        self._server: Server | None = None
        self.url = f"opc.tcp://127.0.0.1:{port}"

    def start(self, extra_namespaces: tuple[str, ...] = ()) -> None:
        """Serve; namespaces named here come before the plant's and shift its number."""
        self._loop.call(self._start(extra_namespaces))

    def stop(self) -> None:
        """Stop serving; does nothing when stopped already."""
        self._loop.call(self._stop())

    def write(
        self, name: str, value: ua.Variant | None, at: datetime | None = None, status: int = 0
    ) -> None:
        """Set a variable as a machine would, with its source time and status."""
        self._loop.call(self._write(name, value, at or datetime.now(UTC), status))

    def forget(self, *names: str) -> None:
        """Leave variables out from the next start on."""
        for name in names:
            del self._values[name]

    def add(self, name: str, value: ua.Variant) -> None:
        """Add a variable while the server runs."""
        self._values[name] = value
        self._loop.call(self._add(name, value))

    def within(self, work: Callable[[Server], Coroutine[Any, Any, T]]) -> T:
        """Do something inside the running server, as its operator or a fault of it would."""
        assert self._server is not None
        return self._loop.call(work(self._server))

    async def _start(self, extra_namespaces: tuple[str, ...]) -> None:
        server = Server(iserver=QuickStart())
        await server.init()
        server.set_endpoint(self.url)
        server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
        for uri in extra_namespaces:
            await server.register_namespace(uri)
        self._index = await server.register_namespace(NAMESPACE)
        self._server = server
        for name, value in self._values.items():
            await self._add(name, value)
        await server.start()

    async def _add(self, name: str, value: ua.Variant) -> None:
        assert self._server is not None
        node_id = ua.NodeId.from_string(f"ns={self._index};s={name}")
        await self._server.nodes.objects.add_variable(node_id, f"{self._index}:{name}", value)

    async def _stop(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            await server.stop()

    async def _write(self, name: str, value: ua.Variant | None, at: datetime, status: int) -> None:
        assert self._server is not None
        moment = ua.DateTime.fromisoformat(at.isoformat())
        code = ua.StatusCode(ua.UInt32(status))
        data = ua.DataValue(value, code, SourceTimestamp=moment, ServerTimestamp=moment)
        node_id = ua.NodeId.from_string(f"ns={self._index};s={name}")
        await self._server.write_attribute_value(node_id, data)


@contextmanager
def opcua_server(
    loop: LoopThread, port: int, values: dict[str, ua.Variant]
) -> Iterator[OpcuaServer]:
    """Serve variables of a namespace for the length of the block."""
    server = OpcuaServer(loop, port, values)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def node(name: str) -> str:
    """Return a variable's address as a gateway file has it."""
    return f"nsu={NAMESPACE};s={name}"


# --- Modbus --------------------------------------------------------------------------------------

HOLDING, INPUT = 3, 4
# Added to every input register, so that a read from the wrong table shows.
INPUT_OFFSET = 20_000
# Place of the unit in the header of a Modbus TCP packet.
_UNIT_BYTE = 6


class ModbusServer:
    """A Modbus server whose holding register N holds N, unless a test sets it otherwise."""

    def __init__(self, loop: LoopThread, port: int, units: tuple[int, ...]) -> None:
        self._loop = loop
        self._port = port
        self._units = units
        self._server: ModbusTcpServer | None = None
        self.registers: dict[int, int] = {}
        self.refused: dict[int, ExcCodes] = {}
        self.requests: list[tuple[int, int, int]] = []
        self.asked: list[int] = []
        self.silent: set[int] = set()
        self.shorten: Callable[[ModbusPDU], bool] = lambda _pdu: False

    def start(self) -> None:
        """Serve on the port."""
        self._loop.call(self._start())

    def stop(self) -> None:
        """Stop serving; does nothing when stopped already."""
        self._loop.call(self._stop())

    async def _start(self) -> None:
        devices = [self._device(unit) for unit in self._units]
        self._server = ModbusTcpServer(
            devices,
            address=("127.0.0.1", self._port),
            trace_pdu=self._trace_pdu,
            trace_packet=self._trace_packet,
        )
        await self._server.serve_forever(background=True)

    async def _stop(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            await server.shutdown()  # type: ignore[no-untyped-call]  # in pymodbus

    def _device(self, unit: int) -> SimDevice:
        own = [SimData(address=0, count=30_000, values=0, datatype=DataType.REGISTERS)]
        bits = [SimData(address=0, count=16, values=[True] * 16, datatype=DataType.BITS)]
        return SimDevice(id=unit, simdata=(bits, bits, own, own), action=self._answer)

    async def _answer(
        self,
        function: int,
        start: int,
        address: int,
        count: int,
        registers: list[int],
        _written: object,
    ) -> ExcCodes | None:
        self.requests.append((function, address, count))
        for place in range(address, address + count):
            if place in self.refused:
                return self.refused[place]
            plain = place + (INPUT_OFFSET if function == INPUT else 0)
            registers[place - start] = self.registers.get(place, plain)
        return None

    def _trace_pdu(self, sending: bool, pdu: ModbusPDU) -> ModbusPDU:
        if sending and self.shorten(pdu):
            pdu.registers = list(pdu.registers)[:-1]
        return pdu

    def _trace_packet(self, sending: bool, packet: bytes) -> bytes:
        if len(packet) <= _UNIT_BYTE:
            return packet
        if not sending:
            self.asked.append(packet[_UNIT_BYTE])
        return b"" if sending and packet[_UNIT_BYTE] in self.silent else packet


@contextmanager
def modbus_server(
    loop: LoopThread, port: int, units: tuple[int, ...] = (1,)
) -> Iterator[ModbusServer]:
    """Serve units for the length of the block."""
    server = ModbusServer(loop, port, units)
    server.start()
    try:
        yield server
    finally:
        server.stop()
