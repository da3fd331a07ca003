"""Modbus TCP: polled, one connection, several units behind it.

Only the function codes 3 (read holding registers) and 4 (read input registers) are used. A unit
that does not answer costs one time-out a cycle and turns only its own tags bad; after three
silent cycles it is asked twice a minute only.
"""

import asyncio
import time
from collections.abc import Sequence

from pymodbus.client import AsyncModbusTcpClient
from pymodbus.constants import ExcCodes
from pymodbus.exceptions import ModbusException
from pymodbus.pdu import ModbusPDU

from collectors import status
from collectors.context import Context
from collectors.errors import SourceError, SourceLost, SourceUnreachable
from collectors.modbus.decode import decode, scaled
from collectors.modbus.requests import Request, plan
from collectors.modbus.settings import ModbusSource, ModbusTag
from collectors.sample import Delivery, Sample, bad, measured, now_us

_SIGN_OF_LIFE_S = 5.0
_SILENT_CYCLES = 3
_REST_S = 30.0

# Exception codes of the Modbus Application Protocol V1.1b3, section 7.
_EXCEPTIONS = {
    1: status.BAD_CONFIGURATION,  # illegal function: the device does not have this table
    2: status.BAD_CONFIGURATION,  # illegal data address
    3: status.BAD_CONFIGURATION,  # illegal data value: too many registers at once
    4: status.BAD_DEVICE_FAILURE,
    10: status.BAD_NO_COMMUNICATION,  # gateway path unavailable
    11: status.BAD_NO_COMMUNICATION,  # the device behind the gateway failed to respond
}


class ModbusAdapter:
    """Reads all tags of a source once per poll_s; requests follow each other on one connection."""

    errors: tuple[type[Exception], ...] = (SourceError, ModbusException, OSError)

    def __init__(self, source: ModbusSource, context: Context) -> None:
        self._context = context
        self._source = source
        self._requests = plan(source.tags)
        self._units: dict[int, _Unit] = {}
        self._client: AsyncModbusTcpClient | None = None
        self._next_poll_s = 0.0

    @property
    def tags(self) -> Sequence[str]:
        """The tags of this source."""
        return [tag.tag for tag in self._source.tags]

    async def open(self) -> None:
        """Connect; the units are first asked by receive."""
        host, port = self._source.host, self._source.port
        self._client = AsyncModbusTcpClient(
            host, port=port, timeout=self._source.timeout_s, retries=0, reconnect_delay=0
        )
        # By itself it would close the connection to all units when one of them is silent.
        self._client.set_max_no_responses(1_000_000_000)
        if not await self._client.connect():
            raise SourceUnreachable(f"no Modbus device answers at {host}:{port}")
        self._units = {request.unit_id: _Unit() for request in self._requests}
        self._next_poll_s = time.monotonic()

    async def receive(self) -> Delivery:
        """Wait for the next poll and read everything once; raises SourceLost when all is silent."""
        wait_s = self._next_poll_s - time.monotonic()
        if wait_s > _SIGN_OF_LIFE_S:
            await asyncio.sleep(_SIGN_OF_LIFE_S)
            return Delivery()
        await asyncio.sleep(max(wait_s, 0.0))
        # A cycle that took longer than its period skips polls instead of running after them.
        now_s = time.monotonic()
        missed = max(0.0, (now_s - self._next_poll_s) // self._source.poll_s)
        self._next_poll_s += (missed + 1) * self._source.poll_s
        return await self._poll()

    async def close(self) -> None:
        """Close the connection."""
        if self._client is not None:
            self._client.close()
            self._client = None

    async def _poll(self) -> Delivery:
        delivery = Delivery()
        answered = False
        for unit in self._units.values():
            unit.begin_cycle()
        for request in self._requests:
            unit = self._units[request.unit_id]
            samples = None if unit.is_skipped else await self._read(request)
            if samples is None:
                unit.is_skipped = True
                ts_us = now_us()
                samples = [bad(tag.tag, ts_us, status.BAD_TIMEOUT) for tag in request.tags]
            else:
                unit.answered()
                answered = True
            delivery.samples.extend(samples)
        if not answered:
            raise SourceLost(f"no unit at {self._source.host}:{self._source.port} answers")
        for unit in self._units.values():
            unit.end_cycle()
        return delivery

    async def _read(self, request: Request) -> list[Sample] | None:
        """Return the samples of one request, or None when the unit did not answer in time."""
        assert self._client is not None
        if not self._client.connected:
            raise SourceLost(f"{self._source.host}:{self._source.port} closed the connection")
        call = (
            self._client.read_holding_registers
            if request.table == "holding"
            else self._client.read_input_registers
        )
        try:
            reply = await call(request.address, count=request.count, device_id=request.unit_id)
        except ModbusException:
            if not self._client.connected:
                raise
            return None
        if _is_refused_range(reply) and request.bridges_gap:
            return await self._read_apart(request)
        return _samples(request, reply, now_us())

    async def _read_apart(self, request: Request) -> list[Sample] | None:
        """Read a request without the registers between its tags, now and from now on.

        The device refused the range, most likely for a register in it that nobody asked for.
        """
        narrow = plan(request.tags, gap=0)
        self._requests = [
            part for known in self._requests for part in (narrow if known is request else [known])
        ]
        samples: list[Sample] = []
        for part in narrow:
            found = await self._read(part)
            if found is None:
                return None
            samples += found
        return samples


class _Unit:
    """Whether a unit is asked at all: not again in a cycle in which it was silent."""

    def __init__(self) -> None:
        self.is_skipped = False
        self._silent_cycles = 0
        self._rests_until_s = 0.0

    def begin_cycle(self) -> None:
        self.is_skipped = time.monotonic() < self._rests_until_s

    def answered(self) -> None:
        self._silent_cycles = 0

    def end_cycle(self) -> None:
        if not self.is_skipped or time.monotonic() < self._rests_until_s:
            return
        self._silent_cycles += 1
        if self._silent_cycles >= _SILENT_CYCLES:
            self._rests_until_s = time.monotonic() + _REST_S


def _is_refused_range(reply: ModbusPDU) -> bool:
    return reply.isError() and getattr(reply, "exception_code", 0) == ExcCodes.ILLEGAL_ADDRESS


def _samples(request: Request, reply: ModbusPDU, ts_us: int) -> list[Sample]:
    if reply.isError():
        code = _EXCEPTIONS.get(getattr(reply, "exception_code", 0), status.BAD_COMMUNICATION)
        return [bad(tag.tag, ts_us, code) for tag in request.tags]
    if len(reply.registers) != request.count:
        # pymodbus takes a reply with fewer registers than asked for a good one.
        return [bad(tag.tag, ts_us, status.BAD_DECODING) for tag in request.tags]
    return [_sample(tag, request.registers_of(tag, reply.registers), ts_us) for tag in request.tags]


def _sample(tag: ModbusTag, registers: Sequence[int], ts_us: int) -> Sample:
    raw = decode(registers, tag.type, tag.order)
    return measured(tag.tag, ts_us, scaled(raw, tag.scale, tag.offset))
