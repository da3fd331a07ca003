"""MQTT 3.1.1 and 5: JSON messages, acknowledged only when the spool holds them.

The connection is a BrokerSession; here is what becomes of its messages.
"""

import hashlib
from collections import defaultdict
from collections.abc import Sequence

from paho.mqtt.client import MQTTMessage, topic_matches_sub

from collectors.context import Context
from collectors.errors import NotSet, SourceError
from collectors.mqtt import payload as mqtt_payload
from collectors.mqtt.connection import connection_of
from collectors.mqtt.payload import NotDecoded
from collectors.mqtt.session import Arrived, BrokerSession, Subscription
from collectors.mqtt.settings import MqttRecord, MqttSource, MqttTag
from collectors.sample import Delivery, Message, Refused, time_is_plausible, to_us

_SIGN_OF_LIFE_S = 1.0


class MqttAdapter:
    """One session at a broker; probing uses a session of its own and leaves no trace."""

    errors: tuple[type[Exception], ...] = (SourceError, NotSet, OSError)

    def __init__(self, source: MqttSource, context: Context) -> None:
        self._source = source
        self._context = context
        self._zone = context.zone
        self._tags: defaultdict[str, list[MqttTag]] = defaultdict(list)
        for tag in source.tags:
            self._tags[tag.topic].append(tag)
        self._session: BrokerSession | None = None

    @property
    def tags(self) -> Sequence[str]:
        """The tags of this source."""
        return [tag.tag for tag in self._source.tags]

    async def open(self) -> None:
        """Connect, subscribe to every topic, and start taking messages."""
        records = [] if self._context.probing else [record.topic for record in self._source.records]
        topics = list(dict.fromkeys([*self._tags, *records]))
        connection = connection_of(self._source, self._context)
        self._session = BrokerSession(connection, kept=not self._context.probing)
        await self._session.open([Subscription(topic) for topic in topics])

    async def receive(self) -> Delivery:
        """Return what the next message holds; empty when there was none for a while."""
        assert self._session is not None
        arrived = await self._session.next(_SIGN_OF_LIFE_S)
        return Delivery() if arrived is None else self._decode(self._session, arrived)

    async def close(self) -> None:
        """Leave the broker; what is not acknowledged comes again."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def _decode(self, session: BrokerSession, arrived: Arrived) -> Delivery:
        message = arrived.message
        delivery = Delivery(stored=session.acknowledgement([message]), message=_identity(message))
        tags, records = self._rules(message.topic)
        if not tags and not records:
            # The session still holds a subscription from before the file was changed.
            session.unsubscribe(message.topic)
            return delivery
        try:
            self._fill(delivery, arrived, tags, records)
        except NotDecoded as error:
            text = message.payload.decode("utf-8", errors="backslashreplace")
            delivery = Delivery(stored=delivery.stored, message=delivery.message)
            delivery.refused.append(Refused(f"{message.topic}: {error}", text.replace("\0", "\\0")))
        return delivery

    def _rules(self, topic: str) -> tuple[list[MqttTag], list[MqttRecord]]:
        records = [
            record for record in self._source.records if topic_matches_sub(record.topic, topic)
        ]
        return self._tags.get(topic, []), records

    def _fill(
        self,
        delivery: Delivery,
        arrived: Arrived,
        tags: list[MqttTag],
        records: list[MqttRecord],
    ) -> None:
        document = mqtt_payload.parse(bytes(arrived.message.payload))
        for tag in tags:
            # A retained message is an old value: without a time of its own it would get a new one.
            if arrived.message.retain and tag.ts is None:
                continue
            sample = mqtt_payload.sample(tag, document, arrived.at_us, self._zone)
            delivery.samples.append(sample)
            if tag.ts is not None and arrived.is_live:
                delivery.skew_s = (arrived.at_us - sample.ts_us) / 1e6
        for rule in records:
            record = mqtt_payload.record(rule, document, self._zone)
            if not time_is_plausible(to_us(record.at)):
                raise NotDecoded(f"{rule.at} lies outside the years 1970 to 2200")
            delivery.records.append(record)


def _identity(message: MQTTMessage) -> Message | None:
    """Name a message by number, topic and content: a broker sends it again under the same."""
    if not message.qos:
        return None
    digest = hashlib.sha256(f"{message.mid}:{message.topic}\0".encode() + message.payload)
    return Message(digest.digest(), message.dup)
