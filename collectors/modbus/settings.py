"""The keys of a Modbus source."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Literal

from collectors import states
from collectors.config.fields import (
    Fault,
    SourceTable,
    TagTable,
    choice,
    form,
    judged,
    not_empty,
    number,
    plain,
    tables,
)
from collectors.modbus.faults import address_form, device_faults, line_faults, tag_faults
from collectors.modbus.layout import (
    BIT_TABLES,
    WIDTHS,
    RegisterOrder,
    RegisterTable,
    RegisterType,
)
from collectors.modbus.profiles import PROFILES, profile
from collectors.modbus.quantities import QUANTITIES, TRANSFORMED

Transport = Literal["tcp", "rtu", "rtu-over-tcp"]
Parity = Literal["none", "even", "odd"]

# Modbus Application Protocol V1.1b3, 6.1 to 6.4.
MOST_REGISTERS = 125
MOST_BITS = 2000
MOST_BRIDGED = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class ModbusTag(TagTable):
    """[[source.tag]]: the address of a value in a Modbus unit."""

    unit_id: int = field(
        default=1,
        metadata=number(0, 255, about="address of the device on its bus (slave, station)"),
    )
    table: RegisterTable = field(
        default="holding",
        metadata=plain("where the value lies; read with function code 3, 4, 1 or 2"),
    )
    address: int = field(
        metadata=judged(address_form, about="place of its first register or bit, from `base`")
    )
    type: RegisterType = field(metadata=plain("how the value is written"))
    order: RegisterOrder = field(
        default="ABCD", metadata=plain("how its bytes are sent, A the most significant")
    )
    bit: int | None = field(
        default=None,
        metadata=number(0, 15, about="bit of a register for a `bool`; 0 is the lowest"),
    )
    length: int | None = field(
        default=None,
        metadata=number(1, MOST_REGISTERS, about="registers that a `string` takes"),
    )
    states: str | Mapping[str, int] | None = field(
        default=None,
        metadata=judged(
            states.judge,
            about="what a `string` means: a scheme, or a table of names that become codes",
        ),
    )
    scale: float = field(
        default=1.0, metadata=plain("the stored value is the raw one × scale + offset")
    )
    offset: float = field(default=0.0, metadata=plain("see scale; in the tag's unit"))
    poll_s: float | None = field(
        default=None,
        metadata=number(0.05, 86_400, about="own period of this tag; else that of the source"),
    )

    @property
    def width(self) -> int:
        """Places that the value takes in its table."""
        if self.table in BIT_TABLES:
            return 1
        return (self.length or 1) if self.type == "string" else WIDTHS[self.type]

    @property
    def place(self) -> tuple[str, int, str, int]:
        """Name and address, which tell tags apart."""
        return self.tag, self.unit_id, self.table, self.address


@dataclass(frozen=True, slots=True, kw_only=True)
class ModbusDevice:
    """[[source.device]]: a device of a known model, with all the tags of its profile."""

    profile: str = field(metadata=choice(*PROFILES, about="the model; its table is shipped"))
    prefix: str = field(
        metadata=form(not_empty, about="put before each quantity to name the tag: `EM01.`")
    )
    unit_id: int = field(
        default=1,
        metadata=number(0, 255, about="address of the device on its bus (slave, station)"),
    )
    quantities: str | None = field(
        default=None,
        metadata=form(
            not_empty, about="quantities to read, joined by commas; else all of the profile"
        ),
    )
    ct_ratio: float = field(
        default=1.0,
        metadata=number(
            0.001, 100_000, about="ratio of the current transformers, for models that leave it out"
        ),
    )
    pt_ratio: float = field(
        default=1.0,
        metadata=number(
            0.001, 100_000, about="ratio of the voltage transformers, for models that leave it out"
        ),
    )
    poll_s: float | None = field(
        default=None,
        metadata=number(0.05, 86_400, about="own period of this device; else the source's"),
    )

    @property
    def wanted(self) -> list[str]:
        """The quantities that are asked for, known or not."""
        if self.quantities is None:
            return [value.quantity for value in profile(self.profile).values]
        return [name.strip() for name in self.quantities.split(",")]

    def tags(self, base: int) -> Iterator[ModbusTag]:
        """Return the tags of this device for a source whose addresses count from base."""
        wanted = self.wanted
        for value in profile(self.profile).values:
            if value.quantity in wanted:
                unit = QUANTITIES[value.quantity]
                yield ModbusTag(
                    tag=f"{self.prefix}{value.quantity}",
                    unit=unit,
                    unit_id=self.unit_id,
                    table=value.table,
                    address=value.address + base,
                    type=value.type,
                    order=value.order,
                    scale=value.scale * self._ratio(unit),
                    poll_s=self.poll_s,
                )

    def _ratio(self, unit: str) -> float:
        by_current, by_voltage = TRANSFORMED.get(unit, (False, False))
        return (self.ct_ratio if by_current else 1.0) * (self.pt_ratio if by_voltage else 1.0)


@dataclass(frozen=True, slots=True)
class Line:
    """What makes two sources use one connection: the same place, opened in the same way."""

    transport: Transport
    place: str
    host: str = ""
    port: int = 0
    serial_port: str = ""
    baudrate: int = 0
    bytesize: int = 0
    parity: Parity = "none"
    stop_bits: int = 0
    local_echo: bool = False
    pause_ms: float = 0.0
    connect_pause_ms: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ModbusSource(SourceTable):
    """One Modbus connection with the units behind it, polled.

    tags has those of the devices too, behind those that the file gives one by one.
    """

    transport: Transport = field(
        default="tcp",
        metadata=plain("Modbus TCP, a serial line, or serial frames through a TCP gateway"),
    )
    host: str | None = field(
        default=None, metadata=form(not_empty, about="name or address, for the two over TCP")
    )
    port: int = field(default=502, metadata=number(1, 65_535, about="TCP port of the host"))
    serial_port: str | None = field(
        default=None, metadata=form(not_empty, about='serial device, for "rtu": `/dev/ttyUSB0`')
    )
    baudrate: int = field(
        default=9600, metadata=number(300, 4_000_000, about="bits a second of the serial line")
    )
    bytesize: int = field(default=8, metadata=number(7, 8, about="data bits of a character"))
    parity: Parity = field(default="none", metadata=plain("parity bit of a character"))
    stop_bits: int = field(default=1, metadata=number(1, 2, about="stop bits of a character"))
    local_echo: bool = field(
        default=False,
        metadata=plain("the serial adapter hears what it sends itself, which is then passed over"),
    )
    poll_s: float = field(
        default=5.0, metadata=number(0.05, 86_400, about="every tag is read once in this time")
    )
    timeout_s: float = field(
        default=2.0, metadata=number(0.05, 60, about="longest wait for one answer of one unit")
    )
    base: Literal[0, 1] = field(
        default=0,
        metadata=plain("number of the first register in the manual: 0, or 1 where it is 40001"),
    )
    high_addresses: bool = field(
        default=False,
        metadata=plain("take 40001 and the like as they stand, not as a manual's notation"),
    )
    max_registers: int = field(
        default=MOST_REGISTERS,
        metadata=number(1, MOST_REGISTERS, about="most registers that a device gives at once"),
    )
    max_bits: int = field(
        default=MOST_BITS,
        metadata=number(1, MOST_BITS, about="most coils or inputs that a device gives at once"),
    )
    max_gap: int = field(
        default=MOST_BRIDGED,
        metadata=number(
            0, MOST_REGISTERS, about="idle registers read along to spare a request; 16 bits count"
        ),
    )
    pause_ms: float = field(
        default=0.0, metadata=number(0, 10_000, about="rest of the line before each request")
    )
    connect_pause_ms: float = field(
        default=0.0, metadata=number(0, 60_000, about="rest of the line after connecting")
    )
    silent_cycles: int = field(
        default=3, metadata=number(1, 1000, about="silent polls after which a unit is left alone")
    )
    rest_s: float = field(
        default=30.0, metadata=number(0.05, 86_400, about="how long it is left alone")
    )
    tags: tuple[ModbusTag, ...] = field(default=(), metadata=tables("tag"))
    devices: tuple[ModbusDevice, ...] = field(default=(), metadata=tables("device"))

    def __post_init__(self) -> None:
        known = {tag.place for tag in self.tags}
        made = (tag for device in self.devices for tag in device.tags(self.base))
        more = [tag for tag in made if tag.place not in known]
        object.__setattr__(self, "tags", (*self.tags, *more))

    @property
    def line(self) -> Line:
        """The connection that this source uses."""
        if self.transport == "rtu":
            return Line(
                transport="rtu",
                place=self.serial_port or "",
                serial_port=self.serial_port or "",
                baudrate=self.baudrate,
                bytesize=self.bytesize,
                parity=self.parity,
                stop_bits=self.stop_bits,
                local_echo=self.local_echo,
                pause_ms=self.pause_ms,
                connect_pause_ms=self.connect_pause_ms,
            )
        return Line(
            transport=self.transport,
            place=f"{self.host}:{self.port}",
            host=self.host or "",
            port=self.port,
            pause_ms=self.pause_ms,
            connect_pause_ms=self.connect_pause_ms,
        )

    def faults(self) -> Iterator[Fault]:
        """Return what is wrong between the keys of the line, of the devices and of the tags."""
        yield from line_faults(self)
        yield from device_faults(self)
        yield from tag_faults(self)

    def clash(self, earlier: SourceTable) -> str | None:
        """Return why two sources cannot share the connection that both name, or None."""
        if not isinstance(earlier, ModbusSource) or earlier.line.place != self.line.place:
            return None
        mine, other = asdict(self.line), asdict(earlier.line)
        if keys := [key for key, value in mine.items() if other[key] != value]:
            return (
                f'source "{self.name}" shares {self.line.place} with "{earlier.name}" above: '
                f"give both the same {', '.join(keys)}"
            )
        return None
