"""Planning reads: neighbouring values share a request, and no value is ever split. Pure.

Limits: Modbus Application Protocol V1.1b3, 6.3 and 6.4 (125 registers for functions 3 and 4).
A 32-bit counter that is read in two requests may be torn between them, hence never split.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from collectors.modbus.settings import WIDTHS, ModbusTag, RegisterTable

MOST_REGISTERS = 125
MOST_BRIDGED = 16


@dataclass(frozen=True, slots=True)
class Request:
    """One read of neighbouring registers of one unit, with the tags that lie in it."""

    unit_id: int
    table: RegisterTable
    address: int
    count: int
    tags: tuple[ModbusTag, ...]

    @property
    def bridges_gap(self) -> bool:
        """Whether it holds registers that no tag asked for, which a device may not have."""
        asked = {at for tag in self.tags for at in range(tag.address, _end(tag))}
        return len(asked) < self.count

    def registers_of(self, tag: ModbusTag, registers: Sequence[int]) -> Sequence[int]:
        """Return the registers of one of its tags from the registers of the reply."""
        start = tag.address - self.address
        return registers[start : start + WIDTHS[tag.type]]


def plan(tags: Iterable[ModbusTag], gap: int = MOST_BRIDGED) -> list[Request]:
    """Return the fewest reads that cover all tags without crossing more than gap idle registers.

    A gap is bridged because a request costs a device more than a few registers. A device that
    lacks the registers between refuses the whole range; it is then read with a gap of 0.
    """
    ordered = sorted(tags, key=lambda tag: (tag.unit_id, tag.table, tag.address, tag.tag))
    requests: list[Request] = []
    for (unit_id, table), group in groupby(ordered, key=lambda tag: (tag.unit_id, tag.table)):
        for members in _blocks(group, gap):
            first = members[0].address
            count = max(_end(tag) for tag in members) - first
            requests.append(Request(unit_id, table, first, count, tuple(members)))
    return requests


def _end(tag: ModbusTag) -> int:
    return tag.address + WIDTHS[tag.type]


def _blocks(tags: Iterable[ModbusTag], gap: int) -> list[list[ModbusTag]]:
    blocks: list[list[ModbusTag]] = []
    first = end = 0
    for tag in tags:
        fits = blocks and tag.address - end <= gap and _end(tag) - first <= MOST_REGISTERS
        if fits:
            blocks[-1].append(tag)
            end = max(end, _end(tag))
        else:
            blocks.append([tag])
            first, end = tag.address, _end(tag)
    return blocks
