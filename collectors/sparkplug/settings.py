"""The keys of a Sparkplug B source."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from string import Formatter

from collectors.config.fields import (
    Fault,
    TagTable,
    form,
    judged,
    not_empty,
    number,
    plain,
    tables,
)
from collectors.mqtt.settings import BrokerTable
from collectors.states import States, judge

_PARTS = ("group", "node", "device", "metric")


def _name(text: str) -> str | None:
    if any(letter in text for letter in "/+#"):
        return "must be one name, without / + or #"
    return not_empty(text)


def _pattern(text: str) -> str | None:
    """Judge the tag of a template: a text with names of parts in braces."""
    try:
        parts = [name for _, name, _, _ in Formatter().parse(text) if name is not None]
    except ValueError:
        parts = [""]
    if set(parts) <= set(_PARTS) and "metric" in parts:
        return None
    return "must hold {metric}, and may hold {group}, {node} and {device}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SparkplugTag(TagTable):
    """[[source.tag]]: one metric of an edge node or of a device behind it."""

    group: str = field(metadata=form(_name, "group of the edge node"))
    node: str = field(metadata=form(_name, "the edge node"))
    device: str | None = field(
        default=None, metadata=form(_name, "device; without it the metric is the node's own")
    )
    metric: str = field(metadata=form(not_empty, "name of the metric as the birth has it"))
    scale: float = field(default=1.0, metadata=plain("the value is multiplied by this"))
    offset: float = field(default=0.0, metadata=plain("and this is added to it"))
    states: States | None = field(
        default=None,
        metadata=judged(
            judge,
            about='texts to numbers: a scheme such as "packml", or { "RUN" = 1, "STOP" = 2 }',
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class SparkplugTemplate:
    """[[source.template]]: tags for all numeric metrics that births tell, as far as it matches."""

    tag: str = field(
        metadata=form(_pattern, 'name of each tag, such as "{node}.{device}.{metric}"')
    )
    group: str | None = field(default=None, metadata=form(_name, "this group only"))
    node: str | None = field(default=None, metadata=form(_name, "this edge node only"))
    device: str | None = field(default=None, metadata=form(_name, "this device only"))
    metric: str = field(
        default="*", metadata=form(not_empty, "these metrics only; * is any text, ? any letter")
    )

    @property
    def is_of_devices(self) -> bool:
        """Whether it stands for metrics of devices, or for those of the nodes themselves."""
        return self.device is not None or "{device}" in self.tag

    def faults(self, place: tuple[str | int, ...]) -> Iterator[Fault]:
        """Return what would give metrics of two edge nodes or devices the same tag."""
        for part in ("node", "device"):
            is_open = getattr(self, part) is None and f"{{{part}}}" not in self.tag
            if is_open and (part == "node" or self.is_of_devices):
                message = f"needs {{{part}}}: two of them may have metrics of the same name"
                yield Fault((*place, "tag"), f'tag = "{self.tag}" {message}')


@dataclass(frozen=True, slots=True, kw_only=True)
class SparkplugSource(BrokerTable):
    """One MQTT broker with edge nodes that speak Sparkplug B; nothing is sent by default."""

    reorder_s: float = field(
        default=5.0,
        metadata=number(
            at_least=0.1, at_most=60, about="how long a message waits for those before it"
        ),
    )
    rebirth: bool = field(
        default=False,
        metadata=plain("ask an edge node for its births where they are needed; else only listen"),
    )
    rebirth_every_s: float = field(
        default=60.0,
        metadata=number(at_least=1, at_most=86_400, about="ask a node this often at most"),
    )
    max_tags: int = field(
        default=10_000,
        metadata=number(at_least=1, at_most=1_000_000, about="bound of the tags of templates"),
    )
    tags: tuple[SparkplugTag, ...] = field(default=(), metadata=tables("tag"))
    templates: tuple[SparkplugTemplate, ...] = field(default=(), metadata=tables("template"))

    def faults(self) -> Iterator[Fault]:
        """Return what is wrong with the broker's keys and the templates."""
        # A dataclass with slots is another class than the one that super() would find.
        yield from BrokerTable.faults(self)
        for index, template in enumerate(self.templates):
            yield from template.faults(("template", index))
