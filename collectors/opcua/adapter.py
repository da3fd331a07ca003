"""OPC UA: values by subscription, and a reading of every node that has been quiet for long.

The service calls are made on the session itself: one callback per publish response instead of
one task per value, keep-alives are seen, and the publish response is acknowledged only after the
callback has passed it on. Which items are wanted and which exist is kept here: an item that the
server refuses is asked for again every minute, and never stands in the way of the others.
"""

import asyncio
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from asyncua import ua
from asyncua.client.client import Client
from asyncua.client.ua_client import UaClientState
from asyncua.ua.attribute_ids import AttributeIds
from asyncua.ua.uaerrors import UaError, UaStatusCodeError

from collectors import status
from collectors.context import Context
from collectors.errors import SourceError, SourceLost
from collectors.opcua.settings import OpcuaSource, OpcuaTag
from collectors.opcua.values import source_us, to_sample
from collectors.sample import Delivery, Refused, Sample, bad, now_us, to_us

_ITEMS_PER_CALL = 50
_NOTIFICATIONS_PER_PUBLISH = 1000
_PUBLISHES_WAITING = 100
_SAMPLES_PER_PUBLISH = 2
# A keep-alive at least this often; without one for half as long again the session is lost.
_KEEP_ALIVE_S = 10.0
_LIFETIME_KEEP_ALIVES = 6
_SIGN_OF_LIFE_S = 1.0
_RECONCILE_S = 60.0
_SESSION_TIMEOUT_MS = 60_000

_CURRENT_TIME = ua.NodeId.from_string("i=2258")  # Server_ServerStatus_CurrentTime
_NAMESPACES = ua.NodeId.from_string("i=2255")  # Server_NamespaceArray


@dataclass(slots=True)
class _Item:
    """A tag with its place in this session: handle while subscribed, heard when last read."""

    tag: OpcuaTag
    node: ua.NodeId | None = None
    is_active: bool = False
    heard_s: float = 0.0
    is_refused: bool = False


