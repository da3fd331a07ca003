"""Sparkplug B as a passive host: births, data and deaths of edge nodes to samples.

Births and data come at QoS 0: what is under way while the connection breaks is lost, and shows as
a gap in the sequence of its node. Deaths come at QoS 1 in a session that the broker keeps.
"""

import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial

from collectors.context import Context
from collectors.documents import NotDecoded
from collectors.errors import NotSet, SourceError
from collectors.mqtt.connection import connection_of
from collectors.mqtt.session import Arrived, Subscription
from collectors.sample import Delivery
from collectors.sparkplug import topics
from collectors.sparkplug.host import Counts, Host
from collectors.sparkplug.memory import Memory, ProbeMemory, Progress, memory_path
from collectors.sparkplug.node import Arrival
from collectors.sparkplug.payload import decode
from collectors.sparkplug.rebirth import HostSession, RebirthDesk
from collectors.sparkplug.settings import SparkplugSource

_SIGN_OF_LIFE_S = 1.0
_MOST_MESSAGES = 500


class SparkplugAdapter:
    """One session at a broker; what the edge nodes told outlives it, and a restart as well."""

    errors: tuple[type[Exception], ...] = (SourceError, NotSet, OSError)

    def __init__(self, source: SparkplugSource, context: Context) -> None:
        self._source = source
        self._context = context
        self._desk = RebirthDesk(
            is_allowed=source.rebirth and not context.probing, every_s=source.rebirth_every_s
        )
        self._wait_s = min(_SIGN_OF_LIFE_S, source.reorder_s)
        self._memory: Memory | None = None
        self._host: Host | None = None
        self._session: HostSession | None = None

    @property
    def tags(self) -> Sequence[str]:
        """The tags of the file, and those that templates have made of births so far."""
        if self._host is None:
            return [tag.tag for tag in self._source.tags]
        return self._host.rules.tags

    @property
    def counts(self) -> Counts:
        """What happened since the start."""
        return Counts() if self._host is None else self._host.counts

    def gauges(self) -> dict[str, float]:
        """Return the counts, for the metrics."""
        return asdict(self.counts)

    async def open(self) -> None:
        """Connect, subscribe to the edge nodes, and go on with what was known of them."""
        connection = connection_of(self._source, self._context)
        with _remembering():
            memory, host = self._known()
            filters = topics.filters(host.rules.nodes())
            leave = memory.subscribed(filters) - set(filters)
        self._session = HostSession(connection, kept=not self._context.probing)
        await self._session.open([Subscription(one) for one in filters], leave)

    async def receive(self) -> Delivery:
        """Return what the next messages hold; empty when there was none for a while."""
        assert self._session is not None
        assert self._host is not None
        arrived = await self._session.take(self._wait_s, _MOST_MESSAGES)
        with _remembering():
            for one in arrived:
                self._take(self._host, one)
            self._host.overdue(time.monotonic())
        delivery = self._delivery(self._host, self._session, arrived)
        if (node := self._desk.due(time.monotonic())) is not None:
            self._session.ask_for_births(node)
        return delivery

    async def close(self) -> None:
        """Leave the broker; what is not acknowledged comes again."""
        session, self._session = self._session, None
        if self._memory is not None:
            self._memory.close()
        if session is not None:
            await session.close()

    def _known(self) -> tuple[Memory, Host]:
        """Return what was known when the connection or the gateway ended."""
        if self._memory is None or self._host is None:
            path = memory_path(self._context, self._source.name)
            self._memory = ProbeMemory(path) if self._context.probing else Memory(path)
            self._host = Host(self._source, self._memory, probing=self._context.probing)
        else:
            self._host.resume()
        self._memory.hold()
        return self._memory, self._host

    def _take(self, host: Host, arrived: Arrived) -> None:
        message = arrived.message
        try:
            if message.retain:
                raise NotDecoded("it was retained, which Sparkplug forbids: it may be old")
            address = topics.parse(message.topic)
            content = decode(bytes(message.payload))
        except NotDecoded as error:
            host.note(f"{message.topic}: {error}", bytes(message.payload).hex())
            return
        host.take(Arrival(address, content, arrived.at_us, arrived.is_live), time.monotonic())

    def _delivery(self, host: Host, session: HostSession, arrived: list[Arrived]) -> Delivery:
        found = host.harvest()
        self._desk.want(found.wanted)
        delivery = Delivery(
            samples=found.samples,
            refused=found.refused,
            skew_s=found.skew_s,
            arrived_us=found.arrived_us,
        )
        acknowledge = session.acknowledgement(one.message for one in arrived)
        if found.progress or acknowledge is not None:
            assert self._memory is not None
            delivery.stored = partial(_stored, self._memory, found.progress, acknowledge)
        return delivery


@contextmanager
def _remembering() -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise SourceError(f"births cannot be remembered: {error}") from error


def _stored(
    memory: Memory, progress: list[Progress], acknowledge: Callable[[], None] | None
) -> None:
    """Remember how far the spool has come, then let the broker forget."""
    if progress:
        memory.progress(progress)
    if acknowledge is not None:
        acknowledge()
