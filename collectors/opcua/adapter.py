"""OPC UA: values by subscription or by polling, and a reading of every node that is quiet for long.

Which nodes are wanted and how each of them is read is kept here: a node that the server refuses is
asked for again every minute, and never stands in the way of the others.
"""

import asyncio
import logging
import time
from collections import Counter, deque
from collections.abc import Iterable, Sequence
from contextlib import suppress

from asyncua import ua
from asyncua.ua.status_codes import StatusCodes
from asyncua.ua.uaerrors import UaStatusCodeError

from collectors import status
from collectors.columns import Columns, TagTable
from collectors.context import Context
from collectors.errors import SourceLost
from collectors.opcua.connection import ERRORS, Connection
from collectors.opcua.enumerations import names_of
from collectors.opcua.items import Item, Place, chunks, items_of, name_values, resolve
from collectors.opcua.readings import Readings
from collectors.opcua.settings import OpcuaSource
from collectors.opcua.subscriptions import CANNOT_SUBSCRIBE, Subscriptions
from collectors.opcua.values import (
    CombinedDecoder,
    Note,
    Reading,
    clock_us,
    has_overflowed,
    source_us,
)
from collectors.sample import Delivery, Refused, bad, now_us

_log = logging.getLogger("collectors.opcua")

_RECONCILE_S = 60.0
_NAMES_PER_CALL = 20
# So many calls are made before the next delivery, so that a slow server does not look dead.
_CALLS_AT_ONCE = 4
_CANNOT_SUBSCRIBE = {status.signed(code) for code in CANNOT_SUBSCRIBE}
_TOO_MANY = status.signed(StatusCodes.BadTooManyMonitoredItems)

Found = Iterable[tuple[Item, ua.DataValue, int]]


