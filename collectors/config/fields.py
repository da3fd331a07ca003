"""What keys of a gateway file may hold: the parts that every table is made of.

A field is a key. Its type is the TOML type; its metadata narrow it: `choices` lists the words
that are allowed, `at_least` and `at_most` bound a number, `form` returns what is wrong with a
text or None, and `table` names the sub-tables that fill a tuple. A key without default must be
there. `about` is the line that the documents print for it. Units stand in the names: `_s` seconds,
`_ms` milliseconds, `_mb` megabytes.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from collectors.config.lines import Place

# Spelt as in the monitoring plan; "1" is a plain number.
UNITS = (
    "1", "%", "count", "kWh", "MWh", "Wh", "kvarh", "kW", "W", "kvar", "kVA", "V", "A", "Hz",
    "MJ", "GJ", "m3", "Nm3", "L", "kg", "t", "m3/h", "kg/h", "t/h", "L/min", "°C", "K", "Pa",
    "kPa", "MPa", "bar", "s", "min", "h", "m", "mm", "mm/s", "m/s", "rpm", "ppm", "mg/m3", "%RH",
)  # fmt: skip

_PATH = re.compile(r"[^.\s]+(?:\.[^.\s]+)*")


def number(
    at_least: float | None = None, at_most: float | None = None, about: str = ""
) -> dict[str, Any]:
    """Return the metadata of a number between two bounds; about is its line in the documents."""
    return {"at_least": at_least, "at_most": at_most, "about": about}


def form(judge: Callable[[str], str | None], about: str = "") -> dict[str, Any]:
    """Return the metadata of a text that a function judges."""
    return {"form": judge, "about": about}


def choice(*words: str, about: str = "") -> dict[str, Any]:
    """Return the metadata of a text that is one of some words."""
    return {"choices": words, "about": about}


def tables(name: str, about: str = "") -> dict[str, Any]:
    """Return the metadata of a tuple of sub-tables, written as [[….name]]."""
    return {"table": name, "about": about}


def judged(judge: Callable[[Any], str | None], about: str = "") -> dict[str, Any]:
    """Return the metadata of a key whose value, of whatever type, a function judges."""
    return {"judge": judge, "about": about}


def plain(about: str) -> dict[str, Any]:
    """Return the metadata of a key that its type alone bounds."""
    return {"about": about}


def not_empty(text: str) -> str | None:
    """Judge a text that must say something."""
    return None if text.strip() else "must not be empty"


def json_path(text: str) -> str | None:
    """Judge a dotted path into a JSON document."""
    return None if _PATH.fullmatch(text) else "must be keys joined by dots, such as data.value"


def timezone(text: str) -> str | None:
    """Judge the name of a time zone."""
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return "must be a zone of the tz database, such as Asia/Shanghai"
    return None


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong between the keys of one table: the place from that table on, and why."""

    place: Place
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TagTable:
    """[[source.tag]]: what every protocol's tag has; the unit is shown, never converted."""

    tag: str = field(metadata=form(not_empty, about="name of the tag in the monitoring plan"))
    unit: str = field(default="1", metadata=choice(*UNITS, about="shown, never converted"))
    deadband: float = field(
        default=0.0,
        metadata=number(
            at_least=0,
            at_most=1e12,
            about="a change up to this, in the tag's unit, waits for the heartbeat",
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceTable:
    """[[source]]: what every protocol's source has."""

    name: str = field(metadata=form(not_empty, about="how messages call the source"))
    kind: str = field(metadata=plain("the protocol"))
    heartbeat_s: float = field(
        default=60.0,
        metadata=number(
            at_least=1,
            at_most=86_400,
            about="a row at least this often while a value does not change",
        ),
    )

    def faults(self) -> Iterator[Fault]:
        """Return what is wrong between keys that are right one by one."""
        return iter(())

    def advice(self) -> Iterator[str]:
        """Return what the other side needs that no key can bring about."""
        return iter(())

    def clash(self, _earlier: "SourceTable") -> str | None:
        """Return why this source cannot stand beside one above it, or None."""
        return None
