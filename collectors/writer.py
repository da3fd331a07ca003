"""Brings what sources deliver into the spool, in few large writes, and acknowledges it then.

The queue in front of the disk is bounded: while the disk does not take anything the queue fills,
the sources wait, and brokers keep their messages.
"""

import asyncio
import logging
import sqlite3
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

from collectors.backoff import Backoff
from collectors.sample import Delivery, Refused
from collectors.skew import SkewMeter
from collectors.spool.spool import SourceState, Spool

_log = logging.getLogger("collectors.writer")

_DELIVERIES_WAITING = 4000
# A write to the spool takes what came in this time, or this many deliveries.
_WRITE_EVERY_S = 0.1
_DELIVERIES_PER_WRITE = 2000
_STATES_EVERY_S = 2.0

T = TypeVar("T")
Arrived = tuple[str, Delivery]


class Writer:
    """The only one who writes to the spool; states tells how the sources are doing."""

    def __init__(
        self, spool: Spool, skew: SkewMeter, states: Callable[[], Sequence[SourceState]]
    ) -> None:
        self._spool = spool
        self._skew = skew
        self._states = states
        self._is_ending = False
        self._arrived: asyncio.Queue[Arrived] = asyncio.Queue(_DELIVERIES_WAITING)
        self._disk = ThreadPoolExecutor(max_workers=1, thread_name_prefix="spool")

    async def put(self, source: str, delivery: Delivery) -> None:
        """Take what a source delivers; waits while the queue is full."""
        await self._arrived.put((source, delivery))

    async def run(self) -> None:
        """Write until end was called and nothing is left."""
        states_due_s = 0.0
        while not self._is_ending or not self._arrived.empty():
            if self._arrived.qsize() < _DELIVERIES_PER_WRITE and not self._is_ending:
                await asyncio.sleep(_WRITE_EVERY_S)
            waiting = min(self._arrived.qsize(), _DELIVERIES_PER_WRITE)
            if waiting:
                await self._write([self._arrived.get_nowait() for _ in range(waiting)])
            if time.monotonic() >= states_due_s:
                states_due_s = time.monotonic() + _STATES_EVERY_S
                await self._save_states()
        await self._save_states()

    def end(self) -> None:
        """Let run end when the queue is empty; nothing may be put any more."""
        self._is_ending = True

    def close(self) -> None:
        """End the disk's thread."""
        self._disk.shutdown()

    async def _write(self, arrived: list[Arrived]) -> None:
        """Store deliveries; one that no disk will ever take is quarantined, not the others."""
        try:
            await self._store(arrived)
        except Exception as error:
            if len(arrived) == 1:
                arrived = [_refused(*arrived[0], error)]
                await self._store(arrived)
            else:
                for one in arrived:
                    await self._write([one])
                return
        for _, delivery in arrived:
            if delivery.skew_s is not None:
                self._skew.add(delivery.skew_s)
            if delivery.stored is not None:
                delivery.stored()

    async def _store(self, arrived: list[Arrived]) -> None:
        """Store deliveries, again and again while the disk refuses."""
        backoff, is_failing = Backoff(), False
        while True:
            try:
                await self._on_disk(lambda: self._spool.append(arrived))
                break
            except sqlite3.OperationalError as error:
                if not is_failing:
                    _log.error("the spool cannot be written (%s); sources wait", error)
                is_failing = True
                await asyncio.sleep(backoff.next_s())
        if is_failing:
            _log.warning("the spool can be written again")

    async def _save_states(self) -> None:
        states = self._states()
        with suppress(sqlite3.OperationalError):
            await self._on_disk(lambda: self._spool.save_sources(states))

    async def _on_disk(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._disk, work)


def _refused(source: str, delivery: Delivery, error: Exception) -> Arrived:
    reason = f"cannot be stored: {type(error).__name__}: {error}"
    payload = repr((delivery.samples, delivery.records))
    refused = [*delivery.refused, Refused(reason, payload)]
    return source, Delivery(refused=refused, message=delivery.message, stored=delivery.stored)
