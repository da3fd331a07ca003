"""Modbus TCP, RTU and RTU over TCP: polled, one connection, several units behind it.

Only the function codes 1 to 4 are used; they read. A unit that does not answer costs one time-out
a poll and turns only its own tags bad; after some silent polls it is asked now and then only.
"""

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import replace

from pymodbus.exceptions import ModbusException

from collectors import status
from collectors.context import Context
from collectors.errors import SourceError, SourceLost
from collectors.modbus.bus import Bus, join
from collectors.modbus.polling import Rates, Unit
from collectors.modbus.profiles import profile
from collectors.modbus.replies import Reader, is_refused_range
from collectors.modbus.requests import Limits, Request, narrowed, plan
from collectors.modbus.settings import ModbusSource
from collectors.sample import Delivery, bad, now_us

_SIGN_OF_LIFE_S = 5.0


class ModbusAdapter:
    """Reads each tag of a source once in its period; requests follow each other on the line."""

    errors: tuple[type[Exception], ...] = (SourceError, ModbusException, OSError)

    def __init__(self, source: ModbusSource, context: Context) -> None:
        self._context = context
        self._source = source
        self._reader = Reader(source.tags)
        self._requests = planned(source)
        self._units: dict[int, Unit] = {}
        self._rates = Rates(set(self._requests), 0.0)
        self._period_s = 0.0
        self._waiting: deque[Request] = deque()
        self._answered = False
        self._bus: Bus | None = None

    @property
    def tags(self) -> Sequence[str]:
        """The tags of this source, those of its devices included."""
        return [tag.tag for tag in self._source.tags]

    async def open(self) -> None:
        """Connect; the units are first asked by receive."""
        source = self._source
        self._bus = await join(source.line)
        self._units = {
            tag.unit_id: Unit(source.silent_cycles, source.rest_s) for tag in source.tags
        }
        self._rates = Rates(set(self._requests), time.monotonic())
        self._waiting.clear()

    async def receive(self) -> Delivery:
        """Wait for the next poll and read what is due; raises SourceLost when all is silent.

        A poll that dead units make long is handed over in parts, so that they do not hold back
        the values of the others.
        """
        if not self._waiting:
            period_s, due_s = self._rates.next()
            wait_s = due_s - time.monotonic()
            if wait_s > _SIGN_OF_LIFE_S:
                await asyncio.sleep(_SIGN_OF_LIFE_S)
                return Delivery()
            await asyncio.sleep(max(wait_s, 0.0))
            self._begin_poll(period_s)
        return await self._poll()

    async def close(self) -> None:
        """Leave the connection, which other sources may go on using."""
        bus, self._bus = self._bus, None
        if bus is not None:
            bus.leave()

    def _begin_poll(self, period_s: float) -> None:
        self._rates.begin(period_s, time.monotonic())
        self._period_s, self._answered = period_s, False
        self._waiting.extend(self._requests[period_s])
        for unit in self._units.values():
            unit.begin_cycle()

    async def _poll(self) -> Delivery:
        delivery = Delivery()
        until_s = time.monotonic() + _SIGN_OF_LIFE_S - self._source.timeout_s
        while self._waiting:
            await self._ask(delivery, self._waiting.popleft())
            if self._waiting and time.monotonic() > until_s:
                return delivery
        if not self._answered and all(unit.is_silent for unit in self._units.values()):
            raise SourceLost(f"no unit at {self._source.line.place} answers")
        return delivery

    async def _ask(self, delivery: Delivery, request: Request) -> None:
        unit = self._units[request.unit_id]
        if not unit.is_skipped and await self._read(delivery, request):
            unit.answered()
            self._answered = True
            return
        if not unit.is_skipped:
            unit.was_silent()
        _note_silence(delivery, request)

    async def _read(self, delivery: Delivery, request: Request) -> bool:
        """Add the samples of one request; False when the unit did not answer in time."""
        assert self._bus is not None
        reply = await self._bus.read(request, self._source.timeout_s)
        if reply is None:
            return False
        if is_refused_range(reply) and (request.bridges_gap or len(request.tags) > 1):
            return await self._read_apart(delivery, request)
        self._reader.add(delivery, request, reply, now_us())
        return True

    async def _read_apart(self, delivery: Delivery, request: Request) -> bool:
        """Read a refused request in parts, now and from now on.

        The device lacks a register in it: one that nobody asked for, or one that a tag names by
        mistake, which must not cost its neighbours their values.
        """
        parts = narrowed(request)
        self._requests[self._period_s] = [
            part
            for known in self._requests[self._period_s]
            for part in (parts if known is request else [known])
        ]
        for index, part in enumerate(parts):
            if not await self._read(delivery, part):
                for unread in parts[index + 1 :]:
                    _note_silence(delivery, unread)
                _note_silence(delivery, part)
                return True
        return True


def planned(source: ModbusSource) -> dict[float, list[Request]]:
    """Return the requests of a source for each period in seconds, as few as its limits allow."""
    limits = Limits(source.max_registers, source.max_bits, source.max_gap)
    of_unit = {
        device.unit_id: replace(
            limits, registers=min(limits.registers, profile(device.profile).max_registers)
        )
        for device in source.devices
    }
    by_period: dict[float, list[Request]] = {}
    for period_s in sorted({tag.poll_s or source.poll_s for tag in source.tags}):
        due = [tag for tag in source.tags if (tag.poll_s or source.poll_s) == period_s]
        from_zero = [replace(tag, address=tag.address - source.base) for tag in due]
        by_period[period_s] = plan(from_zero, limits, of_unit)
    return by_period


def _note_silence(delivery: Delivery, request: Request) -> None:
    ts_us = now_us()
    delivery.samples += [bad(tag.tag, ts_us, status.BAD_TIMEOUT) for tag in request.tags]
