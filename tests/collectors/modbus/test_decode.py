"""Every register type in every byte order, against bytes laid out without the decoder."""

import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.modbus.decode import decode, scaled, text
from collectors.modbus.layout import WIDTHS, RegisterOrder, RegisterType

# The bytes of a value as each order sends them, A the most significant: manuals draw it so.
SENT: dict[int, dict[RegisterOrder, str]] = {
    1: {"AB": "AB", "BA": "BA", "ABCD": "AB", "CDAB": "AB", "BADC": "BA", "DCBA": "BA"},
    2: {"ABCD": "ABCD", "CDAB": "CDAB", "BADC": "BADC", "DCBA": "DCBA"},
    4: {
        "ABCDEFGH": "ABCDEFGH",
        "GHEFCDAB": "GHEFCDAB",
        "BADCFEHG": "BADCFEHG",
        "HGFEDCBA": "HGFEDCBA",
        "EFGHABCD": "EFGHABCD",
        "CDABGHEF": "CDABGHEF",
        "ABCD": "ABCDEFGH",
        "CDAB": "GHEFCDAB",
        "BADC": "BADCFEHG",
        "DCBA": "HGFEDCBA",
    },
}

INTEGERS: dict[RegisterType, tuple[int, bool]] = {
    "uint16": (16, False),
    "int16": (16, True),
    "uint32": (32, False),
    "int32": (32, True),
    "uint64": (64, False),
    "int64": (64, True),
}
FLOATS: dict[RegisterType, str] = {"float16": ">e", "float32": ">f", "float64": ">d"}
FLOAT_BITS: dict[RegisterType, int] = {"float16": 16, "float32": 32, "float64": 64}

CASES = [(kind, order) for kind, width in WIDTHS.items() for order in SENT[width] if kind != "bool"]


def laid_out(data: bytes, order: RegisterOrder) -> list[int]:
    """Return registers as a device of that order sends them, from a value's big-endian bytes."""
    drawn = SENT[len(data) // 2][order]
    byte_of = dict(zip("ABCDEFGH", data, strict=False))
    sent = [byte_of[letter] for letter in drawn]
    return [high << 8 | low for high, low in zip(sent[::2], sent[1::2], strict=True)]


@given(st.data(), st.sampled_from(CASES))
def test_modbus_float_wrong(data: st.DataObject, case: tuple[RegisterType, RegisterOrder]) -> None:
    """Complaint: numbers come out wrong for a word or byte order that is not supported."""
    kind, order = case
    raw, value = data.draw(values(kind))
    assert decode(laid_out(raw, order), kind, order) == value


@st.composite
def values(draw: st.DrawFn, kind: RegisterType) -> tuple[bytes, float]:
    """Draw a value of a type with its big-endian bytes."""
    if kind in INTEGERS:
        bits, signed = INTEGERS[kind]
        low = -(2 ** (bits - 1)) if signed else 0
        number = draw(st.integers(low, low + 2**bits - 1))
        return number.to_bytes(bits // 8, "big", signed=signed), float(number)
    if kind in FLOATS:
        width = FLOAT_BITS[kind]
        real = draw(st.floats(width=width, allow_nan=False))  # type: ignore[arg-type]  # a literal
        return struct.pack(FLOATS[kind], real), real
    if kind.startswith("bcd"):
        digits = draw(st.text("0123456789", min_size=4, max_size=4))
        digits *= WIDTHS[kind]
        return bytes.fromhex(digits), float(int(digits))
    return draw(halves(kind))


@st.composite
def halves(draw: st.DrawFn, kind: RegisterType) -> tuple[bytes, float]:
    """Draw a register of which one byte is a value."""
    high, low = draw(st.integers(0, 255)), draw(st.integers(0, 255))
    half = high if kind.endswith("high") else low
    if kind.startswith("int8") and half > 127:
        return bytes((high, low)), float(half - 256)
    return bytes((high, low)), float(half)


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
    assert math.isnan(decode([0x7E00], "float16", "AB"))


@given(st.integers(0, 0xFFFF))
def test_a_bcd_register_with_a_digit_above_nine_is_no_number(register: int) -> None:
    digits = f"{register:04x}"
    found = decode([register], "bcd16", "AB")
    if digits.isdecimal():
        assert found == int(digits)
    else:
        assert math.isnan(found)


@given(st.integers(0, 0xFFFF), st.integers(0, 15))
def test_a_bit_counts_from_the_lowest(register: int, bit: int) -> None:
    assert decode([register], "bool", "AB", bit) == float(f"{register:016b}"[15 - bit])
    swapped = (register & 0xFF) << 8 | register >> 8
    assert decode([swapped], "bool", "BA", bit) == float(f"{register:016b}"[15 - bit])


@pytest.mark.parametrize(
    ("registers", "order", "found"),
    [
        ([0x5255, 0x4E00, 0x5858], "AB", "RUN"),
        ([0x5552, 0x204E], "BA", "RUN"),
        ([0x8FD0, 0xE8A1], "BA", None),
        ([0xE8BF, 0x90E8, 0xA18C], "AB", "运行"),
    ],
)
def test_texts(registers: list[int], order: RegisterOrder, found: str | None) -> None:
    assert text(registers, order) == found


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
