"""MQTT 3.1.1 and 5: JSON messages, acknowledged only when the spool holds them.

paho runs in its own thread and hands messages to the event loop. Each open makes a client of its
own with the same client id: the broker keeps the session, and an acknowledgement belongs to the
connection that brought the message, since message numbers are used again after a reconnect.
"""

import asyncio
import hashlib
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from paho.mqtt.client import Client, MQTTMessage, topic_matches_sub
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from collectors.context import Context
from collectors.errors import SourceError, SourceLost, SourceUnreachable
from collectors.mqtt import payload as mqtt_payload
from collectors.mqtt.payload import NotDecoded
from collectors.mqtt.settings import MqttRecord, MqttSource, MqttTag
from collectors.sample import Delivery, Message, Refused, now_us, time_is_plausible, to_us

_SIGN_OF_LIFE_S = 1.0
_FAILURE = 0x80
_DAY_S = 86_400
_BLOCKED_S = 1.0


@dataclass(slots=True)
class _Arrived:
    message: MQTTMessage
    at_us: int
    # True where others wait behind it: the broker may have kept them all for long.
    is_in_a_crowd: bool = False

    @property
    def is_live(self) -> bool:
        """False where the message was probably kept, so that its age is no error of a clock."""
        return not (self.message.retain or self.message.dup or self.is_in_a_crowd)


class MqttAdapter:
    """One session at a broker; probing uses a session of its own and leaves no trace."""

    errors: tuple[type[Exception], ...] = (SourceError, OSError)

    def __init__(self, source: MqttSource, context: Context) -> None:
        self._source = source
        self._zone = context.zone
        self._probing = context.probing
        self._tags: defaultdict[str, list[MqttTag]] = defaultdict(list)
        for tag in source.tags:
            self._tags[tag.topic].append(tag)
        self._session: _Session | None = None

    @property
    def tags(self) -> Sequence[str]:
        """The tags of this source."""
        return [tag.tag for tag in self._source.tags]

    async def open(self) -> None:
        """Connect, subscribe to every topic, and start taking messages."""
        records = [] if self._probing else [record.topic for record in self._source.records]
        topics = list(dict.fromkeys([*self._tags, *records]))
        self._session = _Session(self._source, self._probing)
        await self._session.open(topics)

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

    def _decode(self, session: "_Session", arrived: _Arrived) -> Delivery:
        message = arrived.message
        delivery = Delivery(stored=session.acknowledgement(message), message=_identity(message))
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
        arrived: _Arrived,
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


