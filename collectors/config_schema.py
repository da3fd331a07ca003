"""The tables of a gateway file: one dataclass each, with what every key may hold.

A field is a key. Its type is the TOML type; its metadata narrow it: `choices` lists the words
that are allowed, `at_least` and `at_most` bound a number, `form` returns what is wrong with a
text or None, and `table` names the sub-tables that fill a tuple. A key without default must be
there. Units stand in the names: `_s` seconds, `_ms` milliseconds, `_mb` megabytes.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

RegisterType = Literal[
    "uint16", "int16", "uint32", "int32", "float32", "uint64", "int64", "float64"
]
RegisterOrder = Literal["ABCD", "CDAB", "BADC", "DCBA"]
RegisterTable = Literal["holding", "input"]

# Spelt as in the monitoring plan; "1" is a plain number.
UNITS = (
    "1", "%", "count", "kWh", "MWh", "Wh", "kvarh", "kW", "W", "kvar", "kVA", "V", "A", "Hz",
    "MJ", "GJ", "m3", "Nm3", "L", "kg", "t", "m3/h", "kg/h", "t/h", "L/min", "°C", "K", "Pa",
    "kPa", "MPa", "bar", "s", "min", "h", "m", "mm", "mm/s", "m/s", "rpm", "ppm", "mg/m3", "%RH",
)  # fmt: skip

_NODE = re.compile(r"(?:nsu=[^;]+;)?(?:i=\d+|s=.+|g=[0-9A-Fa-f-]{36}|b=[A-Za-z0-9+/=]+)")
_PATH = re.compile(r"[^.\s]+(?:\.[^.\s]+)*")


def _number(at_least: float | None = None, at_most: float | None = None) -> dict[str, Any]:
    return {"at_least": at_least, "at_most": at_most}


def _form(judge: Callable[[str], str | None]) -> dict[str, Any]:
    return {"form": judge}


def _choice(*words: str) -> dict[str, Any]:
    return {"choices": words}


def _not_empty(text: str) -> str | None:
    return None if text.strip() else "must not be empty"


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


def _topic(text: str) -> str | None:
    if "+" in text or "#" in text:
        return "must be one topic, without + or #: one tag has one origin"
    return _not_empty(text)


def _topic_filter(text: str) -> str | None:
    levels = text.split("/")
    wrong = any(
        ("#" in level and level != "#") or ("+" in level and level != "+") for level in levels
    )
    if wrong or "#" in levels[:-1]:
        return "must be an MQTT topic filter: + and # fill a whole level, # only the last"
    return _not_empty(text)


def _json_path(text: str) -> str | None:
    return None if _PATH.fullmatch(text) else "must be keys joined by dots, such as data.value"


def _timezone(text: str) -> str | None:
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return "must be a zone of the tz database, such as Asia/Shanghai"
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayTable:
    """[gateway]: who it is; times of business systems without an offset are in its timezone."""

    id: str = field(metadata=_form(_not_empty))
    key: str = field(metadata=_form(_not_empty))
    timezone: str = field(default="Asia/Shanghai", metadata=_form(_timezone))


@dataclass(frozen=True, slots=True, kw_only=True)
class SpoolTable:
    """[spool]: where data wait on disk, and how much of them; the oldest go first."""

    path: str = field(metadata=_form(_not_empty))
    max_mb: float = field(default=512.0, metadata=_number(at_least=1, at_most=1_000_000))
    max_age_days: float = field(default=30.0, metadata=_number(at_least=0.01, at_most=3660))


@dataclass(frozen=True, slots=True, kw_only=True)
class SinkTable:
    """[sink]: where batches go; either url or the name of an environment variable with it."""

    kind: str = field(metadata=_choice("timescale"))
    url: str | None = field(default=None, metadata=_form(_not_empty))
    url_env: str | None = field(default=None, metadata=_form(_not_empty))
    batch_rows: int = field(default=5000, metadata=_number(at_least=1, at_most=100_000))
    batch_seconds: float = field(default=1.0, metadata=_number(at_least=0.05, at_most=3600))


@dataclass(frozen=True, slots=True, kw_only=True)
class TagTable:
    """[[source.tag]]: what every protocol's tag has; the unit is shown, never converted."""

    tag: str = field(metadata=_form(_not_empty))
    unit: str = field(default="1", metadata=_choice(*UNITS))


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceTable:
    """[[source]]: what every protocol's source has."""

    name: str = field(metadata=_form(_not_empty))
    kind: str
    heartbeat_s: float = field(default=60.0, metadata=_number(at_least=1, at_most=86_400))


