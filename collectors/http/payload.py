"""Bodies of requests to what they hold, and what is wrong in them by field. Pure."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from collectors.documents import NotDecoded, moment
from collectors.http.settings import HttpRecord
from collectors.records import FieldFault, NotAccepted, to_record
from collectors.sample import Delivery, Refused, Sample, time_is_plausible, to_us
from collectors.tag_values import tag_sample

MOST_ITEMS = 10_000


class TooMany(NotDecoded):
    """A body holds more items than one request may; send them in several requests."""


@dataclass(slots=True)
class Content:
    """What a body held: a delivery of the good and the refused, and the faults by field."""

    delivery: Delivery = field(default_factory=Delivery)
    faults: list[FieldFault] = field(default_factory=list)

    def refuse(self, item: Any, reason: str, faults: list[FieldFault]) -> None:
        """Note an item that is not taken; it is kept as it came."""
        self.delivery.refused.append(Refused(reason, json.dumps(item, ensure_ascii=False)))
        self.faults.extend(faults)

    def refuse_text(self, reason: str, text: str, why: str) -> None:
        """Note a body that is no JSON document; it is kept as it came."""
        self.delivery.refused.append(Refused(reason, text.replace("\0", "\\0")))
        self.faults.append(FieldFault("", why))


def records(rule: HttpRecord, document: Any, zone: ZoneInfo) -> Content:
    """Return the records of a body, one object or a list; raises TooMany."""
    content = Content()
    for place, item in _items(document):
        try:
            record = to_record(rule.kind, item, zone, rule.key, rule.at)
        except NotAccepted as error:
            faults = [FieldFault(_joined(place, one.path), one.reason) for one in error.faults]
            content.refuse(item, str(error), faults)
        else:
            content.delivery.records.append(record)
    return content


def samples(tags: frozenset[str], document: Any, received_us: int, zone: ZoneInfo) -> Content:
    """Return the values of a body; those without a time of their own were read at received_us."""
    content = Content()
    if isinstance(document, dict) and not _is_row(document):
        document = [{"tag": tag, "value": value} for tag, value in document.items()]
    for place, item in _items(document):
        try:
            content.delivery.samples.append(_sample(tags, item, received_us, zone))
        except NotDecoded as error:
            content.refuse(item, f"tags: {error}", [FieldFault(place, str(error))])
    return content


def _items(document: Any) -> list[tuple[str, Any]]:
    if not isinstance(document, list):
        return [("", document)]
    if len(document) > MOST_ITEMS:
        raise TooMany(f"a body holds at most {MOST_ITEMS:,} items; send the rest in another")
    return [(str(index), item) for index, item in enumerate(document)]


def _joined(place: str, path: str) -> str:
    return ".".join(part for part in (place, path) if part)


def _is_row(document: Mapping[str, Any]) -> bool:
    return isinstance(document.get("tag"), str) and "value" in document


def _sample(tags: frozenset[str], item: Any, received_us: int, zone: ZoneInfo) -> Sample:
    if not isinstance(item, dict) or not _is_row(item):
        raise NotDecoded('an item must be an object with "tag" and "value"')
    tag = item["tag"]
    if tag not in tags:
        raise NotDecoded(f'"{tag}" is not among the tags of this source')
    ts_us = received_us if item.get("ts") is None else to_us(moment(item["ts"], zone))
    if not time_is_plausible(ts_us):
        raise NotDecoded(f"{tag}: its time lies outside the years 1970 to 2200")
    return tag_sample(tag, ts_us, item["value"], item.get("status"))
