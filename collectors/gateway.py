"""The gateway process: one task per source, one writer to the spool, one sink."""

import asyncio
import logging
import sqlite3
from contextlib import closing

from collectors.adapters import adapter_for
from collectors.config.file import GatewayConfig
from collectors.errors import SpoolError
from collectors.identity import load_or_make_key
from collectors.runner import SourceRunner
from collectors.sink.choice import transport_for
from collectors.sink.sink import Sink
from collectors.skew import SkewMeter
from collectors.spool.bounds import Bounds
from collectors.spool.file import sole_use
from collectors.spool.spool import Spool
from collectors.writer import Writer

_log = logging.getLogger("collectors.gateway")

_FLUSH_S = 5.0


async def run(config: GatewayConfig, *, stop: asyncio.Event) -> None:
    """Collect until stop is set, then write what has arrived and send what can be sent at once.

    Raises NotSet without a database address or key, and SpoolError when the spool is in use or
    broken; what happens to sources, disk and database later is dealt with inside.
    """
    seed = load_or_make_key(config.key_path)
    skew = SkewMeter()
    sink = Sink(config, transport_for(config), seed, skew)
    bounds = Bounds(int(config.spool.max_mb * 1e6), config.spool.max_age_days * 86_400)
    with sole_use(config.spool_path), closing(Spool(config.spool_path, bounds)) as spool:
        writer = Writer(spool, skew, lambda: [runner.state() for runner in runners])
        context = config.context()
        runners = [
            SourceRunner(source, adapter_for(source, context), writer.put)
            for source in config.sources
        ]
        await _collect(runners, writer, sink, stop)


async def _collect(
    runners: list[SourceRunner], writer: Writer, sink: Sink, stop: asyncio.Event
) -> None:
    readers = [asyncio.create_task(runner.run(), name=runner.name) for runner in runners]
    writing = asyncio.create_task(writer.run(), name="writer")
    stopping = asyncio.create_task(stop.wait(), name="stop")
    try:
        sink.start()
        _log.info("reading %d sources", len(readers))
        # The writer ends by itself only through a fault of this program, which must not be hidden.
        await asyncio.wait((writing, stopping), return_when=asyncio.FIRST_COMPLETED)
    finally:
        for runner in runners:
            runner.end()
        await _end([*readers, stopping])
        writer.end()
        await asyncio.wait((writing,), timeout=_FLUSH_S)
        await _end([writing])
        await asyncio.to_thread(sink.stop, _FLUSH_S)
        writer.close()
    error = None if writing.cancelled() else writing.exception()
    if isinstance(error, sqlite3.Error):
        raise SpoolError(f"the spool cannot be used any more: {error}") from error
    if error is not None:
        raise error


async def _end(tasks: list["asyncio.Task[object]"]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
