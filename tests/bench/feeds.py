"""What the collector is fed with, as processes of their own: `python -m tests.bench.feeds WHAT …`.

Every value is a number that counts up, and every tag gets each number once, so that a missing
value shows. Each process prints `ready`, waits for a line on its standard input, feeds, and prints
how many values it gave.
"""

import asyncio
import json
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from asyncua import ua
from asyncua.server.internal_subscription import InternalSubscription
from asyncua.server.server import Server
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

NAMESPACE = "urn:example:bench"
START = datetime(2026, 3, 1, tzinfo=UTC)
START_MS = int(START.timestamp() * 1000)
MACHINES = 20
_IN_FLIGHT = 2000
_PART = 100
_NODES_PER_FOLDER = 200


def message(number: int, values: int) -> tuple[str, str]:
    """Return topic and payload of a message: the next `values` numbers of one of the machines."""
    turn, machine = divmod(number, MACHINES)
    data = {f"v{place:02}": turn + 0.25 for place in range(values)}
    return f"bench/m{machine:02}/values", json.dumps({"t": START_MS + turn, "data": data})


def mqtt(port: int, per_second: float, seconds: float, values: int) -> int:
    """Publish messages at QoS 1 at a steady rate."""
    client = Client(CallbackAPIVersion.VERSION2)
    client.max_inflight_messages_set(_IN_FLIGHT)
    client.max_queued_messages_set(_IN_FLIGHT)
    client.connect("127.0.0.1", port)
    client.loop_start()
    _await_start()
    sent, begin = 0, time.monotonic()
    last = None
    while sent < per_second * seconds:
        due = min(int((time.monotonic() - begin) * per_second) + 1, int(per_second * seconds))
        for number in range(sent, due):
            topic, payload = message(number, values)
            while (last := client.publish(topic, payload, qos=1)).rc != 0:
                time.sleep(0.001)
        sent = due
        time.sleep(0.005)
    if last is not None:
        last.wait_for_publish(60)
    client.disconnect()
    client.loop_stop()
    return sent * values


async def opcua(port: int, per_second: float, seconds: float, nodes: int) -> int:
    """Serve nodes and count each up in turn at a steady rate."""
    server = Server()
    await server.init()
    server.set_endpoint(f"opc.tcp://127.0.0.1:{port}")
    server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
    index = await server.register_namespace(NAMESPACE)
    ids = [ua.NodeId.from_string(f"ns={index};s=v{number}") for number in range(nodes)]
    folder = server.nodes.objects
    for number, node in enumerate(ids):
        # In one folder the library compares each new name with all before it.
        if number % _NODES_PER_FOLDER == 0:
            folder = await server.nodes.objects.add_folder(index, f"folder{number}")
        await folder.add_variable(node, f"{index}:v{number}", ua.Variant(-1.0))
    await server.start()
    try:
        await asyncio.to_thread(_await_start)
        given = await _count_up(server, nodes, per_second, seconds)
        # Whoever reads has to have it all before the server goes.
        await asyncio.to_thread(sys.stdin.readline)
        return given
    finally:
        await server.stop()


async def _count_up(server: Server, nodes: int, per_second: float, seconds: float) -> int:
    """Give every node's subscribers the next number in turn; slower where this machine cannot.

    The numbers go straight into the queues of the monitored items: writing each into the address
    space first would cost this server more than ten times what sending it costs. A full queue is
    waited for, so that what is missing in the end was not lost here.
    """
    turns, begin = int(per_second * seconds / nodes), time.monotonic()
    good = ua.StatusCode(ua.UInt32(0))
    given = 0
    for turn in range(turns):
        at = START + timedelta(milliseconds=turn)
        moment = ua.DateTime.fromisoformat(at.isoformat())
        data = ua.DataValue(
            ua.Variant(float(turn)), good, SourceTimestamp=moment, ServerTimestamp=moment
        )
        for subscription in list(server.iserver.subscription_service.subscriptions.values()):
            given += await _notify(subscription, data, (given, per_second, begin))
    print(json.dumps({"given": given, "seconds": time.monotonic() - begin}), flush=True)
    return given


async def _notify(
    subscription: InternalSubscription, data: ua.DataValue, pace: tuple[int, float, float]
) -> int:
    """Give one value to all items of a subscription, in parts; return to how many."""
    before, per_second, begin = pace
    items = list(subscription.monitored_item_srv._monitored_items.items())
    for place, (number, item) in enumerate(items):
        if place % _PART == 0:
            ahead_s = (before + place) / per_second - (time.monotonic() - begin)
            await asyncio.sleep(max(ahead_s, 0.0))
        while len(subscription._triggered_datachanges.get(number, ())) >= item.queue_size:
            await asyncio.sleep(0.01)
        notification = ua.MonitoredItemNotification(item.client_handle, data)
        await subscription.enqueue_datachange_event(number, notification, item.queue_size)
    return len(items)


def _await_start() -> None:
    print("ready", flush=True)
    sys.stdin.readline()


def main(arguments: list[str]) -> None:
    """Feed what the first word says, with the numbers behind it."""
    what, port, per_second, seconds, size = arguments
    numbers = (int(port), float(per_second), float(seconds), int(size))
    ways: dict[str, Callable[[], int]] = {
        "mqtt": lambda: mqtt(*numbers),
        "opcua": lambda: asyncio.run(opcua(*numbers)),
    }
    print(ways[what](), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
