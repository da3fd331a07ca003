"""A host without a broker: messages in, samples out."""

from pathlib import Path
from typing import Any

from collectors.sample import Sample
from collectors.sparkplug import topics
from collectors.sparkplug.host import Harvest, Host
from collectors.sparkplug.memory import Memory
from collectors.sparkplug.node import Arrival
from collectors.sparkplug.payload import decode
from collectors.sparkplug.settings import SparkplugSource, SparkplugTag
from tests.collectors.sparkplug.edge_node import START_MS, bd_seq, payload

GROUP = "G"
START_US = START_MS * 1000
# When the gateway receives what the node sends at START_MS.
RECEIVED_US = START_US + 250_000


def source(**changed: Any) -> SparkplugSource:
    """Return a source with one tag, speed, of a device and one, state, of its node."""
    defaults: dict[str, Any] = {
        "tags": (tag("speed", "speed", device="D"), tag("load", "load")),
        "templates": (),
    }
    return SparkplugSource(
        name="edge",
        kind="sparkplug",
        host="127.0.0.1",
        client_id="test",
        **(defaults | changed),
    )


def tag(name: str, metric: str, **changed: Any) -> SparkplugTag:
    """Return the rule of a tag of edge node N."""
    return SparkplugTag(**({"tag": name, "group": GROUP, "node": "N", "metric": metric} | changed))


class Feed:
    """Sends a host messages as edge nodes would; its clock moves only when it is told."""

    def __init__(self, folder: Path, settings: SparkplugSource | None = None) -> None:
        self._memory = Memory(folder / "memory.db")
        self.host = Host(settings or source(), self._memory)
        self._memory.hold()
        self.now_s = 0.0
        self.seq: dict[str, int] = {}

    def close(self) -> None:
        """Let go of the memory's file."""
        self._memory.close()

    def send(
        self, kind: str, *metrics: bytes, node: str = "N", device: str = "", ts_ms: int = START_MS
    ) -> Harvest:
        """Send the node's next message and return what came of it."""
        seq = 0 if kind == "NBIRTH" else self.seq.get(node, 0)
        self.seq[node] = (seq + 1) % 256
        return self.deliver(kind, payload(metrics, seq, ts_ms), node, device)

    def birth(self, *metrics: bytes, node: str = "N", bd: int = 7) -> Harvest:
        """Send a node's birth."""
        return self.send("NBIRTH", *metrics, bd_seq(bd), node=node)

    def death(self, bd: int = 7, node: str = "N") -> Harvest:
        """Send a node's death."""
        return self.deliver("NDEATH", payload([bd_seq(bd)]), node)

    def deliver(self, kind: str, data: bytes, node: str = "N", device: str = "") -> Harvest:
        """Hand over one message as it is."""
        path = "/".join(part for part in ("spBv1.0", GROUP, kind, node, device) if part)
        arrival = Arrival(topics.parse(path), decode(data), RECEIVED_US, True)
        self.host.take(arrival, self.now_s)
        return self.host.harvest()

    def wait(self, seconds: float) -> Harvest:
        """Let time go by."""
        self.now_s += seconds
        self.host.overdue(self.now_s)
        return self.host.harvest()

    def store(self, harvest: Harvest) -> None:
        """Do what happens once the spool holds what came."""
        self._memory.progress(harvest.progress)


def short(samples: list[Sample]) -> list[tuple[str, float | None, int]]:
    """Return samples without their times."""
    return [(one.tag, one.value, one.status) for one in samples]


def reasons(harvest: Harvest) -> list[str]:
    """Return what a person is told."""
    return [one.reason for one in harvest.refused]
