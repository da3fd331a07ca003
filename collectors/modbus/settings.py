"""The keys of a Modbus source."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from collectors.config.fields import Fault, SourceTable, TagTable, form, not_empty, number

RegisterType = Literal[
    "uint16", "int16", "uint32", "int32", "float32", "uint64", "int64", "float64"
]
RegisterOrder = Literal["ABCD", "CDAB", "BADC", "DCBA"]
RegisterTable = Literal["holding", "input"]

# Registers of 16 bits that a value takes.
WIDTHS: dict[RegisterType, int] = {
    "uint16": 1,
    "int16": 1,
    "uint32": 2,
    "int32": 2,
    "float32": 2,
    "uint64": 4,
    "int64": 4,
    "float64": 4,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ModbusTag(TagTable):
    """The address of a value in a Modbus unit; addresses count from zero."""

    unit_id: int = field(default=1, metadata=number(at_least=0, at_most=255))
    table: RegisterTable = "holding"
    address: int = field(metadata=number(at_least=0, at_most=65_535))
    type: RegisterType
    order: RegisterOrder = "ABCD"
    scale: float = 1.0
    offset: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ModbusSource(SourceTable):
    """One Modbus TCP connection with the units behind it, polled."""

    host: str = field(metadata=form(not_empty))
    port: int = field(default=502, metadata=number(at_least=1, at_most=65_535))
    poll_s: float = field(default=5.0, metadata=number(at_least=0.05, at_most=86_400))
    timeout_s: float = field(default=2.0, metadata=number(at_least=0.05, at_most=60))
    tags: tuple[ModbusTag, ...] = field(default=(), metadata={"table": "tag"})

    def faults(self) -> Iterator[Fault]:
        """Return the tags that reach beyond the last register."""
        for index, tag in enumerate(self.tags):
            if tag.address + WIDTHS[tag.type] > 65_536:
                message = f"address = {tag.address}: a {tag.type} ends behind register 65535"
                yield Fault(("tag", index, "address"), message)
