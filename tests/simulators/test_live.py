"""The live servers, asked by real clients and heard through a real broker."""

import asyncio
import json
import signal
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from typing import Any

import numpy as np
import paho.mqtt.client as mqtt
import pytest
from asyncua import ua
from asyncua.client.client import Client
from asyncua.ua.uaerrors import UaStatusCodeError
from paho.mqtt.enums import CallbackAPIVersion
from pymodbus.client import AsyncModbusTcpClient

from deploy.broker import EmbeddedBroker
from simulators import clock, scenarios
from simulators.business_publisher import BusinessPublisher
from simulators.gateway import namespace
from simulators.live import Live, wall_clock_us
from simulators.model import Register
from simulators.plant import Plant
from simulators.serve import main
from simulators.tags import OpcAddress
from tests.support.processes import listening_addresses
from tests.support.waiting import wait_for

DTYPES = {"ABCD": (">", False), "CDAB": (">", True), "BADC": ("<", False), "DCBA": ("<", True)}


# A transmitter of the fibre plant whose clock is ten minutes ahead.
AHEAD_US = {"PK1.vibration": 600 * clock.SECOND_US}


def _value(words: list[int], register: Register) -> float:
    """Decode registers with NumPy, by another way than the simulator encodes them."""
    byte_order, swap = DTYPES[register.order]
    ordered = words[::-1] if swap else words
    data = np.array(ordered, f"{byte_order}u2").tobytes()
    kind = {"uint32": ">u4", "float32": ">f4"}[register.type]
    return float(np.frombuffer(data, kind)[0]) * register.scale


def _row_instant(plant: Plant) -> int:
    """Return the last quarter hour of history."""
    return int(plant.as_of_us // clock.QUARTER_US * clock.QUARTER_US)


class Standing:
    """A live plant whose clock stands at one instant, served from a thread of its own."""

    def __init__(self, plant: Plant, mqtt_port: int) -> None:
        self.plant = plant
        self.now_us = _row_instant(plant)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self.live = Live(plant, lambda: self.now_us)
        self.wait(self.live.start(0, 0, mqtt_port))

    def wait(self, work: Coroutine[Any, Any, Any]) -> None:
        """Run a coroutine on the servers' loop and wait for it."""
        asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=60)

    def close(self) -> None:
        """Stop the servers and the thread."""
        try:
            self.wait(self.live.stop())
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(20)
            self._loop.close()


@pytest.fixture(scope="module", params=["machining", "fibre"])
def standing(request: pytest.FixtureRequest, broker: EmbeddedBroker) -> Iterator[Standing]:
    """Either plant, live at the last quarter hour of its history."""
    found = Standing(request.getfixturevalue(request.param), broker.port)
    yield found
    found.close()


@asynccontextmanager
async def _modbus(live: Live) -> AsyncIterator[AsyncModbusTcpClient]:
    client = AsyncModbusTcpClient("127.0.0.1", port=live.ports.modbus)
    assert await client.connect()
    try:
        yield client
    finally:
        client.close()


def _opcua(live: Live) -> Client:
    return Client(f"opc.tcp://127.0.0.1:{live.ports.opcua}")


def test_opcua_shows_what_history_ends_with_and_a_skewed_clock(
    standing: Standing,
) -> None:
    asyncio.run(_compare_nodes(standing))


async def _compare_nodes(standing: Standing) -> None:
    plant, instant = standing.plant, standing.now_us
    async with _opcua(standing.live) as client:
        space = await client.get_namespace_index(namespace(plant.scenario.name))
        for tag, source in zip(plant.tags, plant.signals, strict=True):
            if not isinstance(tag.address, OpcAddress):
                continue
            node = client.get_node(f"ns={space};s={tag.address.node}")
            shown = await node.read_data_value()
            assert shown.Value is not None
            assert shown.Value.Value == source.at(np.array([instant]))[0], tag.name
            assert shown.Value.VariantType == ua.VariantType[tag.address.kind]
            assert shown.SourceTimestamp is not None
            since = clock.to_us(shown.SourceTimestamp)
            ahead = AHEAD_US.get(tag.name, 0)
            assert abs(since - source.since(instant) - ahead) <= 1, tag.name


def test_opcua_refuses_a_write(standing: Standing) -> None:
    asyncio.run(_write_a_node(standing))


async def _write_a_node(standing: Standing) -> None:
    async with _opcua(standing.live) as client:
        space = await client.get_namespace_index(namespace(standing.plant.scenario.name))
        code = standing.plant.scenario.equipment[0].code
        node = client.get_node(f"ns={space};s={code}.TotalCount")
        with pytest.raises(UaStatusCodeError):
            await node.write_value(0, ua.VariantType.UInt32)


def test_modbus_shows_what_history_ends_with(standing: Standing) -> None:
    asyncio.run(_compare_registers(standing))


async def _compare_registers(standing: Standing) -> None:
    plant, instant = standing.plant, standing.now_us
    async with _modbus(standing.live) as client:
        for tag, source in zip(plant.tags, plant.signals, strict=True):
            if isinstance(tag.address, Register):
                words = await _read(client, tag.address)
                value = source.at(np.array([instant]))[0]
                assert _value(words, tag.address) == pytest.approx(value, rel=1e-12), tag.name


