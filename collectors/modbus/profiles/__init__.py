"""Device profiles: which register of a model holds which quantity; one TOML table per model.

Each file beside this one names its source on top, then what most of its values share, then
one line a value: `voltage_l1 = { address = 0 }`. Addresses are those on the wire, from zero.
"""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from collectors.modbus.layout import RegisterOrder, RegisterTable, RegisterType

_FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """Where a device keeps a quantity; value = raw × scale, in the quantity's unit."""

    quantity: str
    table: RegisterTable
    address: int
    type: RegisterType
    order: RegisterOrder
    scale: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """The table of one model; secondary ones give values before the transformer ratios."""

    name: str
    model: str
    manual: str
    notes: str
    secondary: bool
    max_registers: int
    values: tuple[Value, ...]


PROFILES: tuple[str, ...] = tuple(sorted(path.stem for path in _FOLDER.glob("*.toml")))


@cache
def profile(name: str) -> Profile:
    """Return the table of a model, one of PROFILES."""
    raw = tomllib.loads((_FOLDER / f"{name}.toml").read_text(encoding="utf-8"))
    shared: dict[str, Any] = {"order": "ABCD", "scale": 1.0} | raw["shared"]
    return Profile(
        name=name,
        model=raw["model"],
        manual=raw["manual"],
        notes=raw["notes"],
        secondary=raw["secondary"],
        max_registers=raw["max_registers"],
        values=tuple(
            Value(quantity=quantity, **(shared | own)) for quantity, own in raw["values"].items()
        ),
    )
