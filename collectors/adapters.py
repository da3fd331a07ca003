"""Which adapter reads which kind of source: the one place that knows all protocols."""

from collectors.adapter import Adapter
from collectors.config.schema import Source
from collectors.context import Context
from collectors.files.adapter import FilesAdapter
from collectors.files.settings import FilesSource
from collectors.http.adapter import HttpAdapter
from collectors.http.settings import HttpSource
from collectors.modbus.adapter import ModbusAdapter
from collectors.modbus.settings import ModbusSource
from collectors.mqtt.adapter import MqttAdapter
from collectors.mqtt.settings import MqttSource
from collectors.opcua.adapter import OpcuaAdapter
from collectors.opcua.settings import OpcuaSource
from collectors.sparkplug.adapter import SparkplugAdapter
from collectors.sparkplug.settings import SparkplugSource


def adapter_for(source: Source, context: Context) -> Adapter:
    """Return the adapter of a source."""
    match source:
        case OpcuaSource():
            return OpcuaAdapter(source, context)
        case ModbusSource():
            return ModbusAdapter(source, context)
        case MqttSource():
            return MqttAdapter(source, context)
        case SparkplugSource():
            return SparkplugAdapter(source, context)
        case HttpSource():
            return HttpAdapter(source, context)
        case FilesSource():
            return FilesAdapter(source, context)
