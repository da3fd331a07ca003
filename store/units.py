"""Units in which a monitoring plan may say what a tag shows; "1" is a plain number.

Facts take a register in the unit of its meter and power in kW; a tag that shows another unit of
the same kind needs a ratio that turns it into this one.
"""

from collections.abc import Mapping
from typing import Any

from store.errors import PlanRefused

TAG_UNITS = (
    "1", "%", "count", "pcs", "kWh", "MWh", "Wh", "kvarh", "kW", "W", "kvar", "kVA", "V", "A", "Hz",
    "MJ", "GJ", "GJ/h", "MJ/h", "m3", "Nm3", "L", "kg", "g", "t", "m2", "m3/h", "Nm3/h", "kg/h",
    "t/h", "L/min", "°C", "K", "Pa", "kPa", "MPa", "bar", "s", "min", "h", "m", "mm", "µm", "mm/s",
    "m/s", "m/min", "rpm", "1/min", "N", "kN", "Nm", "dB", "lx", "ppm", "mg/m3", "%RH", "pH",
)  # fmt: skip

# What pulses and plain registers show; their ratio says what one of them stands for.
PLAIN_UNITS = ("1", "count", "pcs")
POWER_UNIT = "kW"
# How many of the first unit one of the others is. A cubic metre of gas is at 20 °C, a standard one
# (Nm3) at 0 °C; a meter's m3 is the former.
CONVERSIONS: dict[str, dict[str, float]] = {
    "kWh": {"kWh": 1.0, "Wh": 0.001, "MWh": 1000.0, "MJ": 1 / 3.6, "GJ": 1000 / 3.6},
    "MJ": {"MJ": 1.0, "GJ": 1000.0, "Wh": 0.0036, "kWh": 3.6, "MWh": 3600.0},
    "m3": {"m3": 1.0, "L": 0.001, "Nm3": 1.0732},
    "kg": {"kg": 1.0, "g": 0.001, "t": 1000.0},
    "t": {"t": 1.0, "kg": 0.001, "g": 1e-6},
    "kW": {"kW": 1.0, "W": 0.001},
}
# Ten thousand, as bills count.
_BILLED = {"kWh": {"万kWh": 10_000.0}, "m3": {"万m3": 10_000.0}}
# Fuel and water by volume that count by mass: the ratio holds the density.
_BY_DENSITY = {"kg": ("L", "m3"), "t": ("L", "m3")}


def billed_in(wanted: str, unit: Any) -> float | None:
    """Return how many of the wanted unit one of an invoice's unit is, None where nobody can say."""
    known = CONVERSIONS.get(wanted, {}) | _BILLED.get(wanted, {})
    return known.get(unit) if isinstance(unit, str) else None


def check_units(place: str, tag: Mapping[str, Any], meter: Mapping[str, Any] | None) -> None:
    """Raise PlanRefused for a register or power whose unit the facts would take for another."""
    if tag["role"] == "power" and tag["unit"] in CONVERSIONS[POWER_UNIT]:
        # What flows through a gas or heat meter is its power too, in a unit of its own.
        _check_unit(place, tag, POWER_UNIT)
    elif tag["role"] == "energy" and meter is not None:
        _check_unit(place, tag, meter["unit"])


def _check_unit(place: str, tag: Mapping[str, Any], wanted: str) -> None:
    shown, ratio = tag["unit"], tag.get("ratio")
    if shown in PLAIN_UNITS:
        return
    known, dense = CONVERSIONS[wanted], _BY_DENSITY.get(wanted, ())
    if shown not in known and shown not in dense:
        allowed = ", ".join(dict.fromkeys((*known, *dense, *PLAIN_UNITS)))
        hint = "; reactive energy has the role process" if shown == "kvarh" else ""
        raise PlanRefused(f"{place}: unit is {shown!r} but must be one of {allowed}{hint}")
    if shown in dense and ratio is None:
        raise PlanRefused(
            f"{place}: ratio is missing; it must hold the density that turns {shown} into {wanted}"
        )
    if shown in known and shown != wanted and ratio in (None, 1):
        raise PlanRefused(
            f"{place}: ratio is {ratio or 1:g} but the tag shows {shown} and {wanted} counts: "
            f"one {shown} is {known[shown]:.5g} {wanted}, times CT x PT"
        )
