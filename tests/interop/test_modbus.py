"""Reading a Modbus server of the npm registry: its own encoder, its own framing."""

import asyncio
import os
import tty
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import get_args

from collectors.modbus.adapter import ModbusAdapter
from collectors.modbus.layout import RegisterOrder
from collectors.modbus.settings import ModbusTag
from collectors.status import BAD_CONFIGURATION, GOOD
from tests.collectors.modbus.meters import adapter, read_once, serial, tag
from tests.interop.node import run_node

STATES = {"RUN": 1, "IDLE": 2}

# The server's addresses, one order after the other.
ORDERS_32: tuple[RegisterOrder, ...] = ("ABCD", "DCBA", "BADC", "CDAB")
ORDERS_64: tuple[RegisterOrder, ...] = (
    "ABCDEFGH",
    "HGFEDCBA",
    "BADCFEHG",
    "GHEFCDAB",
    "EFGHABCD",
    "CDABGHEF",
)


def wanted() -> list[tuple[ModbusTag, float | None]]:
    """Return a tag of every table, type and order with what the server holds there."""
    found: list[tuple[ModbusTag, float | None]] = [
        (tag("plain", 7), 7),
        (tag("int16", 100, "int16"), -5),
        (tag("bcd16", 102, "bcd16"), 1234),
        (tag("bcd32", 103, "bcd32"), 12345678),
        (tag("uint32", 103, "uint32"), 0x12345678),
        (tag("bit", 105, "bool", bit=15), 1),
        (tag("bit2", 105, "bool", bit=2), 1),
        (tag("bit0", 105, "bool", bit=0), 0),
        (tag("int8high", 106, "int8high"), -7),
        (tag("uint8high", 106, "uint8high"), 249),
        (tag("uint8low", 106, "uint8low"), 200),
        (tag("int8low", 106, "int8low"), -56),
        (tag("float16", 107, "float16"), 1.5),
        (tag("string", 110, "string", length=3, states=STATES), 1),
        (tag("swapped", 113, "string", length=3, order="BA", states=STATES), 2),
        (tag("scaled", 100, "int16", scale=0.1, offset=20.0), 19.5),
        (tag("input", 12, table="input", unit_id=3), 3012),
        (tag("coil", 9, "bool", table="coil"), 1),
        (tag("coil2", 700, "bool", table="coil"), 0),
        (tag("discrete", 9, "bool", table="discrete"), 1),
        (tag("discrete2", 10, "bool", table="discrete"), 0),
        (tag("missing", 5001), None),
    ]
    for index, order in enumerate(ORDERS_32):
        found.append((tag(f"float32 {order}", 200 + 10 * index, "float32", order=order), -1234.5))
        found.append((tag(f"int32 {order}", 204 + 10 * index, "int32", order=order), -123456789))
    for index, order in enumerate(ORDERS_64):
        at = 300 + 20 * index
        found.append((tag(f"float64 {order}", at, "float64", order=order), -1234.5678))
        found.append((tag(f"int64 {order}", at + 6, "int64", order=order), -(2.0**40) - 5))
    assert len({one.tag for one, _ in found}) == len(found)
    return found


def expected() -> dict[str, tuple[float | None, int]]:
    return {
        one.tag: (value, BAD_CONFIGURATION if value is None else GOOD) for one, value in wanted()
    }


def tags() -> list[ModbusTag]:
    return [one for one, _ in wanted()]


@contextmanager
def pseudo_terminal() -> Iterator[tuple[int, str]]:
    """Hold one end of a raw pseudo terminal; yields it and the path of its other end."""
    far, near = os.openpty()
    tty.setraw(far)
    os.set_blocking(far, False)
    try:
        yield far, os.ttyname(near)
    finally:
        os.close(far)
        os.close(near)


def pass_on(from_end: int, put: Callable[[bytes], object]) -> None:
    with suppress(BlockingIOError):
        put(os.read(from_end, 1024))


@asynccontextmanager
async def cable(one: int, other: int) -> AsyncIterator[None]:
    """Join two terminals as a cable does."""
    loop = asyncio.get_running_loop()
    for here, there in ((one, other), (other, one)):
        loop.add_reader(here, pass_on, here, lambda data, there=there: os.write(there, data))
    try:
        yield
    finally:
        loop.remove_reader(one)
        loop.remove_reader(other)


@asynccontextmanager
async def gateway(port: int, far: int) -> AsyncIterator[None]:
    """Carry serial frames over TCP as a transparent device server does."""
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        loop.add_reader(far, pass_on, far, writer.write)
        with suppress(ConnectionError):
            while data := await reader.read(1024):
                os.write(far, data)
        loop.remove_reader(far)
        writer.close()
        ended.set()

    server = await asyncio.start_server(connected, "127.0.0.1", port)
    try:
        yield
    finally:
        server.close()
        async with asyncio.timeout(10):
            await ended.wait()
            await server.wait_closed()


def test_every_order_of_the_gateway_file_is_tried() -> None:
    assert set(get_args(RegisterOrder)) - {"AB", "BA"} == {*ORDERS_32, *ORDERS_64}


def test_modbus_serial_over_tcp(free_port: int) -> None:
    with run_node("modbus_server.js", "tcp", str(free_port)) as peer:
        assert asyncio.run(read_once(adapter(free_port, *tags()))) == expected()
        peer.tell()
        assert peer.hear() == {"writes": 0}


def test_modbus_serial_over_a_serial_line() -> None:
    async def run(meter: ModbusAdapter, *ends: int) -> dict[str, tuple[float | None, int]]:
        async with cable(*ends):
            return await read_once(meter)

    with (
        pseudo_terminal() as (far, path),
        pseudo_terminal() as (own, own_path),
        run_node("modbus_server.js", "serial", path),
    ):
        meter = serial(own_path, *tags(), timeout_s=2.0)
        assert asyncio.run(run(meter, far, own)) == expected()


def test_modbus_serial_through_a_gateway(free_port: int) -> None:
    async def run(meter: ModbusAdapter, far: int) -> dict[str, tuple[float | None, int]]:
        async with gateway(free_port, far):
            return await read_once(meter)

    with pseudo_terminal() as (far, path), run_node("modbus_server.js", "serial", path):
        meter = adapter(free_port, *tags(), transport="rtu-over-tcp", timeout_s=2.0)
        assert asyncio.run(run(meter, far)) == expected()
