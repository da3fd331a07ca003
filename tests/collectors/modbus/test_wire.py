"""What a device may send instead of the answer, on each kind of line, and what may be sent."""

import asyncio
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest
from serial import Serial

from collectors.errors import SourceLost, SourceUnreachable
from collectors.modbus.adapter import ModbusAdapter
from collectors.modbus.settings import ModbusTag
from collectors.status import (
    BAD_COMMUNICATION,
    BAD_DECODING,
    BAD_OUT_OF_RANGE,
    BAD_TIMEOUT,
    BAD_TYPE_MISMATCH,
    GOOD,
)
from tests.collectors.modbus.meters import SILENCE_S, adapter, read_once, serial, tag
from tests.collectors.modbus.raw import (
    Asked,
    Raw,
    Send,
    raw_rtu_over_tcp,
    raw_serial,
    raw_tcp,
    right_pdu,
)
from tests.collectors.receiving import failure_of, first_of_each, opened, receive_until, samples_of

TRANSPORTS = ("tcp", "rtu", "rtu-over-tcp")

ALL_KINDS = (
    tag("h", 1),
    tag("i", 4, "float32", table="input"),
    tag("c", 3, "bool", table="coil"),
    tag("d", 4, "bool", table="discrete"),
    tag("far", 3000, "uint64", unit_id=2),
    tag("bit", 5, "bool", bit=0),
    tag("bcd", 0x1234, "bcd16"),
)


@asynccontextmanager
async def line(
    transport: str, port: int, *tags: ModbusTag, timeout_s: float = 3.0
) -> AsyncIterator[tuple[Raw, ModbusAdapter]]:
    """Hold a raw server and an opened adapter on one kind of line."""
    if transport == "rtu":
        async with (
            raw_serial() as (raw, path),
            opened(meter := serial(path, *tags, timeout_s=timeout_s)),
        ):
            yield raw, meter
        return
    servers: dict[str, Callable[[int], AbstractAsyncContextManager[Raw]]] = {
        "tcp": raw_tcp,
        "rtu-over-tcp": raw_rtu_over_tcp,
    }
    async with servers[transport](port) as raw:
        meter = adapter(port, *tags, transport=transport, timeout_s=timeout_s)
        async with opened(meter):
            yield raw, meter


async def values(meter: ModbusAdapter) -> dict[str, tuple[float | None, int]]:
    return {name: one[2:] for name, one in (await first_of_each(meter)).items()}


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_only_reading_functions_leave(transport: str, free_port: int) -> None:
    async def run() -> set[int]:
        async with line(transport, free_port, *ALL_KINDS) as (raw, meter):
            assert await values(meter) == {
                "h": (1, GOOD),
                "i": (struct.unpack(">f", struct.pack(">HH", 4, 5))[0], GOOD),
                "c": (1, GOOD),
                "d": (0, GOOD),
                "far": (float(3000 << 48 | 3001 << 32 | 3002 << 16 | 3003), GOOD),
                "bit": (1, GOOD),
                "bcd": (1234, GOOD),
            }
            raw.answer = lambda asked, send: send(
                raw.framed(asked, bytes((asked.function | 0x80, 2)))
            )
            await receive_until(
                meter,
                lambda seen: any(one.status != GOOD for one in samples_of(seen)),
                "a refusal",
            )
            return {asked.function for asked in raw.asked}

    assert asyncio.run(run()) == {1, 2, 3, 4}


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_modbus_shared_bus_stale_replies(transport: str, free_port: int) -> None:
    """Complaint: an answer that comes too late is taken for the next one.

    The late answer even bears the next unit's number, as no number but that of a transaction
    tells answers apart.
    """

    async def run() -> dict[str, tuple[float | None, int]]:
        tags = (tag("slow", 100), tag("next", 200, unit_id=2))
        async with line(transport, free_port, *tags, timeout_s=SILENCE_S) as (raw, meter):
            held: list[tuple[Asked, Send]] = []

            def answer(asked: Asked, send: Send) -> None:
                if asked.unit == 1:
                    held.append((asked, send))
                    if transport == "rtu":
                        asyncio.get_running_loop().call_later(0.6, send_late)
                    return
                send_late()
                send(raw.right(asked))

            def send_late() -> None:
                for asked, send in held:
                    forged = Asked(asked.transaction, 2, asked.function, 666, asked.count)
                    send(raw.right(forged))
                held.clear()

            raw.answer = answer
            return await values(meter)

    assert asyncio.run(run()) == {"slow": (None, BAD_TIMEOUT), "next": (200, GOOD)}


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_another_units_reply_is_no_answer(transport: str, free_port: int) -> None:
    async def run() -> dict[str, tuple[float | None, int]]:
        tags = (tag("a", 1), tag("b", 2, unit_id=2))
        async with line(transport, free_port, *tags, timeout_s=SILENCE_S) as (raw, meter):

            def answer(asked: Asked, send: Send) -> None:
                unit = 7 if asked.unit == 1 else asked.unit
                send(
                    raw.right(
                        Asked(asked.transaction, unit, asked.function, asked.address, asked.count)
                    )
                )

            raw.answer = answer
            return await values(meter)

    assert asyncio.run(run()) == {"a": (None, BAD_TIMEOUT), "b": (2, GOOD)}


