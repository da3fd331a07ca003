"""How values lie in registers: types, their widths, and byte orders. Pure, without any reading.

The letters of an order name the bytes of a value in the sequence in which they are sent, A the
most significant. Two letters fit one register, four fit two, eight fit four. The four orders of
32 bits are rules besides, which every width understands: ABCD is big-endian, CDAB has its words
in reverse, BADC the bytes within each word, DCBA both.
"""

from typing import Literal

RegisterType = Literal[
    "bool", "uint8high", "uint8low", "int8high", "int8low", "uint16", "int16", "uint32", "int32",
    "uint64", "int64", "float16", "float32", "float64", "bcd16", "bcd32", "string",
]  # fmt: skip
RegisterOrder = Literal[
    "ABCD", "CDAB", "BADC", "DCBA", "AB", "BA", "ABCDEFGH", "GHEFCDAB", "BADCFEHG", "HGFEDCBA",
    "EFGHABCD", "CDABGHEF",
]  # fmt: skip
RegisterTable = Literal["holding", "input", "coil", "discrete"]

# Tables whose places are single bits, not registers.
BIT_TABLES: tuple[RegisterTable, ...] = ("coil", "discrete")

# Registers of 16 bits that a value takes; the length of a string is a key of its own.
WIDTHS: dict[RegisterType, int] = {
    "bool": 1,
    "uint8high": 1,
    "uint8low": 1,
    "int8high": 1,
    "int8low": 1,
    "uint16": 1,
    "int16": 1,
    "float16": 1,
    "bcd16": 1,
    "uint32": 2,
    "int32": 2,
    "float32": 2,
    "bcd32": 2,
    "uint64": 4,
    "int64": 4,
    "float64": 4,
}

_WORDS_SWAPPED = ("CDAB", "DCBA")
_BYTES_SWAPPED = ("BADC", "DCBA", "BA")
_FIRST = ord("A")
_RULE_LETTERS = 4


def fits(order: RegisterOrder, registers: int) -> bool:
    """Tell whether an order says where each byte of so many registers goes."""
    return len(order) in (_RULE_LETTERS, 2 * registers)


def sequence(order: RegisterOrder, registers: int) -> list[int]:
    """Return for each byte as sent which byte of the value it is, 0 the most significant."""
    if len(order) == 2 * registers:
        return [ord(letter) - _FIRST for letter in order]
    words = range(registers)
    within = (1, 0) if order in _BYTES_SWAPPED else (0, 1)
    ordered = reversed(words) if order in _WORDS_SWAPPED else words
    return [2 * word + byte for word in ordered for byte in within]
