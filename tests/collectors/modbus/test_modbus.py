"""Modbus against a server whose register N holds N, with everything a real one does wrong."""

import asyncio
import math
import struct
from collections.abc import Iterator

import pytest
from pymodbus.constants import ExcCodes

from collectors.errors import SourceLost, SourceUnreachable
from collectors.sample import now_us
from collectors.status import (
    BAD_CONFIGURATION,
    BAD_DECODING,
    BAD_DEVICE_FAILURE,
    BAD_OUT_OF_RANGE,
    BAD_TIMEOUT,
    GOOD,
)
from tests.collectors.modbus.meters import SILENCE_S, adapter, read_once, tag
from tests.collectors.receiving import failure_of, first_of_each, opened, receive_until, samples_of
from tests.collectors.servers import (
    HOLDING,
    INPUT,
    INPUT_OFFSET,
    LoopThread,
    ModbusServer,
    loop_thread,
    modbus_server,
)

SILENT = 9


@pytest.fixture
def loop() -> Iterator[LoopThread]:
    with loop_thread() as running:
        yield running


@pytest.fixture
def server(loop: LoopThread, free_port: int) -> Iterator[ModbusServer]:
    with modbus_server(loop, free_port, units=(1, 2, SILENT)) as running:
        running.silent = {SILENT}
        yield running


def test_addresses_count_from_zero_and_tables_differ(server: ModbusServer, free_port: int) -> None:
    tags = [tag("a", 0), tag("b", 5), tag("c", 900), tag("d", 29_999), tag("i", 5, table="input")]
    assert asyncio.run(read_once(adapter(free_port, *tags))) == {
        "a": (0, GOOD),
        "b": (5, GOOD),
        "c": (900, GOOD),
        "d": (29_999, GOOD),
        "i": (5 + INPUT_OFFSET, GOOD),
    }


def test_a_sample_carries_the_time_of_its_reading(server: ModbusServer, free_port: int) -> None:
    async def two_readings() -> list[int]:
        async with opened(adapter(free_port, tag("a", 1))) as meter:
            found = await receive_until(meter, lambda seen: len(samples_of(seen)) >= 2, "two polls")
            return [sample.ts_us for sample in samples_of(found)]

    before = now_us()
    first, second = asyncio.run(two_readings())
    assert before <= first < second <= now_us()


def test_neighbours_share_a_request(server: ModbusServer, free_port: int) -> None:
    tags = [tag(f"t{n}", n) for n in range(100)] + [tag(f"i{n}", n, table="input") for n in (3, 9)]
    asyncio.run(read_once(adapter(free_port, *tags)))
    assert server.requests == [(HOLDING, 0, 100), (INPUT, 3, 7)]


def test_an_exception_turns_only_its_own_request_bad(server: ModbusServer, free_port: int) -> None:
    server.refused = {500: ExcCodes.ILLEGAL_ADDRESS, 700: ExcCodes.DEVICE_FAILURE}
    tags = [tag("good", 5), tag("missing", 500), tag("broken", 700)]
    assert asyncio.run(read_once(adapter(free_port, *tags))) == {
        "good": (5, GOOD),
        "missing": (None, BAD_CONFIGURATION),
        "broken": (None, BAD_DEVICE_FAILURE),
    }


def test_a_gap_that_the_device_lacks_is_not_read_again(
    server: ModbusServer, free_port: int
) -> None:
    server.refused = {7: ExcCodes.ILLEGAL_ADDRESS}
    meter = adapter(free_port, tag("before", 5), tag("after", 9))

    async def two_readings() -> None:
        async with opened(meter):
            await receive_until(meter, lambda seen: len(samples_of(seen)) >= 4, "two polls")

    assert asyncio.run(read_once(meter)) == {"before": (5, GOOD), "after": (9, GOOD)}
    assert server.requests == [(HOLDING, 5, 5), (HOLDING, 5, 1), (HOLDING, 9, 1)]
    asyncio.run(two_readings())
    assert (HOLDING, 5, 5) not in server.requests[3:]