class OpcuaAdapter:
    """One session with one subscription at one server."""

    errors: tuple[type[Exception], ...] = (SourceError, UaError, OSError, TimeoutError)

    def __init__(self, source: OpcuaSource, context: Context) -> None:
        self._context = context
        self._source = source
        self._items = {index: _Item(tag) for index, tag in enumerate(source.tags, start=1)}
        self._client: Client | None = None
        self._transport: asyncio.Transport | None = None
        self._published: asyncio.Queue[ua.PublishResult] = asyncio.Queue(_PUBLISHES_WAITING)
        self._subscription = 0
        self._silence_s = _KEEP_ALIVE_S * 1.5
        self._published_s = 0.0
        self._reconcile_s = 0.0
        self._lost: str | None = None

    @property
    def tags(self) -> Sequence[str]:
        """The tags of this source."""
        return [tag.tag for tag in self._source.tags]

    async def open(self) -> None:
        """Connect and create the subscription; the items follow with the first receive."""
        self._items = {index: _Item(tag) for index, tag in enumerate(self._source.tags, start=1)}
        self._published = asyncio.Queue(_PUBLISHES_WAITING)
        self._lost = None
        timeout_s = self._source.timeout_s
        self._client = Client(self._source.url, timeout=timeout_s, watchdog_intervall=timeout_s)
        self._client.session_timeout = _SESSION_TIMEOUT_MS
        self._client.connection_lost_callback = self._on_lost
        await self._client.connect()
        protocol = self._client.uaclient.protocol
        self._transport = protocol.transport if protocol is not None else None
        await self._subscribe()
        self._published_s = time.monotonic()
        self._reconcile_s = 0.0

    async def receive(self) -> Delivery:
        """Return what the server published, the readings that are due, or nothing."""
        now_s = time.monotonic()
        if now_s >= self._reconcile_s:
            self._reconcile_s = now_s + _RECONCILE_S
            return await self._reconcile()
        due = [
            item
            for item in self._items.values()
            if item.is_active and now_s - item.heard_s >= self._source.heartbeat_s
        ]
        if due:
            return await self._read(due)
        return await self._next_publish()

    async def close(self) -> None:
        """Close the session with its subscription, or just the connection when that fails."""
        client, self._client = self._client, None
        if client is None:
            return
        try:
            with suppress(*self.errors):
                async with asyncio.timeout(self._source.timeout_s):
                    await client.disconnect()
        finally:
            # The library leaves the socket open where it found the connection dead before.
            if self._transport is not None:
                self._transport.abort()
                self._transport = None

    # --- subscription ----------------------------------------------------------------------------

    async def _subscribe(self) -> None:
        period_ms = self._source.publish_ms
        count = max(1, round(_KEEP_ALIVE_S * 1000 / period_ms))
        result = await self._session.create_subscription(
            ua.CreateSubscriptionParameters(
                RequestedPublishingInterval=period_ms,
                RequestedLifetimeCount=count * _LIFETIME_KEEP_ALIVES,
                RequestedMaxKeepAliveCount=count,
                MaxNotificationsPerPublish=_NOTIFICATIONS_PER_PUBLISH,
                PublishingEnabled=True,
            ),
            self._on_publish,
        )
        self._subscription = result.SubscriptionId
        keep_alive_s = result.RevisedPublishingInterval * result.RevisedMaxKeepAliveCount / 1000
        self._silence_s = max(keep_alive_s, 1.0) * 1.5

    async def _on_publish(self, result: ua.PublishResult) -> None:
        # Waiting here holds back the acknowledgement and, with it, the server.
        self._published_s = time.monotonic()
        await self._published.put(result)
        self._published_s = time.monotonic()

    async def _on_lost(self, error: Exception) -> None:
        self._lost = f"the connection to {self._source.url} broke: {error or type(error).__name__}"

    async def _next_publish(self) -> Delivery:
        try:
            async with asyncio.timeout(_SIGN_OF_LIFE_S):
                result = await self._published.get()
        except TimeoutError:
            self._check_alive()
            return Delivery()
        return self._decode(result)

    def _check_alive(self) -> None:
        assert self._client is not None
        if self._lost or self._client.state is not UaClientState.CONNECTED:
            raise SourceLost(self._lost or f"the connection to {self._source.url} broke")
        silent_s = time.monotonic() - self._published_s
        if silent_s > self._silence_s:
            raise SourceLost(f"{self._source.url} sent no sign of life for {silent_s:.0f} s")

    def _decode(self, result: ua.PublishResult) -> Delivery:
        delivery = Delivery()
        received_us = now_us()
        for data in result.NotificationMessage.NotificationData or ():
            if isinstance(data, ua.StatusChangeNotification):
                raise SourceLost(f"{self._source.url} ended the subscription: {data.Status.name}")
            if isinstance(data, ua.DataChangeNotification):
                self._add_changes(delivery, data.MonitoredItems, received_us)
        return delivery

    def _add_changes(self, delivery: Delivery, changes: Iterable[Any], received_us: int) -> None:
        heard_s = time.monotonic()
        for change in changes:
            item = self._items.get(change.ClientHandle)
            if item is not None:
                item.heard_s = heard_s
                ts_us = source_us(change.Value, received_us)
                delivery.samples.append(self._sample(delivery, item, change.Value, ts_us))

    # --- wanted and active -----------------------------------------------------------------------

    async def _reconcile(self) -> Delivery:
        """Ask for every item that is wanted and does not exist; the refused ones turn bad."""
        missing = [number for number, item in self._items.items() if not item.is_active]
        delivery = Delivery()
        if not missing:
            return delivery
        namespaces = await self._namespaces()
        for number in missing:
            self._items[number].node = _node(self._items[number].tag.node, namespaces)
        known = [number for number in missing if self._items[number].node is not None]
        codes = dict.fromkeys(missing, status.BAD_NODE_UNKNOWN)
        for chunk in _chunks(known):
            codes.update(await self._create(chunk))
        ts_us = now_us()
        for number in missing:
            item = self._items[number]
            item.is_active = not status.is_bad(codes[number])
            if not item.is_active:
                delivery.samples.append(bad(item.tag.tag, ts_us, codes[number]))
        return delivery

    async def _namespaces(self) -> list[str]:
        value = (await self._read_nodes([_NAMESPACES]))[0].Value
        return list(value.Value) if value is not None and value.Value is not None else []

    async def _create(self, numbers: list[int]) -> dict[int, int]:
        """Create items and return their status; halves a call that the server refuses whole."""
        try:
            results = await self._session.create_monitored_items(
                ua.CreateMonitoredItemsParameters(
                    SubscriptionId=self._subscription,
                    TimestampsToReturn=ua.TimestampsToReturn.Both,
                    ItemsToCreate=[self._request(number) for number in numbers],
                )
            )
        except UaStatusCodeError as error:
            if len(numbers) == 1:
                return {numbers[0]: status.signed(error.code)}
            middle = len(numbers) // 2
            return await self._create(numbers[:middle]) | await self._create(numbers[middle:])
        return {
            number: status.signed(result.StatusCode.value)
            for number, result in zip(numbers, results, strict=True)
        }

    def _request(self, number: int) -> ua.MonitoredItemCreateRequest:
        return ua.MonitoredItemCreateRequest(
            ItemToMonitor=ua.ReadValueId(
                NodeId=self._items[number].node, AttributeId=AttributeIds.Value
            ),
            MonitoringMode=ua.MonitoringMode.Reporting,
            RequestedParameters=ua.MonitoringParameters(
                ClientHandle=number,
                SamplingInterval=self._source.publish_ms / _SAMPLES_PER_PUBLISH,
                QueueSize=_SAMPLES_PER_PUBLISH * 5,
                DiscardOldest=True,
            ),
        )

    # --- readings --------------------------------------------------------------------------------

    async def _read(self, due: list[_Item]) -> Delivery:
        """Read quiet nodes, each with the server's own time of the reading."""
        delivery = Delivery()
        for chunk in _chunks(due):
            nodes = [item.node for item in chunk if item.node is not None]
            *values, clock = await self._read_nodes([*nodes, _CURRENT_TIME])
            received_us = now_us()
            ts_us = _clock_us(clock, received_us)
            delivery.skew_s = (received_us - ts_us) / 1e6
            heard_s = time.monotonic()
            for item, value in zip(chunk, values, strict=True):
                item.heard_s = heard_s
                delivery.samples.append(self._sample(delivery, item, value, ts_us))
        return delivery

    async def _read_nodes(self, nodes: list[ua.NodeId]) -> list[ua.DataValue]:
        values: list[ua.DataValue] = await self._session.read(
            ua.ReadParameters(
                MaxAge=0,
                TimestampsToReturn=ua.TimestampsToReturn.Both,
                NodesToRead=[
                    ua.ReadValueId(NodeId=node, AttributeId=AttributeIds.Value) for node in nodes
                ],
            )
        )
        return values

    def _sample(self, delivery: Delivery, item: _Item, value: ua.DataValue, ts_us: int) -> Sample:
        sample = to_sample(item.tag.tag, value, ts_us)
        if sample.status == status.BAD_TYPE_MISMATCH and not item.is_refused:
            item.is_refused = True
            reason = f"{item.tag.tag}: {item.tag.node} is not a number or boolean"
            delivery.refused.append(Refused(reason, str(value.Value)))
        return sample

    @property
    def _session(self) -> Any:
        assert self._client is not None
        return self._client.uaclient.session


def _chunks(things: list[Any]) -> Iterable[list[Any]]:
    for start in range(0, len(things), _ITEMS_PER_CALL):
        yield things[start : start + _ITEMS_PER_CALL]


def _node(text: str, namespaces: list[str]) -> ua.NodeId | None:
    """Return the node of an address in this session, or None without its namespace."""
    if not text.startswith("nsu="):
        return ua.NodeId.from_string(text)
    uri, _, identifier = text.removeprefix("nsu=").partition(";")
    if uri not in namespaces:
        return None
    return ua.NodeId.from_string(f"ns={namespaces.index(uri)};{identifier}")


def _clock_us(clock: ua.DataValue, received_us: int) -> int:
    value = clock.Value.Value if clock.Value is not None else None
    return to_us(value) if isinstance(value, datetime) and value.tzinfo else received_us
