"""What users of other collectors complain about in OPC UA, each as a test named after it."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from asyncua import ua
from asyncua.server.server import Server

from collectors.errors import SourceLost
from collectors.opcua import adapter as opcua
from collectors.opcua import connection, subscriptions
from collectors.opcua.adapter import OpcuaAdapter
from collectors.opcua.profiles import Profile
from collectors.opcua.settings import OpcuaSource, OpcuaTag
from collectors.runner import SourceRunner
from collectors.sample import Delivery, Sample, from_us
from collectors.status import BAD_NODE_UNKNOWN, GOOD
from tests.collectors.receiving import (
    failure_of,
    first_of_each,
    opened,
    receive_until,
    samples_of,
)
from tests.collectors.servers import LoopThread, OpcuaServer, loop_thread, node, opcua_server
from tests.collectors.surroundings import context
from tests.support.ports import free_port
from tests.support.waiting import wait_for

MANY = {f"N{number}": ua.Variant(float(number)) for number in range(32)}
VALUES = {"A": ua.Variant(1.0), "B": ua.Variant(2.0), "C": ua.Variant(3.0)} | MANY
SMALL = Profile("small", "", 25, 10, 4, 5, "this test")


@pytest.fixture(scope="module")
def loop() -> Iterator[LoopThread]:
    with loop_thread() as running:
        yield running


@pytest.fixture(scope="module")
def server(loop: LoopThread) -> Iterator[OpcuaServer]:
    with opcua_server(loop, free_port(), dict(VALUES)) as running:
        yield running


def source(server: OpcuaServer, *names: str, **keys: Any) -> OpcuaSource:
    return OpcuaSource(
        name="line1",
        kind="opcua",
        url=server.url,
        security="none",
        publish_ms=50,
        timeout_s=10.0,
        tags=tuple(OpcuaTag(tag=name, node=node(name)) for name in names),
        **keys,
    )


def adapter(server: OpcuaServer, *names: str, **keys: Any) -> OpcuaAdapter:
    return OpcuaAdapter(source(server, *names, **keys), context())


def with_open(line: OpcuaAdapter, work: Callable[[OpcuaAdapter], Coroutine[Any, Any, Any]]) -> Any:
    async def run() -> Any:
        async with opened(line):
            return await work(line)

    return asyncio.run(run())


async def until_value(line: OpcuaAdapter, tag: str, value: float) -> list[Sample]:
    found = await receive_until(
        line, lambda seen: any(s.value == value for s in samples_of(seen, tag)), f"{tag} {value}"
    )
    return samples_of(found, tag)


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return what the adapter itself logged."""
    return [one.getMessage() for one in caplog.records if one.name == "collectors.opcua"]


async def until_failure(line: OpcuaAdapter) -> list[Delivery]:
    """Return what comes before the adapter fails in one of its declared ways."""
    found: list[Delivery] = []
    try:
        async with asyncio.timeout(30.0):
            while True:
                found.append(await line.receive())
    except OpcuaAdapter.errors:
        return found


async def items_of_subscriptions(server: Server) -> list[int]:
    service = server.iserver.subscription_service
    return sorted(
        len(one.monitored_item_srv._monitored_items) for one in service.subscriptions.values()
    )


