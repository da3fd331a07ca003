"""Whether messages get lost on their way: what the broker says of itself, and numbers that jump.

A broker acknowledges a message to its publisher and may still drop it before we have it: when more
wait for us than it keeps. mosquitto counts that in `$SYS/broker/publish/messages/dropped`; a
sequence in the payload shows it for every broker.
"""

import logging
from typing import Any

from collectors.documents import NotDecoded, kind_of
from collectors.mqtt import paths
from collectors.mqtt.memory import Memory
from collectors.mqtt.session import Subscription
from collectors.mqtt.settings import ADVICE

_log = logging.getLogger("collectors.mqtt")

_DROPPED = "$SYS/broker/publish/messages/dropped"
_VERSION = "$SYS/broker/version"
# At QoS 0 a broker keeps none of it for us while we are away.
SUBSCRIPTIONS = tuple(Subscription(topic, qos=0, optional=True) for topic in (_DROPPED, _VERSION))
PREFIX = "$SYS/"

_MOST_SEQUENCES = 20_000


class BrokerWatch:
    """Follows one broker's own counters; what it notices is told by `observe`."""

    def __init__(self, memory: Memory, place: str) -> None:
        self._memory = memory
        self._place = place
        # What a broker dropped before we first came to it was not meant for us.
        self._is_first = place not in memory.dropped and place not in memory.topics
        self._lost = 0
        self._told = 0
        self.version: str | None = None

    def observe(self, topic: str, payload: bytes) -> str | None:
        """Take a message below $SYS; returns what is wrong, again only when it is twice as bad."""
        text = payload.decode("utf-8", errors="replace").strip()
        if topic == _VERSION:
            self.version = text[:100]
            return None
        if topic != _DROPPED or not text.isdecimal():
            return None
        now = int(text[:18])
        before = self._memory.dropped.get(self._place, now if self._is_first else 0)
        if self._memory.dropped.get(self._place) != now:
            self._memory.dropped = {self._place: now}
            self._memory.save()
        # Fewer than before: the broker was restarted and counts from 0 again.
        self._lost += now - before if now >= before else now
        if self._lost == 0 or self._lost < 2 * self._told:
            return None
        if not self._told:
            _log.warning("%s: the broker drops messages", self._place)
        self._told = self._lost
        advice = ADVICE if self._is_mosquitto else "raise the number of messages that it queues"
        return (
            f"the broker dropped {self._lost} messages meant for this gateway or for another "
            f"client; {advice}"
        )

    @property
    def _is_mosquitto(self) -> bool:
        # mosquitto alone has this topic; where its version is hidden, the topic says it.
        return self.version is None or "mosquitto" in self.version.lower()


class Sequences:
    """The numbers that publishers count up, by topic and path; a jump means lost messages."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._newest = dict(memory.sequences)

    def observe(
        self, topic: str, path: str, document: Any, *, again: bool
    ) -> tuple[str | None, dict[str, int]]:
        """Return what is missing before a message, and what to remember once it is stored.

        again tells that the broker sends it once more. Else a number that falls is a publisher
        that counts anew. Raises NotDecoded where there is no number.
        """
        number = paths.walk(document, paths.split(path), path)
        if isinstance(number, bool) or not isinstance(number, int):
            raise NotDecoded(f"{path} is {kind_of(number)}, not a whole number")
        name = f"{topic} {path}"
        last = self._newest.get(name)
        if last is None and len(self._newest) >= _MOST_SEQUENCES:
            return None, {}
        if last is not None and again and number <= last:
            return None, {}
        self._newest[name] = number
        if last is None or number <= last + 1:
            return None, {name: number}
        missing = number - last - 1
        span = f"{last + 1}" if missing == 1 else f"{last + 1} to {number - 1}"
        return f"{missing} messages never came: {path} {span}", {name: number}

    def stored(self, numbers: dict[str, int]) -> None:
        """Remember the numbers of messages that the spool holds."""
        if numbers:
            self._memory.sequences.update(numbers)
            self._memory.save()
