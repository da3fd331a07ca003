"""Sparkplug B at a real broker, with edge nodes that share no code with the host."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import pytest
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from collectors import status
from collectors.errors import SourceError
from collectors.sample import Delivery
from collectors.sparkplug.adapter import SparkplugAdapter
from collectors.sparkplug.settings import SparkplugSource, SparkplugTag, SparkplugTemplate
from deploy.broker import EmbeddedBroker
from tests.collectors.proxy import Proxy, proxied
from tests.collectors.receiving import (
    failure_of,
    opened,
    paho_threads,
    receive_until,
    samples_of,
)
from tests.collectors.servers import loop_thread
from tests.collectors.sparkplug.edge_node import (
    INT32,
    EdgeNode,
    metric,
    raw_int,
    say_nothing,
    time_ms,
)
from tests.collectors.surroundings import context
from tests.support.waiting import wait_for

GOOD, UNCERTAIN, LOST = status.GOOD, status.UNCERTAIN, status.BAD_NO_COMMUNICATION
LISTENING_S = 60.0
Row = tuple[str, float | None, int]
BORN_AGAIN: Row = ("speed", 5.0, GOOD)


@pytest.fixture(autouse=True)
def _no_thread_is_left() -> Iterator[None]:
    yield
    wait_for(lambda: paho_threads() == [], "the end of paho's threads")


def source(broker: EmbeddedBroker, group: str, **changed: Any) -> SparkplugSource:
    """Return a source of one tag; the group keeps tests apart at the shared broker."""
    tag = SparkplugTag(tag="speed", group=group, node="N", device="D", metric="speed")
    defaults: dict[str, Any] = {"tags": (tag,), "reorder_s": 0.2}
    return SparkplugSource(
        name="edge",
        kind="sparkplug",
        host="127.0.0.1",
        port=broker.port,
        client_id=f"test-{group}",
        **(defaults | changed),
    )


def rows(deliveries: list[Delivery]) -> list[Row]:
    """Return tags, values and status of all samples."""
    return [(one.tag, one.value, one.status) for one in samples_of(deliveries)]


async def rows_until(adapter: SparkplugAdapter, count: int) -> list[Row]:
    """Receive, and store as the gateway does, until so many samples have come."""
    found = await receive_until(adapter, lambda seen: len(rows(seen)) >= count, f"{count} samples")
    for one in found:
        if one.stored is not None:
            one.stored()
    return rows(found)


async def listening(adapter: SparkplugAdapter, broker: EmbeddedBroker, group: str) -> None:
    """Wait until the broker serves the adapter's topics: QoS 0 keeps nothing for it before."""
    deadline = time.monotonic() + LISTENING_S
    while not (await adapter.receive()).refused:
        assert time.monotonic() < deadline, "the broker does not serve the topics"
        await asyncio.to_thread(say_nothing, broker.port, group)


def give_birth(node: EdgeNode, value: int = -12) -> None:
    """Publish the births of the node and of its device."""
    node.birth()
    node.send("DBIRTH", [metric("speed", value, INT32, alias=1, ts_ms=time_ms())], "D")


def send(node: EdgeNode, value: int) -> None:
    """Publish a value by its alias alone."""
    node.send("DDATA", [metric(value=raw_int(value & 0xFFFF_FFFF), alias=1)], "D")


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_births_data_and_the_will_of_an_edge_node(
    broker: EmbeddedBroker, tmp_path: Path, protocol: Literal["5", "3.1.1"]
) -> None:
    group = f"births-{protocol}"

    async def run() -> list[Row]:
        adapter = SparkplugAdapter(source(broker, group, protocol=protocol), context(tmp_path))
        async with opened(adapter):
            await listening(adapter, broker, group)
            with EdgeNode(broker.port, group, "N", bd=3) as node:
                give_birth(node)
                send(node, -13)
                found = await rows_until(adapter, 2)
                node.drop()
                return found + await rows_until(adapter, 1)

    assert asyncio.run(run()) == [
        ("speed", -12.0, GOOD),
        ("speed", -13.0, GOOD),
        ("speed", None, LOST),
    ]


