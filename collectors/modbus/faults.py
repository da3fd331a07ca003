"""What is wrong between keys of a Modbus source that are right one by one."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from collectors.config.fields import Fault
from collectors.modbus.layout import BIT_TABLES, fits
from collectors.modbus.profiles import profile

if TYPE_CHECKING:
    from collectors.modbus.settings import ModbusDevice, ModbusSource, ModbusTag

_END = 65_536

# The notation of manuals: a digit for the table before a number from 1.
_DIGITS = {"coil": 0, "discrete": 1, "input": 3, "holding": 4}


def address_form(raw: Any) -> str | None:
    """Judge an address on its own; the table and the base say more."""
    if isinstance(raw, bool) or not isinstance(raw, int):
        return "must be a whole number"
    if 0 <= raw <= _END:
        return None
    digit, number = divmod(raw, 100_000)
    if digit in _DIGITS.values() and 0 < number <= _END:
        return f"is a manual's notation: say base = 1 and address = {number}"
    return f"must lie between 0 and {_END - 1}"


def line_faults(source: "ModbusSource") -> Iterator[Fault]:
    """Return what the transport needs and does not have, or has and does not use."""
    needed, unused = (
        ("serial_port", "host") if source.transport == "rtu" else ("host", "serial_port")
    )
    if getattr(source, needed) is None:
        yield Fault((), f'transport = "{source.transport}" needs "{needed}"')
    if getattr(source, unused) is not None:
        yield Fault((unused,), f'{unused} has no use with transport = "{source.transport}"')
    if source.transport != "tcp":
        units = [("tag", index, tag.unit_id) for index, tag in enumerate(source.tags)]
        units += [("device", index, one.unit_id) for index, one in enumerate(source.devices)]
        for name, index, unit_id in units:
            if unit_id == 0:
                message = "unit_id = 0 calls all devices of a serial line, and none answers"
                yield Fault((name, index, "unit_id"), message)


def device_faults(source: "ModbusSource") -> Iterator[Fault]:
    """Return quantities that a profile does not have, and ratios that it already applies."""
    for index, device in enumerate(source.devices):
        table = profile(device.profile)
        known = [value.quantity for value in table.values]
        for name in device.wanted:
            if name not in known:
                message = f'{table.name} has no "{name}"; it has: {", ".join(known)}'
                yield Fault(("device", index, "quantities"), message)
        for key in _ratios(device) if not table.secondary else ():
            message = f"{key}: {table.name} applies its transformer ratios by itself"
            yield Fault(("device", index, key), message)


def tag_faults(source: "ModbusSource") -> Iterator[Fault]:
    """Return tags whose keys contradict each other or the limits of the source."""
    made = {tag.place for device in source.devices for tag in device.tags(source.base)}
    for index, tag in enumerate(source.tags):
        if tag.place not in made:
            for key, message in _of_tag(source, tag):
                yield Fault(("tag", index, key), message)


def _ratios(device: "ModbusDevice") -> list[str]:
    return [key for key in ("ct_ratio", "pt_ratio") if getattr(device, key) != 1.0]


def _of_tag(source: "ModbusSource", tag: "ModbusTag") -> Iterator[tuple[str, str]]:
    yield from _of_address(source, tag)
    yield from _of_type(tag)
    if tag.type == "string":
        yield from _of_string(tag)
    elif tag.table not in BIT_TABLES:
        if not fits(tag.order, tag.width):
            allowed = "ABCD, CDAB, BADC and DCBA, or one with as many letters as it has bytes"
            yield "order", f'order = "{tag.order}" does not fit a {tag.type}: {allowed}'
        for key in ("length", "states"):
            if getattr(tag, key) is not None:
                yield key, f'{key} belongs to type = "string"'
    if tag.table not in BIT_TABLES and tag.width > source.max_registers:
        yield "type", f"a {tag.type} takes {tag.width} registers: more than max_registers"


def _of_address(source: "ModbusSource", tag: "ModbusTag") -> Iterator[tuple[str, str]]:
    told = f"address = {tag.address}"
    first = tag.address - source.base
    if first < 0:
        yield "address", f"{told}: with base = 1 the first address is 1"
    elif plain := _as_manuals_write(source, tag):
        yield (
            "address",
            f"{told} is a manual's way to write {tag.table} {plain}: say base = 1 and "
            f"address = {plain}, or high_addresses = true where it is meant as it stands",
        )
    elif first >= _END:
        yield "address", f"{told} must lie between {source.base} and {_END - 1 + source.base}"
    elif first + tag.width > _END:
        message = f"{told}: a {tag.type} ends behind register {_END - 1 + source.base}"
        yield "address", message


def _as_manuals_write(source: "ModbusSource", tag: "ModbusTag") -> int | None:
    """Return the number that a manual means by 40101, or None for a plain address."""
    digit = _DIGITS[tag.table]
    number = tag.address - digit * 10_000
    return number if digit and not source.high_addresses and 0 < number < 10_000 else None


def _of_type(tag: "ModbusTag") -> Iterator[tuple[str, str]]:
    if tag.table in BIT_TABLES:
        if tag.type != "bool":
            yield "type", f'the table {tag.table} holds single bits: say type = "bool"'
        if tag.bit is not None:
            yield "bit", f"the table {tag.table} holds single bits: address names the bit"
    elif tag.type == "bool" and tag.bit is None:
        yield "type", 'a "bool" in a register needs "bit"'
    elif tag.type != "bool" and tag.bit is not None:
        yield "bit", f'bit belongs to type = "bool", not to a {tag.type}'


def _of_string(tag: "ModbusTag") -> Iterator[tuple[str, str]]:
    if tag.length is None:
        yield "type", 'a "string" needs "length", the number of its registers'
    if tag.order not in ("ABCD", "BADC", "AB", "BA"):
        yield "order", f'order = "{tag.order}" does not fit a string: AB or BA'
    if tag.states is None:
        yield "type", 'a "string" needs "states", such as { RUN = 1 }: stored values are numbers'
