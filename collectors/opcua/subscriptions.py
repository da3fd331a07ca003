"""Subscriptions of bounded size, their items, and the signs of life of each of them.

The service calls are made on the session itself: one callback per publish response instead of
one task per value, keep-alives are seen, and a response is acknowledged only after the callback
has passed it on.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

from asyncua import ua
from asyncua.ua.attribute_ids import AttributeIds
from asyncua.ua.status_codes import StatusCodes
from asyncua.ua.uaerrors import UaStatusCodeError

from collectors import status
from collectors.errors import SourceLost
from collectors.opcua.connection import Connection
from collectors.opcua.items import Item, chunks
from collectors.opcua.settings import OpcuaSource

_NOTIFICATIONS_PER_PUBLISH = 1000
_PUBLISHES_WAITING = 100
_SAMPLES_PER_PUBLISH = 2
_QUEUE_PER_ITEM = _SAMPLES_PER_PUBLISH * 5
# A keep-alive at least this often; without one for half as long again the session is lost.
KEEP_ALIVE_S = 10.0
_LIFETIME_KEEP_ALIVES = 6
_LEAST_SILENCE_S = 1.5
_LAST_SEQUENCE = 0xFFFFFFFF

_TOO_MANY_ITEMS = status.signed(StatusCodes.BadTooManyMonitoredItems)

# What a server answers that cannot subscribe, or no more than it does already.
CANNOT_SUBSCRIBE = frozenset(
    {
        StatusCodes.BadServiceUnsupported,
        StatusCodes.BadNotImplemented,
        StatusCodes.BadNotSupported,
        StatusCodes.BadTooManySubscriptions,
        StatusCodes.BadTooManyMonitoredItems,
        StatusCodes.BadMonitoringModeInvalid,
    }
)


@dataclass(slots=True)
class _Subscription:
    """One subscription: how many items it has, and how long its silence may last.

    sequence is the number of its newest message, which count up without a gap.
    """

    id: int
    silence_s: float
    published_s: float
    items: int = 0
    sequence: int | None = None


class Subscriptions:
    """All subscriptions of a session, filled one after the other."""

    def __init__(self, source: OpcuaSource, connection: Connection) -> None:
        self._source = source
        self._connection = connection
        self._subscriptions: dict[int, _Subscription] = {}
        self._published: asyncio.Queue[ua.PublishResult] = asyncio.Queue(_PUBLISHES_WAITING)
        self._has_gap = False

    def __len__(self) -> int:
        return len(self._subscriptions)

    async def add(self, items: Sequence[Item]) -> list[int]:
        """Create items in calls and subscriptions of bounded size; return the status of each.

        An item that the server refuses stands in nobody's way. A status may be one of
        CANNOT_SUBSCRIBE, in the form in which it is stored.
        """
        codes: list[int] = []
        while len(codes) < len(items):
            waiting = items[len(codes) :]
            try:
                subscription = await self._with_room()
            except UaStatusCodeError as error:
                if error.code not in CANNOT_SUBSCRIBE:
                    raise
                return codes + [status.signed(error.code)] * len(waiting)
            room = self._connection.profile.items_per_subscription - subscription.items
            for chunk in chunks(waiting[:room], self._connection.profile.items_per_call):
                answers = await self._create(subscription, chunk)
                subscription.items += sum(not status.is_bad(code) for code in answers)
                codes += answers
                if _TOO_MANY_ITEMS in answers:
                    return codes + [_TOO_MANY_ITEMS] * (len(items) - len(codes))
        return codes

    async def next(self, timeout_s: float) -> ua.PublishResult | None:
        """Return what was published next, or None when nothing was within timeout_s."""
        if (result := self.waiting()) is not None:
            return result
        try:
            async with asyncio.timeout(timeout_s):
                return await self._published.get()
        except TimeoutError:
            return None

    def waiting(self) -> ua.PublishResult | None:
        """Return what was published and waits, or None."""
        return None if self._published.empty() else self._published.get_nowait()

    @property
    def has_news(self) -> bool:
        """Whether something published waits."""
        return not self._published.empty()

    def check_alive(self) -> None:
        """Raise SourceLost when a subscription has been silent for too long."""
        now_s = time.monotonic()
        for subscription in self._subscriptions.values():
            silent_s = now_s - subscription.published_s
            if silent_s > subscription.silence_s:
                url = self._source.url
                raise SourceLost(f"{url} sent no sign of life for {silent_s:.0f} s")

    def take_gap(self) -> bool:
        """Tell whether a message was lost since the last call.

        The library drops a message that it cannot decode without a word.
        """
        has_gap, self._has_gap = self._has_gap, False
        return has_gap

    async def _with_room(self) -> _Subscription:
        most = self._connection.profile.items_per_subscription
        for subscription in self._subscriptions.values():
            if subscription.items < most:
                return subscription
        return await self._subscribe()

    async def _subscribe(self) -> _Subscription:
        # A keep-alive comes at most once in a publishing interval.
        period_ms = min(self._source.publish_ms, KEEP_ALIVE_S * 1000)
        count = max(1, round(KEEP_ALIVE_S * 1000 / period_ms))
        result = await self._connection.session.create_subscription(
            ua.CreateSubscriptionParameters(
                RequestedPublishingInterval=period_ms,
                RequestedLifetimeCount=count * _LIFETIME_KEEP_ALIVES,
                RequestedMaxKeepAliveCount=count,
                MaxNotificationsPerPublish=_NOTIFICATIONS_PER_PUBLISH,
                PublishingEnabled=True,
            ),
            self._on_publish,
        )
        keep_alive_s = result.RevisedPublishingInterval * result.RevisedMaxKeepAliveCount / 1000
        silence_s = max(keep_alive_s * 1.5, _LEAST_SILENCE_S)
        subscription = _Subscription(result.SubscriptionId, silence_s, time.monotonic())
        self._subscriptions[subscription.id] = subscription
        return subscription

    async def _on_publish(self, result: ua.PublishResult) -> None:
        found = self._subscriptions.get(result.SubscriptionId)
        if found is not None:
            self._follow(found, result.NotificationMessage)
        if not self._published.full():
            self._published.put_nowait(result)
            return
        # Waiting here holds back the acknowledgement and, with it, the server: that all of them
        # are silent meanwhile is the gateway's doing, not the server's.
        await self._published.put(result)
        now_s = time.monotonic()
        for subscription in self._subscriptions.values():
            subscription.published_s = now_s

    def _follow(self, subscription: _Subscription, message: ua.NotificationMessage) -> None:
        """Note a sign of life, and whether a message before this one is missing."""
        subscription.published_s = time.monotonic()
        if not message.NotificationData:
            return  # a keep-alive carries the number of the message that will come
        last, number = subscription.sequence, int(message.SequenceNumber)
        self._has_gap |= last is not None and number != last % _LAST_SEQUENCE + 1
        subscription.sequence = number

    async def _create(self, subscription: _Subscription, items: Sequence[Item]) -> list[int]:
        """Create items and return their status; halves a call that the server refuses whole."""
        try:
            results = await self._connection.session.create_monitored_items(
                ua.CreateMonitoredItemsParameters(
                    SubscriptionId=subscription.id,
                    TimestampsToReturn=ua.TimestampsToReturn.Both,
                    ItemsToCreate=[self._request(item) for item in items],
                )
            )
        except UaStatusCodeError as error:
            if len(items) == 1 or error.code == StatusCodes.BadServiceUnsupported:
                return [status.signed(error.code)] * len(items)
            middle = len(items) // 2
            first = await self._create(subscription, items[:middle])
            return first + await self._create(subscription, items[middle:])
        return [status.signed(result.StatusCode.value) for result in results]

    def _request(self, item: Item) -> ua.MonitoredItemCreateRequest:
        return ua.MonitoredItemCreateRequest(
            ItemToMonitor=ua.ReadValueId(NodeId=item.node, AttributeId=AttributeIds.Value),
            MonitoringMode=ua.MonitoringMode.Reporting,
            RequestedParameters=ua.MonitoringParameters(
                ClientHandle=item.handle,
                SamplingInterval=self._source.publish_ms / _SAMPLES_PER_PUBLISH,
                QueueSize=_QUEUE_PER_ITEM,
                DiscardOldest=True,
            ),
        )
