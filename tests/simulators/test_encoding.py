"""Registers as devices send them; the bytes were worked out by hand."""

import pytest

from simulators.encoding import register_count, registers
from simulators.errors import ScenarioError

# 123456.0 is 0x47F12000 as IEEE 754 single; 0x0A0B0C0D is 168496141.


@pytest.mark.parametrize(
    ("order", "words"),
    [
        ("ABCD", [0x0A0B, 0x0C0D]),
        ("CDAB", [0x0C0D, 0x0A0B]),
        ("BADC", [0x0B0A, 0x0D0C]),
        ("DCBA", [0x0D0C, 0x0B0A]),
    ],
)
def test_uint32_in_four_orders(order: str, words: list[int]) -> None:
    assert registers(168496141, "uint32", order) == words


def test_float32() -> None:
    assert registers(123456.0, "float32", "ABCD") == [0x47F1, 0x2000]
    assert registers(123456.0, "float32", "CDAB") == [0x2000, 0x47F1]


def test_integers_are_rounded_not_cut() -> None:
    assert registers(2.9999999, "uint16", "ABCD") == [3]


def test_lengths() -> None:
    assert [register_count(kind) for kind in ("int16", "uint32", "float64")] == [1, 2, 4]


def test_an_unknown_type_names_the_allowed_ones() -> None:
    with pytest.raises(ScenarioError, match="uint16"):
        registers(1, "uint24", "ABCD")
