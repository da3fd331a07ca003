"""What is to be read from the messages of one topic, worked out once when the topic is first seen.

A template becomes plain values as soon as the levels of the topic are known; only members of an
object or list are looked at message by message.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

from paho.mqtt.client import topic_matches_sub

from collectors import states
from collectors.mqtt import paths
from collectors.mqtt.paths import Steps
from collectors.mqtt.settings import (
    MqttRecord,
    MqttSource,
    MqttTag,
    MqttTemplate,
    ValueTable,
    members_of,
)

_LEVEL_NAME = re.compile(r"\{[a-z_][a-z0-9_]*\}")

# Gives a tag its number, or None where it may not be made.
Numbering = Callable[[MqttTemplate, str, str], int | None]


@dataclass(frozen=True, slots=True)
class Reading:
    """How a number is made of what stands at a path."""

    codes: dict[str, int] | None
    parse: bool

    @property
    def is_plain(self) -> bool:
        """Whether only JSON numbers and booleans are taken."""
        return self.codes is None and not self.parse


@dataclass(frozen=True, slots=True)
class Stamp:
    """Where the time and the quality of values stand: steps, where it is one for all of them."""

    ts: str | None
    ts_unit: str
    quality: str | None
    quality_codes: str
    ts_steps: Steps | None
    quality_steps: Steps | None

    @classmethod
    def of(cls, rule: ValueTable) -> "Stamp":
        """Return that of a rule."""
        return cls(
            rule.ts,
            rule.ts_unit,
            rule.quality,
            rule.quality_codes,
            _common(rule.ts),
            _common(rule.quality),
        )


@dataclass(frozen=True, slots=True)
class Value:
    """One tag: its number, and where and how its value stands in the container of its group."""

    tag: int
    step: str | None
    path: str
    reading: Reading


@dataclass(slots=True)
class Group:
    """Values that stand side by side and have one time and one quality."""

    stamp: Stamp
    container: tuple[str | None, ...]
    values: list[Value] = field(default_factory=list)
    # Takes all of them out of an object at once; None where one of them needs more care.
    take: Callable[[Any], tuple[Any, ...]] | None = None
    tags: tuple[int, ...] = ()

    def finish(self) -> None:
        """Prepare what does not change from message to message."""
        self.tags = tuple(value.tag for value in self.values)
        names = [value.step for value in self.values]
        if all(value.reading.is_plain for value in self.values) and None not in names:
            getter = itemgetter(*names)
            self.take = getter if len(names) > 1 else lambda found: (getter(found),)


@dataclass(slots=True)
class Members:
    """Every member of an object or list, each giving a tag of a template."""

    topic: str
    template: MqttTemplate
    variables: dict[str, str]
    stamp: Stamp
    reading: Reading
    container: Steps
    # Steps from a member on: to its value, its name, its own time and its own quality.
    inner: Steps
    key: Steps | None
    own_ts: Steps | None
    own_quality: Steps | None
    # Members that hold the time or the quality of the others, not values.
    others: frozenset[str]
    known: dict[str, int] = field(default_factory=dict)

    @property
    def is_flat(self) -> bool:
        """Whether the members are the values themselves."""
        return not self.inner and self.own_ts is None and self.own_quality is None

    def tag_of(self, key: str) -> str:
        """Return the name of the tag of a member."""
        return fill(self.template.tag, self.variables | {"key": key})


@dataclass(slots=True)
class Plan:
    """All that a topic's messages give."""

    topic: str
    groups: list[Group] = field(default_factory=list)
    members: list[Members] = field(default_factory=list)
    records: list[MqttRecord] = field(default_factory=list)
    sequences: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether nobody asks for the topic."""
        return not (self.groups or self.members or self.records)

    @property
    def is_timed(self) -> bool:
        """Whether all of it has times of its own, so that a repetition is the same row again."""
        stamps = [group.stamp for group in self.groups] + [one.stamp for one in self.members]
        return not self.records and all(stamp.ts is not None for stamp in stamps)


def plan_for(
    topic: str, tags: Iterable[tuple[int, MqttTag]], source: MqttSource, number: Numbering
) -> Plan:
    """Return the plan for a topic; tags are those of the file that it feeds, with their numbers."""
    plan = Plan(topic)
    groups: dict[tuple[Stamp, Steps], Group] = {}
    asked: list[str | None] = []
    for tag_number, tag in tags:
        _add(groups, tag, tag_number)
        asked.append(tag.sequence)
    for template in source.templates:
        variables = match(template.topic, topic)
        if variables is None:
            continue
        asked.append(template.sequence)
        if template.value is not None and None in paths.split(template.value):
            plan.members.append(_members(template, variables, topic))
        else:
            name = fill(template.tag, variables)
            place = f"{topic} {template.value or ''}".rstrip()
            found = number(template, name, place)
            if found is not None:
                _add(groups, template, found)
    plan.records = [rule for rule in source.records if topic_matches_sub(rule.topic, topic)]
    asked += [rule.sequence for rule in plan.records]
    plan.sequences = tuple(dict.fromkeys(path for path in asked if path is not None))
    for group in groups.values():
        group.finish()
    plan.groups = list(groups.values())
    return plan


def filter_of(pattern: str) -> str:
    """Return the topic filter that a template subscribes to."""
    return _LEVEL_NAME.sub("+", pattern)


def match(pattern: str, topic: str) -> dict[str, str] | None:
    """Return the names of a pattern's levels in a topic, or None where it does not match."""
    if not topic_matches_sub(filter_of(pattern), topic):
        return None
    levels = zip(pattern.split("/"), topic.split("/"), strict=False)
    found = {name[1:-1]: level for name, level in levels if _LEVEL_NAME.fullmatch(name)}
    return found if all(found.values()) else None