def test_a_restart_in_the_middle_of_a_session_knows_the_aliases(
    broker: EmbeddedBroker, tmp_path: Path
) -> None:
    settings = source(broker, "restart")

    async def part(work: Any) -> list[Row]:
        adapter = SparkplugAdapter(settings, context(tmp_path))
        async with opened(adapter):
            await listening(adapter, broker, "restart")
            work()
            return await rows_until(adapter, 1)

    with EdgeNode(broker.port, "restart", "N") as node:
        assert asyncio.run(part(lambda: give_birth(node))) == [("speed", -12.0, GOOD)]
        assert asyncio.run(part(lambda: send(node, -13))) == [("speed", -13.0, GOOD)]
        send(node, -14)  # while nobody listens
        assert asyncio.run(part(lambda: send(node, -15))) == [("speed", -15.0, UNCERTAIN)]


def test_a_death_while_the_gateway_was_away_is_told_on_its_return(
    broker: EmbeddedBroker, tmp_path: Path
) -> None:
    settings = source(broker, "away")

    async def first(node: EdgeNode) -> list[Row]:
        adapter = SparkplugAdapter(settings, context(tmp_path))
        async with opened(adapter):
            await listening(adapter, broker, "away")
            give_birth(node)
            return await rows_until(adapter, 1)

    async def second() -> list[Row]:
        adapter = SparkplugAdapter(settings, context(tmp_path))
        async with opened(adapter):
            return await rows_until(adapter, 1)

    with EdgeNode(broker.port, "away", "N") as node:
        asyncio.run(first(node))
        node.die()
    assert asyncio.run(second()) == [("speed", None, LOST)]


def test_two_edge_nodes_with_a_device_of_one_name(broker: EmbeddedBroker, tmp_path: Path) -> None:
    template = SparkplugTemplate(tag="{node}.{device}.{metric}", group="two")
    settings = source(broker, "two", tags=(), templates=(template,))

    async def run() -> list[Row]:
        adapter = SparkplugAdapter(settings, context(tmp_path))
        async with opened(adapter):
            await listening(adapter, broker, "two")
            with EdgeNode(broker.port, "two", "A") as a, EdgeNode(broker.port, "two", "B") as b:
                for node, value in ((a, 1), (b, 2)):
                    give_birth(node, value)
                for node, value in ((a, 3), (b, 4)):
                    send(node, value)
                return await rows_until(adapter, 4)

    assert sorted(asyncio.run(run())) == [
        ("A.D.speed", 1.0, GOOD),
        ("A.D.speed", 3.0, GOOD),
        ("B.D.speed", 2.0, GOOD),
        ("B.D.speed", 4.0, GOOD),
    ]


def test_a_gap_is_seen_while_nothing_else_comes(broker: EmbeddedBroker, tmp_path: Path) -> None:
    async def run() -> tuple[list[Row], list[str]]:
        adapter = SparkplugAdapter(source(broker, "gap"), context(tmp_path))
        async with opened(adapter):
            await listening(adapter, broker, "gap")
            with EdgeNode(broker.port, "gap", "N") as node:
                give_birth(node)
                node.skip(3)
                send(node, -13)
                found = await receive_until(adapter, lambda seen: len(rows(seen)) >= 2, "both")
                return rows(found), [note.reason for one in found for note in one.refused]

    found, reasons = asyncio.run(run())
    assert found == [("speed", -12.0, GOOD), ("speed", -13.0, UNCERTAIN)]
    assert reasons == [
        "gap/N: 3 messages were lost; what follows is uncertain until the next birth"
    ]


class Commands:
    """Hears every command and host state that anybody sends to a group."""

    def __init__(self, broker: EmbeddedBroker, group: str) -> None:
        self.heard: list[tuple[str, bytes]] = []
        self._client = Client(CallbackAPIVersion.VERSION2)
        self._client.on_message = self._note
        self._client.connect("127.0.0.1", broker.port)
        topics = (f"spBv1.0/{group}/NCMD/#", f"spBv1.0/{group}/DCMD/#", "spBv1.0/STATE/#")
        self._client.subscribe([(topic, 1) for topic in topics])
        self._client.loop_start()
        wait_for(self._client.is_connected, "the listener's connection")

    def say(self, topic: str) -> None:
        """Publish an empty message, which comes after all that was published before."""
        self._client.publish(topic, b"", qos=1)

    def close(self) -> None:
        """Stop listening."""
        self._client.disconnect()
        self._client.loop_stop()
        # The two refer to each other, and paho closes its last sockets only when it is let go.
        self._client.on_message = None

    def _note(self, _client: Client, _data: Any, message: MQTTMessage) -> None:
        self.heard.append((message.topic, bytes(message.payload)))