def test_one_wrong_address_does_not_cost_its_neighbours(
    server: ModbusServer, free_port: int
) -> None:
    server.refused = {7: ExcCodes.ILLEGAL_ADDRESS}
    tags = [tag(f"t{n}", n) for n in range(4, 12)]
    found = asyncio.run(read_once(adapter(free_port, *tags)))
    assert found == {f"t{n}": (n, GOOD) for n in range(4, 12)} | {"t7": (None, BAD_CONFIGURATION)}
    assert (HOLDING, 8, 4) in server.requests


def test_addresses_may_count_from_one(server: ModbusServer, free_port: int) -> None:
    meter = adapter(free_port, tag("first", 1), tag("next", 101), base=1)
    assert asyncio.run(read_once(meter)) == {"first": (0, GOOD), "next": (100, GOOD)}


def test_a_unit_that_is_back_is_read_again(server: ModbusServer, free_port: int) -> None:
    async def run() -> None:
        tags = (tag("one", 1), tag("dead", 2, unit_id=SILENT))
        async with opened(
            adapter(free_port, *tags, timeout_s=SILENCE_S, silent_cycles=1, rest_s=0.2)
        ) as meter:
            await first_of_each(meter)
            server.silent = set()
            await receive_until(
                meter,
                lambda seen: any(one.status == GOOD for one in samples_of(seen, "dead")),
                "the unit that is back",
            )

    asyncio.run(run())


def test_a_reply_that_is_too_short_is_bad(server: ModbusServer, free_port: int) -> None:
    server.shorten = lambda pdu: len(getattr(pdu, "registers", ())) == 2
    tags = [tag("good", 5), tag("short", 500, "uint32")]
    assert asyncio.run(read_once(adapter(free_port, *tags))) == {
        "good": (5, GOOD),
        "short": (None, BAD_DECODING),
    }


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_bad(server: ModbusServer, free_port: int, number: float) -> None:
    high, low = struct.unpack(">HH", struct.pack(">f", number))
    server.registers = {10: high, 11: low}
    assert asyncio.run(read_once(adapter(free_port, tag("x", 10, "float32")))) == {
        "x": (None, BAD_OUT_OF_RANGE)
    }


def test_a_silent_unit_does_not_stop_the_others(server: ModbusServer, free_port: int) -> None:
    tags = [tag("one", 1), tag("dead", 2, unit_id=SILENT), tag("dead2", 900, unit_id=SILENT)]
    tags.append(tag("two", 3, unit_id=2))
    assert asyncio.run(read_once(adapter(free_port, *tags, timeout_s=SILENCE_S))) == {
        "one": (1, GOOD),
        "dead": (None, BAD_TIMEOUT),
        "dead2": (None, BAD_TIMEOUT),
        "two": (3, GOOD),
    }


def test_a_unit_that_stays_silent_is_left_alone(server: ModbusServer, free_port: int) -> None:
    async def cycles() -> None:
        tags = (tag("one", 1), tag("dead", 2, unit_id=SILENT))
        meter = adapter(free_port, *tags, timeout_s=SILENCE_S)
        async with opened(meter):
            await receive_until(meter, lambda seen: len(samples_of(seen, "one")) >= 20, "polls")

    asyncio.run(cycles())
    assert server.asked.count(SILENT) == 3
    assert server.asked.count(1) >= 20


def test_all_silent_is_a_lost_source(server: ModbusServer, free_port: int) -> None:
    async def run() -> Exception:
        dead = tag("dead", 2, unit_id=SILENT)
        async with opened(adapter(free_port, dead, timeout_s=SILENCE_S)) as meter:
            return await failure_of(meter)

    assert isinstance(asyncio.run(run()), SourceLost)


def test_a_server_that_stops_is_a_lost_source(server: ModbusServer, free_port: int) -> None:
    async def run() -> Exception:
        async with opened(adapter(free_port, tag("a", 1))) as meter:
            await first_of_each(meter)
            await asyncio.to_thread(server.stop)
            return await failure_of(meter)

    meter = adapter(free_port, tag("a", 1))
    assert isinstance(asyncio.run(run()), meter.errors)


def test_nobody_there_is_unreachable(free_port: int) -> None:
    async def run() -> None:
        async with opened(adapter(free_port, tag("a", 1))):
            raise AssertionError("it connected to nobody")

    with pytest.raises(SourceUnreachable, match=str(free_port)):
        asyncio.run(run())
