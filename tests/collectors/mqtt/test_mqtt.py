"""MQTT against a real broker: what is acknowledged when, and what comes again."""

import asyncio
import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.publish import single

from collectors.adapter import Adapter
from collectors.config.file import load
from collectors.mqtt.adapter import MqttAdapter
from collectors.mqtt.settings import MqttRecord, MqttSource, MqttTag
from collectors.probe import probe
from collectors.sample import Delivery
from deploy.broker import EmbeddedBroker
from tests.collectors.plant import write_file
from tests.collectors.receiving import (
    failure_of,
    opened,
    paho_threads,
    receive_until,
    samples_of,
)
from tests.collectors.surroundings import context
from tests.support.waiting import wait_for

ZONE = ZoneInfo("Asia/Shanghai")
Protocol = Literal["5", "3.1.1"]
MakeAdapter = Callable[..., MqttAdapter]


@pytest.fixture(autouse=True)
def _no_thread_is_left() -> Iterator[None]:
    yield
    wait_for(lambda: paho_threads() == [], "the end of paho's threads")


@pytest.fixture
def adapter(tmp_path: Path) -> MakeAdapter:
    """Makes adapters of one gateway: each remembers what the one before it did."""

    def make(settings: MqttSource, *, probing: bool = False) -> MqttAdapter:
        return MqttAdapter(settings, context(tmp_path, probing=probing))

    return make


def source(
    broker: EmbeddedBroker, name: str, protocol: Protocol = "5", **changed: Any
) -> MqttSource:
    """Return a source whose client id and topics carry the test's name."""
    defaults: dict[str, Any] = {
        "tags": (MqttTag(tag="n", topic=f"{name}/n", value="n", ts="at"),),
        "records": (),
    }
    return MqttSource(
        name="business",
        kind="mqtt",
        host="127.0.0.1",
        port=broker.port,
        client_id=f"test-{name}",
        protocol=protocol,
        **(defaults | changed),
    )


def publish(broker: EmbeddedBroker, topic: str, content: Any, *, retain: bool = False) -> None:
    payload = content if isinstance(content, bytes) else json.dumps(content)
    single(topic, payload, qos=1, retain=retain, hostname="127.0.0.1", port=broker.port)


def numbered(n: int) -> dict[str, Any]:
    return {"n": n, "at": f"2026-03-01T00:00:{n:02}Z"}


def session_exists(adapter: MakeAdapter, settings: MqttSource) -> None:
    """Make the broker know the session, so that it keeps what is published from now on."""

    async def run() -> None:
        wanted = adapter(settings)
        async with opened(wanted):
            await receive_until(wanted, lambda seen: len(seen) > 0, "a sign of life")

    asyncio.run(run())


async def next_message(wanted: Adapter) -> Delivery:
    found = await receive_until(
        wanted, lambda seen: bool(seen) and seen[-1].stored is not None, "a message"
    )
    return found[-1]


def messages_in(found: list[Delivery]) -> int:
    """Return how many messages deliveries will acknowledge."""
    # An adapter may say with one acknowledgement that it has stored many.
    return sum(len(one.stored.args[0]) for one in found if isinstance(one.stored, partial))


def number_of(delivery: Delivery) -> float | None:
    (sample,) = delivery.all_samples()
    return sample.value


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_no_data_is_lost_while_nothing_can_store_it(
    adapter: MakeAdapter, broker: EmbeddedBroker, protocol: Protocol
) -> None:
    """What is received and not stored is not acknowledged, so the broker sends it again."""
    settings = source(broker, f"again-{protocol}", protocol)
    topic = settings.tags[0].topic

    async def first() -> Delivery:
        wanted = adapter(settings)
        async with opened(wanted):
            return await next_message(wanted)

    async def stored() -> Delivery:
        wanted = adapter(settings)
        async with opened(wanted):
            delivery = await next_message(wanted)
            assert delivery.stored is not None
            delivery.stored()
            return delivery

    async def the_second() -> list[Delivery]:
        wanted = adapter(settings)
        async with opened(wanted):
            return await receive_until(
                wanted, lambda seen: 2.0 in {s.value for s in samples_of(seen)}, "message 2"
            )

    session_exists(adapter, settings)
    publish(broker, topic, numbered(1))
    before, again = asyncio.run(first()), asyncio.run(stored())
    publish(broker, topic, numbered(2))
    after = asyncio.run(the_second())
    assert [number_of(one) for one in (before, again)] == [1.0, 1.0]
    # A session that ended before the broker saw its acknowledgement gets message 1 once more.
    assert [sample.value for sample in samples_of(after)] in ([2.0], [1.0, 2.0])
    # The time in the message makes it the same row again.
    assert before.all_samples() == again.all_samples()
    assert before.message is None