# 1
def test_a_server_restart_with_other_namespace_order_loses_no_tag(loop: LoopThread) -> None:
    own = OpcuaServer(loop, free_port(), {"A": ua.Variant(1.0), "B": ua.Variant(2.0)})
    seen: list[Delivery] = []

    async def keep(_inlet: object, delivery: Delivery) -> None:
        seen.append(delivery)

    def newest(tag: str) -> tuple[float | None, int] | None:
        found = samples_of(seen, tag)
        return found[-1][2:] if found else None

    async def until(condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(60):
            while not condition():
                await asyncio.sleep(0.02)

    async def run() -> None:
        runner = SourceRunner(source(own, "A", "B"), adapter(own, "A", "B"), keep)
        running = asyncio.create_task(runner.run())
        await until(lambda: newest("A") == (1.0, GOOD) and newest("B") == (2.0, GOOD))
        await asyncio.to_thread(own.stop)
        await until(lambda: runner.state().state == "down")
        own.forget("B")
        await asyncio.to_thread(own.start, ("urn:example:other", "urn:example:third"))
        await until(lambda: newest("A") == (1.0, GOOD) and newest("B") == (None, BAD_NODE_UNKNOWN))
        runner.end()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    own.start()
    try:
        asyncio.run(run())
    finally:
        own.stop()


def test_namespaces_that_change_while_connected_are_resolved_anew(
    server: OpcuaServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opcua, "_RECONCILE_S", 0.1)

    async def work(line: OpcuaAdapter) -> Exception:
        await first_of_each(line)
        await asyncio.to_thread(
            server.within, lambda inside: inside.register_namespace("urn:example:late")
        )
        return await failure_of(line)

    assert "other namespaces" in str(with_open(adapter(server, "A"), work))


# 2
def test_a_subscription_that_is_silently_dead_is_noticed_while_connected(
    server: OpcuaServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert subscriptions.KEEP_ALIVE_S * 1.5 <= 15
    monkeypatch.setattr(subscriptions, "KEEP_ALIVE_S", 2.0)

    async def silence(inside: Server) -> None:
        for subscription in inside.iserver.subscription_service.subscriptions.values():
            await subscription.stop()

    async def work(line: OpcuaAdapter) -> Exception:
        await first_of_each(line)
        await asyncio.to_thread(server.within, silence)
        return await failure_of(line)

    failure = with_open(adapter(server, "A"), work)
    assert isinstance(failure, SourceLost)
    assert "no sign of life" in str(failure)


def test_one_dead_subscription_among_living_ones_is_noticed(
    server: OpcuaServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscriptions, "KEEP_ALIVE_S", 2.0)
    monkeypatch.setattr(connection, "profile_for", lambda *_: SMALL)

    async def silence_one(inside: Server) -> None:
        first, *_ = inside.iserver.subscription_service.subscriptions.values()
        await first.stop()

    async def work(line: OpcuaAdapter) -> Exception:
        await first_of_each(line)
        await asyncio.to_thread(server.within, silence_one)
        return await failure_of(line)

    assert isinstance(with_open(adapter(server, *list(MANY)[:20]), work), SourceLost)


def test_a_node_whose_changes_go_unreported_is_polled(
    server: OpcuaServer, caplog: pytest.LogCaptureFixture
) -> None:
    async def lose_items(inside: Server) -> None:
        for subscription in inside.iserver.subscription_service.subscriptions.values():
            subscription.monitored_item_srv.delete_all_monitored_items()

    async def work(line: OpcuaAdapter) -> list[float | None]:
        await first_of_each(line)
        await asyncio.to_thread(server.within, lose_items)
        values = []
        for value in (21.0, 22.0, 23.0, 24.0):
            await asyncio.to_thread(server.write, "B", ua.Variant(value))
            values.append((await until_value(line, "B", value))[-1].value)
        return values

    line = adapter(server, "B", heartbeat_s=1.0, poll_s=0.1)
    with caplog.at_level(logging.WARNING, "collectors.opcua"):
        assert with_open(line, work) == [21.0, 22.0, 23.0, 24.0]
    assert told(caplog) == ["line1: B changes unreported; it is polled"]


def test_a_lost_message_is_noticed_and_every_node_read_again(
    server: OpcuaServer, caplog: pytest.LogCaptureFixture
) -> None:
    async def skip_messages(inside: Server) -> None:
        for subscription in inside.iserver.subscription_service.subscriptions.values():
            subscription._notification_seq += 3

    async def work(line: OpcuaAdapter) -> list[Sample]:
        await first_of_each(line)
        await asyncio.to_thread(server.write, "B", ua.Variant(50.0))
        await until_value(line, "B", 50.0)
        await asyncio.to_thread(server.within, skip_messages)
        await asyncio.to_thread(server.write, "B", ua.Variant(51.0))
        found = await receive_until(
            line, lambda seen: bool(samples_of(seen, "C")), "a reading of a node that is quiet"
        )
        return samples_of(found, "B")

    with caplog.at_level(logging.WARNING, "collectors.opcua"):
        assert with_open(adapter(server, "B", "C"), work)[0].value == 51.0
    assert told(caplog) == ["line1: a message was lost; every node is read again"]


def test_what_was_published_before_the_connection_broke_is_not_lost(loop: LoopThread) -> None:
    """It is acknowledged when it comes, and may wait while the disk is slow."""
    with opcua_server(loop, free_port(), dict(VALUES)) as own:

        async def work(line: OpcuaAdapter) -> list[float | None]:
            await first_of_each(line)
            for value in (70.0, 71.0, 72.0):
                await asyncio.to_thread(own.write, "A", ua.Variant(value))
            waiting = line._subscriptions._published
            await asyncio.to_thread(
                wait_for, lambda: "Value=72.0" in str(waiting), "the last of them"
            )
            await asyncio.to_thread(own.stop)
            await asyncio.to_thread(
                wait_for, lambda: line._connection._lost is not None, "the end of the connection"
            )
            line._readings._scan_s = 0.0  # the next look at the connection is due
            found = await until_failure(line)
            return [sample.value for sample in samples_of(found, "A")]

        assert with_open(adapter(own, "A"), work)[-3:] == [70.0, 71.0, 72.0]


def test_values_that_the_server_drops_are_told_once(
    server: OpcuaServer, caplog: pytest.LogCaptureFixture
) -> None:
    async def work(line: OpcuaAdapter) -> None:
        await first_of_each(line)
        for value in (60.0, 61.0):
            await asyncio.to_thread(server.write, "A", ua.Variant(value), None, 0x480)
            await until_value(line, "A", value)

    with caplog.at_level(logging.WARNING, "collectors.opcua"):
        with_open(adapter(server, "A"), work)
    assert told(caplog) == ["line1: the server dropped values of A; lower publish_ms"]


# 3
def test_one_invalid_node_id_blocks_no_other(server: OpcuaServer) -> None:
    names = [*MANY, "Nowhere"]
    found = with_open(adapter(server, *names), first_of_each)
    assert found.pop("Nowhere")[2:] == (None, BAD_NODE_UNKNOWN)
    assert {name: one.value for name, one in found.items()} == {
        name: value.Value for name, value in MANY.items()
    }


def test_one_invalid_node_id_blocks_no_other_when_polled(server: OpcuaServer) -> None:
    found = with_open(adapter(server, "N7", "Nowhere", mode="poll", poll_s=0.1), first_of_each)
    assert (found["N7"].value, found["Nowhere"].status) == (7.0, BAD_NODE_UNKNOWN)


# 4
def test_nothing_reconnects_behind_the_runners_back(loop: LoopThread) -> None:
    own = OpcuaServer(loop, free_port(), {"A": ua.Variant(1.0)})

    async def run() -> set[str]:
        line = adapter(own, "A")
        async with opened(line):
            await first_of_each(line)
            await asyncio.to_thread(own.stop)
            await failure_of(line)
        for _ in range(3):
            with pytest.raises(line.errors):
                await line.open()
            await line.close()
        return {task.get_name() for task in asyncio.all_tasks() - {asyncio.current_task()}}

    own.start()
    try:
        assert asyncio.run(run()) == set()
    finally:
        own.stop()


def test_each_connection_leaves_no_session_behind(server: OpcuaServer) -> None:
    async def sessions(inside: Server) -> int:
        return len(inside.iserver._external_sessions)

    async def cycle() -> int:
        line = adapter(server, "A")
        most = 0
        for _ in range(5):
            async with opened(line):
                await first_of_each(line)
                most = max(most, await asyncio.to_thread(server.within, sessions))
        return most

    assert asyncio.run(cycle()) == 1
    assert server.within(sessions) == 0


# 5 and 6
def test_large_sets_go_in_calls_and_subscriptions_that_the_server_bears(
    server: OpcuaServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(connection, "profile_for", lambda *_: SMALL)
    monkeypatch.setattr(opcua, "_RECONCILE_S", 0.1)

    async def work(line: OpcuaAdapter) -> tuple[dict[str, Sample], list[int]]:
        found = await first_of_each(line)
        gauges = {"items_wanted": 32, "items_subscribed": 25, "items_polled": 7}
        assert line.gauges() == gauges
        await asyncio.to_thread(server.write, "N31", ua.Variant(500.0))
        await until_value(line, "N31", 500.0)
        await asyncio.to_thread(server.write, "N31", ua.Variant(31.0))
        counts = await asyncio.to_thread(server.within, items_of_subscriptions)
        return found, counts

    with caplog.at_level(logging.WARNING, "collectors.opcua"):
        found, counts = with_open(adapter(server, *MANY, poll_s=0.1), work)
    assert {name: one.value for name, one in found.items()} == {
        name: value.Value for name, value in MANY.items()
    }
    assert counts == [5, 10, 10]
    assert told(caplog) == [
        "line1: the server cannot subscribe 7 of 32 nodes; they are read every 0.1 s"
    ]


def test_the_servers_own_limits_bound_the_calls(server: OpcuaServer) -> None:
    sizes: list[int] = []
    per_call = ua.NodeId.from_string("i=11714")
    per_read = ua.NodeId.from_string("i=11705")

    async def limit(inside: Server, items: int, nodes: int) -> None:
        for where, value in ((per_call, items), (per_read, nodes)):
            variant = ua.Variant(value, ua.VariantType.UInt32)
            await inside.write_attribute_value(where, ua.DataValue(variant))

    async def note_sizes(inside: Server) -> None:
        service = inside.iserver.subscription_service
        create = service.create_monitored_items

        async def noted(params: Any) -> Any:
            sizes.append(len(params.ItemsToCreate))
            return await create(params)

        vars(service)["create_monitored_items"] = noted

    async def forget_sizes(inside: Server) -> None:
        del vars(inside.iserver.subscription_service)["create_monitored_items"]

    server.within(lambda inside: limit(inside, 7, 6))
    server.within(note_sizes)
    try:
        found = with_open(adapter(server, *MANY), first_of_each)
    finally:
        server.within(forget_sizes)
        server.within(lambda inside: limit(inside, 10_000, 10_000))
    assert len(found) == 32
    assert sizes == [7, 7, 7, 7, 4]


def test_a_server_that_cannot_subscribe_is_polled(
    server: OpcuaServer, caplog: pytest.LogCaptureFixture
) -> None:
    async def allow(inside: Server, most: int) -> None:
        inside.iserver.max_subscriptions = most

    async def work(line: OpcuaAdapter) -> list[Sample]:
        await first_of_each(line)
        await asyncio.to_thread(server.write, "C", ua.Variant(33.0))
        return await until_value(line, "C", 33.0)

    async def refused(line: OpcuaAdapter) -> list[Sample]:
        return list((await first_of_each(line)).values())

    server.within(lambda inside: allow(inside, 0))
    try:
        with caplog.at_level(logging.WARNING, "collectors.opcua"):
            found = with_open(adapter(server, "C", poll_s=0.1), work)
            strict = with_open(adapter(server, "C", mode="subscribe"), refused)
    finally:
        server.within(lambda inside: allow(inside, 1000))
    assert found[-1].value == 33.0
    assert len(told(caplog)) == 1
    assert [one.status < 0 for one in strict] == [True]


# 7
def test_a_controller_whose_clock_fell_back_to_2000_is_flagged_and_not_rewritten(
    server: OpcuaServer,
) -> None:
    long_ago = datetime(2000, 1, 1, 0, 0, 5, tzinfo=UTC)
    clock = ua.NodeId.from_string("i=2258")

    async def set_back(inside: Server) -> None:
        assert inside.iserver.time_task is not None
        inside.iserver.time_task.cancel()
        variant = ua.Variant(long_ago, ua.VariantType.DateTime)
        await inside.write_attribute_value(clock, ua.DataValue(variant))

    async def set_right(inside: Server) -> None:
        inside.iserver.time_task = asyncio.create_task(inside.iserver._set_current_time_loop())

    async def work(line: OpcuaAdapter) -> tuple[list[Sample], list[float]]:
        found = await receive_until(
            line, lambda seen: len(samples_of(seen)) >= 2, "a value and a reading"
        )
        return samples_of(found), [one.skew_s for one in found if one.skew_s is not None]

    server.write("A", ua.Variant(1.0), long_ago)
    server.within(set_back)
    try:
        found, skews = with_open(adapter(server, "A", heartbeat_s=1.0), work)
    finally:
        server.within(set_right)
    years = timedelta(days=365 * 20).total_seconds()
    assert {from_us(one.ts_us) for one in found} == {long_ago}
    assert skews
    assert min(skews) > years


# 8
def test_a_stale_value_is_never_sent_again_with_a_fresh_time(loop: LoopThread) -> None:
    own = OpcuaServer(loop, free_port(), {"A": ua.Variant(1.0)})
    seen: list[Delivery] = []

    async def keep(_inlet: object, delivery: Delivery) -> None:
        seen.append(delivery)

    async def run() -> None:
        settings = source(own, "A", heartbeat_s=1.0)
        runner = SourceRunner(settings, OpcuaAdapter(settings, context()), keep)
        running = asyncio.create_task(runner.run())
        async with asyncio.timeout(60):
            while not any(one.value is not None for one in samples_of(seen)):
                await asyncio.sleep(0.02)
            await asyncio.to_thread(own.stop)
            while runner.state().state != "down":
                await asyncio.sleep(0.02)
            before = len(samples_of(seen))
            while len(samples_of(seen)) < before + 1:
                await asyncio.sleep(0.02)
        runner.end()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    own.start()
    stopped = datetime.now(UTC)
    try:
        asyncio.run(run())
    finally:
        own.stop()
    good = [one for one in samples_of(seen) if one.value is not None]
    lost = [one for one in samples_of(seen) if one.value is None]
    assert good
    assert lost
    assert all(one.ts_us <= lost[0].ts_us for one in good)
    assert from_us(lost[-1].ts_us) > stopped
