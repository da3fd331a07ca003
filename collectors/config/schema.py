"""The tables of a gateway file that are not a protocol's own, and which source is of which kind."""

from dataclasses import dataclass, field

from collectors.config.fields import SourceTable, form, not_empty, number, timezone
from collectors.config.sink import SinkTable as SinkTable
from collectors.files.settings import FilesSource
from collectors.http.settings import HttpSource
from collectors.modbus.settings import ModbusSource
from collectors.mqtt.settings import MqttSource
from collectors.opcua.settings import OpcuaSource
from collectors.sparkplug.settings import SparkplugSource


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayTable:
    """[gateway]: who it is; times of business systems without an offset are in its timezone."""

    id: str = field(metadata=form(not_empty, about="name under which the gateway is enrolled"))
    key: str = field(
        metadata=form(
            not_empty,
            about="file of the private key, made at the first start; paths start at this file",
        )
    )
    timezone: str = field(
        default="Asia/Shanghai",
        metadata=form(timezone, about="of business times without an offset"),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class SpoolTable:
    """[spool]: where data wait on disk, and how much of them; the oldest go first."""

    path: str = field(
        metadata=form(
            not_empty, about="SQLite file that holds data until the sink has acknowledged them"
        )
    )
    max_mb: float = field(
        default=512.0,
        metadata=number(
            at_least=1,
            at_most=1_000_000,
            about="beyond this the oldest data are dropped, counted and reported as a gap",
        ),
    )
    max_age_days: float = field(
        default=30.0, metadata=number(at_least=0.01, at_most=3660, about="the same by age")
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricsTable:
    """[metrics]: Prometheus metrics and /healthz, on this machine's loopback address."""

    port: int = field(
        metadata=number(at_least=0, at_most=65_535, about="of 127.0.0.1; 0 takes a free one")
    )


Source = OpcuaSource | ModbusSource | MqttSource | SparkplugSource | HttpSource | FilesSource

SOURCES: dict[str, type[SourceTable]] = {
    "opcua": OpcuaSource,
    "modbus": ModbusSource,
    "mqtt": MqttSource,
    "sparkplug": SparkplugSource,
    "http": HttpSource,
    "files": FilesSource,
}
