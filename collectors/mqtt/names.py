"""The tags of an MQTT source: those of the file, and those that its templates have made so far."""

from collections.abc import Callable, Sequence

from collectors.columns import TagTable
from collectors.mqtt.memory import Memory
from collectors.mqtt.rows import Scales
from collectors.mqtt.settings import MqttSource, MqttTag, MqttTemplate

_LONGEST = 200


class Names:
    """Numbers tags; a template may make a bounded number, each from one place only."""

    def __init__(self, source: MqttSource, memory: Memory, tell: Callable[[str], None]) -> None:
        self._memory = memory
        self._tell = tell
        self.table = TagTable(tag.tag for tag in source.tags)
        self.scales = Scales()
        self.by_topic: dict[str, list[tuple[int, MqttTag]]] = {}
        self._origin: dict[str, str] = {}
        for tag in source.tags:
            number = self.table.number(tag.tag)
            self.by_topic.setdefault(tag.topic, []).append((number, tag))
            self.scales.set(number, tag.scale, tag.offset)
            self._origin[tag.tag] = f"{tag.topic} {tag.value or ''}".rstrip()
        self._in_file = frozenset(self._origin)
        self._recall(source.templates)

    @property
    def all(self) -> Sequence[str]:
        """Every tag that is known by now."""
        return list(self._origin)

    def number(self, template: MqttTemplate, name: str, place: str) -> int | None:
        """Return the number of a template's tag, or None, and told, where it may not be made.

        place is where the value comes from: a second one under the same name would mix two
        machines into one series.
        """
        origin = self._origin.get(name)
        if origin is None and not self._make(template, name, place):
            return None
        if origin is not None and origin != place:
            self._tell(f'the tag "{name}" comes from "{origin}" and from "{place}" as well')
            return None
        if name in self._in_file:
            # The file says itself how this one is read.
            return None
        number = self.table.number(name)
        self.scales.set(number, template.scale, template.offset)
        return number

    def _make(self, template: MqttTemplate, name: str, place: str) -> bool:
        made = self._memory.made.setdefault(_identity(template), {})
        if not name.isprintable() or len(name) > _LONGEST:
            self._tell(f"{template.tag} makes no tag of {name[:_LONGEST]!r}")
            return False
        if len(made) >= template.max_tags:
            limit = f"{template.max_tags} tags of {template.tag}"
            self._tell(f"{limit} are made, no more are: narrow the topic, or raise max_tags")
            return False
        made[name] = place
        self._origin[name] = place
        self._memory.has_news = True
        return True

    def _recall(self, templates: Sequence[MqttTemplate]) -> None:
        """Take over what templates made before a restart; those that left the file are left."""
        kept = {_identity(one): self._memory.made.get(_identity(one), {}) for one in templates}
        self._memory.made = kept
        for template in templates:
            for name, place in kept[_identity(template)].items():
                if self._origin.setdefault(name, place) == place and name not in self._in_file:
                    self.scales.set(self.table.number(name), template.scale, template.offset)


def _identity(template: MqttTemplate) -> str:
    return f"{template.topic} {template.value or ''} {template.tag}"
