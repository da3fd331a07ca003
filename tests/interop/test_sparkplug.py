"""Sparkplug B from a client that nobody here wrote: npm's sparkplug-client."""

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest

from collectors import status
from collectors.sample import Delivery, Sample
from collectors.sparkplug.adapter import SparkplugAdapter
from collectors.sparkplug.settings import SparkplugSource, SparkplugTag, SparkplugTemplate
from deploy.broker import EmbeddedBroker
from tests.collectors.receiving import opened, receive_until, samples_of
from tests.collectors.sparkplug.edge_node import say_nothing
from tests.collectors.surroundings import context
from tests.interop.node import Peer, run_node

GOOD, LOST = status.GOOD, status.BAD_NO_COMMUNICATION
READY_S = 60.0
START_MS = 1_772_323_200_000

BORN = {
    "N.D.int8": -8.0,
    "N.D.int16": -16000.0,
    "N.D.int32": -12.0,
    "N.D.int64": -5e9,
    "N.D.uint8": 200.0,
    "N.D.uint16": 60000.0,
    "N.D.uint32": 4e9,
    "N.D.uint64": 5e9,
    "N.D.float": 1.5,
    "N.D.double": -0.1,
    "N.D.boolean": 1.0,
    "N.D.time": 1_772_323_200.5,
    "state": 1.0,
    "load": 0.5,
}


def source(broker: EmbeddedBroker, group: str, **changed: Any) -> SparkplugSource:
    """Return a source of all numbers of the peer's device, its state and a metric of its node."""
    return SparkplugSource(
        name="edge",
        kind="sparkplug",
        host="127.0.0.1",
        port=broker.port,
        client_id=f"interop-{group}",
        reorder_s=0.2,
        tags=(
            SparkplugTag(tag="load", group=group, node="N", metric="load"),
            SparkplugTag(
                tag="state",
                group=group,
                node="N",
                device="D",
                metric="state",
                states={"RUN": 1, "STOP": 2},
            ),
        ),
        templates=(SparkplugTemplate(tag="{node}.{device}.{metric}", group=group),),
        **changed,
    )


async def samples(
    adapter: SparkplugAdapter, peer: Peer, count: int, **message: Any
) -> list[Sample]:
    """Tell the peer something and return the samples that come of it."""

    def seen(found: list[Delivery]) -> bool:
        return len(samples_of(found)) >= count

    peer.tell(**message)
    return samples_of(await receive_until(adapter, seen, f"{count} samples"))


async def ready(adapter: SparkplugAdapter, broker: EmbeddedBroker, group: str) -> None:
    """Wait until the broker serves the adapter's topics: QoS 0 keeps nothing for it before."""
    deadline = time.monotonic() + READY_S
    while not (await adapter.receive()).refused:
        assert time.monotonic() < deadline, "the broker does not serve the topics"
        await asyncio.to_thread(say_nothing, broker.port, group)


def test_births_data_history_and_deaths(broker: EmbeddedBroker, tmp_path: Path) -> None:
    async def run(peer: Peer) -> None:
        adapter = SparkplugAdapter(source(broker, "interop"), context(tmp_path))
        async with opened(adapter):
            await ready(adapter, broker, "interop")
            born = await samples(adapter, peer, len(BORN), do="births")
            assert {one.tag: one.value for one in born} == pytest.approx(BORN)
            assert {one.status for one in born} == {GOOD}
            for compress in (False, True):
                (found,) = await samples(
                    adapter, peer, 1, do="data", alias=2, type="Int32", value=-13, compress=compress
                )
                assert (found.tag, found.value, found.status) == ("N.D.int32", -13.0, GOOD)
            (old,) = await samples(adapter, peer, 1, do="history", value=0.25, timestamp=START_MS)
            assert old == Sample("load", START_MS * 1000, 0.25, GOOD)
            lost = await samples(adapter, peer, len(BORN) - 1, do="deviceDeath")
            assert {one.tag for one in lost} == BORN.keys() - {"load"}
            assert {one.status for one in lost} == {LOST}
            dead = await samples(adapter, peer, 2, do="death")
            assert [(one.tag, one.status) for one in dead] == [("load", LOST), ("state", LOST)]

    with run_node("sparkplug_client.js", broker.url, "interop", "N") as peer:
        asyncio.run(run(peer))


def test_it_understands_that_births_are_asked_for(broker: EmbeddedBroker, tmp_path: Path) -> None:
    """Data without a birth make the host ask, where the file allows it."""

    async def run(peer: Peer) -> None:
        adapter = SparkplugAdapter(source(broker, "asked", rebirth=True), context(tmp_path))
        async with opened(adapter):
            await ready(adapter, broker, "asked")
            assert await asyncio.to_thread(peer.hear) == {"asked": ["Node Control/Rebirth"]}
            born = await samples(adapter, peer, len(BORN), do="births")
            assert {one.tag: one.value for one in born} == pytest.approx(BORN)

    with run_node("sparkplug_client.js", broker.url, "asked", "N") as peer:
        asyncio.run(run(peer))
