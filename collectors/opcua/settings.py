"""The keys of an OPC UA source."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from collectors import states
from collectors.config.fields import (
    Fault,
    SourceTable,
    TagTable,
    choice,
    form,
    judged,
    not_empty,
    number,
    plain,
    tables,
)
from collectors.config.shared import PARSE, PASSWORD_ENV, PASSWORD_FILE, STATES, USERNAME
from collectors.opcua.profiles import AUTO, names

_NODE = re.compile(r"(?:nsu=[^;]+;)?(?:i=\d+|s=.+|g=[0-9A-Fa-f-]{36}|b=[A-Za-z0-9+/=]+)")
_FINGERPRINT = re.compile(r"[0-9A-Fa-f]{64}")

POLICIES = ("Basic256Sha256", "Aes128Sha256RsaOaep", "Aes256Sha256RsaPss")
NO_SECURITY = "none"


def _opcua_url(text: str) -> str | None:
    ok = re.fullmatch(r"opc\.tcp://[^\s/:@]+(:\d+)?(/\S*)?", text)
    return None if ok else "must look like opc.tcp://HOST:PORT"


def _opcua_node(text: str) -> str | None:
    if text.startswith("ns="):
        return (
            "names a namespace by its number, which changes with the server's configuration; "
            "write nsu=NAMESPACE-URI;s=… instead"
        )
    return None if _NODE.fullmatch(text) else "must look like nsu=NAMESPACE-URI;s=NAME or i=NUMBER"


def _opcua_nodes(raw: Any) -> str | None:
    if not isinstance(raw, list) or not all(isinstance(one, str) for one in raw):
        return "must be a list of nodes in quotes"
    return next((wrong for one in raw if (wrong := _opcua_node(one))), None)


def fingerprint(text: str) -> str:
    """Return a fingerprint in the form that is compared: 64 lower-case hexadecimal digits."""
    return text.replace(":", "").replace(" ", "").lower()


def _fingerprint(text: str) -> str | None:
    ok = _FINGERPRINT.fullmatch(fingerprint(text))
    return None if ok else "must be the SHA-256 of the certificate: 64 hexadecimal digits"


@dataclass(frozen=True, slots=True, kw_only=True)
class OpcuaTag(TagTable):
    """The address of a value in an OPC UA server, and how it becomes a number."""

    node: str = field(metadata=form(_opcua_node, about="address, its namespace by URI: nsu=…;s=…"))
    index: int | None = field(
        default=None,
        metadata=number(0, 1_000_000, about="element of an array, counted from zero"),
    )
    states: str | Mapping[str, int] | None = field(default=None, metadata=STATES)
    mode_node: str | None = field(
        default=None,
        metadata=form(_opcua_node, about='operation mode, for states = "machinery"'),
    )
    outer_nodes: Sequence[str] = field(
        default=(),
        metadata=judged(
            _opcua_nodes,
            about="state machines around the one of node, from inside out; the outermost one "
            "whose state is in states counts",
        ),
    )
    member: str | None = field(
        default=None,
        metadata=form(not_empty, about="number inside a structure: AccCount of a PackML count"),
    )
    parse: str | None = field(default=None, metadata=PARSE)

    @property
    def nodes(self) -> tuple[str, ...]:
        """The addresses that the value is made of."""
        if self.mode_node is not None:
            return self.node, self.mode_node
        return self.node, *self.outer_nodes

    def fault(self) -> tuple[str, str] | None:
        """Return the key that contradicts another one, and why."""
        if self.states is not None and self.parse is not None:
            return "parse", "parse stands beside states; a value becomes a number in one way"
        if self.states == states.COMBINED and self.mode_node is None:
            return "states", (
                'states = "machinery" needs mode_node, the operation mode; '
                'without one write states = "machinery_item_state"'
            )
        if self.mode_node is not None and self.states != states.COMBINED:
            return "mode_node", 'mode_node is for states = "machinery" alone'
        if self.outer_nodes and (self.states is None or self.mode_node is not None):
            return "outer_nodes", "outer_nodes needs states, and stands without mode_node"
        if self.member is not None and self.states is not None:
            return "member", "member is a number already; it stands without states"
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpcuaSource(SourceTable):
    """One OPC UA server, read by subscription or polled."""

    url: str = field(metadata=form(_opcua_url, about="address, opc.tcp://HOST:PORT"))
    security: str = field(
        metadata=choice(NO_SECURITY, *POLICIES, about="policy of the connection; none only if told")
    )
    security_mode: str = field(
        default="SignAndEncrypt",
        metadata=choice("SignAndEncrypt", "Sign", about="what a policy does with messages"),
    )
    certificate: str | None = field(
        default=None,
        metadata=form(not_empty, about="the gateway's certificate, PEM or DER; made if not given"),
    )
    private_key: str | None = field(
        default=None, metadata=form(not_empty, about="its private key, PEM or DER")
    )
    server_certificate: str | None = field(
        default=None,
        metadata=form(not_empty, about="file with the only certificate that is accepted"),
    )
    server_fingerprint: str | None = field(
        default=None,
        metadata=form(_fingerprint, about="SHA-256 of the only certificate that is accepted"),
    )
    username: str | None = field(default=None, metadata=USERNAME)
    password_env: str | None = field(default=None, metadata=PASSWORD_ENV)
    password_file: str | None = field(default=None, metadata=PASSWORD_FILE)
    allow_plain_password: bool = field(
        default=False, metadata=plain('lets a password leave with security = "none"')
    )
    user_certificate: str | None = field(
        default=None, metadata=form(not_empty, about="login by certificate, PEM or DER")
    )
    user_private_key: str | None = field(
        default=None, metadata=form(not_empty, about="its private key, PEM or DER")
    )
    profile: str = field(
        default=AUTO,
        metadata=choice(AUTO, *names(), about="what the server can bear; auto asks its build info"),
    )
    mode: str = field(
        default="auto",
        metadata=choice(
            "auto", "subscribe", "poll", about="auto polls what the server cannot subscribe"
        ),
    )
    poll_s: float = field(
        default=5.0, metadata=number(0.05, 86_400, about="how often polled nodes are read")
    )
    publish_ms: int = field(
        default=1000, metadata=number(50, 60_000, about="how often the server reports changes")
    )
    timeout_s: float = field(
        default=5.0, metadata=number(0.1, 120, about="longest wait for an answer")
    )
    tags: tuple[OpcuaTag, ...] = field(default=(), metadata=tables("tag"))

    @property
    def is_secure(self) -> bool:
        """Whether messages are signed."""
        return self.security != NO_SECURITY

    @property
    def has_password(self) -> bool:
        """Whether a password belongs to the login."""
        return self.password_env is not None or self.password_file is not None

    def faults(self) -> Iterator[Fault]:
        """Return the keys that miss their counterpart or contradict another one."""
        yield from self._incomplete()
        yield from self._contradictory()
        for index, tag in enumerate(self.tags):
            if fault := tag.fault():
                yield Fault(("tag", index, fault[0]), fault[1])

    def _incomplete(self) -> Iterator[Fault]:
        for one, other in (
            ("certificate", "private_key"),
            ("user_certificate", "user_private_key"),
        ):
            for key, missing in ((one, other), (other, one)):
                if getattr(self, key) is not None and getattr(self, missing) is None:
                    yield Fault((key,), f"{key} needs {missing} beside it")
        for key in ("password_env", "password_file"):
            if getattr(self, key) is not None and self.username is None:
                yield Fault((key,), f"{key} needs username beside it")

    def _contradictory(self) -> Iterator[Fault]:
        for one, other in (
            ("server_certificate", "server_fingerprint"),
            ("password_env", "password_file"),
            ("username", "user_certificate"),
        ):
            if getattr(self, one) is not None and getattr(self, other) is not None:
                yield Fault((other,), f"{other} stands beside {one}; keep one of them")
        if self.is_secure:
            return
        for key in ("certificate", "server_certificate", "server_fingerprint"):
            if getattr(self, key) is not None:
                yield Fault((key,), f'{key} has no effect with security = "none"; name a policy')
        if self.has_password and not self.allow_plain_password:
            yield Fault(
                ("security",),
                'security = "none" may send the password readable by anyone on the network; name a '
                "policy, or write allow_plain_password = true where that is acceptable",
            )