async def _read(client: AsyncModbusTcpClient, register: Register) -> list[int]:
    read = (
        client.read_holding_registers
        if register.table == "holding"
        else client.read_input_registers
    )
    answer = await read(register.address, count=2, device_id=register.unit_id)
    assert not answer.isError()
    return list(answer.registers)


def test_modbus_refuses_what_is_not_there_and_every_write(standing: Standing) -> None:
    asyncio.run(_ask_amiss(standing))


async def _ask_amiss(standing: Standing) -> None:
    meter = standing.plant.scenario.meter[0].energy
    assert meter.table == "holding"
    async with _modbus(standing.live) as client:
        # The register behind a value, the same address in the other table, an unknown unit.
        answers = [
            await client.read_holding_registers(
                meter.address + 2, count=2, device_id=meter.unit_id
            ),
            await client.read_input_registers(meter.address, count=2, device_id=meter.unit_id),
            await client.read_holding_registers(meter.address, count=2, device_id=77),
            await client.write_register(meter.address, 7, device_id=meter.unit_id),
        ]
        assert [answer.isError() for answer in answers] == [True] * 4


def test_a_cut_network_comes_back_on_the_same_ports(standing: Standing) -> None:
    before = standing.live.ports
    standing.wait(standing.live.toggle_link())
    for port in (before.opcua, before.modbus):
        assert not listening_addresses(port)
    standing.wait(standing.live.toggle_link())
    assert standing.live.ports == before
    asyncio.run(_compare_registers(standing))
    for port in (before.opcua, before.modbus):
        # 127.0.0.1 as the kernel prints it.
        assert listening_addresses(port) == {"0100007F"}


@contextmanager
def _listening(port: int, topic: str) -> Iterator[list[tuple[str, dict[str, Any]]]]:
    heard: list[tuple[str, dict[str, Any]]] = []
    subscribed = threading.Event()
    client = mqtt.Client(CallbackAPIVersion.VERSION2)
    client.on_message = lambda _client, _data, message: heard.append(
        (message.topic, json.loads(message.payload))
    )
    client.on_subscribe = lambda *_arguments: subscribed.set()
    client.connect("127.0.0.1", port)
    client.loop_start()
    try:
        client.subscribe(topic, qos=1)
        assert subscribed.wait(10)
        yield heard
    finally:
        client.disconnect()
        client.loop_stop()


def test_events_are_published_once_in_order_as_their_time_comes(
    fibre: Plant, broker: EmbeddedBroker
) -> None:
    expected = [event for event in fibre.events if event.sent_us >= fibre.as_of_us]
    later_us = expected[20].sent_us
    count = sum(event.sent_us <= later_us for event in expected)
    with _listening(broker.port, "plant/fibre/#") as heard:
        publisher = BusinessPublisher(fibre, fibre.as_of_us)
        publisher.start(broker.port)
        try:

            def heard_bodies() -> list[dict[str, Any]]:
                return [body for topic, body in heard if not topic.endswith("/status")]

            def publish(now_us: int) -> bool:
                publisher.publish_due(now_us)
                return len(heard_bodies()) >= 5

            wait_for(lambda: publish(fibre.as_of_us), "the last five events before as_of")
            publisher.publish_due(later_us)
            wait_for(lambda: len(heard_bodies()) >= 5 + count, "the events up to the later time")
            wait_for(lambda: len(heard) >= 5 + count + 6, "two statuses of three systems")
        finally:
            publisher.stop()
    assert heard_bodies()[5:] == [event.body for event in expected[:count]]
    statuses = {topic for topic, body in heard if body.get("online") == 1}
    assert statuses == {f"plant/fibre/{system}/status" for system in ("erp", "mes", "wms")}


@pytest.mark.parametrize("name", scenarios.names())
def test_the_command_serves_until_it_is_told_to_stop(name: str, broker: EmbeddedBroker) -> None:
    as_of = clock.to_datetime(wall_clock_us()) - timedelta(hours=30)
    command = [sys.executable, "-m", "simulators.serve", "--scenario", name]
    command += ["--as-of", as_of.isoformat(), "--mqtt-port", str(broker.port)]
    with (
        _listening(broker.port, f"plant/{name}/#") as heard,
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process,
    ):
        try:
            assert process.stdout is not None
            ready = json.loads(process.stdout.readline())
            assert ready["ready"] is True
            wait_for(lambda: any(topic.endswith("status") for topic, _ in heard), "a status")
            asyncio.run(_see_a_change(name, ready["opcua_port"]))
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=20) == 0


async def _see_a_change(name: str, port: int) -> None:
    async with Client(f"opc.tcp://127.0.0.1:{port}") as client:
        space = await client.get_namespace_index(namespace(name))
        code = "M01" if name == "machining" else "SP1"
        shown = await client.get_node(f"ns={space};s={code}.State").read_data_value()
        assert shown.StatusCode is not None
        assert shown.StatusCode.is_good()


def test_the_command_says_in_one_line_what_is_wrong(
    free_port: int, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--scenario", "fibre", "--as-of", "2026-03-10T10:00:00", "--mqtt-port"]
    with pytest.raises(SystemExit):
        main([*arguments, str(free_port)])
    assert "give the offset too" in capsys.readouterr().err
