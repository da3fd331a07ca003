"""A business system that publishes numbered messages at QoS 1, steadily."""

import json
import threading
import time
from collections.abc import Callable
from typing import Any

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from deploy.broker import EmbeddedBroker

_END_S = 60.0
_IN_FLIGHT = 200


class Publisher:
    """Publishes message 1, 2, 3 … in a thread for the length of the block, as many as it is told.

    Without such an end a busy machine, on which all takes longer, would get more to do.
    """

    def __init__(
        self,
        broker: EmbeddedBroker,
        message: Callable[[int], tuple[str, dict[str, Any]]],
        per_second: float,
    ) -> None:
        self._message = message
        self._pause_s = 1 / per_second
        self._stop = threading.Event()
        self._sent = self._told = 0
        self._client = Client(CallbackAPIVersion.VERSION2)
        self._client.max_inflight_messages_set(_IN_FLIGHT)
        self._client.connect(broker.host, broker.port)
        self._client.loop_start()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "Publisher":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(_END_S)
        self._client.disconnect()
        self._client.loop_stop()

    def go_on(self, count: int) -> None:
        """Publish so many more, steadily."""
        self._told += count

    def acknowledged(self) -> int:
        """Return how many messages the broker took responsibility for; the block has ended."""
        assert self._stop.is_set()
        assert not self._thread.is_alive()
        return self._sent

    def _run(self) -> None:
        due_s = time.monotonic()
        last = None
        while not self._stop.is_set():
            if self._sent == self._told:
                self._stop.wait(self._pause_s)
                due_s = time.monotonic()
                continue
            topic, content = self._message(self._sent + 1)
            last = self._client.publish(topic, json.dumps(content), qos=1)
            self._sent += 1
            due_s += self._pause_s
            self._stop.wait(max(0.0, due_s - time.monotonic()))
        if last is not None:
            # Messages are acknowledged in order: with the last one, all are.
            last.wait_for_publish(_END_S)
