"""The values of the follow-up's policy: defaults as data, the bureau's own dated ones above them.

A key of policy.toml that the bureau has not set holds its default and is shown as 待发布办法. What
is decided keeps the policy's id, and under it every value, so that a later change alters nothing.
"""

import hashlib
import json
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any, Literal, cast, get_args

from api.pool.errors import BadTable, said
from api.pool.workdays import Term
from api.pool.workdays import Unit as TermUnit

Kind = Literal["notice", "practice", "proposal"]
Unit = Literal[
    "d",
    "workday",
    "month",
    "year",
    "minute",
    "count",
    "share",
    "flag",
    "day",
    "lifecycle",
    "checks",
]
PolicyValue = int | float | bool | str

_TERMS = frozenset(get_args(TermUnit))
_TEXTS = ("source", "source_en", "zh", "en")
_FIELDS = {"default", "unit", "kind", *_TEXTS}
_BOUNDS = {"least", "most"}
_CHECKS = re.compile(r"[PQ][0-9]{2}( [PQ][0-9]{2})*|")
_DAY = re.compile(r"(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])")
_ID_LENGTH = 16


@dataclass(frozen=True, slots=True)
class Key:
    """One value that the notice leaves open; bounds belong to numbers."""

    name: str
    default: PolicyValue
    unit: Unit
    kind: Kind
    source: str
    source_en: str
    zh: str
    en: str
    least: float | None = None
    most: float | None = None

    def fault(self, value: object) -> "Fault | None":
        """Return what is wrong with a value for this key, or None."""
        if self.unit == "flag":
            return None if isinstance(value, bool) else Fault("flag")
        if self.unit == "day":
            return None if isinstance(value, str) and _DAY.fullmatch(value) else Fault("day")
        if self.unit == "checks":
            return None if isinstance(value, str) and _CHECKS.fullmatch(value) else Fault("checks")
        if self.unit == "lifecycle":
            return None if isinstance(value, str) else Fault("lifecycle")
        return self._number_fault(value)

    def _number_fault(self, value: object) -> "Fault | None":
        if isinstance(value, bool) or not isinstance(value, int | float):
            return Fault("number")
        if self.unit != "share" and not isinstance(value, int):
            return Fault("whole")
        if self.least is None or self.most is None or self.least <= value <= self.most:
            return None
        return Fault("range", {"least": f"{self.least:g}", "most": f"{self.most:g}"})


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a value does not fit its key: the code of the words (texts/unfit.toml), and numbers."""

    code: str
    values: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return said(self.code, self.values, "en")


@dataclass(frozen=True, slots=True)
class Setting:
    """A value that was confirmed for a key, and from which day on it holds."""

    key: str
    value: PolicyValue
    valid_from: date
    source: str


@dataclass(frozen=True, slots=True)
class Held:
    """The value of a key on a day; not settled means that the bureau has not set it 待发布办法."""

    key: Key
    value: PolicyValue
    settled: bool
    valid_from: date | None
    source: str


class Policy:
    """All values on one day, and the id that names them together."""

    def __init__(self, held: Sequence[Held]) -> None:
        self._held = {each.key.name: each for each in held}
        text = json.dumps(self.values, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        self.policy_id = hashlib.sha256(text.encode()).hexdigest()[:_ID_LENGTH]

    @property
    def values(self) -> dict[str, PolicyValue]:
        """Return every value by key."""
        return {name: each.value for name, each in self._held.items()}

    def __iter__(self) -> Iterator[Held]:
        return iter(self._held.values())

    def __getitem__(self, name: str) -> Held:
        return self._held[name]

    def term(self, name: str) -> Term:
        """Return the term that a key gives."""
        held = self._held[name]
        if held.key.unit not in _TERMS:
            raise ValueError(f"{name} is no term")
        return Term(int(held.value), cast(TermUnit, held.key.unit))

    def count(self, name: str) -> int:
        """Return the whole number that a key gives."""
        return int(self._held[name].value)

    def share(self, name: str) -> float:
        """Return the share that a key gives, 0 to 1."""
        return float(self._held[name].value)

    def text(self, name: str) -> str:
        """Return the text or the day of a year that a key gives."""
        return str(self._held[name].value)


@cache
def keys() -> Mapping[str, Key]:
    """Return every key that the follow-up knows."""
    return read(files("api.pool").joinpath("policy.toml").read_text(encoding="utf-8"))


def read(text: str) -> Mapping[str, Key]:
    """Read a table of keys; raises BadTable with the key and what is wrong with it."""
    try:
        found = dict(_keys("", tomllib.loads(text)))
    except tomllib.TOMLDecodeError as error:
        raise BadTable(f"the policy table is no TOML: {error}") from error
    if not found:
        raise BadTable("the policy table has no keys")
    return found


def merged(day: date, settings: Sequence[Setting]) -> Policy:
    """Return the policy of a day: of each key the newest setting that holds then, or the default.

    Of two with one date the later in the sequence counts. A setting of a key that is not known
    any more is passed over.
    """
    newest: dict[str, Setting] = {}
    for each in sorted(settings, key=lambda one: one.valid_from):
        if each.valid_from <= day and each.key in keys():
            newest[each.key] = each
    return Policy([_held(key, newest.get(name)) for name, key in keys().items()])


def _held(key: Key, setting: Setting | None) -> Held:
    if setting is None:
        return Held(key, key.default, False, None, key.source)
    return Held(key, setting.value, True, setting.valid_from, setting.source)


def _keys(prefix: str, table: Mapping[str, Any]) -> Iterator[tuple[str, Key]]:
    for name, value in table.items():
        if not isinstance(value, Mapping):
            raise BadTable(f"policy table: {prefix}{name} belongs to no key")
        if "default" in value:
            yield prefix + name, _key(prefix + name, value)
        else:
            yield from _keys(f"{prefix}{name}.", value)


def _key(name: str, given: Mapping[str, Any]) -> Key:
    place = f"policy table: {name}"
    if missing := sorted(_FIELDS - given.keys()):
        raise BadTable(f"{place} lacks {', '.join(missing)}")
    if unknown := sorted(given.keys() - _FIELDS - _BOUNDS):
        raise BadTable(f"{place} has no field {', '.join(unknown)}")
    if given["unit"] not in get_args(Unit):
        raise BadTable(f"{place}: unit must be one of {', '.join(get_args(Unit))}")
    if given["kind"] not in get_args(Kind):
        raise BadTable(f"{place}: kind must be one of {', '.join(get_args(Kind))}")
    if blank := [each for each in _TEXTS if not str(given[each]).strip()]:
        raise BadTable(f"{place}: {blank[0]} must not be empty")
    key = Key(name=name, **given)
    if (key.least is None) != (key.most is None):
        raise BadTable(f"{place}: least and most go together")
    if fault := key.fault(key.default):
        raise BadTable(f"{place}: default {fault}")
    return key