class OpcuaAdapter:
    """One session at one server, with as many subscriptions as its nodes need."""

    errors = ERRORS

    def __init__(self, source: OpcuaSource, context: Context) -> None:
        self._source = source
        self._connection = Connection(source, context)
        self.table = TagTable(tag.tag for tag in source.tags)
        self._told_polling = False
        self._told_overflow = False
        self._reconcile_s = 0.0
        self._is_asking_next = True
        # How the session ended, while what it brought before is still to be taken.
        self._ended: Exception | None = None
        self._begin()

    @property
    def tags(self) -> Sequence[str]:
        """The tags of this source."""
        return self.table.names

    def gauges(self) -> dict[str, float]:
        """Return how many nodes are wanted, and how many are read in which way."""
        places = Counter(item.place for item in self._items)
        return {
            "items_wanted": len(self._items),
            "items_subscribed": places[Place.SUBSCRIBED],
            "items_polled": places[Place.POLLED],
        }

    async def open(self) -> None:
        """Connect and log in; the subscriptions follow with the first receive."""
        self._begin()
        await self._connection.open()

    async def receive(self) -> Delivery:
        """Return what the server published, the readings that are due, or nothing.

        When the session ends, what it brought and nobody took yet comes before the error: it is
        acknowledged, and no other session would bring it again.
        """
        if self._ended is not None:
            raise self._ended
        try:
            return await self._receive()
        except ERRORS as error:
            rest = await self._rest()
            if not rest.columns and not rest.samples:
                raise
            self._ended = error
            return rest

    async def _receive(self) -> Delivery:
        now_s = time.monotonic()
        if now_s >= self._reconcile_s:
            self._reconcile_s = now_s + _RECONCILE_S
            return await self._look_again()
        if self._readings.plan(now_s):
            self._connection.check_alive()
            self._subscriptions.check_alive()
            self._mend_gap()
        is_due = bool(self._missing) or self._readings.is_due
        if is_due and (self._is_asking_next or not self._subscriptions.has_news):
            self._is_asking_next = False
            return await (self._reconcile() if self._missing else self._read())
        self._is_asking_next = True
        result = await self._subscriptions.next(self._readings.wait_s(now_s))
        return Delivery() if result is None else self._decode(result)

    async def close(self) -> None:
        """Close the session with its subscriptions, or just the connection when that fails."""
        await self._connection.close()

    def _begin(self) -> None:
        """Forget the last session: nothing of it holds in the next one."""
        self._ended = None
        self._notes: list[Note] = []
        self._items = items_of(self._source.tags, self._notes)
        self._subscriptions = Subscriptions(self._source, self._connection)
        self._missing: deque[Item] = deque()
        self._readings = Readings(self._source, self._connection, self._items)
        self._reconcile_s = 0.0
        self._is_asking_next = True

    def _mend_gap(self) -> None:
        """Read every node again when a message of the server did not arrive."""
        if self._subscriptions.take_gap():
            _log.warning("%s: a message was lost; every node is read again", self._source.name)
            for item in self._items:
                item.notified_s = item.read_s = 0.0

    # --- values ----------------------------------------------------------------------------------

    def _decode(self, result: ua.PublishResult) -> Delivery:
        delivery = Delivery()
        self._take_changes(delivery, result)
        for data in result.NotificationMessage.NotificationData or ():
            if isinstance(data, ua.StatusChangeNotification):
                raise SourceLost(f"{self._source.url} ended the subscription: {data.Status.name}")
        return delivery

    def _take_changes(self, delivery: Delivery, result: ua.PublishResult) -> None:
        received_us = now_us()
        for data in result.NotificationMessage.NotificationData or ():
            if isinstance(data, ua.DataChangeNotification):
                self._emit(delivery, self._changes(data.MonitoredItems, received_us))

    async def _rest(self) -> Delivery:
        """Return the changes of all that was published and waits."""
        delivery = Delivery()
        while (result := self._subscriptions.waiting()) is not None:
            self._take_changes(delivery, result)
            # Whoever waited for room puts what it holds.
            await asyncio.sleep(0)
        return delivery

    def _changes(self, changes: Iterable[ua.MonitoredItemNotification], received_us: int) -> Found:
        heard_s = time.monotonic()
        items = self._items
        for change in changes:
            if change.ClientHandle < len(items):
                item, data = items[change.ClientHandle], change.Value
                item.notified_s, item.last = heard_s, data
                if data.StatusCode is not None and data.StatusCode.value and has_overflowed(data):
                    self._tell_overflow(item)
                yield item, data, source_us(data, received_us)

    def _tell_overflow(self, item: Item) -> None:
        if not self._told_overflow:
            self._told_overflow = True
            name = self._source.name
            _log.warning(
                "%s: the server dropped values of %s; lower publish_ms", name, item.tag.tag
            )

    async def _read(self) -> Delivery:
        result = await self._readings.read()
        delivery = Delivery(skew_s=result.skew_s)
        self._emit(delivery, result.found)
        return delivery

    def _emit(self, delivery: Delivery, found: Found) -> None:
        combined: dict[CombinedDecoder, list[Reading]] = {}
        rows: list[tuple[int, int, float, int]] = []
        for item, data, ts_us in found:
            decoder = item.decoder
            if isinstance(decoder, CombinedDecoder):
                combined.setdefault(decoder, []).append(Reading(item.part, data, ts_us))
            else:
                rows.append((item.number, ts_us, *decoder.value(data)))
        if rows:
            delivery.columns.append(Columns.of(self.table, *zip(*rows, strict=True)))
        for decoder, readings in combined.items():
            delivery.samples += decoder.samples(readings)
        if self._notes:
            delivery.refused += [Refused(note.reason, note.value) for note in self._notes]
            self._notes.clear()

    # --- wanted and active -----------------------------------------------------------------------

    async def _look_again(self) -> Delivery:
        """List what is wanted and not read; namespaces that moved end the session.

        A controller that was loaded anew may number them otherwise while the connection stays.
        """
        _, clock = await self._connection.read_with_clock([])
        received_us = now_us()
        if await self._connection.read_namespaces() != self._connection.namespaces:
            raise SourceLost(f"{self._source.url} has other namespaces now; connecting anew")
        if not self._missing:
            self._missing.extend(item for item in self._items if item.place is Place.WANTED)
            resolve(self._missing, self._connection.namespaces)
        return Delivery(skew_s=(received_us - clock_us(clock, received_us)) / 1e6)

    async def _reconcile(self) -> Delivery:
        """Ask for some of the nodes that are missing; those that are refused turn bad."""
        most = _CALLS_AT_ONCE * self._connection.profile.items_per_call
        asked = [self._missing.popleft() for _ in range(min(most, len(self._missing)))]
        known = [item for item in asked if item.node is not None]
        codes = dict.fromkeys((item.handle for item in asked), status.BAD_NODE_UNKNOWN)
        await self._learn_names(known)
        codes.update(await self._place(known))
        if not self._missing:
            self._tell_polling()
        ts_us = now_us()
        refused = {item.tag.tag: codes[item.handle] for item in asked if codes[item.handle] < 0}
        return Delivery(samples=[bad(tag, ts_us, code) for tag, code in refused.items()])

    async def _learn_names(self, items: Sequence[Item]) -> None:
        """Ask for the names of enumerations, for tags whose states are given by name."""
        named = [item for item in items if item.tag.states is not None]
        for chunk in chunks(named, _NAMES_PER_CALL):
            nodes = [item.node for item in chunk if item.node is not None]
            with suppress(UaStatusCodeError):
                for item, names in zip(chunk, await names_of(self._connection, nodes), strict=True):
                    name_values(item, names)

    async def _place(self, items: Sequence[Item]) -> dict[int, int]:
        """Subscribe items as far as the server goes, poll the others; return the status of each."""
        codes = await self._subscribe(items) if self._source.mode != "poll" else {}
        can_poll = self._source.mode != "subscribe"
        for item in items:
            code = codes.get(item.handle, _TOO_MANY)
            if code >= 0:
                item.place = Place.SUBSCRIBED
            elif can_poll and code in _CANNOT_SUBSCRIBE:
                item.place = Place.POLLED
                codes[item.handle] = status.GOOD
        return codes

    def _tell_polling(self) -> None:
        polled = sum(item.place is Place.POLLED for item in self._items)
        if polled and self._source.mode == "auto" and not self._told_polling:
            self._told_polling = True
            _log.warning(
                "%s: the server cannot subscribe %d of %d nodes; they are read every %g s",
                self._source.name, polled, len(self._items), self._source.poll_s,
            )  # fmt: skip

    async def _subscribe(self, items: Sequence[Item]) -> dict[int, int]:
        most = self._connection.profile.max_items
        active = sum(item.place is Place.SUBSCRIBED for item in self._items)
        room = max(most - active, 0) if most else len(items)
        codes = await self._subscriptions.add(items[:room]) if items[:room] else []
        codes += [_TOO_MANY] * (len(items) - len(codes))
        return {item.handle: code for item, code in zip(items, codes, strict=True)}
