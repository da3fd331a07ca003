"""Messages through the rules of a source, without a broker."""

import json
from pathlib import Path
from typing import Any

from collectors.mqtt.decode import Decoder, Opened
from collectors.mqtt.memory import Memory
from collectors.mqtt.names import Names
from collectors.mqtt.plan import Plan, plan_for
from collectors.mqtt.settings import MqttSource
from collectors.sample import Sample
from store.canonical import Record
from tests.collectors.surroundings import context

RECEIVED = 1_700_000_000_000_000


def source(**rules: Any) -> MqttSource:
    """Return a source with these rules."""
    return MqttSource(name="s", kind="mqtt", host="127.0.0.1", client_id="s", **rules)


class Reader:
    """Decodes the messages of one source, each with the plan of its topic."""

    def __init__(self, settings: MqttSource) -> None:
        self._source = settings
        self.notes: list[str] = []
        around = context(Path("nowhere"))
        self.names = Names(settings, Memory(around.state, "s", lasting=False), self.notes.append)
        most = settings.max_payload_kb * 1000
        self.decoder = Decoder(around.zone, most, self.names.number)
        self._plans: dict[str, Plan] = {}

    def plan(self, topic: str) -> Plan:
        """Return the plan of a topic, made once."""
        if topic not in self._plans:
            tags = self.names.by_topic.get(topic, ())
            self._plans[topic] = plan_for(topic, tags, self._source, self.names.number)
        return self._plans[topic]

    def read(self, content: Any, topic: str = "t", *, retained: bool = False) -> "Reader":
        """Decode one message: bytes as they are, anything else as JSON."""
        payload = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.decoder.decode(self.plan(topic), Opened(topic, payload, RECEIVED, retained))
        return self

    @property
    def samples(self) -> list[Sample]:
        """What came out of all messages so far."""
        return self.decoder.found.rows.columns(self.names.table, self.names.scales).samples()

    @property
    def records(self) -> list[Record]:
        """The records so far."""
        return self.decoder.found.records

    @property
    def reasons(self) -> list[str]:
        """Why something was refused so far."""
        return [one.reason for one in self.decoder.found.refused]