def fill(pattern: str, variables: dict[str, str]) -> str:
    """Return a pattern with its names replaced."""
    return _LEVEL_NAME.sub(lambda found: variables[found[0][1:-1]], pattern)


def filters(source: MqttSource, *, records: bool) -> list[str]:
    """Return the topic filters that a source subscribes to, each once.

    A topic that a wildcard of the same source covers is left out: a broker may send its messages
    once for each subscription.
    """
    wanted = [tag.topic for tag in source.tags]
    wanted += [filter_of(template.topic) for template in source.templates]
    if records:
        wanted += [record.topic for record in source.records]
    wild = [one for one in wanted if "+" in one or "#" in one]
    return [one for one in dict.fromkeys(wanted) if one in wild or not _covered(one, wild)]


def _covered(topic: str, wild: Iterable[str]) -> bool:
    return any(topic_matches_sub(one, topic) for one in wild)


def _add(groups: dict[tuple[Stamp, Steps], Group], rule: ValueTable, tag: int) -> None:
    stamp = Stamp.of(rule)
    steps: Steps = () if rule.value is None else paths.split(rule.value)
    container, step = steps[:-1], steps[-1] if steps else None
    group = groups.setdefault((stamp, container), Group(stamp, container))
    group.values.append(Value(tag, step, rule.value or "the payload", _reading(rule)))


def _reading(rule: ValueTable) -> Reading:
    return Reading(None if rule.states is None else states.codes(rule.states), bool(rule.parse))


def _members(template: MqttTemplate, variables: dict[str, str], topic: str) -> Members:
    container = members_of(template.value)
    given = [paths.split(p) for p in (template.ts, template.quality, template.sequence) if p]
    at = len(container)
    others = {steps[at] for steps in given if steps[:at] == container and len(steps) > at}
    return Members(
        topic=topic,
        template=template,
        variables=variables,
        stamp=Stamp.of(template),
        reading=_reading(template),
        container=container,
        inner=paths.split(template.value or "")[at + 1 :],
        key=_inner(template.key),
        own_ts=_inner(template.ts),
        own_quality=_inner(template.quality),
        others=frozenset(step for step in others if step is not None),
    )


def _common(path: str | None) -> Steps | None:
    steps = None if path is None else paths.split(path)
    return None if steps is None or None in steps else steps


def _inner(path: str | None) -> Steps | None:
    """Return the steps behind the * of a path that has one."""
    steps = () if path is None else paths.split(path)
    return steps[steps.index(None) + 1 :] if None in steps else None