def test_a_message_without_a_time_is_known_when_it_comes_again(
    adapter: MakeAdapter, broker: EmbeddedBroker
) -> None:
    settings = source(broker, "known", tags=(MqttTag(tag="n", topic="known/n", value="n"),))

    async def receive() -> Delivery:
        wanted = adapter(settings)
        async with opened(wanted):
            return await next_message(wanted)

    session_exists(adapter, settings)
    publish(broker, "known/n", {"n": 1})
    before, again = asyncio.run(receive()), asyncio.run(receive())
    assert before.message is not None
    assert again.message is not None
    assert (before.message.repeated, again.message.repeated) == (False, True)
    assert before.message.digest == again.message.digest


def test_an_acknowledgement_of_an_old_connection_confirms_nothing(
    adapter: MakeAdapter,
    broker: EmbeddedBroker,
) -> None:
    """Numbers of messages start anew with a new session, so 1 may be another message now."""
    settings = source(broker, "stale")
    topic = settings.tags[0].topic

    async def receive() -> Delivery:
        wanted = adapter(settings)
        async with opened(wanted):
            return await next_message(wanted)

    async def late_acknowledgement(old: Delivery) -> Delivery:
        wanted = adapter(settings)
        async with opened(wanted):
            delivery = await next_message(wanted)
            assert old.stored is not None
            old.stored()
            await receive_until(wanted, lambda seen: len(seen) >= 2, "signs of life")
            return delivery

    session_exists(adapter, settings)
    publish(broker, topic, numbered(1))
    old = asyncio.run(receive())
    forget_session(settings)
    session_exists(adapter, settings)
    publish(broker, topic, numbered(2))
    asyncio.run(late_acknowledgement(old))
    assert number_of(asyncio.run(receive())) == 2.0


def forget_session(settings: MqttSource) -> None:
    client = Client(
        CallbackAPIVersion.VERSION2,
        client_id=settings.client_id,
        protocol=MQTTProtocolVersion.MQTTv5,
    )
    client.connect("127.0.0.1", settings.port or 0, clean_start=True)
    client.loop_start()
    wait_for(client.is_connected, "the connection that ends the session")
    client.disconnect()
    client.loop_stop()


def test_a_broker_that_restarts_loses_nothing(
    adapter: MakeAdapter, own_broker: EmbeddedBroker
) -> None:
    async def until_lost() -> Exception:
        settings = source(own_broker, "restart")
        wanted = adapter(settings)
        async with opened(wanted):
            await receive_until(wanted, lambda seen: len(seen) > 0, "a sign of life")
            await asyncio.to_thread(own_broker.stop)
            return await failure_of(wanted)

    async def after() -> Delivery:
        wanted = adapter(source(own_broker, "restart"))
        async with opened(wanted):
            return await next_message(wanted)

    assert isinstance(asyncio.run(until_lost()), MqttAdapter.errors)
    own_broker.start()
    publish(own_broker, "restart/n", numbered(3))
    own_broker.stop()
    own_broker.start()
    assert number_of(asyncio.run(after())) == 3.0


