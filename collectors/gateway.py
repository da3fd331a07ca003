"""The gateway process: one task per source, one writer to the spool, one sink."""

import asyncio
import logging
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from typing import Any

from collectors import gateway_status
from collectors.clock import GatewayClock
from collectors.config.file import GatewayConfig
from collectors.errors import SpoolError
from collectors.identity import load_or_make_key
from collectors.metrics import Live, MetricsServer
from collectors.reload import Reloader
from collectors.sample import Delivery
from collectors.sink.choice import transport_for
from collectors.sink.sink import Sink
from collectors.skew import SkewMeter
from collectors.sources import Sources
from collectors.spool.bounds import Bounds
from collectors.spool.file import sole_use
from collectors.spool.salvage import open_sound
from collectors.spool.spool import Spool
from collectors.writer import Writer

_log = logging.getLogger("collectors.gateway")

_FLUSH_S = 5.0
_CLOCK_EVERY_S = 1.0
_BEAT_EVERY_S = 1.0


async def run(
    config: GatewayConfig,
    *,
    stop: asyncio.Event,
    reload: asyncio.Event | None = None,
    beat: Callable[[], None] = lambda: None,
) -> None:
    """Collect until stop is set, then write what has arrived and send what can be sent at once.

    A changed gateway file is taken over while it runs; reload makes it look at once. `beat` is
    called every second while sources are read and the sink is at work. Raises NotSet
    without a database address or key, MetricsRefused, and SpoolError when the spool is in use or
    broken; what happens to sources, disk and database later is dealt with inside.
    """
    seed = load_or_make_key(config.key_path)
    skew = SkewMeter()
    sink = Sink(config, transport_for(config), seed, skew)
    with (
        sole_use(config.spool_path),
        closing(_sound_spool(config)) as spool,
        ExitStack() as ending,
    ):
        writer = Writer(spool, skew, lambda: sources.states())
        sources = Sources(config.context(), writer.put)
        if config.metrics is not None:
            metrics = MetricsServer(config.metrics.port, _live(config, sources, sink))
            metrics.start()
            ending.callback(metrics.stop)
        gateway = _Gateway(config, sources, writer, sink, beat)
        await gateway.collect(stop, reload or asyncio.Event())


def _sound_spool(config: GatewayConfig) -> Spool:
    bounds = Bounds(int(config.spool.max_mb * 1e6), config.spool.max_age_days * 86_400)
    return open_sound(config.spool_path, bounds)


def _live(config: GatewayConfig, sources: Sources, sink: Sink) -> Live:
    return Live(
        lambda: gateway_status.status(config),
        sources.states,
        sources.gauges,
        lambda: sink.failure,
    )


class _Gateway:
    """The parts of a running gateway, started and ended in order."""

    def __init__(
        self,
        config: GatewayConfig,
        sources: Sources,
        writer: Writer,
        sink: Sink,
        beat: Callable[[], None],
    ) -> None:
        self._config = config
        self._sources = sources
        self._writer = writer
        self._sink = sink
        self._beat = beat

    async def collect(self, stop: asyncio.Event, reload: asyncio.Event) -> None:
        """Run until stop is set, the spool is damaged, or the writer fails for another reason."""
        writing = asyncio.create_task(self._writer.run(), name="writer")
        stopping = asyncio.create_task(stop.wait(), name="stop")
        damaged = asyncio.create_task(self._until_damaged(), name="damaged")
        beside = [
            asyncio.create_task(Reloader(self._config, self._take_over, reload).run()),
            asyncio.create_task(self._watch_clock()),
        ]
        try:
            await self._sources.become(self._config.sources)
            self._sink.start()
            _log.info("reading %d sources", len(self._config.sources))
            beside.append(asyncio.create_task(self._keep_beating()))
            ends = (writing, stopping, damaged)
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await _end([*beside, stopping, damaged])
            await self._sources.end()
            self._writer.end()
            await asyncio.wait((writing,), timeout=_FLUSH_S)
            await _end([writing])
            await asyncio.to_thread(self._sink.stop, _FLUSH_S)
            self._writer.close()
        error = (None if writing.cancelled() else writing.exception()) or self._sink.damage
        if isinstance(error, sqlite3.Error):
            raise SpoolError(
                f"the spool cannot be used any more: {error}; the next start carries over what can "
                "be read of it"
            ) from error
        if error is not None:
            raise error

    async def _take_over(self, config: GatewayConfig) -> None:
        self._sink.use_version(config.version)
        await self._sources.become(config.sources)

    async def _keep_beating(self) -> None:
        while self._sink.is_at_work:
            self._beat()
            await asyncio.sleep(_BEAT_EVERY_S)

    async def _until_damaged(self) -> None:
        while self._sink.damage is None:
            await asyncio.sleep(_BEAT_EVERY_S)

    async def _watch_clock(self) -> None:
        clock = GatewayClock()
        while True:
            await asyncio.sleep(_CLOCK_EVERY_S)
            if note := clock.look():
                await self._writer.put("gateway", Delivery(refused=[note]))


async def _end(tasks: Sequence["asyncio.Task[Any]"]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
