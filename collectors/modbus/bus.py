"""One line to the units of a place: shared by all sources that name it, one request at a time.

Two requests on a bus at once collide, and one source's answer may reach the other. So there is
one connection with one lock for each place in this process, whoever asks.
"""

import asyncio
import os
from collections.abc import Callable
from contextlib import suppress
from weakref import WeakKeyDictionary

from pymodbus.client import AsyncModbusSerialClient, AsyncModbusTcpClient
from pymodbus.exceptions import ModbusException
from pymodbus.framer import FramerType
from pymodbus.pdu import ModbusPDU

from collectors.errors import SourceLost, SourceUnreachable
from collectors.modbus.requests import Request
from collectors.modbus.settings import Line

_Client = AsyncModbusTcpClient | AsyncModbusSerialClient

_CONNECT_S = 10.0
# Time limits are the bus's own; those of pymodbus would close the line for all units.
_NEVER_S = 86_400.0
_NEVER = 1_000_000_000

# Modbus over Serial Line V1.02, 2.5.1.1: frames are 3.5 characters apart, 11 bits each, and
# 1.75 ms above 19200 baud. A late frame may be as long as 256 characters.
_SILENT_CHARACTERS = 3.5
_BITS_A_CHARACTER = 11
_LEAST_SILENCE_S = 0.00175
_LONGEST_FRAME = 256

_open: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, "Bus"]] = WeakKeyDictionary()


async def join(line: Line) -> "Bus":
    """Return the connected bus of a line; every join needs one leave.

    Raises SourceUnreachable when nobody answers there, or another source has it open otherwise.
    """
    buses = _open.setdefault(asyncio.get_running_loop(), {})
    key = os.path.realpath(line.place) if line.transport == "rtu" else line.place
    bus = buses.setdefault(key, Bus(line, lambda: buses.pop(key, None)))
    if bus.line != line:
        raise SourceUnreachable(
            f"another source uses {line.place} with other settings; give both the same"
        )
    bus.users += 1
    try:
        await bus.connect()
    except BaseException:
        bus.leave()
        raise
    return bus


class Bus:
    """The connection to one place, and the turn-taking on it."""

    def __init__(self, line: Line, forget: Callable[[], object]) -> None:
        self.line = line
        self.users = 0
        self._forget = forget
        self._lock = asyncio.Lock()
        self._heard = asyncio.Event()
        self._client: _Client | None = None

    async def connect(self) -> None:
        """Connect if need be; raises SourceUnreachable when nobody answers."""
        async with self._lock:
            if self._client is None or not self._client.connected:
                await self._connect()

    async def read(self, request: Request, timeout_s: float) -> ModbusPDU | None:
        """Return the answer to a request, or None when the unit gave none in time.

        Raises SourceLost when the connection broke.
        """
        async with self._lock:
            if self.line.pause_ms:
                await asyncio.sleep(self.line.pause_ms / 1000)
            client = self._client
            if client is None or not client.connected:
                raise SourceLost(f"{self.line.place} closed the connection")
            try:
                async with asyncio.timeout(timeout_s):
                    reply = await _asked(client, request)
                # pymodbus takes a reply numbered 0 for the answer to whatever was asked.
                if self.line.transport != "tcp" or reply.transaction_id:
                    return reply
            except (TimeoutError, ModbusException):
                if not client.connected:
                    raise SourceLost(f"{self.line.place} closed the connection") from None
            await self._let_late_answer_pass(timeout_s)
            return None

    def leave(self) -> None:
        """End one source's use of the bus; the last one closes it."""
        self.users -= 1
        if self.users == 0:
            self._forget()
            self._close()

    def _close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.close()

    async def _connect(self) -> None:
        self._close()
        client = self._new_client()
        try:
            async with asyncio.timeout(_CONNECT_S):
                is_connected = await client.connect()
                self._client = client if is_connected else None
        except TimeoutError:
            is_connected = False
        finally:
            if self._client is None:
                client.close()
        if not is_connected:
            raise SourceUnreachable(self._why_not)
        if self.line.connect_pause_ms:
            await asyncio.sleep(self.line.connect_pause_ms / 1000)

    @property
    def _why_not(self) -> str:
        if self.line.transport == "rtu":
            return f"{self.line.place} cannot be opened, or another program has it open"
        return f"no Modbus device answers at {self.line.place}"

    def _new_client(self) -> _Client:
        line = self.line
        client: _Client
        if line.transport == "rtu":
            client = AsyncModbusSerialClient(
                line.serial_port,
                baudrate=line.baudrate,
                bytesize=line.bytesize,
                parity=line.parity[0].upper(),
                stopbits=line.stop_bits,
                handle_local_echo=line.local_echo,
                timeout=_NEVER_S,
                retries=0,
                reconnect_delay=0,
                trace_packet=self._trace,
            )
        else:
            client = AsyncModbusTcpClient(
                line.host,
                port=line.port,
                framer=FramerType.SOCKET if line.transport == "tcp" else FramerType.RTU,
                timeout=_NEVER_S,
                retries=0,
                reconnect_delay=0,
            )
        client.set_max_no_responses(_NEVER)
        return client

    def _trace(self, sending: bool, packet: bytes) -> bytes:
        if not sending:
            self._heard.set()
        return packet

    async def _let_late_answer_pass(self, timeout_s: float) -> None:
        """Keep an answer that comes too late from being taken for the next one.

        Modbus TCP numbers its requests; serial frames have nothing that tells. So a gateway gets
        a new connection, and a serial line is left alone as long as an answer may still come.
        """
        if self.line.transport == "rtu-over-tcp":
            try:
                await self._connect()
            except SourceUnreachable as error:
                raise SourceLost(str(error)) from error
        elif self.line.transport == "rtu":
            self._heard.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(timeout_s):
                    await self._heard.wait()
                    await asyncio.sleep(self._longest_frame_s)

    @property
    def _longest_frame_s(self) -> float:
        character_s = _BITS_A_CHARACTER / self.line.baudrate
        silence_s = max(_SILENT_CHARACTERS * character_s, _LEAST_SILENCE_S)
        return _LONGEST_FRAME * character_s + silence_s


async def _asked(client: _Client, request: Request) -> ModbusPDU:
    """Send a request: these four functions are all that ever leave this program."""
    match request.table:
        case "holding":
            call = client.read_holding_registers
        case "input":
            call = client.read_input_registers
        case "coil":
            call = client.read_coils
        case "discrete":
            call = client.read_discrete_inputs
    return await call(request.address, count=request.count, device_id=request.unit_id)
