"""One connection to an MQTT broker, for every protocol that is spoken over MQTT.

    connection = connection_of(source, context)          # keys of the file, secrets read
    session = BrokerSession(connection)
    await session.open([Subscription("plant/#")])
    for arrived in await session.take(1.0, most=500):    # empty after 1 s without a message
        ...
    session.acknowledgement([...])()                     # once all of it is stored
    await session.close()

paho runs in its own thread and hands messages to the event loop. A session is one connection: it
is opened once, used until it breaks, then thrown away; the broker knows the next one by the same
client id. So an acknowledgement belongs to the connection that brought the message: message
numbers are used again after a reconnect, and a late one would confirm a message nobody stored.

Nothing here can send a message to a plant.
"""

import asyncio
import ssl
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from collectors.errors import SourceLost, SourceUnreachable
from collectors.mqtt.connection import Connection
from collectors.sample import now_us

_FAILURE = 0x80
_DAY_S = 86_400
_BLOCKED_S = 1.0
_CLOSE_S = 5.0
# Without a pause so long after connecting, messages are taken to be new ones.
_CAUGHT_UP_S = 600.0
# What a broker without limits may leave at QoS 0 before TCP holds it back.
_LEAST_ROOM = 100


@dataclass(frozen=True, slots=True)
class Subscription:
    """A topic filter and the quality of service it is asked for; an optional one may be refused."""

    topic: str
    qos: int = 1
    optional: bool = False


@dataclass(slots=True)
class Arrived:
    """A message, when it came (µs since 1970 UTC), and whether others waited behind it."""

    message: MQTTMessage
    at_us: int
    # The broker may have kept all that come at once for long.
    is_in_a_crowd: bool = False

    @property
    def is_live(self) -> bool:
        """False where the message was probably kept, so that its age is no error of a clock."""
        return not (self.message.retain or self.message.dup or self.is_in_a_crowd)


