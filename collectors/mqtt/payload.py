"""JSON messages to samples and records. Pure; what does not fit raises NotDecoded."""

from typing import Any
from zoneinfo import ZoneInfo

from collectors import status
from collectors.documents import NotDecoded as NotDecoded
from collectors.documents import at_path, kind_of, moment
from collectors.documents import parse as parse
from collectors.mqtt.settings import MqttRecord, MqttTag
from collectors.records import to_record
from collectors.sample import Sample, bad, measured, to_us
from store.canonical import Record


def sample(tag: MqttTag, document: Any, received_us: int, zone: ZoneInfo) -> Sample:
    """Return the sample that a message holds for a tag; null becomes BadNoData.

    Without a path to a time the sample carries the time at which the message was received.
    """
    ts_us = received_us if tag.ts is None else to_us(moment(at_path(document, tag.ts), zone))
    value = document if tag.value is None else at_path(document, tag.value)
    if value is None:
        return bad(tag.tag, ts_us, status.BAD_NO_DATA)
    if not isinstance(value, int | float):
        raise NotDecoded(
            f"{tag.value or 'the payload'} is {kind_of(value)}, not a number or boolean"
        )
    try:
        return measured(tag.tag, ts_us, float(value))
    except OverflowError as error:
        raise NotDecoded(f"{tag.value or 'the payload'} is too large a number") from error


def record(rule: MqttRecord, document: Any, zone: ZoneInfo) -> Record:
    """Return the record version that a message holds; raises NotAccepted."""
    return to_record(rule.kind, document, zone, rule.key, rule.at)
