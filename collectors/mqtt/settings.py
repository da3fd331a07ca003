"""The keys of an MQTT source."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from collectors.config.fields import (
    Fault,
    SourceTable,
    TagTable,
    choice,
    form,
    json_path,
    not_empty,
    number,
    plain,
)
from store.record_kinds import KINDS


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

    topic: str = field(metadata=form(_topic_filter, "topic filter of the messages"))
    kind: str = field(metadata=choice(*KINDS, about="what the messages are; see the record kinds"))
    key: str | None = field(
        default=None,
        metadata=form(json_path, "path of the natural key, in place of the schema's own"),
    )
    at: str | None = field(
        default=None,
        metadata=form(json_path, "path of the business time, in place of the schema's own"),
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
    username: str | None = field(
        default=None, metadata=form(not_empty, "user name at the broker; anonymous without it")
    )
    password_env: str | None = field(
        default=None, metadata=form(not_empty, "environment variable that holds the password")
    )
    password_file: str | None = field(
        default=None, metadata=form(not_empty, "file that holds the password, beside this one")
    )
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

    tags: tuple[MqttTag, ...] = field(default=(), metadata={"table": "tag"})
    records: tuple[MqttRecord, ...] = field(default=(), metadata={"table": "record"})
