"""One edge node as a host knows it."""

from typing import NamedTuple

from collectors.sparkplug.memory import Progress, Remembered
from collectors.sparkplug.payload import Content
from collectors.sparkplug.rules import Route
from collectors.sparkplug.sequence import Sequence
from collectors.sparkplug.tables import Table
from collectors.sparkplug.topics import Address, Node

BD_SEQ = "bdSeq"


class Arrival(NamedTuple):
    """A message and when it came, in µs since 1970 UTC; not live is what the broker had kept."""

    address: Address
    content: Content
    at_us: int
    is_live: bool


class EdgeNode:
    """Births, sequence and ways of one edge node; birth_us names the session that they are of."""

    def __init__(self, name: Node, known: Remembered, wait_s: float) -> None:
        self.name = name
        self.birth_us = known.birth_us
        self.bd_seq = known.bd_seq
        self.tables: dict[str, Table] = known.tables
        self.routes: dict[str, dict[str, list[Route]]] = {}
        self.sequence: Sequence[Arrival] = Sequence(known.due, wait_s)
        self.has_gap = False

    def tags(self, device: str | None = None) -> set[str]:
        """Return the tags of the metrics that are born, of one device or of the whole node."""
        of = self.routes if device is None else {device: self.routes.get(device, {})}
        return {route.tag for routes in of.values() for found in routes.values() for route in found}

    def doubt(self) -> None:
        """Trust no alias any more: the birth that gave it may be followed by one that was lost."""
        self.has_gap = True
        for table in self.tables.values():
            table.is_certain = False

    def progress(self, *, is_dead: bool = False) -> Progress:
        """Return what is to be remembered once all that came so far is stored."""
        made = Progress(self.name, self.birth_us, self.sequence.due, self.has_gap, is_dead)
        self.has_gap = False
        return made


def bd_seq_of(content: Content) -> int | None:
    """Return the number that ties a death to its birth."""
    for metric in content.metrics:
        if metric.name == BD_SEQ and isinstance(metric.value, int):
            return int(metric.value)
    return None
