"""Registers to numbers and texts: type, byte order, scale. Pure."""

import math
import struct
from collections.abc import Sequence

from collectors.modbus.layout import RegisterOrder, RegisterType, sequence

_FORMATS: dict[RegisterType, str] = {
    "uint8high": ">Bx",
    "uint8low": ">xB",
    "int8high": ">bx",
    "int8low": ">xb",
    "uint16": ">H",
    "int16": ">h",
    "uint32": ">I",
    "int32": ">i",
    "uint64": ">Q",
    "int64": ">q",
    "float16": ">e",
    "float32": ">f",
    "float64": ">d",
}


def decode(
    registers: Sequence[int], kind: RegisterType, order: RegisterOrder, bit: int = 0
) -> float:
    """Return the number in exactly as many registers as its type takes; may be NaN or infinite.

    A BCD value with a digit above nine is NaN. A 64-bit integer above 2^53 loses its last digits,
    since values are stored as float64.
    """
    data = value_bytes(registers, order)
    if kind == "bool":
        return float(int.from_bytes(data, "big") >> bit & 1)
    if kind in _FORMATS:
        (value,) = struct.unpack(_FORMATS[kind], data)
        return float(value)
    digits = data.hex()
    return float(digits) if digits.isdecimal() else math.nan


def text(registers: Sequence[int], order: RegisterOrder) -> str | None:
    """Return the text in registers up to its first NUL, or None where it is not UTF-8."""
    data = value_bytes(registers, order).partition(b"\0")[0]
    try:
        return data.decode("utf-8").strip()
    except UnicodeDecodeError:
        return None


def value_bytes(registers: Sequence[int], order: RegisterOrder) -> bytes:
    """Return the bytes of a value, the most significant first, from registers as they came."""
    sent = struct.pack(f">{len(registers)}H", *registers)
    value = bytearray(len(sent))
    for byte, place in zip(sent, sequence(order, len(registers)), strict=True):
        value[place] = byte
    return bytes(value)


def scaled(raw: float, scale: float, offset: float) -> float:
    """Return raw × scale + offset in the tag's unit.

    A decimal scale below one divides instead, so that 0.1 gives 1234.5 and not 1234.5000000000001.
    """
    inverse = round(1 / scale) if 0 < abs(scale) < 1 else 0
    if inverse and 1 / inverse == scale:
        return raw / inverse + offset
    return raw * scale + offset