@dataclass(frozen=True, slots=True, kw_only=True)
class OpcuaTag(TagTable):
    """The address of a value in an OPC UA server."""

    node: str = field(metadata=_form(_opcua_node))


@dataclass(frozen=True, slots=True, kw_only=True)
class OpcuaSource(SourceTable):
    """One OPC UA server, read by subscription."""

    url: str = field(metadata=_form(_opcua_url))
    security: str = field(default="none", metadata=_choice("none"))
    publish_ms: int = field(default=1000, metadata=_number(at_least=50, at_most=60_000))
    timeout_s: float = field(default=5.0, metadata=_number(at_least=0.1, at_most=120))
    tags: tuple[OpcuaTag, ...] = field(default=(), metadata={"table": "tag"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ModbusTag(TagTable):
    """The address of a value in a Modbus unit; addresses count from zero."""

    unit_id: int = field(default=1, metadata=_number(at_least=0, at_most=255))
    table: RegisterTable = "holding"
    address: int = field(metadata=_number(at_least=0, at_most=65_535))
    type: RegisterType
    order: RegisterOrder = "ABCD"
    scale: float = 1.0
    offset: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ModbusSource(SourceTable):
    """One Modbus TCP connection with the units behind it, polled."""

    host: str = field(metadata=_form(_not_empty))
    port: int = field(default=502, metadata=_number(at_least=1, at_most=65_535))
    poll_s: float = field(default=5.0, metadata=_number(at_least=0.05, at_most=86_400))
    timeout_s: float = field(default=2.0, metadata=_number(at_least=0.05, at_most=60))
    tags: tuple[ModbusTag, ...] = field(default=(), metadata={"table": "tag"})


@dataclass(frozen=True, slots=True, kw_only=True)
class MqttTag(TagTable):
    """A value in a JSON message: dotted paths to it and to its time; the whole payload without."""

    topic: str = field(metadata=_form(_topic))
    value: str | None = field(default=None, metadata=_form(_json_path))
    ts: str | None = field(default=None, metadata=_form(_json_path))


@dataclass(frozen=True, slots=True, kw_only=True)
class MqttRecord:
    """[[source.record]]: a JSON message that is a version of a business record."""

    topic: str = field(metadata=_form(_topic_filter))
    kind: str = field(metadata=_form(_not_empty))
    key: str = field(metadata=_form(_json_path))
    at: str = field(metadata=_form(_json_path))


@dataclass(frozen=True, slots=True, kw_only=True)
class MqttSource(SourceTable):
    """One MQTT broker; the client id names the session that the broker keeps while we are away."""

    host: str = field(metadata=_form(_not_empty))
    port: int = field(default=1883, metadata=_number(at_least=1, at_most=65_535))
    client_id: str = field(metadata=_form(_not_empty))
    protocol: Literal["5", "3.1.1"] = "5"
    keepalive_s: int = field(default=10, metadata=_number(at_least=2, at_most=600))
    timeout_s: float = field(default=5.0, metadata=_number(at_least=0.1, at_most=120))
    receive_maximum: int = field(default=1000, metadata=_number(at_least=1, at_most=20_000))
    session_expiry_days: int = field(default=30, metadata=_number(at_least=1, at_most=3660))
    tags: tuple[MqttTag, ...] = field(default=(), metadata={"table": "tag"})
    records: tuple[MqttRecord, ...] = field(default=(), metadata={"table": "record"})


Source = OpcuaSource | ModbusSource | MqttSource

SOURCES: dict[str, type[SourceTable]] = {
    "opcua": OpcuaSource,
    "modbus": ModbusSource,
    "mqtt": MqttSource,
}