def test_what_does_not_decode_is_refused_and_the_rest_goes_on(
    adapter: MakeAdapter, broker: EmbeddedBroker
) -> None:
    record = MqttRecord(topic="mixed/+/order", kind="order_line", key="line", at="due")
    settings = source(broker, "mixed", records=(record,))
    contents: list[tuple[str, Any]] = [
        ("mixed/n", b"\xff\x00"),
        ("mixed/n", {"n": "many", "at": "2026-03-01T00:00:00Z"}),
        ("mixed/a/order", {"line": "SO1", "quantity": -3}),
        ("mixed/a/order", {"line": "SO1", "quantity": 3, "due": "1890-01-01"}),
        ("mixed/b/order", {"line": "SO2", "quantity": 3, "due": "2026-03-10"}),
        ("mixed/n", numbered(5)),
    ]
    session_exists(adapter, settings)
    for topic, content in contents:
        publish(broker, topic, content)

    async def run() -> list[Delivery]:
        wanted = adapter(settings)
        async with opened(wanted):
            found = await receive_until(wanted, lambda seen: messages_in(seen) == 6, "all six")
            return [one for one in found if one.stored is not None]

    found = asyncio.run(run())
    assert [refused.reason for one in found for refused in one.refused] == [
        "mixed/n: the payload is not UTF-8",
        "mixed/n: n is a text, not a number or boolean",
        "mixed/a/order: order_line: quantity: -3 is less than 0; "
        "one of due, confirmed must be given",
        "mixed/a/order: order_line: due lies outside the years 1970 to 2200",
    ]
    assert found[0].refused[0].payload == "\\xff\\0"
    assert [(one.kind, one.key) for each in found for one in each.records] == [
        ("order_line", "SO2")
    ]
    assert [sample.value for sample in samples_of(found)] == [None, 5.0]


def both_topics(broker: EmbeddedBroker, name: str) -> MqttSource:
    return source(
        broker,
        name,
        tags=(
            MqttTag(tag="n", topic=f"{name}/n", value="n", ts="at"),
            MqttTag(tag="old", topic=f"{name}/old", value="n", ts="at"),
        ),
    )


def values_in_turn(
    wanted: MqttAdapter, broker: EmbeddedBroker, name: str
) -> tuple[list[float | None], int]:
    """Publish 3 on the old topic, then 4; return the values, and how many messages came."""

    async def run() -> list[Delivery]:
        async with opened(wanted):
            found = await receive_until(wanted, lambda seen: bool(samples_of(seen)), "the tag")
            found += await receive_until(wanted, lambda seen: len(seen) >= 2, "signs of life")
            for topic, n in ((f"{name}/old", 3), (f"{name}/n", 4)):
                await asyncio.to_thread(publish, broker, topic, numbered(n))
            return found + await receive_until(
                wanted, lambda seen: bool(samples_of(seen)), "the next"
            )

    found = asyncio.run(run())
    return [sample.value for sample in samples_of(found)], messages_in(found)


def test_topic_changes_take_effect_while_a_kept_session_lives(
    adapter: MakeAdapter, broker: EmbeddedBroker
) -> None:
    """A kept session holds the subscriptions of the file before, and their messages."""
    session_exists(adapter, both_topics(broker, "left"))
    publish(broker, "left/old", numbered(1))
    publish(broker, "left/n", numbered(2))
    # Message 1 waited and is acknowledged without being kept; message 3 never comes.
    wanted = adapter(source(broker, "left"))
    assert values_in_turn(wanted, broker, "left") == ([2.0, 4.0], 3)


def test_a_subscription_that_nobody_remembers_is_left_when_it_shows(
    broker: EmbeddedBroker, tmp_path: Path
) -> None:
    settings = source(broker, "lazy")
    before = MqttAdapter(both_topics(broker, "lazy"), context(tmp_path / "other"))
    session_exists(lambda _: before, settings)
    publish(broker, "lazy/old", numbered(1))
    publish(broker, "lazy/n", numbered(2))
    wanted = MqttAdapter(settings, context(tmp_path))
    assert values_in_turn(wanted, broker, "lazy") == ([2.0, 4.0], 3)


