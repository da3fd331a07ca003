"""Brokers with settings of their own, which keep their port over a restart."""

import json
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.publish import single

from deploy.broker import PROGRAM, EmbeddedBroker
from deploy.children import Child
from deploy.places import write_private
from tests.support.database import scratch_home


class OwnBroker(EmbeddedBroker):
    """A mosquitto with the lines that a test gives it; its defaults otherwise."""

    def __init__(self, settings: str, files: dict[str, str]) -> None:
        super().__init__(scratch_home("own-broker"))
        self._settings = settings
        self._files = files
        self._kept_port = 0

    def _start_child(self) -> Child:
        self.port = self._kept_port = self._kept_port or self.port
        for name, text in self._files.items():
            write_private(self._folder / name, text, self._account)
        lines = self._settings.replace("FOLDER", str(self._folder))
        config = self._folder / "mosquitto.conf"
        text = f"listener {self.port} {self.host}\n{lines}\nlog_dest stderr\n"
        write_private(config, text, self._account)
        return Child(
            "mosquitto",
            [str(PROGRAM), "-c", str(config)],
            account=self._account,
            folder=self._folder,
            stop_signal=signal.SIGTERM,
        )

    def forget(self) -> None:
        """Lose what was stored, while stopped."""
        for path in self._folder.glob("*.db"):
            path.unlink()


@contextmanager
def own_broker(
    settings: str = "allow_anonymous true", files: dict[str, str] | None = None
) -> Iterator[OwnBroker]:
    """Run a broker for the length of the block; FOLDER in its settings is where its files are."""
    broker = OwnBroker(settings, files or {})
    try:
        broker.start()
        yield broker
    finally:
        broker.remove()
        shutil.rmtree(broker.home, ignore_errors=True)


def publish(
    broker: EmbeddedBroker, topic: str, content: Any, *, qos: int = 1, retain: bool = False
) -> None:
    """Publish one message: bytes as they are, anything else as JSON."""
    payload = content if isinstance(content, bytes) else json.dumps(content)
    single(topic, payload, qos=qos, retain=retain, hostname="127.0.0.1", port=broker.port)


def publish_many(broker: EmbeddedBroker, topic: str, contents: list[Any]) -> None:
    """Publish messages at QoS 1 and return when the broker has acknowledged all of them."""
    client = Client(CallbackAPIVersion.VERSION2)
    client.max_inflight_messages_set(200)
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    try:
        sent = [client.publish(topic, json.dumps(content), qos=1) for content in contents]
        sent[-1].wait_for_publish(30)
        assert sent[-1].is_published()
    finally:
        client.disconnect()
        client.loop_stop()