class _Session:
    """One connection of one paho client: opened once, used until it breaks, then thrown away."""

    def __init__(self, source: MqttSource, probing: bool) -> None:
        self._source = source
        self._probing = probing
        self._loop = asyncio.get_running_loop()
        # None wakes whoever waits when the connection is lost.
        self._arrived: asyncio.Queue[_Arrived | None] = asyncio.Queue()
        # What bounds the queue: without room paho stops reading, and TCP holds the broker back.
        # A broker may send more than the receive maximum (mosquitto does after a reconnect), and
        # what it sends at QoS 0 no acknowledgement holds back at all.
        self._room = threading.Semaphore(source.receive_maximum)
        self._connected: asyncio.Future[str | None] = self._loop.create_future()
        self._topics: list[str] = []
        self._is_granted = False
        self._opened_s = time.monotonic()
        self._lost: str | None = None
        self._client = self._make_client()

    async def open(self, topics: list[str]) -> None:
        """Connect and subscribe; raises SourceUnreachable with what the broker said."""
        try:
            async with asyncio.timeout(self._source.timeout_s):
                await asyncio.to_thread(self._connect)
                refusal = await self._connected
                if refusal is not None:
                    raise SourceUnreachable(f"the broker refused the connection: {refusal}")
                # The answer is not awaited: messages that waited at the broker come before it.
                self._topics = topics
                self._client.subscribe([(topic, 1) for topic in topics])
        except TimeoutError as error:
            place = f"{self._source.host}:{self._source.port}"
            raise SourceUnreachable(f"the broker at {place} does not answer in time") from error

    async def next(self, wait_s: float) -> _Arrived | None:
        """Return the next message, or None after wait_s; raises SourceLost when disconnected."""
        try:
            async with asyncio.timeout(wait_s):
                arrived = None if self._lost else await self._arrived.get()
        except TimeoutError:
            self._check_granted()
            return None
        if self._lost:
            # What is still in the queue comes again, since its acknowledgement can go nowhere.
            raise SourceLost(self._lost)
        if arrived is not None:
            self._room.release()
            arrived.is_in_a_crowd = not self._arrived.empty()
        return arrived

    def acknowledgement(self, message: MQTTMessage) -> Callable[[], None] | None:
        """Return what acknowledges a message on this connection, and does nothing after its end."""
        return partial(self._acknowledge, message.mid, message.qos) if message.qos else None

    def unsubscribe(self, topic: str) -> None:
        """Stop a topic that nobody asks for any more."""
        self._client.unsubscribe(topic)

    async def close(self) -> None:
        """Disconnect and end paho's thread; waits 5 s at most."""
        self._lose("the connection was closed")
        self._client.disconnect()
        stopping = asyncio.create_task(asyncio.to_thread(self._client.loop_stop))
        await asyncio.wait((stopping,), timeout=5)

    def _make_client(self) -> Client:
        source = self._source
        is_v5 = source.protocol == "5"
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=f"{source.client_id}-probe" if self._probing else source.client_id,
            clean_session=None if is_v5 else self._probing,
            protocol=MQTTProtocolVersion.MQTTv5 if is_v5 else MQTTProtocolVersion.MQTTv311,
            manual_ack=True,
            reconnect_on_failure=False,
        )
        client.connect_timeout = source.timeout_s
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        client.on_disconnect = self._on_disconnect
        return client

    def _connect(self) -> None:
        source = self._source
        if source.protocol == "5":
            # paho leaves this constructor without annotations.
            properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
            properties.ReceiveMaximum = source.receive_maximum
            days = 0 if self._probing else source.session_expiry_days
            properties.SessionExpiryInterval = days * _DAY_S
            self._client.connect(
                source.host,
                source.port,
                source.keepalive_s,
                clean_start=self._probing,
                properties=properties,
            )
        else:
            self._client.connect(source.host, source.port, source.keepalive_s)
        self._client.loop_start()

    def _acknowledge(self, mid: int, qos: int) -> None:
        if not self._lost:
            self._client.ack(mid, qos)

    def _lose(self, reason: str) -> None:
        if not self._lost:
            self._lost = reason
            if self._arrived.empty():
                self._arrived.put_nowait(None)

    def _check_granted(self) -> None:
        late = time.monotonic() - self._opened_s > self._source.timeout_s
        if late and not self._is_granted:
            raise SourceLost("the broker does not answer the subscription")

    # --- called in paho's thread -----------------------------------------------------------------

    def _on_connect(self, _client: Any, _data: Any, _flags: Any, reason: Any, _props: Any) -> None:
        self._call(_settle, self._connected, str(reason) if reason.is_failure else None)

    def _on_subscribe(self, _client: Any, _data: Any, _mid: Any, codes: Any, _props: Any) -> None:
        self._call(self._grant, [code.value for code in codes])

    def _on_disconnect(
        self, _client: Any, _data: Any, _flags: Any, reason: Any, _props: Any
    ) -> None:
        self._call(self._lose, f"the broker ended the connection: {reason}")

    def _on_message(self, _client: Any, _data: Any, message: MQTTMessage) -> None:
        arrived = _Arrived(message, now_us())
        while not self._room.acquire(timeout=_BLOCKED_S):
            if self._lost:
                return
        self._call(self._arrived.put_nowait, arrived)

    def _call(self, function: Callable[..., None], *values: Any) -> None:
        # A loop that has ended has nobody left to tell.
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(function, *values)

    # --- called in the event loop ----------------------------------------------------------------

    def _grant(self, codes: list[int]) -> None:
        refused = [t for t, code in zip(self._topics, codes, strict=True) if code >= _FAILURE]
        if refused:
            self._lose(f"the broker refused to serve {', '.join(refused)}")
        self._is_granted = True


def _settle(future: "asyncio.Future[Any]", value: Any) -> None:
    if not future.done():
        future.set_result(value)


def _identity(message: MQTTMessage) -> Message | None:
    """Name a message by number, topic and content: a broker sends it again under the same."""
    if not message.qos:
        return None
    digest = hashlib.sha256(f"{message.mid}:{message.topic}\0".encode() + message.payload)
    return Message(digest.digest(), message.dup)
