"""The sources of a running gateway: one task each, which a changed file adds, ends or replaces."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from collectors.adapter import Adapter
from collectors.adapters import adapter_for
from collectors.config.schema import Source
from collectors.context import Context
from collectors.runner import Forward, SourceRunner
from collectors.spool.spool import SourceState

_log = logging.getLogger("collectors.gateway")

_END_S = 15.0


@runtime_checkable
class Counting(Protocol):
    """An adapter that counts something of its own, such as items wanted and active."""

    def gauges(self) -> dict[str, float]:
        """Return the counts by name; may be called from any thread."""
        ...


class Sources:
    """Runs what it is told to run; a source that stays the same is not touched."""

    def __init__(self, context: Context, forward: Forward) -> None:
        self._context = context
        self._forward = forward
        self._running: dict[str, _Running] = {}

    def states(self) -> list[SourceState]:
        """Return how each source is doing now; may be called from any thread."""
        return [one.runner.state() for one in list(self._running.values())]

    def gauges(self) -> dict[str, dict[str, float]]:
        """Return what each source counts of itself, by source and name, for the metrics."""
        return {
            name: one.adapter.gauges()
            for name, one in list(self._running.items())
            if isinstance(one.adapter, Counting)
        }

    async def become(self, wanted: Sequence[Source]) -> None:
        """End what is no longer wanted as it is, then start what is missing.

        A source that changed is ended before its new self starts: two of them would fight for the
        session at a broker or for a serial line.
        """
        known = {one.source.name: one.source for one in self._running.values()}
        names = {source.name for source in wanted}
        changed = [source for source in wanted if known.get(source.name) != source]
        await self._end([name for name in known if name not in names])
        await self._end([source.name for source in changed if source.name in known])
        for source in changed:
            self._running[source.name] = self._start(source)
        # The order of the file is the order in which people see them.
        self._running = {source.name: self._running[source.name] for source in wanted}

    async def end(self) -> None:
        """End all of them; how they were doing can still be asked for."""
        await _ended(list(self._running.values()))

    def _start(self, source: Source) -> "_Running":
        return _Running(source, adapter_for(source, self._context), self._forward)

    async def _end(self, names: Sequence[str]) -> None:
        await _ended([self._running.pop(name) for name in names])


class _Running:
    def __init__(self, source: Source, adapter: Adapter, forward: Forward) -> None:
        self.source = source
        self.adapter = adapter
        self.runner = SourceRunner(source, adapter, forward)
        self.task = asyncio.create_task(self.runner.run(), name=source.name)


async def _ended(running: Sequence[_Running]) -> None:
    for one in running:
        one.runner.end()
        one.task.cancel()
    if running:
        _, late = await asyncio.wait([one.task for one in running], timeout=_END_S)
        for task in late:
            _log.error("source %s does not end; it is left behind", task.get_name())
