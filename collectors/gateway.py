"""The gateway process: one task per source, one writer to the spool, one sink.

What sources deliver goes through a queue of limited size to the spool; while the disk does not
take it the queue fills, the sources wait, and brokers keep their messages.
"""

import asyncio
import logging
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar
from zoneinfo import ZoneInfo

from collectors.adapters import adapter_for
from collectors.backoff import Backoff
from collectors.config import GatewayConfig
from collectors.identity import load_or_make_key
from collectors.runner import SourceRunner
from collectors.sample import Delivery
from collectors.sink import TimescaleSink
from collectors.skew import SkewMeter
from collectors.spool import Spool
from collectors.spool_bounds import Bounds
from collectors.spool_file import sole_use

_log = logging.getLogger("collectors.gateway")

_DELIVERIES_WAITING = 4000
# A write to the spool takes what came in this time, or this many deliveries.
_WRITE_EVERY_S = 0.1
_DELIVERIES_PER_WRITE = 2000
_STATES_EVERY_S = 2.0
_FLUSH_S = 5.0

T = TypeVar("T")
_Arrived = tuple[str, Delivery]


async def run(config: GatewayConfig, *, stop: asyncio.Event) -> None:
    """Collect until stop is set, then write what has arrived and send what can be sent at once.

    Raises NotSet without a database address or key, and SpoolError when the spool is in use or
    broken; everything that can happen later is dealt with inside.
    """
    seed = load_or_make_key(config.key_path)
    with sole_use(config.spool_path):
        bounds = Bounds(int(config.spool.max_mb * 1e6), config.spool.max_age_days * 86_400)
        gateway = _Gateway(config, Spool(config.spool_path, bounds), seed)
        await gateway.run(stop)


class _Gateway:
    def __init__(self, config: GatewayConfig, spool: Spool, seed: bytes) -> None:
        self._spool = spool
        self._skew = SkewMeter()
        self._sink = TimescaleSink(config, seed, self._skew)
        self._is_ending = False
        self._arrived: asyncio.Queue[_Arrived] = asyncio.Queue(_DELIVERIES_WAITING)
        self._disk = ThreadPoolExecutor(max_workers=1, thread_name_prefix="spool")
        zone = ZoneInfo(config.gateway.timezone)
        self._runners = [
            SourceRunner(source, adapter_for(source, zone), self._forward)
            for source in config.sources
        ]

    async def run(self, stop: asyncio.Event) -> None:
        readers = [asyncio.create_task(runner.run(), name=runner.name) for runner in self._runners]
        writer = asyncio.create_task(self._write_loop(), name="writer")
        self._sink.start()
        _log.info("reading %d sources", len(readers))
        try:
            await stop.wait()
        finally:
            for runner in self._runners:
                runner.end()
            await _end(readers)
            self._is_ending = True
            await asyncio.wait((writer,), timeout=_FLUSH_S)
            await _end([writer])
            await asyncio.to_thread(self._sink.stop, _FLUSH_S)
            self._disk.shutdown()
            self._spool.close()

    async def _forward(self, source: str, delivery: Delivery) -> None:
        await self._arrived.put((source, delivery))

    # --- the writer ------------------------------------------------------------------------------

    async def _write_loop(self) -> None:
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

    async def _write(self, taken: list[_Arrived]) -> None:
        """Store deliveries, again and again while the disk refuses, and acknowledge them then."""
        backoff, is_failing = Backoff(), False
        while True:
            try:
                await self._on_disk(lambda: self._spool.append(taken))
                break
            except sqlite3.Error as error:
                if not is_failing:
                    _log.error("the spool cannot be written (%s); sources wait", error)
                is_failing = True
                await asyncio.sleep(backoff.next_s())
        if is_failing:
            _log.warning("the spool can be written again")
        for _, delivery in taken:
            if delivery.skew_s is not None:
                self._skew.add(delivery.skew_s)
            if delivery.stored is not None:
                delivery.stored()

    async def _save_states(self) -> None:
        states = [runner.state() for runner in self._runners]
        with suppress(sqlite3.Error):
            await self._on_disk(lambda: self._spool.save_sources(states))

    async def _on_disk(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._disk, work)


async def _end(tasks: list["asyncio.Task[None]"]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
