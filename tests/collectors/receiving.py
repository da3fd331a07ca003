"""Using an adapter as the runner does, until a test has seen what it waits for."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from collectors.adapter import Adapter
from collectors.sample import Delivery, Sample

_DEADLINE_S = 60.0


@asynccontextmanager
async def opened(adapter: Adapter) -> AsyncIterator[Adapter]:
    """Hold an adapter open for the length of the block."""
    try:
        await adapter.open()
        yield adapter
    finally:
        await adapter.close()


async def receive_until(
    adapter: Adapter, seen: Callable[[list[Delivery]], bool], what: str
) -> list[Delivery]:
    """Receive until the condition holds for all that came; fail when it never does."""
    deliveries: list[Delivery] = []
    deadline = time.monotonic() + _DEADLINE_S
    while not seen(deliveries):
        assert time.monotonic() < deadline, f"waited in vain for {what}; got {deliveries}"
        async with asyncio.timeout(_DEADLINE_S):
            deliveries.append(await adapter.receive())
    return deliveries


def samples_of(deliveries: list[Delivery], tag: str | None = None) -> list[Sample]:
    """Return the samples of deliveries in the order of arrival, of one tag or of all."""
    return [s for one in deliveries for s in one.all_samples() if tag is None or s.tag == tag]


async def first_of_each(adapter: Adapter) -> dict[str, Sample]:
    """Return the first sample of every tag of an opened adapter."""
    wanted = set(adapter.tags)
    deliveries = await receive_until(
        adapter, lambda found: {s.tag for s in samples_of(found)} >= wanted, "every tag"
    )
    return {sample.tag: sample for sample in reversed(samples_of(deliveries))}


async def failure_of(adapter: Adapter) -> Exception:
    """Receive until the adapter fails in one of its declared ways, and return how."""
    deadline = time.monotonic() + _DEADLINE_S
    while time.monotonic() < deadline:
        try:
            await adapter.receive()
        except adapter.errors as error:
            return error
    raise AssertionError("the adapter did not fail")


def paho_threads() -> list[str]:
    """Return the names of paho's network threads that live in this process."""
    return [t.name for t in threading.enumerate() if t.name.startswith("paho-mqtt-client")]
