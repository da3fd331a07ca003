"""The keys of an MQTT source."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from collectors import states
from collectors.config.fields import (
    Fault,
    SourceTable,
    TagTable,
    choice,
    form,
    not_empty,
    number,
    plain,
    tables,
)
from collectors.config.shared import (
    BUSINESS_TIME,
    NATURAL_KEY,
    PARSE,
    PASSWORD_ENV,
    PASSWORD_FILE,
    RECORD_KIND,
    STATES,
    USERNAME,
)
from collectors.mqtt import paths

ADVICE = (
    "mosquitto keeps 1000 messages for a client that is away and has 20 in flight, and drops the "
    "rest without a word to the publisher: set max_queued_messages 100000, "
    "max_inflight_messages 1000, persistence true and autosave_interval 10 in mosquitto.conf"
)

_NAME = re.compile(r"\{([a-z_][a-z0-9_]*)\}")


def _topic(text: str) -> str | None:
    if "+" in text or "#" in text:
        return "must be one topic, without + or #: one tag has one origin"
    return not_empty(text)


def _topic_pattern(text: str) -> str | None:
    """Judge a topic filter whose levels may be names in braces."""
    if any(("{" in part or "}" in part) and not _NAME.fullmatch(part) for part in text.split("/")):
        return "must have each name in braces fill a whole level: plant/{line}/{signal}"
    return _topic_filter(text)


def _tag_pattern(text: str) -> str | None:
    rest = _NAME.sub("", text)
    if "{" in rest or "}" in rest or not _NAME.search(text):
        return "must hold names in braces, such as {machine}.{signal}"
    return None


def _group(text: str) -> str | None:
    if any(letter in text for letter in "/+# "):
        return "must be one word without / + #"
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
class ValueTable(TagTable):
    """How a value stands in a JSON message; what tags and templates have in common."""

    value: str | None = field(
        default=None,
        metadata=form(paths.judge, "path of the value; without it the whole payload is the value"),
    )
    ts: str | None = field(
        default=None,
        metadata=form(paths.judge, "path of the time; without it the time of reception counts"),
    )
    ts_unit: str = field(
        default="iso",
        metadata=choice("iso", "s", "ms", "us", about="ISO 8601 text, or a number since 1970 UTC"),
    )
    quality: str | None = field(
        default=None,
        metadata=form(paths.judge, "path of the quality: true, good, 192, a status code's name …"),
    )
    quality_codes: str = field(
        default="opc",
        metadata=choice(
            "opc", "opcua", about="numbers of quality: 192 is good (opc), or 0 (opcua)"
        ),
    )
    scale: float = field(default=1.0, metadata=plain("the number is multiplied by this"))
    offset: float = field(default=0.0, metadata=plain("then this is added"))
    states: str | Mapping[str, int] | None = field(default=None, metadata=STATES)
    parse: str | None = field(default=None, metadata=PARSE)
    sequence: str | None = field(
        default=None,
        metadata=form(paths.judge, "path of a number that each message of the topic counts up"),
    )

    def wrong(self) -> Iterator[tuple[str, str]]:
        """Return the keys that contradict another one, and why."""
        if self.states is not None and self.parse is not None:
            yield "parse", "parse stands beside states; a value becomes a number in one way"
        if self.states == states.COMBINED:
            yield "states", 'needs two values; write states = "machinery_item_state"'
        if self.states is not None and (self.scale, self.offset) != (1.0, 0.0):
            yield "states", "states stands beside scale or offset; a code is not scaled"


@dataclass(frozen=True, slots=True, kw_only=True)
class MqttTag(ValueTable):
    """[[source.tag]]: a value in the messages of one topic."""

    topic: str = field(metadata=form(_topic, "the topic of the messages"))


@dataclass(frozen=True, slots=True, kw_only=True)
class MqttTemplate(ValueTable):
    """[[source.template]]: many tags from one rule, named by the topic and the payload."""

    topic: str = field(
        metadata=form(_topic_pattern, "topic with names in braces: plant/{line}/{machine}/state")
    )
    tag: str = field(
        metadata=form(_tag_pattern, "name of the tags, from the names in topic and from {key}")
    )
    value: str | None = field(
        default=None,
        metadata=form(
            paths.judge_members,
            "path of the value; * takes every member: *, values.*, values.*.v",
        ),
    )
    key: str | None = field(
        default=None,
        metadata=form(
            paths.judge_members, "path of {key} in a list of objects, such as values.*.id"
        ),
    )
    ts: str | None = field(
        default=None,
        metadata=form(paths.judge_members, "path of the time, one for all or with * each its own"),
    )
    quality: str | None = field(
        default=None,
        metadata=form(paths.judge_members, "path of the quality, as that of the time"),
    )
    max_tags: int = field(
        default=1000,
        metadata=number(at_least=1, at_most=100_000, about="how many tags it may make; then none"),
    )

    def wrong(self) -> Iterator[tuple[str, str]]:
        """Return the keys that contradict another one, and why."""
        yield from ValueTable.wrong(self)
        if self.deadband:
            yield "deadband", "needs a [[source.tag]]; the tags of a template have none"
        given = set(_NAME.findall(self.topic))
        if len(given) < len(_NAME.findall(self.topic)):
            yield "topic", "must not name two levels alike"
        has_members = self.value is not None and None in paths.split(self.value)
        wanted = set(_NAME.findall(self.tag))
        for name in sorted(wanted - given - {"key"}):
            yield "tag", f"{{{name}}} is no level of the topic"
        if has_members != ("key" in wanted - given):
            yield "tag", "{key} in the tag and * in value go together"
        yield from self._wrong_members(has_members)

    def _wrong_members(self, has_members: bool) -> Iterator[tuple[str, str]]:
        before = members_of(self.value) if has_members else None
        for name in ("key", "ts", "quality"):
            path = getattr(self, name)
            if path is not None and None in paths.split(path) and members_of(path) != before:
                yield name, "must have its * where value has it"
        if self.key is not None and not has_members:
            yield "key", "is for a value with *"


def members_of(path: str | None) -> paths.Steps:
    """Return the steps that lead to the object or list whose members * stands for."""
    steps = paths.split(path or "")
    return steps[: steps.index(None)]


@dataclass(frozen=True, slots=True, kw_only=True)
class MqttRecord:
    """[[source.record]]: a JSON message that is a version of a business record."""

    topic: str = field(metadata=form(_topic_filter, "topic filter of the messages"))
    kind: str = field(metadata=RECORD_KIND)
    key: str | None = field(default=None, metadata=NATURAL_KEY)
    at: str | None = field(default=None, metadata=BUSINESS_TIME)
    sequence: str | None = field(
        default=None,
        metadata=form(paths.judge, "path of a number that each message of the topic counts up"),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerTable(SourceTable):
    """[[source]]: how to reach a broker; the client id names the session that it keeps for us."""

    host: str = field(metadata=form(not_empty, "address of the broker"))
    port: int | None = field(
        default=None,
        metadata=number(at_least=1, at_most=65_535, about="TCP port; 1883, with tls 8883"),
    )
    client_id: str = field(
        metadata=form(
            not_empty, "the broker keeps messages under this name while we are away; use it once"
        )
    )
    protocol: Literal["5", "3.1.1"] = field(
        default="5", metadata=plain("version of MQTT that the broker speaks")
    )
    keepalive_s: int = field(
        default=10,
        metadata=number(at_least=2, at_most=600, about="a silent connection is checked this often"),
    )
    timeout_s: float = field(
        default=5.0,
        metadata=number(at_least=0.1, at_most=120, about="how long connecting may take"),
    )
    receive_maximum: int = field(
        default=1000,
        metadata=number(
            at_least=1,
            at_most=20_000,
            about="messages in flight before they are stored; the broker's own limit counts too",
        ),
    )
    session_expiry_days: int = field(
        default=30,
        metadata=number(
            at_least=1, at_most=3660, about="how long the broker keeps messages while we are away"
        ),
    )
    tls: bool = field(
        default=False,
        metadata=plain("encrypt, and verify the broker's certificate; this cannot be weakened"),
    )
    ca: str | None = field(
        default=None,
        metadata=form(
            not_empty, "PEM file with the authority that signed the broker; the system's without it"
        ),
    )
    tls_server_name: str | None = field(
        default=None,
        metadata=form(not_empty, "name in the broker's certificate, where it is not the host"),
    )
    certificate: str | None = field(
        default=None, metadata=form(not_empty, "PEM file with our own certificate, to log in by it")
    )
    private_key: str | None = field(
        default=None, metadata=form(not_empty, "PEM file with the key of that certificate")
    )
    username: str | None = field(default=None, metadata=USERNAME)
    password_env: str | None = field(default=None, metadata=PASSWORD_ENV)
    password_file: str | None = field(default=None, metadata=PASSWORD_FILE)
    allow_plain_password: bool = field(
        default=False, metadata=plain("send the password readable by all on the network")
    )

    def faults(self) -> Iterator[Fault]:
        """Return what is wrong between the keys of TLS and of the login."""
        if not self.tls:
            names = ("ca", "tls_server_name", "certificate", "private_key")
            for name in (name for name in names if getattr(self, name) is not None):
                yield Fault((name,), f"{name} needs tls = true")
        if (self.certificate is None) != (self.private_key is None):
            name = "certificate" if self.certificate else "private_key"
            yield Fault((name,), "certificate and private_key go together")
        yield from self._login_faults()

    def _login_faults(self) -> Iterator[Fault]:
        given = [n for n in ("password_env", "password_file") if getattr(self, n) is not None]
        if len(given) == 2:
            yield Fault((given[1],), "the password comes from password_env or password_file")
        if given and self.username is None:
            yield Fault((given[0],), f"{given[0]} needs username")
        if given and not self.tls and not self.allow_plain_password:
            yield Fault(
                (given[0],),
                "a password without tls = true can be read by all on the network; "
                "allow_plain_password = true sends it all the same",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class MqttSource(BrokerTable):
    """One MQTT broker whose messages are JSON."""

    share: str | None = field(
        default=None,
        metadata=form(_group, "group of gateways that share the messages, each seeing a part"),
    )
    max_payload_kb: int = field(
        default=1024,
        metadata=number(at_least=1, at_most=262_144, about="a larger message is refused"),
    )
    watch_broker: bool = field(
        default=True, metadata=plain("read from $SYS whether the broker drops messages")
    )
    tags: tuple[MqttTag, ...] = field(default=(), metadata=tables("tag"))
    templates: tuple[MqttTemplate, ...] = field(default=(), metadata=tables("template"))
    records: tuple[MqttRecord, ...] = field(default=(), metadata=tables("record"))

    def advice(self) -> Iterator[str]:
        """Return how the broker must be set so that it drops nothing."""
        yield ADVICE

    def faults(self) -> Iterator[Fault]:
        """Return what is wrong between keys that are right one by one."""
        yield from BrokerTable.faults(self)
        rules: tuple[tuple[str, tuple[ValueTable | MqttRecord, ...]], ...] = (
            ("tag", self.tags),
            ("template", self.templates),
            ("record", self.records),
        )
        for table, found in rules:
            for index, rule in enumerate(found):
                if self.share is not None and rule.sequence is not None:
                    yield Fault(
                        (table, index, "sequence"),
                        "sequence needs every message, and with share others get a part of them",
                    )
                if isinstance(rule, ValueTable):
                    for key, why in rule.wrong():
                        yield Fault((table, index, key), f"{key}: {why}")
