"""Numbers as Modbus registers, in the four orders in which devices send 32 bits."""

import struct

from simulators.errors import ScenarioError

_FORMATS = {
    "uint16": ">H",
    "int16": ">h",
    "uint32": ">I",
    "int32": ">i",
    "float32": ">f",
    "uint64": ">Q",
    "float64": ">d",
}


def register_count(kind: str) -> int:
    """Return how many 16-bit registers a type takes."""
    return struct.calcsize(_format(kind)) // 2


def registers(value: float, kind: str, order: str) -> list[int]:
    """Return the registers of a value; ABCD is big-endian, A the most significant byte."""
    number = value if kind.startswith("float") else round(value)
    data = struct.pack(_format(kind), number)
    words = [data[at : at + 2] for at in range(0, len(data), 2)]
    if order in ("CDAB", "DCBA"):
        words.reverse()
    if order in ("BADC", "DCBA"):
        words = [word[::-1] for word in words]
    return [int.from_bytes(word, "big") for word in words]


def _format(kind: str) -> str:
    if kind not in _FORMATS:
        raise ScenarioError(f"register type {kind!r}; allowed: {', '.join(_FORMATS)}")
    return _FORMATS[kind]