@pytest.mark.parametrize("shift", [-1, 1, 0x5555])
def test_a_reply_with_anothers_transaction_is_no_answer(free_port: int, shift: int) -> None:
    async def run() -> dict[str, tuple[float | None, int]]:
        tags = (tag("a", 1), tag("b", 2, unit_id=2))
        async with line("tcp", free_port, *tags, timeout_s=SILENCE_S) as (raw, meter):

            def answer(asked: Asked, send: Send) -> None:
                wrong = Asked(asked.transaction + shift, asked.unit, 3, 666, asked.count)
                send(raw.right(wrong if asked.unit == 1 else asked))

            raw.answer = answer
            return await values(meter)

    assert asyncio.run(run()) == {"a": (None, BAD_TIMEOUT), "b": (2, GOOD)}


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize(
    ("pdu", "code"),
    [
        pytest.param(lambda a: right_pdu(Asked(0, 1, 3, a.address, 1)), BAD_DECODING, id="short"),
        pytest.param(lambda a: right_pdu(Asked(0, 1, 3, a.address, 3)), BAD_DECODING, id="long"),
        pytest.param(
            lambda a: right_pdu(Asked(0, 1, 4, a.address, 2)), BAD_COMMUNICATION, id="function"
        ),
        pytest.param(lambda _a: bytes((0x83, 6)), BAD_COMMUNICATION, id="busy"),
    ],
)
def test_a_reply_that_does_not_match_is_bad(
    transport: str, free_port: int, pdu: Callable[[Asked], bytes], code: int
) -> None:
    async def run() -> dict[str, tuple[float | None, int]]:
        async with line(transport, free_port, tag("a", 1, "uint32")) as (raw, meter):
            raw.answer = lambda asked, send: send(raw.framed(asked, pdu(asked)))
            return await values(meter)

    assert asyncio.run(run()) == {"a": (None, code)}


def test_too_few_coils_are_bad(free_port: int) -> None:
    async def run() -> dict[str, tuple[float | None, int]]:
        tags = (tag("a", 0, "bool", table="coil"), tag("b", 8, "bool", table="coil"))
        async with line("tcp", free_port, *tags) as (raw, meter):
            raw.answer = lambda asked, send: send(raw.framed(asked, bytes((1, 1, 0xFF))))
            return await values(meter)

    assert asyncio.run(run()) == {"a": (None, BAD_DECODING), "b": (None, BAD_DECODING)}


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_reply_cut_off_gives_no_value(transport: str, free_port: int) -> None:
    async def run() -> Exception:
        cut = tag("a", 1, "uint32")
        async with line(transport, free_port, cut, timeout_s=SILENCE_S) as (raw, meter):
            raw.answer = lambda asked, send: send(raw.framed(asked, right_pdu(asked)[:-1]))
            return await failure_of(meter)

    assert isinstance(asyncio.run(run()), SourceLost)


@pytest.mark.parametrize("transport", ["rtu", "rtu-over-tcp"])
def test_a_damaged_serial_frame_gives_no_value(transport: str, free_port: int) -> None:
    async def run() -> dict[str, tuple[float | None, int]]:
        tags = (tag("a", 1), tag("b", 2, unit_id=2))
        async with line(transport, free_port, *tags, timeout_s=SILENCE_S) as (raw, meter):

            def answer(asked: Asked, send: Send) -> None:
                frame = bytearray(raw.right(asked))
                frame[4] ^= 1 if asked.unit == 1 else 0
                send(bytes(frame))

            raw.answer = answer
            return await values(meter)

    assert asyncio.run(run()) == {"a": (None, BAD_TIMEOUT), "b": (2, GOOD)}


def test_a_reply_in_pieces_is_whole(free_port: int) -> None:
    async def run() -> dict[str, tuple[float | None, int]]:
        async with line("rtu", free_port, tag("a", 1, "uint64")) as (raw, meter):

            def answer(asked: Asked, send: Send) -> None:
                loop, frame = asyncio.get_running_loop(), raw.right(asked)
                for place, byte in enumerate(frame):
                    loop.call_later(0.002 * place, send, bytes((byte,)))

            raw.answer = answer
            return await values(meter)

    assert asyncio.run(run()) == {"a": (1 << 48 | 2 << 32 | 3 << 16 | 4, GOOD)}


