"""The one message that a host may send: the request to an edge node to tell its births again.

It changes nothing in the plant, and it is sent only where the gateway file says rebirth = true,
bounded per node and in all, since a storm of births can stop a broker.
"""

import time

from collectors.mqtt.session import BrokerSession
from collectors.sparkplug.datatypes import BOOLEAN
from collectors.sparkplug.payload_pb2 import Metric, Payload
from collectors.sparkplug.topics import Node, rebirth_topic

# Between two requests, whichever nodes they go to.
_PAUSE_S = 1.0
_METRIC = "Node Control/Rebirth"
_MOST_WAITING = 5000


class HostSession(BrokerSession):
    """A session at a broker that can ask for births, and for nothing else."""

    def ask_for_births(self, node: Node) -> None:
        """Send Node Control/Rebirth to an edge node."""
        now_ms = time.time_ns() // 1_000_000
        asked = Metric(name=_METRIC, timestamp=now_ms, datatype=BOOLEAN, boolean_value=True)
        request = Payload(timestamp=now_ms, metrics=[asked])
        self._client.publish(rebirth_topic(node), request.SerializeToString(), qos=0)


class RebirthDesk:
    """Decides when which node is asked; times are in seconds of any steady clock."""

    def __init__(self, *, is_allowed: bool, every_s: float) -> None:
        self._is_allowed = is_allowed
        self._every_s = every_s
        self._asked_s: dict[Node, float] = {}
        self._last_s: float | None = None
        self._waiting: dict[Node, None] = {}

    def want(self, nodes: list[Node]) -> None:
        """Note nodes whose births are needed; the first come first."""
        if self._is_allowed:
            for node in nodes[: _MOST_WAITING - len(self._waiting)]:
                self._waiting[node] = None

    def due(self, now_s: float) -> Node | None:
        """Return the node to ask now, if any; it counts as asked."""
        if self._last_s is not None and now_s - self._last_s < _PAUSE_S:
            return None
        for node in self._waiting:
            asked_s = self._asked_s.get(node)
            if asked_s is None or now_s - asked_s >= self._every_s:
                del self._waiting[node]
                self._asked_s[node] = self._last_s = now_s
                return node
        return None
