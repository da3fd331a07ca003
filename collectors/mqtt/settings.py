"""The keys of an MQTT source."""

from dataclasses import dataclass, field
from typing import Literal

from collectors.config.fields import SourceTable, TagTable, form, json_path, not_empty, number


def _topic(text: str) -> str | None:
    if "+" in text or "#" in text:
        return "must be one topic, without + or #: one tag has one origin"
    return not_empty(text)


def _topic_filter(text: str) -> str | None:
    levels = text.split("/")
    wrong = any(
        ("#" in level and level != "#") or ("+" in level and level != "+") for level in levels
    )
    if wrong or "#" in levels[:-1]:
        return "must be an MQTT topic filter: + and # fill a whole level, # only the last"
    return not_empty(text)


@dataclass(frozen=True, slots=True, kw_only=True)
class MqttTag(TagTable):
    """A value in a JSON message: dotted paths to it and to its time; the whole payload without."""

    topic: str = field(metadata=form(_topic))
    value: str | None = field(default=None, metadata=form(json_path))
    ts: str | None = field(default=None, metadata=form(json_path))


@dataclass(frozen=True, slots=True, kw_only=True)
class MqttRecord:
    """[[source.record]]: a JSON message that is a version of a business record."""

    topic: str = field(metadata=form(_topic_filter))
    kind: str = field(metadata=form(not_empty))
    key: str = field(metadata=form(json_path))
    at: str = field(metadata=form(json_path))


@dataclass(frozen=True, slots=True, kw_only=True)
class MqttSource(SourceTable):
    """One MQTT broker; the client id names the session that the broker keeps while we are away."""

    host: str = field(metadata=form(not_empty))
    port: int = field(default=1883, metadata=number(at_least=1, at_most=65_535))
    client_id: str = field(metadata=form(not_empty))
    protocol: Literal["5", "3.1.1"] = "5"
    keepalive_s: int = field(default=10, metadata=number(at_least=2, at_most=600))
    timeout_s: float = field(default=5.0, metadata=number(at_least=0.1, at_most=120))
    receive_maximum: int = field(default=1000, metadata=number(at_least=1, at_most=20_000))
    session_expiry_days: int = field(default=30, metadata=number(at_least=1, at_most=3660))
    tags: tuple[MqttTag, ...] = field(default=(), metadata={"table": "tag"})
    records: tuple[MqttRecord, ...] = field(default=(), metadata={"table": "record"})
