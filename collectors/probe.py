"""Reading every tag of a gateway file once, through the adapters that will read them for ever."""

import asyncio
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

from collectors import status
from collectors.adapter import Adapter
from collectors.adapters import adapter_for
from collectors.config.fields import TagTable
from collectors.config.file import GatewayConfig
from collectors.config.schema import Source
from collectors.context import Context
from collectors.sample import Sample, from_us

_WAIT_S = 10.0
_CLOSE_S = 5.0
_MOST_TOLD = 3


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """What a tag gave: value in unit, status name, source time (ISO 8601, UTC), latency in ms.

    latency_ms runs from the connection's readiness to the value; note says what went wrong.
    """

    tag: str
    source: str
    value: float | None
    unit: str
    status_name: str
    ts: str | None
    latency_ms: float | None
    note: str | None = None


async def probe(config: GatewayConfig, *, wait_s: float = _WAIT_S) -> list[ProbeResult]:
    """Connect to every source at once and return one result per tag, in the file's order.

    A source that cannot be read gives results that say so. Brokers are asked with a session of
    their own, so that a running gateway keeps its messages.
    """
    context = config.context(probing=True)
    found = await asyncio.gather(*(_probe(source, context, wait_s) for source in config.sources))
    return [result for results in found for result in results]


async def _probe(source: Source, context: Context, wait_s: float) -> list[ProbeResult]:
    adapter = adapter_for(source, context)
    seen: dict[str, tuple[Sample, float]] = {}
    told: list[str] = []
    code, note = status.BAD_NO_DATA, None
    try:
        async with asyncio.timeout(wait_s):
            await adapter.open()
            await _collect(adapter, seen, told, for_ever=_makes_tags(source))
    except TimeoutError:
        note = "; ".join([f"nothing came within {wait_s:g} s", *told[:_MOST_TOLD]])
    except adapter.errors as error:
        code, note = status.BAD_NO_COMMUNICATION, str(error) or type(error).__name__
    finally:
        with suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_S):
                await adapter.close()
    return [
        _seen(source.name, tag, *seen[tag.tag])
        if tag.tag in seen
        else ProbeResult(tag.tag, source.name, None, tag.unit, status.name(code), None, None, note)
        for tag in (*source.tags, *_made(source, seen))
    ]


def _makes_tags(source: Source) -> bool:
    """Tell whether templates make tags of a source, so that nobody knows when all were seen."""
    return bool(getattr(source, "templates", ()))


def _made(source: Source, seen: Iterable[str]) -> list[TagTable]:
    """Return the tags that templates made, by name; their units stand in the plan."""
    named = {tag.tag for tag in source.tags}
    return [TagTable(tag=name) for name in sorted(seen) if name not in named]


async def _collect(
    adapter: Adapter, seen: dict[str, tuple[Sample, float]], told: list[str], *, for_ever: bool
) -> None:
    """Receive until every tag was seen, or for ever; the caller bounds the time."""
    ready_s = time.monotonic()
    wanted = set(adapter.tags)
    while for_ever or wanted - seen.keys():
        delivery = await adapter.receive()
        told.extend(refused.reason for refused in delivery.refused)
        for sample in delivery.all_samples():
            seen.setdefault(sample.tag, (sample, time.monotonic() - ready_s))


def _seen(source: str, tag: TagTable, sample: Sample, latency_s: float) -> ProbeResult:
    ts = from_us(sample.ts_us).isoformat()
    name = status.name(sample.status)
    return ProbeResult(tag.tag, source, sample.value, tag.unit, name, ts, latency_s * 1000)
