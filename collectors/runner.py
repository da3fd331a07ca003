"""Keeps one source running: opens it, forwards what it delivers, and opens it again for ever.

One line is logged when a source fails and one when it is back; its tags are bad in between.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from collectors import status
from collectors.adapter import Adapter, ColumnarAdapter
from collectors.backoff import Backoff
from collectors.columns import TagTable
from collectors.config.fields import TagTable as TagSettings
from collectors.config.schema import Source
from collectors.inlet import Inlet
from collectors.sample import Delivery, bad, now_us
from collectors.spool.spool import SourceState

_log = logging.getLogger("collectors.source")

_CLOSE_S = 10.0

Forward = Callable[[Inlet, Delivery], Awaitable[None]]


class SourceRunner:
    """One source with its adapter, its change filter and its state."""

    def __init__(self, source: Source, adapter: Adapter, forward: Forward) -> None:
        self.name = source.name
        self._adapter = adapter
        self._forward = forward
        table = adapter.table if isinstance(adapter, ColumnarAdapter) else TagTable(adapter.tags)
        tags: Sequence[TagSettings] = getattr(source, "tags", ())
        deadbands = {tag.tag: tag.deadband for tag in tags if tag.deadband}
        self._inlet = Inlet(source.name, source.heartbeat_s, table, deadbands)
        self._backoff = Backoff()
        self._state = "starting"
        self._since_us = now_us()
        self._last_good_us: int | None = None
        self._reason: str | None = None
        self._is_ending = False

    def state(self) -> SourceState:
        """Return how the source is doing now."""
        return SourceState(self.name, self._state, self._since_us, self._last_good_us, self._reason)

    async def run(self) -> None:
        """Read the source until the end; a failure of whatever kind stays inside."""
        while not self._is_ending:
            try:
                await self._read()
            except self._adapter.errors as error:
                await self._failed(str(error) or type(error).__name__)
            except Exception as error:
                _log.debug("%s", self.name, exc_info=error)
                await self._failed(f"unexpected {type(error).__name__}: {error}")
            finally:
                await self._close()
            await asyncio.sleep(self._backoff.next_s())

    def end(self) -> None:
        """Let run end; it is cancelled besides.

        Before Python 3.12 asyncio.wait_for, which the protocol libraries use, may swallow a
        cancellation that comes together with an answer.
        """
        self._is_ending = True

    async def _read(self) -> None:
        await self._adapter.open()
        while not self._is_ending:
            delivery = await self._adapter.receive()
            self._works(delivery)
            await self._pass_on(delivery)

    async def _close(self) -> None:
        try:
            async with asyncio.timeout(_CLOSE_S):
                await self._adapter.close()
        except Exception as error:
            _log.debug("closing %s", self.name, exc_info=error)

    async def _pass_on(self, delivery: Delivery) -> None:
        if any(block.table is not self._inlet.table for block in delivery.columns):
            raise ValueError("columns that are not numbered in the table of their adapter")
        has_values = delivery.samples or delivery.columns
        if has_values or delivery.records or delivery.refused or delivery.stored is not None:
            await self._forward(self._inlet, delivery)

    def _works(self, delivery: Delivery) -> None:
        self._backoff.reset()
        if _has_good(delivery):
            self._last_good_us = now_us()
        if self._state == "up":
            return
        if self._state == "down":
            _log.warning("source %s is back", self.name)
        self._change("up", None)

    async def _failed(self, reason: str) -> None:
        if self._state != "down":
            _log.error("source %s failed: %s; it is tried again", self.name, reason)
            self._change("down", reason)
        ts_us = now_us()
        lost = [bad(tag, ts_us, status.BAD_NO_COMMUNICATION) for tag in self._adapter.tags]
        await self._pass_on(Delivery(samples=lost))

    def _change(self, state: str, reason: str | None) -> None:
        self._state, self._reason, self._since_us = state, reason, now_us()


def _has_good(delivery: Delivery) -> bool:
    return (
        bool(delivery.records)
        or any(not status.is_bad(one.status) for one in delivery.samples)
        or any(bool((block.status >= 0).any()) for block in delivery.columns)
    )
