"""Which adapter reads which kind of source: the one place that knows all protocols."""

from zoneinfo import ZoneInfo

from collectors.adapter import Adapter
from collectors.config_schema import ModbusSource, MqttSource, OpcuaSource, Source
from collectors.modbus import ModbusAdapter
from collectors.mqtt import MqttAdapter
from collectors.opcua import OpcuaAdapter


def adapter_for(source: Source, zone: ZoneInfo, *, probing: bool = False) -> Adapter:
    """Return the adapter of a source; a probing one leaves no trace at the source."""
    match source:
        case OpcuaSource():
            return OpcuaAdapter(source)
        case ModbusSource():
            return ModbusAdapter(source)
        case MqttSource():
            return MqttAdapter(source, zone, probing=probing)
