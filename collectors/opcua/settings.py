"""The keys of an OPC UA source."""

import re
from dataclasses import dataclass, field

from collectors.config.fields import SourceTable, TagTable, choice, form, number

_NODE = re.compile(r"(?:nsu=[^;]+;)?(?:i=\d+|s=.+|g=[0-9A-Fa-f-]{36}|b=[A-Za-z0-9+/=]+)")


def _opcua_url(text: str) -> str | None:
    ok = re.fullmatch(r"opc\.tcp://[^\s/:]+(:\d+)?(/\S*)?", text)
    return None if ok else "must look like opc.tcp://HOST:PORT"


def _opcua_node(text: str) -> str | None:
    if text.startswith("ns="):
        return (
            "names a namespace by its number, which changes with the server's configuration; "
            "write nsu=NAMESPACE-URI;s=… instead"
        )
    return None if _NODE.fullmatch(text) else "must look like nsu=NAMESPACE-URI;s=NAME or i=NUMBER"


@dataclass(frozen=True, slots=True, kw_only=True)
class OpcuaTag(TagTable):
    """The address of a value in an OPC UA server."""

    node: str = field(metadata=form(_opcua_node))


@dataclass(frozen=True, slots=True, kw_only=True)
class OpcuaSource(SourceTable):
    """One OPC UA server, read by subscription."""

    url: str = field(metadata=form(_opcua_url))
    security: str = field(default="none", metadata=choice("none"))
    publish_ms: int = field(default=1000, metadata=number(at_least=50, at_most=60_000))
    timeout_s: float = field(default=5.0, metadata=number(at_least=0.1, at_most=120))
    tags: tuple[OpcuaTag, ...] = field(default=(), metadata={"table": "tag"})