@pytest.mark.parametrize("at_once", [True, False])
def test_an_adapter_that_hears_itself_may_say_so(at_once: bool) -> None:
    async def run() -> dict[str, tuple[float | None, int]]:
        async with raw_serial() as (raw, path):

            def answer(asked: Asked, send: Send) -> None:
                request = struct.pack(">BHH", asked.function, asked.address, asked.count)
                echo, reply = raw.framed(asked, request), raw.right(asked)
                if at_once:
                    send(echo + reply)
                else:
                    send(echo)
                    asyncio.get_running_loop().call_later(0.01, send, reply)

            raw.answer = answer
            return await read_once(serial(path, tag("a", 1), tag("b", 300), local_echo=True))

    assert asyncio.run(run()) == {"a": (1, GOOD), "b": (300, GOOD)}


def test_a_serial_line_in_use_is_unreachable() -> None:
    async def run() -> None:
        async with raw_serial() as (_raw, path):
            with Serial(path, exclusive=True):
                await read_once(serial(path, tag("a", 1)))

    with pytest.raises(SourceUnreachable, match="another program"):
        asyncio.run(run())


def test_a_gateway_that_fell_silent_gets_a_new_connection(free_port: int) -> None:
    async def run() -> int:
        tags = (tag("dead", 1), tag("b", 2, unit_id=2))
        async with line("rtu-over-tcp", free_port, *tags, timeout_s=SILENCE_S) as (raw, meter):
            raw.answer = lambda asked, send: None if asked.unit == 1 else send(raw.right(asked))
            await values(meter)
            return raw.connections

    assert asyncio.run(run()) == 2


def test_a_serial_line_that_is_unplugged_is_lost() -> None:
    async def run() -> Exception:
        async with raw_serial() as (_raw, path):
            meter = serial(path, tag("a", 1))
            await meter.open()
            await first_of_each(meter)
        try:
            return await failure_of(meter)
        finally:
            await meter.close()

    assert isinstance(asyncio.run(run()), SourceLost)


def test_dead_units_do_not_hold_back_the_values_of_others(free_port: int) -> None:
    async def run() -> list[int]:
        alive, dead = tag("a", 1), [tag(f"d{unit}", 1, unit_id=unit) for unit in range(2, 8)]
        async with line("tcp", free_port, alive, *dead, timeout_s=SILENCE_S) as (raw, meter):
            raw.answer = lambda asked, send: send(raw.right(asked)) if asked.unit == 1 else None
            found = await receive_until(meter, lambda seen: len(samples_of(seen)) >= 7, "a poll")
            return [len(delivery.samples) for delivery in found]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("collectors.modbus.adapter._SIGN_OF_LIFE_S", 0.5)
        parts = asyncio.run(run())
    assert len(parts) > 1
    assert sum(parts) == 7


def test_no_serial_device_is_unreachable() -> None:
    with pytest.raises(SourceUnreachable, match="/dev/there-is-no-such-line"):
        asyncio.run(read_once(serial("/dev/there-is-no-such-line", tag("a", 1))))


def test_bcd_with_a_letter_is_out_of_range(free_port: int) -> None:
    async def run() -> dict[str, tuple[float | None, int]]:
        async with line("tcp", free_port, tag("a", 0x123A, "bcd16")) as (_raw, meter):
            return await values(meter)

    assert asyncio.run(run()) == {"a": (None, BAD_OUT_OF_RANGE)}


def test_a_text_is_the_number_of_its_state_and_an_unknown_one_is_told_once(free_port: int) -> None:
    words = iter([b"RUN\0\0\0", b"jam\0\0\0", b"jam   ", b"IDLE  ", b"\xff\xfe\0\0\0\0"])

    async def run() -> tuple[list[tuple[float | None, int]], list[str]]:
        states = {"Run": 1, "IDLE": 2}
        state = tag("M1.state", 10, "string", length=3, states=states)
        async with line("tcp", free_port, state) as (raw, meter):

            def answer(asked: Asked, send: Send) -> None:
                send(raw.framed(asked, bytes((3, 6)) + next(words)))

            raw.answer = answer
            found = await receive_until(meter, lambda seen: len(samples_of(seen)) == 5, "texts")
            refused = [one.payload for delivery in found for one in delivery.refused]
            return [sample[2:] for sample in samples_of(found)], refused

    assert asyncio.run(run()) == (
        [
            (1, GOOD),
            (None, BAD_TYPE_MISMATCH),
            (None, BAD_TYPE_MISMATCH),
            (2, GOOD),
            (None, BAD_DECODING),
        ],
        ["jam"],
    )
