"""Brings what sources deliver into the spool, in few large writes, and acknowledges it then.

The queue in front of the disk is bounded: while the disk does not take anything the queue fills,
the sources wait, and brokers keep their messages. What came in one write is one block for each
source's change filter, and one for the spool.
"""

import asyncio
import logging
import sqlite3
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

from collectors.backoff import Backoff
from collectors.inlet import Inlet
from collectors.sample import Delivery, Refused, now_us
from collectors.skew import SkewMeter
from collectors.spool.spool import Arrived, SourceState, Spool

_log = logging.getLogger("collectors.writer")

_DELIVERIES_WAITING = 4000
# A write to the spool takes what came in this time, or this many deliveries.
_WRITE_EVERY_S = 0.1
_DELIVERIES_PER_WRITE = 2000
# What the disk held back longer than this becomes more than one block.
_MOST_SPAN_US = 30_000_000
_STATES_EVERY_S = 2.0

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A delivery with the inlet that its values go through, or the name of what has none."""

    source: Inlet | str
    delivery: Delivery


class Writer:
    """The only one who writes to the spool; states tells how the sources are doing."""

    def __init__(
        self, spool: Spool, skew: SkewMeter, states: Callable[[], Sequence[SourceState]]
    ) -> None:
        self._spool = spool
        self._skew = skew
        self._states = states
        self._is_ending = False
        self._waiting: asyncio.Queue[_Waiting] = asyncio.Queue(_DELIVERIES_WAITING)
        self._disk = ThreadPoolExecutor(max_workers=1, thread_name_prefix="spool")

    async def put(self, source: Inlet | str, delivery: Delivery) -> None:
        """Take what a source delivers; waits while the queue is full.

        The values of a source that is given by its name alone are stored as they are.
        """
        if delivery.arrived_us is None:
            delivery.arrived_us = now_us()
        await self._waiting.put(_Waiting(source, delivery))

    async def run(self) -> None:
        """Write until end was called and nothing is left."""
        states_due_s = 0.0
        while not self._is_ending or not self._waiting.empty():
            if self._waiting.qsize() < _DELIVERIES_PER_WRITE and not self._is_ending:
                await asyncio.sleep(_WRITE_EVERY_S)
            for waiting in self._next():
                await self._write(waiting)
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

    def _next(self) -> list[list[_Waiting]]:
        """Return what waits, as much as one write takes, apart where it came long apart."""
        groups: list[list[_Waiting]] = []
        for _ in range(min(self._waiting.qsize(), _DELIVERIES_PER_WRITE)):
            one = self._waiting.get_nowait()
            if not groups or abs(_arrived_us(one) - _arrived_us(groups[-1][0])) > _MOST_SPAN_US:
                groups.append([])
            groups[-1].append(one)
        return groups

    async def _write(self, waiting: list[_Waiting]) -> None:
        """Store deliveries and acknowledge them."""
        new = await self._on_disk(lambda: self._prepare(waiting))
        await self._store(new, len(waiting) - len(new))
        for one in waiting:
            if one.delivery.skew_s is not None:
                self._skew.add(one.delivery.skew_s)
            _acknowledge(one)

    def _prepare(self, waiting: list[_Waiting]) -> list[Arrived]:
        """Leave out what is stored already and what did not change; happens once to a delivery."""
        inlets = {id(one.delivery): one.source for one in waiting}
        new = self._spool.unseen([(_name(one.source), one.delivery) for one in waiting])
        # By the inlet itself: a source that was replaced has had another of the same name.
        by_inlet: dict[Inlet, list[Delivery]] = {}
        for _, delivery in new:
            source = inlets[id(delivery)]
            if isinstance(source, Inlet):
                by_inlet.setdefault(source, []).append(delivery)
        for inlet, deliveries in by_inlet.items():
            inlet.take(deliveries)
        return new

    async def _store(self, new: list[Arrived], repeated: int) -> None:
        """Store deliveries; what no disk will ever take is quarantined, not the others."""
        try:
            await self._append(new, repeated)
        except Exception as error:
            _log.debug("writer", exc_info=error)
            if len(new) == 1:
                await self._append([_refused(*new[0], error)], repeated)
                return
            for one in new:
                await self._store([one], 0)

    async def _append(self, new: list[Arrived], repeated: int) -> None:
        """Store deliveries, again and again while the disk refuses."""
        backoff, is_failing = Backoff(), False
        while True:
            try:
                await self._on_disk(lambda: self._spool.append(new, repeated))
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


def _name(source: Inlet | str) -> str:
    return source if isinstance(source, str) else source.name


def _acknowledge(one: _Waiting) -> None:
    """Tell the source that the spool has a delivery; what it fails at ends nobody else."""
    if one.delivery.stored is None:
        return
    try:
        one.delivery.stored()
    except Exception as error:
        _log.debug("writer", exc_info=error)
        _log.error(
            "source %s cannot note what is stored (%s: %s); coming again, it adds nothing",
            _name(one.source),
            type(error).__name__,
            error,
        )


def _arrived_us(one: _Waiting) -> int:
    return one.delivery.arrived_us or 0


def _refused(source: str, delivery: Delivery, error: Exception) -> Arrived:
    """Return a delivery that says what it was, with the values, which any disk takes."""
    reason = f"cannot be stored: {type(error).__name__}: {error}"
    known = [thing for thing in delivery.refused if _is_text(thing)]
    refused = [*known, Refused(reason, ascii(delivery.records or delivery.refused))]
    return source, Delivery(
        samples=delivery.samples,
        columns=delivery.columns,
        refused=refused,
        message=delivery.message,
        arrived_us=delivery.arrived_us,
    )


def _is_text(thing: Refused) -> bool:
    try:
        return bool(f"{thing.reason}{thing.payload}".encode())
    except UnicodeEncodeError:
        return False
