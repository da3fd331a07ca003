"""Which adapter reads which kind of source: the one place that knows all protocols.

A protocol's library is slow to import and takes memory, so a gateway loads those that it speaks.
"""

from collectors.adapter import Adapter
from collectors.config.schema import Source
from collectors.context import Context
from collectors.files.settings import FilesSource
from collectors.http.settings import HttpSource
from collectors.modbus.settings import ModbusSource
from collectors.mqtt.settings import MqttSource
from collectors.opcua.settings import OpcuaSource
from collectors.sparkplug.settings import SparkplugSource


def adapter_for(source: Source, context: Context) -> Adapter:
    """Return the adapter of a source."""
    match source:
        case OpcuaSource():
            from collectors.opcua.adapter import OpcuaAdapter

            return OpcuaAdapter(source, context)
        case ModbusSource():
            from collectors.modbus.adapter import ModbusAdapter

            return ModbusAdapter(source, context)
        case MqttSource():
            from collectors.mqtt.adapter import MqttAdapter

            return MqttAdapter(source, context)
        case SparkplugSource():
            from collectors.sparkplug.adapter import SparkplugAdapter

            return SparkplugAdapter(source, context)
        case HttpSource():
            from collectors.http.adapter import HttpAdapter

            return HttpAdapter(source, context)
        case FilesSource():
            from collectors.files.adapter import FilesAdapter

            return FilesAdapter(source, context)
