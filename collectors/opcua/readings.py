"""Reading nodes: those that cannot be subscribed, and those that have been quiet for long.

Large sets are read piece by piece, so that what is published meanwhile does not wait.
"""

import logging
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from asyncua import ua
from asyncua.ua.status_codes import StatusCodes
from asyncua.ua.uaerrors import UaStatusCodeError

from collectors.opcua.connection import Connection
from collectors.opcua.items import Item, Place, chunks
from collectors.opcua.settings import OpcuaSource
from collectors.opcua.values import clock_us, source_us
from collectors.sample import now_us

_log = logging.getLogger("collectors.opcua")

_SCAN_S = 1.0

# After these the session is no more; any other refusal may be one node's.
_SESSION_ENDED = frozenset(
    {
        StatusCodes.BadSessionIdInvalid,
        StatusCodes.BadSessionClosed,
        StatusCodes.BadSessionNotActivated,
        StatusCodes.BadSecureChannelIdInvalid,
        StatusCodes.BadSecureChannelClosed,
        StatusCodes.BadConnectionClosed,
        StatusCodes.BadServerHalted,
        StatusCodes.BadServerNotConnected,
        StatusCodes.BadShutdown,
        StatusCodes.BadTimeout,
    }
)

Found = list[tuple[Item, ua.DataValue, int]]


@dataclass(slots=True)
class ReadResult:
    """Values with their times in µs since 1970 UTC, and how far the server's clock is behind."""

    found: Found
    skew_s: float


class Readings:
    """What is to be read, and when; times are of the monotonic clock."""

    def __init__(self, source: OpcuaSource, connection: Connection, items: Sequence[Item]) -> None:
        self._source = source
        self._connection = connection
        self._items = items
        self._queue: deque[Sequence[Item]] = deque()
        self._scan_s = 0.0
        self._poll_s = 0.0
        self._has_polled = False

    @property
    def is_due(self) -> bool:
        """Whether a piece waits to be read."""
        return bool(self._queue)

    def plan(self, now_s: float) -> bool:
        """Find out what is due; tells whether a second has passed since it told so before."""
        is_new_second = now_s >= self._scan_s
        if self._queue:
            return is_new_second
        if now_s >= self._poll_s:
            self._poll_s = now_s + self._source.poll_s
            polled = [item for item in self._items if item.place is Place.POLLED]
            self._has_polled = bool(polled)
            self._add(polled)
        if is_new_second:
            self._scan_s = now_s + _SCAN_S
            since_s = now_s - self._source.heartbeat_s
            self._add([item for item in self._items if _is_quiet(item, since_s)])
        return is_new_second

    def wait_s(self, now_s: float) -> float:
        """Return how long nothing will be due, at most a second."""
        return min(_SCAN_S, max(self._poll_s - now_s, 0.0)) if self._has_polled else _SCAN_S

    async def read(self) -> ReadResult:
        """Read the next piece; ends with one of the connection's errors when the session is."""
        items = self._queue.popleft()
        values, clock = await self._values(items)
        received_us, read_s = now_us(), time.monotonic()
        at_us = received_us if clock is None else clock_us(clock, received_us)
        found: Found = []
        for item, data in zip(items, values, strict=True):
            if item.place is Place.POLLED:
                found.append((item, data, _polled_us(item, data, at_us)))
            else:
                self._compare(item, data, read_s)
                found.append((item, data, at_us))
            item.read_s, item.last = read_s, data
        return ReadResult(found, (received_us - at_us) / 1e6)

    def _add(self, items: Sequence[Item]) -> None:
        # One node of each call is the clock.
        self._queue.extend(chunks(items, max(1, self._connection.profile.nodes_per_read - 1)))

    async def _values(
        self, items: Sequence[Item]
    ) -> tuple[list[ua.DataValue], ua.DataValue | None]:
        """Read nodes with the clock; halves a call that the server refuses whole."""
        nodes = [item.node for item in items if item.node is not None]
        try:
            return await self._connection.read_with_clock(nodes)
        except UaStatusCodeError as error:
            if error.code in _SESSION_ENDED:
                raise
            if len(items) == 1:
                return [ua.DataValue(StatusCode=ua.StatusCode(ua.UInt32(error.code)))], None
            middle = len(items) // 2
            first, _ = await self._values(items[:middle])
            rest, clock = await self._values(items[middle:])
            return first + rest, clock

    def _compare(self, item: Item, data: ua.DataValue, read_s: float) -> None:
        """Poll a node whose changes are not reported although its subscription lives."""
        if item.doubted_s is not None and item.notified_s < item.doubted_s:
            if read_s - item.doubted_s > 3 * self._source.publish_ms / 1000:
                name = self._source.name
                _log.warning("%s: %s changes unreported; it is polled", name, item.tag.tag)
                item.place = Place.POLLED
            return
        item.doubted_s = read_s if item.last is not None and _differ(item.last, data) else None


def _is_quiet(item: Item, since_s: float) -> bool:
    """Tell whether a node is to be read: quiet for long, or never read in this session.

    What a server announces first carries the time of the last change, which may lie months back;
    only a reading proves that it holds now.
    """
    is_unproven = item.read_s == 0.0 or item.quiet_since_s <= since_s
    return item.place is Place.SUBSCRIBED and is_unproven


def _polled_us(item: Item, data: ua.DataValue, at_us: int) -> int:
    """Return the source's time when it is news, else that of the reading, which was really made."""
    ts_us = source_us(data, at_us)
    if ts_us <= item.source_us:
        return at_us
    item.source_us = ts_us
    return ts_us


def _differ(one: ua.DataValue, other: ua.DataValue) -> bool:
    # As texts, since a NaN is not equal to itself.
    return str((one.Value, one.StatusCode)) != str((other.Value, other.StatusCode))
