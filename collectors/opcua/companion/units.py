"""Units of OPC UA values in our own spelling. Pure.

UnitId is the common code of UNECE Recommendation 20, its characters packed into the bytes of a
number, the first one highest (OPC 10000-8, 5.6.4.4).
"""

import csv
from functools import cache
from pathlib import Path

from collectors.config.fields import UNITS

_TABLE = Path(__file__).with_name("units.csv")
_SPELLINGS = {
    "r/min": "rpm",
    "1/min": "rpm",
    "m³": "m3",
    "m³/h": "m3/h",
    "l": "L",
    "l/min": "L/min",
}
_NO_UNIT = "1"


def unit_of(unit_id: int, text: str) -> str | None:
    """Return our name of a unit, by its code, else by its text; None for one that we lack."""
    if unit_id <= 0 and not text:
        return _NO_UNIT
    by_code = _units().get(common_code(unit_id))
    if by_code is not None:
        return by_code
    spelt = _SPELLINGS.get(text, text)
    return spelt if spelt in UNITS else None


def common_code(unit_id: int) -> str:
    """Return the common code of a UnitId, empty where it is none."""
    if unit_id <= 0:
        return ""
    packed = unit_id.to_bytes((unit_id.bit_length() + 7) // 8, "big")
    return packed.decode("ascii", errors="replace")


@cache
def _units() -> dict[str, str]:
    with _TABLE.open(encoding="utf-8", newline="") as file:
        return {row["code"]: row["unit"] for row in csv.DictReader(file)}
