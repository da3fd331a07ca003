"""The private MQTT broker."""

import threading
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

import deploy.broker
from deploy.broker import EmbeddedBroker
from deploy.errors import ProgramMissing
from tests.support.waiting import wait_for

MESSAGES = 3000  # three times what mosquitto keeps by default
TOPIC = "deploy/queue"


class Client:
    """An MQTT client that notes what it receives and what the broker acknowledged."""

    def __init__(self, broker: EmbeddedBroker, name: str) -> None:
        self.received: list[bytes] = []
        self.acknowledged = 0
        self.subscribed = threading.Event()
        self.mqtt = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=name, clean_session=False)
        self.mqtt.max_queued_messages_set(0)
        self.mqtt.max_inflight_messages_set(1000)
        self.mqtt.on_message = lambda *args: self.received.append(bytes(args[2].payload))
        self.mqtt.on_subscribe = lambda *_: self.subscribed.set()
        self.mqtt.on_publish = lambda *_: self._count()
        self.mqtt.connect(broker.host, broker.port)
        self.mqtt.loop_start()

    def _count(self) -> None:
        self.acknowledged += 1

    def close(self) -> None:
        self.mqtt.disconnect()
        self.mqtt.loop_stop()


def _subscribe_and_leave(broker: EmbeddedBroker) -> None:
    client = Client(broker, "absent")
    client.mqtt.subscribe(TOPIC, qos=1)
    assert client.subscribed.wait(10)
    client.close()


def _publish_all(broker: EmbeddedBroker) -> None:
    client = Client(broker, "publisher")
    for number in range(MESSAGES):
        client.mqtt.publish(TOPIC, str(number), qos=1)
    wait_for(lambda: client.acknowledged == MESSAGES, "the broker's acknowledgements")
    client.close()


def _receive_all(broker: EmbeddedBroker) -> list[int]:
    client = Client(broker, "absent")
    wait_for(lambda: len(client.received) >= MESSAGES, "the queued messages")
    client.close()
    return [int(payload) for payload in client.received]


@pytest.mark.parametrize("restart", [False, True], ids=["kept running", "stopped between"])
def test_what_an_absent_client_misses_is_kept(folder: Path, restart: bool) -> None:
    broker = EmbeddedBroker(folder / "home")
    with broker:
        _subscribe_and_leave(broker)
        _publish_all(broker)
        if restart:
            broker.stop()
            broker.start()
        assert _receive_all(broker) == list(range(MESSAGES))


def test_a_folder_with_a_space_in_its_name(folder: Path) -> None:
    with EmbeddedBroker(folder / "with space") as broker:
        _subscribe_and_leave(broker)
    assert (folder / "with space" / "mosquitto.db").exists()


def test_the_address_names_port_and_scheme(broker: EmbeddedBroker) -> None:
    assert broker.url == f"mqtt://127.0.0.1:{broker.port}"


def test_without_mosquitto_the_message_says_what_to_do(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deploy.broker, "PROGRAM", folder / "nothing")
    with pytest.raises(ProgramMissing, match="make setup"):
        EmbeddedBroker(folder / "home").start()
