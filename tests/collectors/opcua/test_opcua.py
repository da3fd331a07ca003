"""OPC UA against a real server: types, times, bad nodes, restarts."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from asyncua import ua
from asyncua.crypto import security_policies
from asyncua.ua.status_codes import StatusCodes

from collectors.errors import SourceError
from collectors.opcua import adapter as opcua
from collectors.opcua.adapter import OpcuaAdapter
from collectors.opcua.connection import CarefulClient
from collectors.opcua.settings import OpcuaSource, OpcuaTag
from collectors.sample import from_us, to_us
from collectors.status import (
    BAD_NODE_UNKNOWN,
    BAD_OUT_OF_RANGE,
    BAD_TYPE_MISMATCH,
    CODES,
    GOOD,
    signed,
)
from tests.collectors.receiving import (
    failure_of,
    first_of_each,
    opened,
    receive_until,
    samples_of,
)
from tests.collectors.servers import (
    LoopThread,
    OpcuaServer,
    loop_thread,
    node,
    opcua_server,
)
from tests.collectors.surroundings import context
from tests.support.ports import free_port

VALUES = {
    "Flag": ua.Variant(True, ua.VariantType.Boolean),
    "Byte": ua.Variant(200, ua.VariantType.Byte),
    "Int16": ua.Variant(-5, ua.VariantType.Int16),
    "UInt32": ua.Variant(4_000_000_000, ua.VariantType.UInt32),
    "Int64": ua.Variant(-(2**40), ua.VariantType.Int64),
    "Float": ua.Variant(0.5, ua.VariantType.Float),
    "Double": ua.Variant(1.25e-9, ua.VariantType.Double),
    "Nan": ua.Variant(float("nan"), ua.VariantType.Double),
    "Text": ua.Variant("42", ua.VariantType.String),
    "List": ua.Variant([1, 2], ua.VariantType.Int32),
}


# For tests that write; the others may rely on VALUES.
SCRATCH = {
    "Changing": ua.Variant(0.0),
    "Quiet": ua.Variant(0.0),
    "Words": ua.Variant("", ua.VariantType.String),
}


@pytest.fixture(scope="module")
def loop() -> Iterator[LoopThread]:
    with loop_thread() as running:
        yield running


@pytest.fixture(scope="module")
def server(loop: LoopThread) -> Iterator[OpcuaServer]:
    """A server that tests share, since one takes seconds to build its address space."""
    with opcua_server(loop, free_port(), VALUES | SCRATCH) as running:
        yield running


@pytest.fixture
def own_server(loop: LoopThread) -> Iterator[OpcuaServer]:
    """A server that a test may stop."""
    with opcua_server(loop, free_port(), dict(VALUES)) as running:
        yield running


def source(server: OpcuaServer, *names: str, heartbeat_s: float = 60.0) -> OpcuaSource:
    return OpcuaSource(
        name="line1",
        kind="opcua",
        url=server.url,
        security="none",
        publish_ms=50,
        timeout_s=10.0,
        heartbeat_s=heartbeat_s,
        tags=tuple(OpcuaTag(tag=name, node=node(name)) for name in names),
    )


def adapter(server: OpcuaServer, *names: str, heartbeat_s: float = 60.0) -> OpcuaAdapter:
    return OpcuaAdapter(source(server, *names, heartbeat_s=heartbeat_s), context())


def test_types_become_numbers(server: OpcuaServer) -> None:
    async def run() -> dict[str, tuple[float | None, int]]:
        async with opened(adapter(server, *VALUES)) as line:
            return {name: one[2:] for name, one in (await first_of_each(line)).items()}

    assert asyncio.run(run()) == {
        "Flag": (1.0, GOOD),
        "Byte": (200.0, GOOD),
        "Int16": (-5.0, GOOD),
        "UInt32": (4e9, GOOD),
        "Int64": (-(2.0**40), GOOD),
        "Float": (0.5, GOOD),
        "Double": (1.25e-9, GOOD),
        "Nan": (None, BAD_OUT_OF_RANGE),
        "Text": (None, BAD_TYPE_MISMATCH),
        "List": (None, BAD_TYPE_MISMATCH),
    }


def test_what_is_no_number_is_told_once(server: OpcuaServer) -> None:
    async def run() -> list[str]:
        async with opened(adapter(server, "Words")) as line:
            found = await receive_until(line, lambda seen: bool(samples_of(seen)), "the first")
            for text in ("a", "b"):
                value = ua.Variant(text, ua.VariantType.String)
                await asyncio.to_thread(server.write, "Words", value)
                found += await receive_until(line, lambda seen: bool(samples_of(seen)), "a change")
            return [refused.reason for one in found for refused in one.refused]

    assert asyncio.run(run()) == [f"Words: {node('Words')} is not a number or boolean"]


def test_every_change_keeps_its_source_time_and_status(server: OpcuaServer) -> None:
    start = datetime(2026, 3, 1, 8, tzinfo=UTC)
    changes = [
        (ua.Variant(1.0), start, 0x00000000),
        (ua.Variant(2.0), start + timedelta(milliseconds=1), 0x40900000),
        (None, start + timedelta(milliseconds=2), 0x808C0000),
        (ua.Variant(3.0), start + timedelta(milliseconds=3), 0x00000000),
    ]

    first_us, last_us = to_us(start), to_us(changes[-1][1])

    async def run() -> list[tuple[int, float | None, int]]:
        async with opened(adapter(server, "Changing")) as line:
            await first_of_each(line)
            for value, at, status in changes:
                await asyncio.to_thread(server.write, "Changing", value, at, status)
            found = await receive_until(
                line, lambda seen: any(s.ts_us == last_us for s in samples_of(seen)), "the last"
            )
            return [one[1:] for one in samples_of(found) if first_us <= one.ts_us <= last_us]

    assert asyncio.run(run()) == [
        (first_us, 1.0, GOOD),
        (first_us + 1000, 2.0, CODES["UncertainLastUsableValue"]),
        (first_us + 2000, None, CODES["BadSensorFailure"]),
        (first_us + 3000, 3.0, GOOD),
    ]


def test_more_nodes_than_fit_one_call_all_arrive(loop: LoopThread) -> None:
    values = {f"N{n}": ua.Variant(float(n)) for n in range(130)}

    async def run(server: OpcuaServer) -> dict[str, float | None]:
        async with opened(adapter(server, *values)) as line:
            return {name: one.value for name, one in (await first_of_each(line)).items()}

    with opcua_server(loop, free_port(), values) as server:
        assert asyncio.run(run(server)) == {name: value.Value for name, value in values.items()}


def test_a_bad_node_blocks_nobody_and_is_asked_for_again(
    loop: LoopThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opcua, "_RECONCILE_S", 0.2)

    async def run(server: OpcuaServer) -> list[tuple[float | None, int]]:
        async with opened(adapter(server, "Late", "There")) as line:
            first = await first_of_each(line)
            assert first["There"].value == 1.0
            await asyncio.to_thread(server.add, "Late", ua.Variant(7.0))
            later = await receive_until(
                line, lambda seen: any(s.value == 7.0 for s in samples_of(seen)), "the late node"
            )
            return [first["Late"][2:], samples_of(later, "Late")[-1][2:]]

    with opcua_server(loop, free_port(), {"There": ua.Variant(1.0)}) as server:
        assert asyncio.run(run(server)) == [(None, BAD_NODE_UNKNOWN), (7.0, GOOD)]


def test_a_namespace_that_moved_is_found_after_a_restart(own_server: OpcuaServer) -> None:
    async def run() -> tuple[float | None, float | None]:
        line = adapter(own_server, "Int16")
        async with opened(line):
            before = (await first_of_each(line))["Int16"].value
        await asyncio.to_thread(own_server.stop)
        await asyncio.to_thread(own_server.start, ("urn:example:other", "urn:example:third"))
        async with opened(line):
            return before, (await first_of_each(line))["Int16"].value

    assert asyncio.run(run()) == (-5.0, -5.0)


def test_an_unknown_namespace_is_a_bad_node(server: OpcuaServer) -> None:
    other = OpcuaTag(tag="other", node="nsu=urn:example:nowhere;s=Int16")
    line = OpcuaAdapter(
        OpcuaSource(
            name="line1",
            kind="opcua",
            url=server.url,
            security="none",
            publish_ms=50,
            tags=(other, OpcuaTag(tag="Int16", node=node("Int16"))),
        ),
        context(),
    )

    async def run() -> dict[str, int]:
        async with opened(line):
            return {name: one.status for name, one in (await first_of_each(line)).items()}

    assert asyncio.run(run()) == {"other": BAD_NODE_UNKNOWN, "Int16": GOOD}


def test_a_quiet_node_is_read_again_with_the_time_of_the_reading(server: OpcuaServer) -> None:
    long_ago = datetime(2026, 1, 1, tzinfo=UTC)
    server.write("Quiet", ua.Variant(5.0), long_ago)

    async def run() -> list[tuple[datetime, float | None]]:
        async with opened(adapter(server, "Quiet", heartbeat_s=1.0)) as line:
            found = await receive_until(
                line, lambda seen: len(samples_of(seen)) >= 4, "three readings"
            )
            assert any(one.skew_s is not None and abs(one.skew_s) < 60 for one in found)
            return [(from_us(s.ts_us), s.value) for s in samples_of(found)]

    found = asyncio.run(run())
    published = [at for at, _ in found if at == long_ago]
    readings = [at for at, _ in found if at != long_ago]
    assert {value for _, value in found} == {5.0}
    assert published == [long_ago]
    assert readings == sorted(set(readings))
    assert abs(readings[0] - datetime.now(UTC)) < timedelta(minutes=1)


def test_a_server_that_stops_is_noticed(own_server: OpcuaServer) -> None:
    line = adapter(own_server, "Int16")

    async def run() -> Exception:
        async with opened(line):
            await first_of_each(line)
            await asyncio.to_thread(own_server.stop)
            return await failure_of(line)

    assert isinstance(asyncio.run(run()), line.errors)


def test_nobody_there_is_told(loop: LoopThread) -> None:
    line = adapter(OpcuaServer(loop, free_port(), {}), "Int16")

    async def run() -> None:
        async with opened(line):
            raise AssertionError("it connected to nobody")

    with pytest.raises(line.errors):
        asyncio.run(run())


def test_status_numbers_are_the_libraries() -> None:
    assert {name: signed(getattr(StatusCodes, name)) for name in CODES} == CODES


def test_a_policy_that_the_server_lacks_is_told_with_those_it_has(
    server: OpcuaServer, tmp_path: Path
) -> None:
    settings = replace(source(server, "Int16"), security="Aes256Sha256RsaPss")

    async def run() -> None:
        async with opened(OpcuaAdapter(settings, context(tmp_path))):
            raise AssertionError("it connected")

    with pytest.raises(SourceError, match=r"does not offer Aes256.*; it offers none$"):
        asyncio.run(run())


PLAIN = security_policies.SecurityPolicyNone.URI
ENCRYPTED = security_policies.SecurityPolicyBasic256Sha256.URI


@pytest.mark.parametrize(
    ("channel", "token", "may_send_plain", "is_sent"),
    [
        ("SignAndEncrypt", PLAIN, False, True),
        ("Sign", PLAIN, False, False),
        ("Sign", ENCRYPTED, False, True),
        ("None_", PLAIN, False, False),
        ("None_", PLAIN, True, True),
        ("None_", ENCRYPTED, False, True),
    ],
)
def test_a_password_is_never_sent_readable_unless_the_file_allows_it(
    channel: str, token: str, may_send_plain: bool, is_sent: bool
) -> None:
    client = CarefulClient("opc.tcp://127.0.0.1:1")
    client.may_send_plain = may_send_plain
    client.security_policy.Mode = ua.MessageSecurityMode[channel]
    name = ua.UserTokenType.UserName
    client._policy_ids = [ua.UserTokenPolicy("name", name, SecurityPolicyUri=token)]
    if is_sent:
        assert client.server_policy(name).PolicyId == "name"
    else:
        with pytest.raises(SourceError, match="not sent"):
            client.server_policy(name)
