"""Modbus requests of one cycle against the fewest that the limits of the device allow.

The fewest are counted without the planner: the request that holds the first place cannot reach
further than the limit and cannot cross a gap that is too wide, so cutting there is a lower bound.
Ours are counted where they arrive, at a server that notes what it is asked.
"""

import asyncio
import random
from collections.abc import Iterator

from collectors.modbus.settings import ModbusDevice, ModbusTag
from deploy.ports import free_port
from tests.bench.ratio import Ratio
from tests.collectors.modbus.meters import adapter, read_once, source
from tests.collectors.modbus.raw import raw_tcp

TARGET = 1.0

_METERS = 40
_SEED = 7


def rows() -> list[Ratio]:
    """Return the fewest requests by ours for each shape of source; 1.00 is the best possible."""
    return list(measure())


def measure() -> Iterator[Ratio]:
    """Count one cycle of each shape of source."""
    for name, tags, most in _shapes():
        ours = asyncio.run(_asked(tags, most))
        fewest = _fewest(tags, most)
        yield Ratio(
            what=f"Modbus requests a cycle, {name}",
            against="fewest that the limits allow",
            target=TARGET,
            values=(fewest / ours,),
            note=f"{ours} for {len(tags)} values",
        )


def _shapes() -> Iterator[tuple[str, tuple[ModbusTag, ...], int]]:
    devices = tuple(
        ModbusDevice(profile="eastron_sdm630", prefix=f"EM{unit:02}.", unit_id=unit)
        for unit in range(1, _METERS + 1)
    )
    yield f"{_METERS} meters", source(host="h", devices=devices).tags, 80
    solid = tuple(ModbusTag(tag=f"T{n}", address=2 * n, type="float32") for n in range(2000))
    yield "a solid block", solid, 125
    places = random.Random(_SEED).sample(range(0, 20_000, 4), 800)
    scattered = tuple(
        ModbusTag(tag=f"T{n}", address=place, type="float64" if n % 2 else "uint16")
        for n, place in enumerate(places)
    )
    yield "scattered values", scattered, 125


async def _asked(tags: tuple[ModbusTag, ...], most: int) -> int:
    port = free_port()
    async with raw_tcp(port) as raw:
        await read_once(adapter(port, *tags, max_registers=most, poll_s=3600.0, timeout_s=10.0))
        return len(raw.asked)


def _fewest(tags: tuple[ModbusTag, ...], most: int, gap: int = 16) -> int:
    number = 0
    reach = end = -1
    unit: tuple[int, str] | None = None
    for tag in sorted(tags, key=lambda one: (one.unit_id, one.table, one.address)):
        place = (tag.unit_id, tag.table)
        last = tag.address + tag.width
        if place != unit or last > reach or tag.address > end + gap:
            number, unit, reach, end = number + 1, place, tag.address + most, last
        end = max(end, last)
    return number
