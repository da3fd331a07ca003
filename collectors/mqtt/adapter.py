"""MQTT 3.1.1 and 5: JSON messages, acknowledged only when the spool holds them.

Messages that wait are taken together, up to some hundreds, and become one delivery with one
acknowledgement. Those whose values carry no time of their own, and those that are records, go one
by one: of these a message that the broker sends again must be known by its number and content.
"""

import hashlib
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any

from paho.mqtt.client import MQTTMessage, topic_matches_sub

from collectors.context import Context
from collectors.documents import NotDecoded
from collectors.errors import NotSet, SourceError
from collectors.mqtt.connection import connection_of
from collectors.mqtt.decode import Decoder, Found, Opened
from collectors.mqtt.memory import Memory
from collectors.mqtt.names import Names
from collectors.mqtt.plan import Plan, filters, plan_for
from collectors.mqtt.session import Arrived, BrokerSession, Subscription
from collectors.mqtt.settings import MqttSource
from collectors.mqtt.watch import PREFIX, SUBSCRIPTIONS, BrokerWatch, Sequences
from collectors.sample import Delivery, Message, Refused
from collectors.skew import Skews

_SIGN_OF_LIFE_S = 1.0
# Messages that come within this time cost one delivery instead of many.
_LINGER_S = 0.02
_MOST_AT_ONCE = 500
_MOST_PLANS = 50_000
_MOST_TOLD = 1000