def commands_after_two_gaps(
    broker: EmbeddedBroker, folder: Path, group: str, **keys: Any
) -> list[tuple[str, bytes]]:
    """Return what the host sends while a node loses messages twice."""

    async def run() -> None:
        adapter = SparkplugAdapter(source(broker, group, **keys), context(folder))
        async with opened(adapter):
            await listening(adapter, broker, group)
            with EdgeNode(broker.port, group, "N") as node:
                give_birth(node)
                for value in (1, 2):
                    node.skip()
                    send(node, value)
                await rows_until(adapter, 3)
                # A message of the host would be under way before this one comes back.
                send(node, 3)
                await rows_until(adapter, 1)

    with closing(Commands(broker, group)) as commands:
        asyncio.run(run())
        last = f"spBv1.0/{group}/NCMD/end"
        commands.say(last)
        wait_for(lambda: any(topic == last for topic, _ in commands.heard), "the end")
        return [one for one in commands.heard if one[0] != last]


def test_nothing_is_sent_by_default(broker: EmbeddedBroker, tmp_path: Path) -> None:
    assert commands_after_two_gaps(broker, tmp_path, "passive") == []


def test_births_are_asked_for_once_in_a_while_where_it_is_allowed(
    broker: EmbeddedBroker, tmp_path: Path
) -> None:
    (asked,) = commands_after_two_gaps(broker, tmp_path, "active", rebirth=True)
    topic, data = asked
    assert topic == "spBv1.0/active/NCMD/N"
    # One metric: its name, datatype Boolean (11) and boolean_value true.
    assert b"\x0a\x14Node Control/Rebirth" in data
    assert data.endswith(b"\x20\x0b\x70\x01")


def test_a_broker_that_restarts_costs_no_more_than_the_births_bring_back(
    own_broker: EmbeddedBroker, tmp_path: Path
) -> None:
    async def before() -> tuple[list[Row], Exception]:
        adapter = SparkplugAdapter(source(own_broker, "again"), context(tmp_path))
        async with opened(adapter):
            await listening(adapter, own_broker, "again")
            with EdgeNode(own_broker.port, "again", "N") as node:
                give_birth(node)
                found = await rows_until(adapter, 1)
                await asyncio.to_thread(own_broker.stop)
                return found, await failure_of(adapter)

    async def after() -> Row:
        adapter = SparkplugAdapter(source(own_broker, "again"), context(tmp_path))
        async with opened(adapter):
            await listening(adapter, own_broker, "again")
            with EdgeNode(own_broker.port, "again", "N", bd=1) as node:
                give_birth(node, 5)
                # The broker may have kept the will of the connection that it ended.
                found = await receive_until(
                    adapter, lambda seen: BORN_AGAIN in rows(seen), "the birth's value"
                )
                return rows(found)[-1]

    found, failure = asyncio.run(before())
    assert found == [("speed", -12.0, GOOD)]
    assert isinstance(failure, SparkplugAdapter.errors)
    own_broker.start()
    assert asyncio.run(after()) == BORN_AGAIN


def test_what_was_sent_while_the_network_was_cut_is_missed_and_said(
    broker: EmbeddedBroker, tmp_path: Path
) -> None:
    async def run(proxy: Proxy, settings: SparkplugSource, node: EdgeNode) -> list[Row]:
        adapter = SparkplugAdapter(settings, context(tmp_path))
        async with opened(adapter):
            await listening(adapter, broker, "cut")
            give_birth(node)
            found = await rows_until(adapter, 1)
            await asyncio.to_thread(proxy.down)
            await failure_of(adapter)
        send(node, -13)
        await asyncio.to_thread(proxy.up)
        async with opened(adapter):
            await listening(adapter, broker, "cut")
            send(node, -14)
            return found + await rows_until(adapter, 1)

    with loop_thread() as loop, proxied(loop, broker.url.replace("://", "://x@")) as (proxy, _):
        proxy.up()
        settings = replace(source(broker, "cut"), port=proxy.port)
        with EdgeNode(broker.port, "cut", "N") as node:
            found = asyncio.run(run(proxy, settings, node))
    assert found == [("speed", -12.0, GOOD), ("speed", -14.0, UNCERTAIN)]