class BrokerSession:
    """One connection of one paho client; errors are SourceUnreachable, SourceLost and OSError.

    A kept session survives the connection at the broker, with what is published meanwhile at
    QoS 1; one that is not kept starts and ends with the connection.
    """

    def __init__(self, connection: Connection, *, kept: bool = True) -> None:
        self._connection = connection
        self._kept = kept
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[Arrived] = deque()
        # Without room paho stops reading, and TCP holds the broker back: a broker may send more
        # than the receive maximum (mosquitto does after a reconnect), and what it sends at QoS 0
        # no acknowledgement holds back at all.
        self._most_waiting = max(connection.receive_maximum, _LEAST_ROOM)
        self._has_room = threading.Event()
        self._news = asyncio.Event()
        self._is_told = False
        self._connected: asyncio.Future[str | None] = self._loop.create_future()
        self._asked: dict[int, Sequence[Subscription]] = {}
        self._opened_s = self._asked_s = time.monotonic()
        # What waited at the broker comes first; nothing tells where it ends but a pause.
        self._is_catching_up = kept
        self._lost: str | None = None
        self._starting = threading.Lock()
        # Whether the broker had kept this client's session, and what it does less well than asked.
        self.session_present = False
        self.remarks: list[str] = []
        self._client = self._make_client()

    # --- for the protocol's adapter, in the event loop -------------------------------------------

    async def open(self, subscriptions: Sequence[Subscription], leave: Iterable[str] = ()) -> None:
        """Connect, leave old topics, and subscribe; raises SourceUnreachable with the reason.

        leave names topic filters that a kept session may still hold from an earlier file.
        """
        place = f"{self._connection.host}:{self._connection.port}"
        try:
            async with asyncio.timeout(self._connection.timeout_s):
                await asyncio.to_thread(self._connect)
                refusal = await self._connected
        except TimeoutError as error:
            raise SourceUnreachable(f"the broker at {place} does not answer in time") from error
        except ssl.SSLCertVerificationError as error:
            raise SourceUnreachable(
                f"the certificate of {place} is not accepted ({error.verify_message}); name who "
                "signed it in ca, and the name that it holds in tls_server_name"
            ) from error
        except ssl.SSLError as error:
            raise SourceUnreachable(
                f"no TLS with {place} ({error.reason or error}); check that the port is for TLS"
            ) from error
        if refusal is not None:
            raise SourceUnreachable(refusal)
        for topic in leave:
            self.unsubscribe(topic)
        # The answer is not awaited: messages that waited at the broker come before it.
        self.subscribe(subscriptions)

    def subscribe(self, subscriptions: Sequence[Subscription]) -> None:
        """Ask for topics; the session is lost when the broker refuses one or never answers."""
        if not subscriptions:
            return
        _, mid = self._client.subscribe([(one.topic, one.qos) for one in subscriptions])
        self._asked_s = time.monotonic()
        if mid is not None:
            self._asked[mid] = subscriptions

    def unsubscribe(self, topic: str) -> None:
        """Leave a topic filter that nobody asks for any more."""
        self._client.unsubscribe(topic)

    async def take(self, wait_s: float, most: int = 1, linger_s: float = 0.0) -> list[Arrived]:
        """Return the next messages in order, up to most at once; none after wait_s.

        linger_s is how long to let more of them come once there is one: a few at a time cost less.

        Raises SourceLost when the connection is lost: what still waited comes again, since its
        acknowledgement could go nowhere. What came at QoS 0 comes only once, and is returned first.
        """
        await self._wait_for_news(wait_s)
        if linger_s and 0 < len(self._waiting) < most and not self._lost:
            await asyncio.sleep(linger_s)
        if self._lost:
            return self._rest(self._lost, most)
        if not self._waiting:
            self._check_granted()
            self._is_catching_up = False
        elif time.monotonic() - self._opened_s > _CAUGHT_UP_S:
            self._is_catching_up = False
        taken = [self._waiting.popleft() for _ in range(min(most, len(self._waiting)))]
        self._has_room.set()
        for arrived in taken[:-1]:
            arrived.is_in_a_crowd = True
        if taken:
            taken[-1].is_in_a_crowd = bool(self._waiting) or self._is_catching_up
        return taken

    def _rest(self, reason: str, most: int) -> list[Arrived]:
        """Return what waits of QoS 0 when the connection is lost; raises SourceLost without any."""
        rest: list[Arrived] = []
        while self._waiting and len(rest) < most:
            arrived = self._waiting.popleft()
            if not arrived.message.qos:
                arrived.is_in_a_crowd = True
                rest.append(arrived)
        if not rest:
            raise SourceLost(reason)
        return rest

    async def next(self, wait_s: float) -> Arrived | None:
        """Return the next message, or None after wait_s; raises SourceLost when disconnected."""
        taken = await self.take(wait_s)
        return taken[0] if taken else None

    def acknowledgement(self, messages: Iterable[MQTTMessage]) -> Callable[[], None] | None:
        """Return what acknowledges messages on this connection, and does nothing after its end.

        None where there is nothing to acknowledge (QoS 0).
        """
        numbers = [(message.mid, message.qos) for message in messages if message.qos]
        return partial(self._acknowledge, numbers) if numbers else None

    async def close(self) -> None:
        """Disconnect and end paho's thread; waits 5 s at most. To be called once."""
        self._lose("the connection was closed")
        self._client.disconnect()
        stopping = asyncio.create_task(asyncio.to_thread(self._stop))
        await asyncio.wait((stopping,), timeout=_CLOSE_S)
        if stopping.done():
            # paho closes its last sockets only when nobody holds its client any more.
            del self._client

    # --- connecting, in a thread of its own ------------------------------------------------------

    def _make_client(self) -> Client:
        asked = self._connection
        is_v5 = asked.protocol == "5"
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=asked.client_id,
            clean_session=None if is_v5 else not self._kept,
            protocol=MQTTProtocolVersion.MQTTv5 if is_v5 else MQTTProtocolVersion.MQTTv311,
            manual_ack=True,
            reconnect_on_failure=False,
        )
        client.connect_timeout = asked.timeout_s
        if asked.username is not None:
            client.username_pw_set(asked.username, asked.password)
        if asked.tls is not None:
            client.tls_set_context(asked.tls)
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        client.on_disconnect = self._on_disconnect
        return client

    def _connect(self) -> None:
        asked = self._connection
        if asked.protocol == "5":
            properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # in paho
            properties.ReceiveMaximum = asked.receive_maximum
            properties.SessionExpiryInterval = self._kept * asked.session_expiry_days * _DAY_S
            self._client.connect(
                asked.host,
                asked.port,
                asked.keepalive_s,
                clean_start=not self._kept,
                properties=properties,
            )
        else:
            self._client.connect(asked.host, asked.port, asked.keepalive_s)
        with self._starting:
            # Whoever waited for the connection may have given up meanwhile.
            if self._lost:
                self._client.disconnect()
            else:
                self._client.loop_start()

    def _stop(self) -> None:
        with self._starting:
            self._client.loop_stop()

    # --- in the event loop -----------------------------------------------------------------------

    async def _wait_for_news(self, wait_s: float) -> None:
        if self._waiting or self._lost:
            return
        self._news.clear()
        # After this line paho's thread tells of each message again; before it, one may have come.
        self._is_told = False
        if self._waiting or self._lost:
            return
        try:
            async with asyncio.timeout(wait_s):
                await self._news.wait()
        except TimeoutError:
            return

    def _acknowledge(self, numbers: list[tuple[int, int]]) -> None:
        for mid, qos in numbers:
            if self._lost:
                return
            self._client.ack(mid, qos)

    def _lose(self, reason: str) -> None:
        if not self._lost:
            self._lost = reason
            self._news.set()
            self._has_room.set()
            if not self._connected.done():
                self._connected.set_result(reason)

    def _check_granted(self) -> None:
        late = time.monotonic() - self._asked_s > self._connection.timeout_s
        if late and self._asked:
            raise SourceLost("the broker does not answer the subscription")

    def _grant(self, mid: int, codes: list[int]) -> None:
        asked = self._asked.pop(mid, ())
        granted = list(zip(asked, codes, strict=False))
        refused = [one.topic for one, code in granted if code >= _FAILURE and not one.optional]
        if refused or len(codes) != len(asked):
            self._lose(f"the broker refused to serve {', '.join(refused) or 'some topics'}")
        weaker = [one.topic for one, code in granted if code < one.qos]
        if weaker:
            self.remarks.append(
                f"the broker grants only QoS 0 for {', '.join(weaker)}: what it sends while this "
                "gateway is away or busy is lost; allow QoS 1 there"
            )

    def _settle(self, refusal: str | None, session_present: bool, expiry_s: int | None) -> None:
        self.session_present = session_present
        self._is_catching_up = self._kept and session_present
        if expiry_s is not None and self._kept:
            asked_s = self._connection.session_expiry_days * _DAY_S
            if expiry_s < asked_s:
                self.remarks.append(
                    f"the broker keeps messages for {expiry_s} s while this gateway is away, not "
                    f"for the {asked_s} s of session_expiry_days; raise its limit"
                )
        if not self._connected.done():
            self._connected.set_result(refusal)

    # --- called in paho's thread -----------------------------------------------------------------

    def _on_connect(self, _client: Any, _data: Any, flags: Any, reason: Any, props: Any) -> None:
        refusal = f"the broker refused the connection: {reason}" if reason.is_failure else None
        expiry_s = getattr(props, "SessionExpiryInterval", None)
        self._call(self._settle, refusal, bool(flags.session_present), expiry_s)

    def _on_subscribe(self, _client: Any, _data: Any, mid: Any, codes: Any, _props: Any) -> None:
        self._call(self._grant, mid, [code.value for code in codes])

    def _on_disconnect(
        self, _client: Any, _data: Any, _flags: Any, reason: Any, _props: Any
    ) -> None:
        self._call(self._lose, f"the broker ended the connection: {reason}")

    def _on_message(self, _client: Any, _data: Any, message: MQTTMessage) -> None:
        self._waiting.append(Arrived(message, now_us()))
        if not self._is_told:
            self._is_told = True
            self._call(self._news.set)
        while len(self._waiting) >= self._most_waiting and not self._lost:
            self._has_room.clear()
            if len(self._waiting) < self._most_waiting:
                return
            self._has_room.wait(_BLOCKED_S)

    def _call(self, function: Callable[..., None], *values: Any) -> None:
        # A loop that has ended has nobody left to tell.
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(function, *values)
