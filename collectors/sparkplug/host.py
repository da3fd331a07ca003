"""A passive host: what the messages of edge nodes mean, from birth to death.

It sends nothing. Which node ought to tell its births again stands in the harvest.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from collectors import status
from collectors.sample import Refused, Sample, bad, time_is_plausible
from collectors.skew import Skews
from collectors.sparkplug import values
from collectors.sparkplug.datatypes import NotAValue
from collectors.sparkplug.memory import Memory, Progress, Remembered
from collectors.sparkplug.node import Arrival, EdgeNode, bd_seq_of
from collectors.sparkplug.notes import Notes
from collectors.sparkplug.payload import Metric
from collectors.sparkplug.rules import Origin, Route, Rules, Unroutable, lost
from collectors.sparkplug.sequence import Step
from collectors.sparkplug.settings import SparkplugSource
from collectors.sparkplug.tables import Born, Table, table_of
from collectors.sparkplug.topics import ANY, Node

# What one source may make this process remember.
_MOST_NODES = 5000
_MOST_DEVICES = 5000
_MOST_METRICS = 100_000


@dataclass(slots=True)
class Counts:
    """What happened since the start, in messages, but for unknown_metrics."""

    births: int = 0
    deaths: int = 0
    gaps: int = 0
    lost: int = 0
    late: int = 0
    unknown_metrics: int = 0


@dataclass(slots=True)
class Harvest:
    """What came of messages; wanted are the nodes whose births are needed.

    arrived_us, in µs since 1970 UTC, is when the first of the messages was received.
    """

    samples: list[Sample] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    progress: list[Progress] = field(default_factory=list)
    wanted: list[Node] = field(default_factory=list)
    skew_s: float | None = None
    arrived_us: int | None = None


class Host:
    """All edge nodes of one source; times named now_s are in seconds of any steady clock."""

    def __init__(self, source: SparkplugSource, memory: Memory, *, probing: bool = False) -> None:
        self.rules = Rules(source)
        self.counts = Counts()
        self._memory = memory
        self._wait_s = source.reorder_s
        self._notes = Notes()
        self._nodes: dict[Node, EdgeNode] = {}
        self._touched: dict[Node, EdgeNode] = {}
        self._wanted: dict[Node, None] = {}
        self._harvest = Harvest()
        self._skews = Skews()
        self._skew_seen_s: float | None = None
        for name, known in memory.load().items():
            # A probe comes in the middle, and its knowledge may be behind that of the gateway.
            known.due = None if probing else known.due
            if self.rules.wants(name):
                self._remember(name, known)
        self._want(name for name in self.rules.nodes() - self._nodes.keys() if ANY not in name)

    def resume(self) -> None:
        """Begin a new connection: messages may be missing, and values were called bad since."""
        self._notes.forget()
        for node in self._nodes.values():
            node.sequence.after_a_break()
        self._want(self._nodes)

    def take(self, arrival: Arrival, now_s: float) -> None:
        """Take the next message."""
        address, content = arrival.address, arrival.content
        node = self._node(address.node)
        if node is None:
            return
        self._touched[node.name] = node
        if address.kind == "NBIRTH":
            self._step(node, node.sequence.flush())
            self._node_birth(node, arrival)
        elif address.kind == "NDEATH":
            self._node_death(node, arrival)
        elif content.seq is None:
            self._notes.once((node.name, "seq"), f"{_shown(node.name)}: messages have no seq")
            self._apply(node, arrival)
        else:
            steps = node.sequence.take(content.seq, arrival, now_s)
            if steps is None:
                self._late(node, arrival)
            else:
                self._step(node, steps)

    def overdue(self, now_s: float) -> None:
        """Go on where the messages that are waited for did not come in time."""
        for node in self._nodes.values():
            if steps := node.sequence.overdue(now_s):
                self._touched[node.name] = node
                self._step(node, steps)

    def note(self, reason: str, payload: object) -> None:
        """Tell of a message that is none; the same reason once in a connection."""
        self._notes.once((reason,), reason, payload)

    def harvest(self) -> Harvest:
        """Return what came of all messages since the last call."""
        found, self._harvest = self._harvest, Harvest()
        if self._skew_seen_s is not None:
            found.skew_s = self._skews.nearest(self._skew_seen_s)
            self._skew_seen_s = None
        found.refused = self._notes.take()
        found.progress += [node.progress() for node in self._touched.values()]
        found.wanted = list(self._wanted)
        self._touched.clear()
        self._wanted.clear()
        return found

    # --- births and deaths -----------------------------------------------------------------------

    def _node_birth(self, node: EdgeNode, arrival: Arrival) -> None:
        content, table = arrival.content, table_of(arrival.content.metrics)
        if not self._fits(node, table):
            return
        seq = content.seq or 0
        bd_seq = bd_seq_of(content)
        self._memory.node_born(node.name, arrival.at_us, bd_seq, seq, table)
        node.birth_us, node.bd_seq = arrival.at_us, bd_seq
        node.tables, node.routes, node.has_gap = {}, {}, False
        node.sequence.start(seq)
        self._wanted.pop(node.name, None)
        self._born(node, "", table, arrival)

    def _device_birth(self, node: EdgeNode, arrival: Arrival) -> None:
        device, table = arrival.address.device, table_of(arrival.content.metrics)
        if self._fits(node, table):
            self._memory.born(node.name, device, table)
            self._born(node, device, table, arrival)

    def _born(self, node: EdgeNode, device: str, table: Table, arrival: Arrival) -> None:
        self.counts.births += 1
        node.tables[device] = table
        self._learn(node, device)
        owner = _shown(node.name, device)
        for alias in sorted(table.repeated):
            reason = (
                f"{owner}: its birth gives the alias {alias} to several metrics; it counts for none"
            )
            self._notes.once((owner, "repeated", alias), reason)
        for origin, tag in self.rules.named(node.name, device):
            if origin.metric not in table.by_name:
                self._harvest.samples.append(bad(tag, arrival.at_us, status.BAD_NODE_UNKNOWN))
                self._notes.once((origin, "absent"), f"{origin}: the birth tells no such metric")
        self._values(node, arrival, is_birth=True)

    def _node_death(self, node: EdgeNode, arrival: Arrival) -> None:
        bd_seq = bd_seq_of(arrival.content)
        if node.bd_seq is not None and bd_seq != node.bd_seq:
            reason = (
                f"{_shown(node.name)}: a death of another session ({bd_seq}) counts for nothing"
            )
            self._notes.once((node.name, "death", bd_seq), reason)
            return
        self._step(node, node.sequence.flush())
        self.counts.deaths += 1
        self._note_arrival(arrival)
        tags = node.tags() | {tag for _, tag in self.rules.named(node.name)}
        self._harvest.samples += lost(sorted(tags), arrival.at_us)
        self._harvest.progress.append(node.progress(is_dead=True))
        self._nodes.pop(node.name, None)
        self._touched.pop(node.name, None)
        self._wanted.pop(node.name, None)

    def _device_death(self, node: EdgeNode, arrival: Arrival) -> None:
        device = arrival.address.device
        self.counts.deaths += 1
        self._memory.device_dead(node.name, device)
        self._note_arrival(arrival)
        tags = node.tags(device) | {tag for _, tag in self.rules.named(node.name, device)}
        self._harvest.samples += lost(sorted(tags), arrival.at_us)
        node.tables.pop(device, None)
        node.routes.pop(device, None)

    # --- order -----------------------------------------------------------------------------------

    def _step(self, node: EdgeNode, steps: Iterable[Step[Arrival]]) -> None:
        for step in steps:
            if step.lost:
                self._gap(node, step.lost)
            self._apply(node, step.item)

    def _apply(self, node: EdgeNode, arrival: Arrival) -> None:
        if arrival.address.kind == "DBIRTH":
            self._device_birth(node, arrival)
        elif arrival.address.kind == "DDEATH":
            self._device_death(node, arrival)
        else:
            self._values(node, arrival, is_birth=False)

    def _gap(self, node: EdgeNode, lost_messages: int) -> None:
        self.counts.gaps += 1
        self.counts.lost += lost_messages
        node.doubt()
        self._want([node.name])
        self._notes.tell(
            f"{_shown(node.name)}: {lost_messages} messages were lost; what follows is uncertain "
            "until the next birth",
            f"seq {node.sequence.due}",
        )

    def _late(self, node: EdgeNode, arrival: Arrival) -> None:
        self.counts.late += 1
        reason = f"{_shown(node.name)}: a message came twice or too late"
        self._notes.tell(reason, f"{arrival.address.kind} seq {arrival.content.seq}")

    # --- values ----------------------------------------------------------------------------------

    def _values(self, node: EdgeNode, arrival: Arrival, *, is_birth: bool) -> None:
        self._note_arrival(arrival)
        device, content = arrival.address.device, arrival.content
        table = node.tables.get(device)
        if table is None:
            owner = _shown(node.name, device)
            self._notes.once((owner, "unborn"), f"{owner}: data came before its birth")
            self._want([node.name])
        is_current = False
        for metric in content.metrics:
            is_current = is_current or not metric.is_historical
            born = table.find(metric) if table is not None else None
            is_certain = born is not None and (is_birth or (table is not None and table.is_certain))
            if born is None:
                born = self._unborn(node, device, metric, is_known=table is not None)
            if born is not None:
                self._value(node, arrival, metric, born, is_certain=is_certain)
        if is_current and arrival.is_live and content.ts_ms is not None:
            skew_s = arrival.at_us / 1e6 - content.ts_ms / 1e3
            self._skews.note(_shown(node.name), skew_s, arrival.at_us / 1e6)
            self._skew_seen_s = arrival.at_us / 1e6

    def _unborn(
        self, node: EdgeNode, device: str, metric: Metric, *, is_known: bool
    ) -> Born | None:
        """Return what a metric tells of itself where no birth told of it."""
        if metric.name and metric.datatype is not None:
            return Born(metric.name, metric.alias, metric.datatype)
        self.counts.unknown_metrics += 1
        if is_known:
            owner = _shown(node.name, device)
            known_as = metric.name or f"alias {metric.alias}"
            reason = f"{owner}: no birth tells what {known_as} is; its values are not stored"
            self._notes.once((owner, "unknown", known_as), reason, metric)
            self._want([node.name])
        return None

    def _value(
        self, node: EdgeNode, arrival: Arrival, metric: Metric, born: Born, *, is_certain: bool
    ) -> None:
        origin = Origin(node.name, arrival.address.device, born.name)
        routes = self._routes(node, origin, born)
        if not routes:
            return
        if metric.is_transient:
            self._notes.once((origin, "transient"), f"{origin}: it is marked as not to be stored")
            return
        if metric.datatype is not None and born.datatype not in (None, metric.datatype):
            reason = f"{origin}: its datatype differs from that of its birth; it is not stored"
            self._notes.once((origin, "datatype"), reason, metric)
            self._want([node.name])
            return
        ts_us = values.time_us(metric, arrival.content, arrival.at_us)
        if not time_is_plausible(ts_us):
            reason = f"{origin}: its time lies outside the years 1970 to 2200"
            self._notes.once((origin, "time"), reason, metric)
            return
        code = values.status_of(metric.quality, is_certain=is_certain)
        self._store(routes, origin, metric, born.datatype or metric.datatype, (ts_us, code))

    def _store(
        self,
        routes: list[Route],
        origin: Origin,
        metric: Metric,
        datatype: int | None,
        stamp: tuple[int, int],
    ) -> None:
        for route in routes:
            try:
                found = values.sample(route, metric, datatype, *stamp)
            except NotAValue as error:
                self._notes.once((origin, str(error)), f"{origin}: {error}", metric.value)
                found = bad(route.tag, stamp[0], error.status)
            self._harvest.samples.append(found)

    # --- what is known ---------------------------------------------------------------------------

    def _node(self, name: Node) -> EdgeNode | None:
        if name in self._nodes:
            return self._nodes[name]
        if not self.rules.wants(name):
            return None
        if len(self._nodes) >= _MOST_NODES:
            self.note(f"there are more than {_MOST_NODES} edge nodes", _shown(name))
            return None
        return self._remember(name, Remembered())

    def _remember(self, name: Node, known: Remembered) -> EdgeNode:
        node = self._nodes[name] = EdgeNode(name, known, self._wait_s)
        for device in node.tables:
            self._learn(node, device)
        return node

    def _learn(self, node: EdgeNode, device: str) -> None:
        """Find the ways of all metrics that a birth told."""
        known = node.routes[device] = {}
        for born in node.tables[device].by_name.values():
            known[born.name] = self._routes(node, Origin(node.name, device, born.name), born)

    def _routes(self, node: EdgeNode, origin: Origin, born: Born) -> list[Route]:
        known = node.routes.get(origin.device, {}).get(origin.metric)
        if known is not None:
            return known
        try:
            return self.rules.routes(origin, born)
        except Unroutable as error:
            self._notes.once((origin, str(error)), f"{origin}: {error}")
            return []

    def _fits(self, node: EdgeNode, table: Table) -> bool:
        if len(table.by_name) <= _MOST_METRICS and len(node.tables) <= _MOST_DEVICES:
            return True
        self.note(f"{_shown(node.name)}: it has too many devices or metrics", len(table.by_name))
        return False

    def _note_arrival(self, arrival: Arrival) -> None:
        earlier_us = self._harvest.arrived_us
        self._harvest.arrived_us = min(earlier_us or arrival.at_us, arrival.at_us)

    def _want(self, names: Iterable[Node]) -> None:
        self._wanted.update(dict.fromkeys(names))


def _shown(node: Node, device: str = "") -> str:
    return "/".join(part for part in (*node, device) if part)
