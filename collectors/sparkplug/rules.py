"""Which metric gives which tag."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import NamedTuple

from collectors import states, status
from collectors.sample import Sample, bad, measured
from collectors.sparkplug import datatypes
from collectors.sparkplug.datatypes import NotAValue
from collectors.sparkplug.settings import SparkplugSource, SparkplugTag, SparkplugTemplate
from collectors.sparkplug.tables import Born
from collectors.sparkplug.topics import ANY, Node

# What every birth holds for the protocol itself.
_BD_SEQ = "bdSeq"
_CONTROLS = ("Node Control/", "Device Control/")


class Origin(NamedTuple):
    """The metric that a tag comes from; names of devices count within their edge node only."""

    node: Node
    device: str
    metric: str

    def __str__(self) -> str:
        return "/".join(part for part in (*self.node, self.device, self.metric) if part)


@dataclass(frozen=True, slots=True)
class Route:
    """The way from a metric's value to a tag."""

    tag: str
    scale: float = 1.0
    offset: float = 0.0
    states: dict[str, int] | None = None

    def sample(self, ts_us: int, value: float | str, code: int) -> Sample:
        """Return the sample of a value; raises NotAValue for a text that no state explains."""
        if isinstance(value, str):
            value = self._state(value)
        return measured(self.tag, ts_us, value * self.scale + self.offset, code)

    def _state(self, text: str) -> float:
        if self.states is None:
            raise NotAValue("it is a text: give the tag states")
        found = self.states.get(states.folded(text))
        if found is None:
            raise NotAValue(f'"{text}" is none of its states', status.BAD_OUT_OF_RANGE)
        return float(found)


class Unroutable(Exception):
    """A template matches a metric that it can give no tag; see the reason."""


class Rules:
    """The tags and templates of a source, and which metric owns a tag that a template made."""

    def __init__(self, source: SparkplugSource) -> None:
        self._templates = source.templates
        self._max_tags = source.max_tags
        self._tags: defaultdict[Origin, list[Route]] = defaultdict(list)
        self._owners: dict[str, Origin] = {}
        for tag in source.tags:
            origin = _origin(tag)
            named = states.codes(tag.states) if tag.states is not None else None
            self._tags[origin].append(Route(tag.tag, tag.scale, tag.offset, named))
            self._owners[tag.tag] = origin
        self._configured = len(self._owners)
        self._nodes = {Node(one.group or ANY, one.node or ANY) for one in source.templates}
        self._nodes |= {origin.node for origin in self._tags}

    @property
    def tags(self) -> Sequence[str]:
        """All tags: those of the file, and those that templates have made so far."""
        return list(self._owners)

    def nodes(self) -> set[Node]:
        """Return the edge nodes to listen to; ANY stands for every group or name."""
        return self._nodes

    def wants(self, node: Node) -> bool:
        """Tell whether anything of an edge node is asked for."""
        return any(
            group in (ANY, node.group) and name in (ANY, node.name) for group, name in self._nodes
        )

    def named(self, node: Node, device: str | None = None) -> list[tuple[Origin, str]]:
        """Return the file's own tags of an edge node, or of one device or the node itself."""
        return [
            (origin, route.tag)
            for origin, routes in self._tags.items()
            if origin.node == node and device in (None, origin.device)
            for route in routes
        ]

    def routes(self, origin: Origin, born: Born) -> list[Route]:
        """Return the ways of a metric; raises Unroutable where a template should make one."""
        found = list(self._tags.get(origin, ()))
        for template in self._templates:
            if _matches(template, origin) and (route := self._made(template, origin, born)):
                found.append(route)
        return found

    def _made(self, template: SparkplugTemplate, origin: Origin, born: Born) -> Route | None:
        if born.datatype is None or not datatypes.is_number(born.datatype):
            if born.datatype is not None and not datatypes.is_storable(born.datatype):
                raise Unroutable(f"{datatypes.name(born.datatype)} values cannot be stored")
            return None
        parts = {"group": origin.node.group, "node": origin.node.name, "device": origin.device}
        tag = template.tag.format(**parts, metric=origin.metric)
        if not tag.isprintable():
            raise Unroutable("its name holds a character that no tag may have")
        owner = self._owners.get(tag)
        if owner not in (None, origin):
            raise Unroutable(f'the tag "{tag}" belongs to {owner} already')
        if owner is None and len(self._owners) - self._configured >= self._max_tags:
            raise Unroutable(f"templates have made {self._max_tags} tags already: raise max_tags")
        self._owners[tag] = origin
        return Route(tag)


def lost(tags: Sequence[str], ts_us: int) -> Iterator[Sample]:
    """Return the samples that say that nobody answers for these tags any more."""
    return (bad(tag, ts_us, status.BAD_NO_COMMUNICATION) for tag in tags)


def _origin(tag: SparkplugTag) -> Origin:
    return Origin(Node(tag.group, tag.node), tag.device or "", tag.metric)


def _matches(template: SparkplugTemplate, origin: Origin) -> bool:
    if template.is_of_devices != bool(origin.device):
        return False
    if origin.metric == _BD_SEQ or origin.metric.startswith(_CONTROLS):
        return False
    wanted = ((template.group, origin.node.group), (template.node, origin.node.name))
    exact = all(want in (None, has) for want, has in (*wanted, (template.device, origin.device)))
    return exact and fnmatchcase(origin.metric, template.metric)
