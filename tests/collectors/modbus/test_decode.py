"""Every register type in every byte order, against bytes laid out by hand."""

import math
import struct

import pytest

from collectors.modbus.decode import decode, scaled
from collectors.modbus.settings import WIDTHS, RegisterOrder, RegisterType

# Big-endian bytes of a value of each type: the first register's high byte comes first.
BYTES: dict[RegisterType, tuple[bytes, float]] = {
    "uint16": (bytes([0x12, 0x34]), 0x1234),
    "int16": (bytes([0xFF, 0xFE]), -2),
    "uint32": (bytes([0x12, 0x34, 0x56, 0x78]), 0x12345678),
    "int32": (bytes([0xFF, 0xFF, 0xFF, 0xFE]), -2),
    "float32": (struct.pack(">f", 6.25), 6.25),
    "uint64": (bytes([0, 0, 0, 0x12, 0x34, 0x56, 0x78, 0x9A]), 0x123456789A),
    "int64": (bytes([0xFF] * 7 + [0x80]), -128),
    "float64": (struct.pack(">d", -1234.5678), -1234.5678),
}


def laid_out(data: bytes, order: RegisterOrder) -> list[int]:
    """Return registers as a device of that order would hold them; written without the decoder."""
    pairs = [(data[i], data[i + 1]) for i in range(0, len(data), 2)]
    match order:
        case "ABCD":
            return [high << 8 | low for high, low in pairs]
        case "CDAB":
            return [high << 8 | low for high, low in pairs[::-1]]
        case "BADC":
            return [low << 8 | high for high, low in pairs]
        case "DCBA":
            return [low << 8 | high for high, low in pairs[::-1]]


@pytest.mark.parametrize("order", ["ABCD", "CDAB", "BADC", "DCBA"])
@pytest.mark.parametrize("kind", list(BYTES))
def test_type_and_order(kind: RegisterType, order: RegisterOrder) -> None:
    data, value = BYTES[kind]
    assert decode(laid_out(data, order), kind, order) == value


@pytest.mark.parametrize(
    ("order", "registers"),
    [
        ("ABCD", [0x4048, 0xF5C3]),
        ("CDAB", [0xF5C3, 0x4048]),
        ("BADC", [0x4840, 0xC3F5]),
        ("DCBA", [0xC3F5, 0x4840]),
    ],
)
def test_pi_as_meters_send_it(order: RegisterOrder, registers: list[int]) -> None:
    assert decode(registers, "float32", order) == pytest.approx(3.14, abs=1e-6)


def test_what_is_no_number_stays_none() -> None:
    assert math.isnan(decode([0x7FC0, 0], "float32", "ABCD"))
    assert math.isinf(decode([0x7F80, 0], "float32", "ABCD"))


def test_widths_in_registers() -> None:
    assert {kind: len(data) // 2 for kind, (data, _) in BYTES.items()} == WIDTHS


@pytest.mark.parametrize(
    ("raw", "scale", "offset", "value"),
    [
        (12345, 0.1, 0, 1234.5),
        (4294967295, 0.1, 0, 429496729.5),
        (3, 0.001, 0, 0.003),
        (250, 0.1, -40, -15.0),
        (7, 12.5, 1, 88.5),
        (7, -0.1, 0, -0.7),
        (7, 1, 0, 7),
    ],
)
def test_scaling_reads_like_the_display(
    raw: float, scale: float, offset: float, value: float
) -> None:
    assert scaled(raw, scale, offset) == value
