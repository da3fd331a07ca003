"""Messages to values, records and notes, by the plan of their topic.

Most messages are objects whose numbers stand side by side: those are taken out in one go. Whatever
does not fit takes the careful way, value by value, and one bad value never costs the others.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from collectors import status
from collectors.documents import NotDecoded, kind_of
from collectors.mqtt import paths, payload
from collectors.mqtt.paths import Steps
from collectors.mqtt.plan import Group, Members, Numbering, Plan, Reading, Stamp
from collectors.mqtt.quality import status_of
from collectors.mqtt.rows import NO_VALUE, Rows
from collectors.records import to_record
from collectors.sample import Refused
from store.canonical import Record

_NUMBERS = frozenset((int, float, bool))
_MOST_TOLD = 10_000
_LONGEST_TOLD = 4096


@dataclass(slots=True)
class Found:
    """What messages gave; newest_us is the newest time that the last one itself carried."""

    rows: Rows = field(default_factory=Rows)
    records: list[Record] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    newest_us: int | None = None


@dataclass(slots=True)
class Opened:
    """A message whose document is read; a retained one is old, its reception is no time."""

    topic: str
    content: bytes
    received_us: int
    is_retained: bool
    document: Any = None


class Decoder:
    """Decodes messages into `found`, which its owner takes away and replaces.

    What is wrong with one value is told once; what costs a whole message or record, each time.
    """

    def __init__(self, zone: ZoneInfo, most_bytes: int, numbering: Numbering) -> None:
        self.found = Found()
        self._zone = zone
        self._most_bytes = most_bytes
        self._numbering = numbering
        self._told: set[str] = set()
        self._before = 0

    def decode(self, plan: Plan, message: Opened) -> bool:
        """Add what a message holds; returns whether it has a document, which is in it then."""
        self.found.newest_us = None
        self._before = len(self.found.refused)
        try:
            if len(message.content) > self._most_bytes:
                size = len(message.content) // 1000
                raise NotDecoded(f"the payload has {size} kB, more than max_payload_kb")
            message.document = payload.parse(message.content, whole=bool(plan.records))
        except NotDecoded as error:
            self._refuse(message, error)
            return False
        for group in plan.groups:
            self._try(self._group, message, group)
        for members in plan.members:
            self._try(self._members, message, members)
        for rule in plan.records:
            try:
                self.found.records.append(
                    to_record(rule.kind, message.document, self._zone, rule.key, rule.at)
                )
            except NotDecoded as error:
                self._refuse(message, error)
        return True

    def _try(self, take: Callable[[Opened, Any], None], message: Opened, part: Any) -> None:
        if message.is_retained and part.stamp.ts is None:
            return
        try:
            take(message, part)
        except NotDecoded as error:
            self._refuse(message, error)

    # --- values side by side ---------------------------------------------------------------------

    def _group(self, message: Opened, group: Group) -> None:
        ts_us = self._time(message.document, group.stamp.ts_steps, group.stamp, message)
        code = _quality(message.document, group.stamp.quality_steps, group.stamp)
        container = message.document
        for step in group.container:
            container = container.get(step) if type(container) is dict else None
        if group.take is not None and type(container) is dict and not status.is_bad(code):
            try:
                values = group.take(container)
            except KeyError:
                values = (None,)
            if _NUMBERS.issuperset(map(type, values)):
                self.found.rows.add(group.tags, values, ts_us, code)
                return
        self._one_by_one(message, group, ts_us, code)

    def _one_by_one(self, message: Opened, group: Group, ts_us: int, code: int) -> None:
        missing: list[NotDecoded] = []
        for value in group.values:
            steps = group.container if value.step is None else (*group.container, value.step)
            try:
                raw = paths.walk(message.document, steps, value.path)
            except NotDecoded as error:
                missing.append(error)
                continue
            self._value(message, value.tag, raw, value.reading, value.path, ts_us, code)
        if len(missing) == len(group.values):
            raise missing[0]
        for absent in missing:
            self._tell(message, str(absent), message.document)

    # --- every member of an object or list -------------------------------------------------------

    def _members(self, message: Opened, rule: Members) -> None:
        shown = rule.template.value or ""
        container = paths.walk(message.document, rule.container, shown)
        if not isinstance(container, dict | list):
            raise NotDecoded(f"{shown}: {kind_of(container)} has no members")
        ts_us, code = message.received_us, status.GOOD
        if rule.own_ts is None:
            ts_us = self._time(message.document, rule.stamp.ts_steps, rule.stamp, message)
        if rule.own_quality is None:
            code = _quality(message.document, rule.stamp.quality_steps, rule.stamp)
        if self._all_at_once(rule, container, ts_us, code):
            return
        for key, member in self._each(message, rule, container):
            try:
                if rule.own_ts is not None:
                    ts_us = self._time(member, rule.own_ts, rule.stamp, message)
                if rule.own_quality is not None:
                    code = _quality(member, rule.own_quality, rule.stamp)
                raw = paths.walk(member, rule.inner, shown)
            except NotDecoded as error:
                self._tell(message, f"{key}: {error}", member)
                continue
            self._member(message, rule, key, raw, ts_us, code)

    def _member(
        self, message: Opened, rule: Members, key: str, raw: Any, ts_us: int, code: int
    ) -> None:
        if rule.reading.is_plain and not isinstance(raw, int | float | None):
            # No tag is made of it: most objects have a name or a comment beside the numbers.
            self._tell(message, f"{key} is {kind_of(raw)}, not a number or boolean", raw)
            return
        tag = self._tag(rule, key)
        if tag is not None:
            self._value(message, tag, raw, rule.reading, key, ts_us, code)

    def _all_at_once(self, rule: Members, container: Any, ts_us: int, code: int) -> bool:
        """Take the members of a flat object of numbers whose tags are known."""
        if type(container) is not dict or not rule.is_flat or status.is_bad(code):
            return False
        chosen = [key for key in container if key not in rule.others]
        values = [container[key] for key in chosen]
        tags = [tag for key in chosen if (tag := rule.known.get(key)) is not None]
        if len(tags) < len(chosen) or not _NUMBERS.issuperset(map(type, values)):
            return False
        self.found.rows.add(tags, values, ts_us, code)
        return True

    def _each(self, message: Opened, rule: Members, container: Any) -> Iterator[tuple[str, Any]]:
        if isinstance(container, dict):
            yield from ((k, one) for k, one in container.items() if k not in rule.others)
            return
        for place, member in enumerate(container):
            if rule.key is None:
                yield str(place), member
                continue
            try:
                key = paths.walk(member, rule.key, rule.template.key or "")
            except NotDecoded as error:
                self._tell(message, str(error), member)
                continue
            if isinstance(key, str | int) and not isinstance(key, bool) and key != "":
                yield str(key), member
            else:
                self._tell(message, f"{rule.template.key} is {kind_of(key)}, not a name", member)

    def _tag(self, rule: Members, key: str) -> int | None:
        if key not in rule.known:
            # Names without end must not fill the memory: those that make no tag are not kept.
            name, place = rule.tag_of(key), f"{rule.topic} {key}"
            number = self._numbering(rule.template, name, place)
            if number is None:
                return None
            rule.known[key] = number
        return rule.known[key]

    # --- single things ---------------------------------------------------------------------------

    def _value(
        self,
        message: Opened,
        tag: int,
        raw: Any,
        reading: Reading,
        path: str,
        ts_us: int,
        code: int,
    ) -> None:
        number: float | None = None
        if not status.is_bad(code):
            try:
                number = payload.number(raw, reading, path)
                code = status.BAD_NO_DATA if number is None else code
            except NotDecoded as error:
                self._tell(message, str(error), raw)
                known = reading.codes is not None and isinstance(raw, str)
                code = status.BAD_OUT_OF_RANGE if known else status.BAD_TYPE_MISMATCH
        self.found.rows.add((tag,), (NO_VALUE if number is None else number,), ts_us, code)

    def _time(self, thing: Any, steps: Steps | None, stamp: Stamp, message: Opened) -> int:
        if steps is None:
            return message.received_us
        shown = stamp.ts or ""
        ts_us = payload.time_us(paths.walk(thing, steps, shown), stamp.ts_unit, shown, self._zone)
        newest_us = self.found.newest_us
        self.found.newest_us = ts_us if newest_us is None else max(newest_us, ts_us)
        return ts_us

    def _tell(self, message: Opened, reason: str, thing: Any) -> None:
        """Say once what is wrong with a part of the messages of a topic."""
        told = f"{message.topic}: {reason}"
        if told not in self._told and len(self._told) < _MOST_TOLD:
            self._told.add(told)
            self.found.refused.append(Refused(told, json.dumps(thing)[:_LONGEST_TOLD]))

    def _refuse(self, message: Opened, error: NotDecoded) -> None:
        """Keep a whole message for a person to see."""
        text = message.content.decode("utf-8", errors="backslashreplace").replace("\0", "\\0")
        refused = Refused(f"{message.topic}: {error}", text)
        # Several rules often miss the same thing in a message.
        if refused not in self.found.refused[self._before :]:
            self.found.refused.append(refused)


def _quality(thing: Any, steps: Steps | None, stamp: Stamp) -> int:
    if steps is None:
        return status.GOOD
    return status_of(paths.walk(thing, steps, stamp.quality or ""), stamp.quality_codes)
