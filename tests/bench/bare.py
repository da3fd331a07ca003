"""The least that anybody could do with the same feed, in a process of its own.

`python -m tests.bench.bare mqtt|opcua PORT VALUES NODES` takes so many values and prints the
seconds of CPU that it took: a paho callback that parses, or an asyncua subscription whose handler
does nothing but count.
"""

import asyncio
import json
import sys
import threading
import time
from typing import Any

from asyncua import ua
from asyncua.client.client import Client as OpcuaClient
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from tests.bench.feeds import NAMESPACE

_MOST_S = 900.0


def mqtt(port: int, values: int) -> float:
    """Parse messages until they held so many values."""
    seen = 0
    done = threading.Event()

    def on_message(_client: Client, _data: Any, message: MQTTMessage) -> None:
        nonlocal seen
        seen += len(json.loads(message.payload)["data"])
        if seen >= values:
            done.set()

    client = Client(CallbackAPIVersion.VERSION2)
    client.on_message = on_message
    client.connect("127.0.0.1", port)
    client.subscribe("bench/+/values", qos=1)
    client.loop_start()
    print("ready", flush=True)
    begin_s = time.process_time()
    assert done.wait(_MOST_S), f"only {seen} of {values} values came"
    used_s = time.process_time() - begin_s
    client.disconnect()
    client.loop_stop()
    return used_s


class _Counter:
    def __init__(self) -> None:
        self.seen = 0

    def datachange_notification(self, _node: Any, _value: Any, _data: Any) -> None:
        self.seen += 1


async def opcua(port: int, values: int, nodes: int) -> float:
    """Count notifications until there were so many beside the first of each node."""
    counter = _Counter()
    async with OpcuaClient(f"opc.tcp://127.0.0.1:{port}") as client:
        index = await client.get_namespace_index(NAMESPACE)
        subscription = await client.create_subscription(100, counter)
        found = [client.get_node(f"ns={index};s=v{number}") for number in range(nodes)]
        await subscription.subscribe_data_change(
            found, queuesize=100, monitoring=ua.MonitoringMode.Reporting
        )
        deadline_s = time.monotonic() + _MOST_S
        while counter.seen < nodes and time.monotonic() < deadline_s:
            await asyncio.sleep(0.05)
        print("ready", flush=True)
        begin_s = time.process_time()
        while counter.seen < nodes + values and time.monotonic() < deadline_s:
            await asyncio.sleep(0.05)
        assert counter.seen >= nodes + values, f"only {counter.seen} values came"
        return time.process_time() - begin_s


def main(arguments: list[str]) -> None:
    """Take what the first word says."""
    what, port, values, nodes = arguments
    if what == "mqtt":
        print(mqtt(int(port), int(values)), flush=True)
    else:
        print(asyncio.run(opcua(int(port), int(values), int(nodes))), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