def test_a_retained_value_without_a_time_is_not_taken_for_a_new_one(
    adapter: MakeAdapter,
    broker: EmbeddedBroker,
) -> None:
    tags = (
        MqttTag(tag="timeless", topic="retained/n", value="n"),
        MqttTag(tag="timed", topic="retained/n", value="n", ts="at"),
    )
    publish(broker, "retained/n", numbered(6), retain=True)

    async def run() -> list[str]:
        wanted = adapter(source(broker, "retained", tags=tags))
        async with opened(wanted):
            return [sample.tag for sample in (await next_message(wanted)).all_samples()]

    assert asyncio.run(run()) == ["timed"]


def test_probing_takes_no_message_from_the_gateway(
    adapter: MakeAdapter, broker: EmbeddedBroker
) -> None:
    settings = source(broker, "probing")

    async def probe() -> Delivery:
        wanted = adapter(settings, probing=True)
        async with opened(wanted):
            await receive_until(wanted, lambda seen: len(seen) > 0, "a sign of life")
            await asyncio.to_thread(publish, broker, "probing/n", numbered(7))
            delivery = await next_message(wanted)
            assert delivery.stored is not None
            delivery.stored()
            return delivery

    async def collect() -> Delivery:
        wanted = adapter(settings)
        async with opened(wanted):
            return await next_message(wanted)

    session_exists(adapter, settings)
    assert number_of(asyncio.run(probe())) == 7.0
    assert number_of(asyncio.run(collect())) == 7.0


def test_the_clock_of_a_source_is_judged_by_new_messages_only(
    adapter: MakeAdapter, broker: EmbeddedBroker
) -> None:
    """What waited at the broker is old because nobody took it, not because a clock is wrong."""
    settings = source(broker, "skew", watch_broker=False)

    async def run() -> tuple[list[Delivery], Delivery]:
        wanted = adapter(settings)
        async with opened(wanted):
            waited = await receive_until(
                wanted, lambda seen: len(seen) >= 2 and bool(samples_of(seen)), "what waited"
            )
            await asyncio.to_thread(publish, broker, "skew/n", numbered(1))
            return waited, await next_message(wanted)

    session_exists(adapter, settings)
    publish(broker, "skew/n", numbered(0))
    waited, fresh = asyncio.run(run())
    assert [sample.value for sample in samples_of(waited)] == [0.0]
    assert [one.skew_s for one in waited] == [None] * len(waited)
    assert fresh.skew_s is not None
    assert fresh.skew_s > 0


def test_nobody_there_is_told(adapter: MakeAdapter, broker: EmbeddedBroker, free_port: int) -> None:
    settings = MqttSource(
        name="x",
        kind="mqtt",
        host="127.0.0.1",
        port=free_port,
        client_id="x",
        tags=(MqttTag(tag="n", topic="n"),),
    )

    async def run() -> None:
        async with opened(adapter(settings)):
            raise AssertionError("it connected to nobody")

    with pytest.raises(OSError, match="refused"):
        asyncio.run(run())


def test_a_probe_shows_the_tags_of_templates_and_what_does_not_fit(
    broker: EmbeddedBroker, tmp_path: Path
) -> None:
    sources = f"""
[[source]]
name = "plant"
kind = "mqtt"
host = "127.0.0.1"
port = {broker.port}
client_id = "gw-probe-templates"
  [[source.tag]]
  tag = "M01.x"
  topic = "probed/M01"
  value = "x"
  ts = "at"
  [[source.template]]
  topic = "probed/{{machine}}"
  tag = "{{machine}}.{{key}}"
  value = "*"
  ts = "at"
"""
    config = load(write_file(tmp_path, sources))
    publish(broker, "probed/M01", {"at": "2026-03-01T00:00:00Z", "a": 1, "b": 2}, retain=True)
    found = {one.tag: one for one in asyncio.run(probe(config, wait_s=4.0))}
    assert {tag: one.value for tag, one in found.items()} == {
        "M01.x": None,
        "M01.a": 1.0,
        "M01.b": 2.0,
    }
    assert found["M01.x"].note is not None
    assert "there is no x in the payload" in found["M01.x"].note
    assert not config.context().state.exists()
