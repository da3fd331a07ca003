"""Planning reads: neighbouring values share a request, and no value is ever split. Pure.

Limits: Modbus Application Protocol V1.1b3, 6.1 to 6.4 (2000 bits for functions 1 and 2, 125
registers for 3 and 4). A 32-bit counter that is read in two requests may be torn between them,
hence never split.

Taking values by address and starting a request only for the first that no longer fits gives the
fewest: the first value must be in some request, none that holds it reaches further than the one
that starts with it, and what it leaves over is the same question with fewer values.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from collectors.modbus.layout import BIT_TABLES, RegisterTable
from collectors.modbus.settings import MOST_BITS, MOST_BRIDGED, MOST_REGISTERS, ModbusTag

_BITS_PER_REGISTER = 16


@dataclass(frozen=True, slots=True)
class Limits:
    """What a device takes at once, and how many idle registers are worth reading along."""

    registers: int = MOST_REGISTERS
    bits: int = MOST_BITS
    gap: int = MOST_BRIDGED

    def of(self, table: RegisterTable) -> tuple[int, int]:
        """Return the most places of one request to a table, and the widest gap in it."""
        if table in BIT_TABLES:
            return self.bits, self.gap * _BITS_PER_REGISTER
        return self.registers, self.gap


STANDARD = Limits()


@dataclass(frozen=True, slots=True)
class Request:
    """One read of neighbouring places of one table of one unit, with the tags that lie in it."""

    unit_id: int
    table: RegisterTable
    address: int
    count: int
    tags: tuple[ModbusTag, ...]

    @property
    def bridges_gap(self) -> bool:
        """Whether it holds places that no tag asked for, which a device may not have."""
        asked = {at for tag in self.tags for at in range(tag.address, _end(tag))}
        return len(asked) < self.count

    def places_of(self, tag: ModbusTag, places: Sequence[int]) -> Sequence[int]:
        """Return what belongs to one of its tags from the registers or bits of the reply."""
        start = tag.address - self.address
        return places[start : start + tag.width]


def plan(
    tags: Iterable[ModbusTag],
    limits: Limits = STANDARD,
    of_unit: Mapping[int, Limits] | None = None,
) -> list[Request]:
    """Return the fewest reads that cover all tags within the limits; addresses count from zero.

    of_unit has the limits of units that differ. A gap is bridged because a request costs a device
    more than a few registers. A device that lacks what lies between refuses the whole range; see
    narrowed.
    """
    own = of_unit or {}
    ordered = sorted(tags, key=lambda tag: (tag.unit_id, tag.table, tag.address, tag.tag))
    requests: list[Request] = []
    for (unit_id, table), group in groupby(ordered, key=lambda tag: (tag.unit_id, tag.table)):
        most, gap = own.get(unit_id, limits).of(table)
        requests += [_request(block) for block in _blocks(group, most, gap)]
    return requests


def narrowed(request: Request) -> list[Request]:
    """Return a refused request in parts: without its gaps, or else in two halves.

    Halving finds the one address that a device lacks while its neighbours stay together.
    """
    if request.bridges_gap:
        return plan(request.tags, Limits(request.count, request.count, gap=0))
    middle = len(request.tags) // 2
    return [_request(half) for half in (request.tags[:middle], request.tags[middle:]) if half]


def _request(tags: Sequence[ModbusTag]) -> Request:
    first = tags[0]
    count = max(_end(tag) for tag in tags) - first.address
    return Request(first.unit_id, first.table, first.address, count, tuple(tags))


def _end(tag: ModbusTag) -> int:
    return tag.address + tag.width


def _blocks(tags: Iterable[ModbusTag], most: int, gap: int) -> list[list[ModbusTag]]:
    blocks: list[list[ModbusTag]] = []
    first = end = 0
    for tag in tags:
        if blocks and tag.address - end <= gap and _end(tag) - first <= most:
            blocks[-1].append(tag)
            end = max(end, _end(tag))
        else:
            blocks.append([tag])
            first, end = tag.address, _end(tag)
    return blocks
