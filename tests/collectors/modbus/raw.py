"""Modbus answered by hand, byte by byte: what no library's server would do wrong on purpose.

Register N holds N, and bit N is set where N divides by three, unless a test answers otherwise.
"""

import asyncio
import os
import struct
import tty
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

_BITS = (1, 2)


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it came in."""

    transaction: int
    unit: int
    function: int
    address: int
    count: int


Send = Callable[[bytes], None]
Answer = Callable[[Asked, Send], None]


@dataclass
class Raw:
    """A server that notes what it is asked and lets a function answer."""

    framed: Callable[[Asked, bytes], bytes]
    answer: Answer = lambda _asked, _send: None
    asked: list[Asked] = field(default_factory=list)
    connections: int = 0
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def right(self, asked: Asked) -> bytes:
        """Return the frame that a sound device answers."""
        return self.framed(asked, right_pdu(asked))


def right_pdu(asked: Asked) -> bytes:
    """Return function code and data that a sound device answers."""
    places = range(asked.address, asked.address + asked.count)
    if asked.function in _BITS:
        number = sum(1 << i for i, place in enumerate(places) if place % 3 == 0)
        data = number.to_bytes(-(-asked.count // 8), "little")
    else:
        data = struct.pack(f">{asked.count}H", *places)
    return bytes((asked.function, len(data))) + data


def crc(data: bytes) -> bytes:
    """Return the checksum of a serial frame, low byte first (Modbus over Serial Line, 6.2.2)."""
    value = 0xFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0xA001 if value & 1 else 0)
    return value.to_bytes(2, "little")


def in_tcp(asked: Asked, pdu: bytes) -> bytes:
    """Return a Modbus TCP frame that answers a request."""
    return struct.pack(">HHHB", asked.transaction, 0, len(pdu) + 1, asked.unit) + pdu


def in_rtu(asked: Asked, pdu: bytes) -> bytes:
    """Return a serial frame that answers a request."""
    frame = bytes((asked.unit,)) + pdu
    return frame + crc(frame)


@asynccontextmanager
async def raw_tcp(port: int, answer: Answer | None = None) -> AsyncIterator[Raw]:
    """Serve Modbus TCP for the length of the block."""
    raw = _raw(in_tcp, answer)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            transaction, _, length = struct.unpack(">HHH", await reader.readexactly(6))
            unit, *pdu = await reader.readexactly(length)
            _note(raw, transaction, unit, bytes(pdu), writer.write)

    async with _serving(raw, port, serve):
        yield raw


@asynccontextmanager
async def raw_rtu_over_tcp(port: int, answer: Answer | None = None) -> AsyncIterator[Raw]:
    """Serve serial frames over TCP for the length of the block."""
    raw = _raw(in_rtu, answer)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            _note_frame(raw, await reader.readexactly(8), writer.write)

    async with _serving(raw, port, serve):
        yield raw


@asynccontextmanager
async def raw_serial(answer: Answer | None = None) -> AsyncIterator[tuple[Raw, str]]:
    """Serve at the far end of a pseudo terminal; yields the server and the near end's path."""
    raw = _raw(in_rtu, answer)
    far, near = os.openpty()
    tty.setraw(far)
    os.set_blocking(far, False)
    waiting = bytearray()

    def receive() -> None:
        with suppress(BlockingIOError):
            waiting.extend(os.read(far, 1024))
        while len(waiting) >= 8:
            _note_frame(raw, bytes(waiting[:8]), lambda data: _put(far, data))
            del waiting[:8]

    loop = asyncio.get_running_loop()
    loop.add_reader(far, receive)
    try:
        yield raw, os.ttyname(near)
    finally:
        loop.remove_reader(far)
        os.close(far)
        os.close(near)


def _put(far: int, data: bytes) -> None:
    os.write(far, data)


def _raw(framed: Callable[[Asked, bytes], bytes], answer: Answer | None) -> Raw:
    raw = Raw(framed)
    raw.answer = answer or (lambda asked, send: send(raw.right(asked)))
    return raw


def _note_frame(raw: Raw, frame: bytes, send: Send) -> None:
    assert crc(frame[:-2]) == frame[-2:]
    _note(raw, 0, frame[0], frame[1:-2], send)


def _note(raw: Raw, transaction: int, unit: int, pdu: bytes, send: Send) -> None:
    function, address, count = struct.unpack(">BHH", pdu)
    asked = Asked(transaction, unit, function, address, count)
    raw.asked.append(asked)
    raw.answer(asked, send)


@asynccontextmanager
async def _serving(
    raw: Raw,
    port: int,
    serve: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> AsyncIterator[None]:
    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        raw.connections += 1
        task = asyncio.current_task()
        assert task is not None
        raw.tasks.add(task)
        try:
            with suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
                await serve(reader, writer)
        finally:
            raw.tasks.discard(task)
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", port)
    try:
        yield
    finally:
        server.close()
        ending = list(raw.tasks)
        for task in ending:
            task.cancel()
        await asyncio.gather(*ending, return_exceptions=True)
        await server.wait_closed()
