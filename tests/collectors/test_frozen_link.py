"""A link that goes dead without a word: the hardest failure to notice, and noticed all the same."""

import asyncio
from collections.abc import Iterator

import pytest
from asyncua import ua

from collectors.adapter import Adapter
from collectors.modbus.adapter import ModbusAdapter
from collectors.modbus.settings import ModbusSource, ModbusTag
from collectors.mqtt.adapter import MqttAdapter
from collectors.mqtt.settings import MqttSource, MqttTag
from collectors.opcua.adapter import OpcuaAdapter
from collectors.opcua.settings import OpcuaSource, OpcuaTag
from deploy.broker import EmbeddedBroker
from tests.collectors.proxy import Proxy
from tests.collectors.receiving import failure_of, opened, receive_until
from tests.collectors.servers import (
    LoopThread,
    loop_thread,
    modbus_server,
    node,
    opcua_server,
)
from tests.collectors.surroundings import context
from tests.support.ports import free_port

HOST = "127.0.0.1"


@pytest.fixture
def loop() -> Iterator[LoopThread]:
    with loop_thread() as running:
        yield running


def failure_when_frozen(adapter: Adapter, proxy: Proxy) -> Exception:
    async def run() -> Exception:
        async with opened(adapter):
            await receive_until(adapter, lambda seen: len(seen) >= 3, "signs of life")
            await asyncio.to_thread(proxy.freeze)
            return await failure_of(adapter)

    proxy.up()
    try:
        return asyncio.run(run())
    finally:
        proxy.down()


def test_opcua(loop: LoopThread) -> None:
    port = free_port()
    proxy = Proxy(loop, HOST, port)
    adapter = OpcuaAdapter(
        OpcuaSource(
            name="line1",
            kind="opcua",
            url=f"opc.tcp://{HOST}:{proxy.port}",
            security="none",
            publish_ms=100,
            timeout_s=2.0,
            tags=(OpcuaTag(tag="x", node=node("X")),),
        ),
        context(),
    )
    with opcua_server(loop, port, {"X": ua.Variant(1.0)}):
        assert isinstance(failure_when_frozen(adapter, proxy), adapter.errors)


def test_modbus(loop: LoopThread) -> None:
    port = free_port()
    proxy = Proxy(loop, HOST, port)
    tag = ModbusTag(tag="x", address=1, type="uint16")
    adapter = ModbusAdapter(
        ModbusSource(
            name="meters",
            kind="modbus",
            host=HOST,
            port=proxy.port,
            poll_s=0.05,
            timeout_s=1.5,
            tags=(tag,),
        ),
        context(),
    )
    with modbus_server(loop, port):
        assert isinstance(failure_when_frozen(adapter, proxy), adapter.errors)


def test_mqtt(loop: LoopThread, broker: EmbeddedBroker) -> None:
    proxy = Proxy(loop, HOST, broker.port)
    adapter = MqttAdapter(
        MqttSource(
            name="business",
            kind="mqtt",
            host=HOST,
            port=proxy.port,
            client_id="frozen",
            keepalive_s=2,
            tags=(MqttTag(tag="x", topic="frozen/x"),),
        ),
        context(),
    )
    assert isinstance(failure_when_frozen(adapter, proxy), adapter.errors)