def test_what_is_no_sparkplug_is_told_once_and_the_rest_goes_on(
    broker: EmbeddedBroker, tmp_path: Path
) -> None:
    async def run() -> list[Delivery]:
        adapter = SparkplugAdapter(source(broker, "odd"), context(tmp_path))
        async with opened(adapter):
            await listening(adapter, broker, "odd")
            with EdgeNode(broker.port, "odd", "N") as node:
                for _ in range(2):
                    node.publish(node.topic("NDATA"), b"\xff\xff")
                give_birth(node)
                return await receive_until(adapter, lambda seen: bool(rows(seen)), "the birth")

    found = asyncio.run(run())
    assert rows(found) == [("speed", -12.0, GOOD)]
    assert [note.reason for one in found for note in one.refused] == [
        "spBv1.0/odd/NDATA/N: the payload is no Sparkplug B payload"
    ]


def test_a_birth_that_somebody_retained_is_not_believed(
    broker: EmbeddedBroker, tmp_path: Path
) -> None:
    async def run() -> list[Delivery]:
        adapter = SparkplugAdapter(source(broker, "kept"), context(tmp_path))
        async with opened(adapter):
            return await receive_until(adapter, lambda seen: any(one.refused for one in seen), "it")

    with EdgeNode(broker.port, "kept", "N") as node:
        node.publish(node.topic("NBIRTH"), b"\x18\x00", qos=1, retain=True)
        try:
            (note,) = [note for one in asyncio.run(run()) for note in one.refused]
        finally:
            node.publish(node.topic("NBIRTH"), b"", retain=True)
    assert "retained" in note.reason


def test_probing_leaves_no_trace(broker: EmbeddedBroker, tmp_path: Path) -> None:
    settings = source(broker, "probing", rebirth=True)

    async def probe() -> list[Row]:
        adapter = SparkplugAdapter(settings, context(tmp_path, probing=True))
        async with opened(adapter):
            await listening(adapter, broker, "probing")
            with EdgeNode(broker.port, "probing", "N") as node:
                give_birth(node)
                return await rows_until(adapter, 1)

    with closing(Commands(broker, "probing")) as commands:
        assert asyncio.run(probe()) == [("speed", -12.0, GOOD)]
        assert commands.heard == []
    assert list(tmp_path.iterdir()) == []


def test_a_state_folder_that_cannot_be_written_is_told(
    broker: EmbeddedBroker, tmp_path: Path
) -> None:
    (tmp_path / "state").write_text("in the way")

    async def run() -> None:
        async with opened(SparkplugAdapter(source(broker, "full"), context(tmp_path))):
            raise AssertionError("it opened without a memory")

    with pytest.raises(SourceError, match="births cannot be remembered"):
        asyncio.run(run())


def test_topics_that_left_the_file_are_left(broker: EmbeddedBroker, tmp_path: Path) -> None:
    async def listen(settings: SparkplugSource, nodes: list[EdgeNode], count: int) -> list[Row]:
        adapter = SparkplugAdapter(settings, context(tmp_path))
        async with opened(adapter):
            await listening(adapter, broker, "left")
            for node in nodes:
                give_birth(node)
            return await rows_until(adapter, count)

    old = SparkplugTag(tag="old", group="left", node="M", device="D", metric="speed")
    settings = source(broker, "left")
    with EdgeNode(broker.port, "left", "M") as m, EdgeNode(broker.port, "left", "N") as n:
        both = source(broker, "left", tags=(old, *settings.tags))
        asyncio.run(listen(both, [m, n], 2))
        found = asyncio.run(listen(settings, [m, n], 1))
    assert found == [("speed", -12.0, GOOD)]
