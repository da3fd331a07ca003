"""The MQTT publisher of the business systems: records as they happen, and each one's status."""

import json
from bisect import bisect_left
from typing import TYPE_CHECKING

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from simulators import clock
from simulators.plant import Plant
from simulators.tags import MqttAddress

if TYPE_CHECKING:
    from simulators.events import Event

STATUS_US = 15 * clock.SECOND_US
# Published again on start, as an ERP does that is not sure what arrived.
REPEATED = 5
_QUEUE = 20_000


class BusinessPublisher:
    """Publishes a plant's business events from as_of on, at QoS 1 and in their order."""

    def __init__(self, plant: Plant, now_us: int) -> None:
        self.plant = plant
        self._events: list[Event] = plant.events
        upto = bisect_left(self._events, min(plant.as_of_us, now_us), key=lambda e: e.sent_us)
        self._next = max(0, upto - REPEATED)
        self._status_due_us = 0
        self._client = mqtt.Client(
            CallbackAPIVersion.VERSION2, client_id=f"millpond-sim-{plant.scenario.name}"
        )
        self._client.max_queued_messages_set(_QUEUE)
        self._client.reconnect_delay_set(1, 10)

    def start(self, port: int) -> None:
        """Connect to the broker on loopback; it may still be down and is tried again."""
        self._client.connect_async("127.0.0.1", port, keepalive=30)
        self._client.loop_start()

    def publish_due(self, now_us: int) -> None:
        """Publish what the systems have sent up to an instant; nothing while disconnected."""
        if not self._client.is_connected():
            return
        while self._next < len(self._events) and self._events[self._next].sent_us <= now_us:
            event = self._events[self._next]
            body = json.dumps(event.body, ensure_ascii=False)
            info = self._client.publish(self._topic(event.topic), body, qos=1)
            if info.rc == mqtt.MQTT_ERR_QUEUE_SIZE:
                return
            self._next += 1
        if now_us >= self._status_due_us:
            self._status_due_us = now_us + STATUS_US
            self._publish_status(now_us)

    def stop(self) -> None:
        """Disconnect and end the network thread."""
        self._client.disconnect()
        self._client.loop_stop()

    def _publish_status(self, now_us: int) -> None:
        body = json.dumps({"online": 1, "at": clock.to_datetime(now_us).isoformat()})
        for tag in self.plant.tags:
            if isinstance(tag.address, MqttAddress):
                self._client.publish(tag.address.topic, body, qos=1)

    def _topic(self, path: str) -> str:
        return f"plant/{self.plant.scenario.name}/{path}"