class MqttAdapter:
    """One session at a broker; probing uses a session of its own and leaves no trace."""

    errors: tuple[type[Exception], ...] = (SourceError, NotSet, OSError)

    def __init__(self, source: MqttSource, context: Context) -> None:
        self._source = source
        self._context = context
        self._memory = Memory(context.state, source.name, lasting=not context.probing)
        self._names = Names(source, self._memory, self._tell)
        self.table = self._names.table
        self._decoder = Decoder(context.zone, source.max_payload_kb * 1000, self._names.number)
        self._sequences = Sequences(self._memory)
        self._skews = Skews()
        self._filters = filters(source, records=not context.probing)
        self._plans: dict[str, Plan] = {}
        self._told: set[str] = set()
        self._session: BrokerSession | None = None
        self._watch: BrokerWatch | None = None
        self._ready: deque[Delivery] = deque()

    @property
    def tags(self) -> Sequence[str]:
        """The tags of the file and those that templates have made, before a restart as well."""
        return self._names.all

    async def open(self) -> None:
        """Connect, leave what left the file, subscribe, and start taking messages."""
        self._ready.clear()
        self._decoder.found = Found()
        connection = connection_of(self._source, self._context)
        place = f"{connection.client_id}@{connection.host}:{connection.port}"
        shared = "" if self._source.share is None else f"$share/{self._source.share}/"
        watched = SUBSCRIPTIONS if self._source.watch_broker else ()
        wanted = [*(Subscription(f"{shared}{topic}") for topic in self._filters), *watched]
        topics = [one.topic for one in wanted]
        before = self._memory.topics.get(place, [])
        self._watch = self._watch or BrokerWatch(self._memory, place)
        self._session = BrokerSession(connection, kept=not self._context.probing)
        left = [topic for topic in before if topic not in topics]
        await self._session.open(wanted, leave=left)
        if before and not self._session.session_present:
            self._note(
                f"the broker {connection.host} has not kept the session of "
                f"{connection.client_id}: what was published since the connection ended is lost; "
                "let the broker keep sessions on disk (mosquitto: persistence true)"
            )
        if before != topics:
            self._memory.topics = {place: topics}
            self._memory.save()

    async def receive(self) -> Delivery:
        """Return what the next messages hold; empty when there was none for a while."""
        assert self._session is not None
        if not self._ready:
            arrived = await self._session.take(_SIGN_OF_LIFE_S, _MOST_AT_ONCE, _LINGER_S)
            self._ready.extend(self._deliveries(self._session, arrived))
            if self._memory.has_news:
                self._memory.save()
        return self._ready.popleft() if self._ready else Delivery()

    async def close(self) -> None:
        """Leave the broker; what is not acknowledged comes again."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def _deliveries(self, session: BrokerSession, arrived: Iterable[Arrived]) -> Iterator[Delivery]:
        """Return what messages give: together, except those that must be known again."""
        batch = _Batch(session, self._sequences)
        for one in arrived:
            plan = self._plan_of(one.message)
            if plan is not None and not plan.is_timed:
                yield from self._end(batch)
                batch = _Batch(session, self._sequences)
            batch.messages.append(one.message)
            batch.arrived_us = batch.arrived_us or one.at_us
            if plan is None:
                self._other(session, one.message)
                continue
            self._take(plan, one, batch)
            if not plan.is_timed:
                yield from self._end(batch, _identity(one.message))
                batch = _Batch(session, self._sequences)
        while session.remarks:
            self._tell(session.remarks.pop())
        yield from self._end(batch)

    def _end(self, batch: "_Batch", identity: Message | None = None) -> Iterator[Delivery]:
        found, self._decoder.found = self._decoder.found, Found()
        delivery = Delivery(
            records=found.records,
            refused=found.refused,
            skew_s=self._skews.nearest(time.monotonic()) if batch.has_skew else None,
            arrived_us=batch.arrived_us,
            message=identity,
            stored=batch.stored(),
        )
        if len(found.rows):
            delivery.columns.append(found.rows.columns(self.table, self._names.scales))
        if delivery.columns or delivery.records or delivery.refused or delivery.stored is not None:
            yield delivery

    def _take(self, plan: Plan, arrived: Arrived, batch: "_Batch") -> None:
        message = arrived.message
        opened = Opened(plan.topic, bytes(message.payload), arrived.at_us, message.retain)
        is_read = self._decoder.decode(plan, opened)
        newest_us = self._decoder.found.newest_us
        if newest_us is not None and arrived.is_live:
            self._skews.note(plan.topic, (arrived.at_us - newest_us) / 1e6, time.monotonic())
            batch.has_skew = True
        if is_read and not message.retain:
            for path in plan.sequences:
                self._count(plan.topic, path, opened.document, message.dup, batch)

    def _count(self, topic: str, path: str, document: Any, again: bool, batch: "_Batch") -> None:
        try:
            gap, numbers = self._sequences.observe(topic, path, document, again=again)
        except NotDecoded as error:
            self._tell(f"{topic}: {error}")
            return
        batch.numbers.update(numbers)
        if gap is not None:
            self._note(f"{topic}: {gap}")

    def _other(self, session: BrokerSession, message: MQTTMessage) -> None:
        """Take a message that no rule asks for."""
        topic = _topic_of(message)
        if topic is None:
            self._tell("a topic is not UTF-8; its messages are left out")
        elif topic.startswith(PREFIX) and self._watch is not None:
            if wrong := self._watch.observe(topic, bytes(message.payload)):
                self._note(wrong)
        elif not any(topic_matches_sub(one, topic) for one in self._filters):
            # The session still holds a subscription from before the file was changed.
            session.unsubscribe(topic)

    def _plan_of(self, message: MQTTMessage) -> Plan | None:
        topic = _topic_of(message)
        if topic is None:
            return None
        plan = self._plans.get(topic)
        if plan is None:
            if len(self._plans) >= _MOST_PLANS:
                self._plans.clear()
            tags = self._names.by_topic.get(topic, ())
            plan = plan_for(topic, tags, self._source, self._names.number)
            self._plans[topic] = plan
        return None if plan.is_empty else plan

    def _tell(self, reason: str) -> None:
        """Note something once for as long as this adapter lives."""
        if reason not in self._told and len(self._told) < _MOST_TOLD:
            self._told.add(reason)
            self._note(reason)

    def _note(self, reason: str) -> None:
        self._decoder.found.refused.append(Refused(reason, ""))


class _Batch:
    """Messages that become one delivery."""

    def __init__(self, session: BrokerSession, sequences: Sequences) -> None:
        self._session = session
        self._sequences = sequences
        self.messages: list[MQTTMessage] = []
        self.numbers: dict[str, int] = {}
        self.has_skew = False
        self.arrived_us: int | None = None

    def stored(self) -> Callable[[], None] | None:
        """Return what is to be done once all of it is stored."""
        acknowledge = self._session.acknowledgement(self.messages)
        if not self.numbers:
            return acknowledge
        return partial(_stored, self._sequences, self.numbers, acknowledge)


def _stored(
    sequences: Sequences, numbers: dict[str, int], acknowledge: Callable[[], None] | None
) -> None:
    sequences.stored(numbers)
    if acknowledge is not None:
        acknowledge()


def _topic_of(message: MQTTMessage) -> str | None:
    try:
        return message.topic
    except UnicodeDecodeError:
        return None


def _identity(message: MQTTMessage) -> Message | None:
    """Name a message by number, topic and content: a broker sends it again under the same."""
    if not message.qos:
        return None
    digest = hashlib.sha256(f"{message.mid}:{message.topic}\0".encode() + message.payload)
    return Message(digest.digest(), message.dup)
