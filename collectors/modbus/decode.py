"""Registers to numbers: type, byte order, scale. Pure.

The letters name the bytes of a 32-bit value as they are sent, A the most significant: ABCD is
big-endian, CDAB has its words swapped, BADC its bytes within each word, DCBA both. Other widths
follow the same two rules: a 64-bit CDAB has its four words in reverse.
"""

import struct
from collections.abc import Sequence

from collectors.modbus.settings import RegisterOrder, RegisterType

_FORMATS: dict[RegisterType, str] = {
    "uint16": ">H",
    "int16": ">h",
    "uint32": ">I",
    "int32": ">i",
    "float32": ">f",
    "uint64": ">Q",
    "int64": ">q",
    "float64": ">d",
}

_WORDS_SWAPPED = ("CDAB", "DCBA")
_BYTES_SWAPPED = ("BADC", "DCBA")


def decode(registers: Sequence[int], kind: RegisterType, order: RegisterOrder) -> float:
    """Return the number in exactly as many registers as its type takes; may be NaN or infinite.

    A 64-bit integer above 2^53 loses its last digits, since values are stored as float64.
    """
    words = list(reversed(registers)) if order in _WORDS_SWAPPED else list(registers)
    data = struct.pack(f">{len(words)}H", *words)
    if order in _BYTES_SWAPPED:
        data = b"".join(data[i + 1 : i + 2] + data[i : i + 1] for i in range(0, len(data), 2))
    (value,) = struct.unpack(_FORMATS[kind], data)
    return float(value)


def scaled(raw: float, scale: float, offset: float) -> float:
    """Return raw × scale + offset in the tag's unit.

    A decimal scale below one divides instead, so that 0.1 gives 1234.5 and not 1234.5000000000001.
    """
    inverse = round(1 / scale) if 0 < abs(scale) < 1 else 0
    if inverse and 1 / inverse == scale:
        return raw / inverse + offset
    return raw * scale + offset
