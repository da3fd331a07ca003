"""The claims of the construction points and the rules of their methods, read from their tables."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from kpi.calendar import add_months
from kpi.errors import BadTable

_KINDS = {"D": "discrete", "P": "process"}


@dataclass(frozen=True, slots=True)
class Claim:
    """A part of a construction point that can be shown; evidence_class is A or B."""

    claim: str
    factory_kind: str
    evidence_class: Literal["A", "B"]
    zh: str
    en: str
    systems: tuple[str, ...]
    methods: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """How a method judges: its window, its limits and words; or why no data support it."""

    method: str
    zh: str
    en: str
    days: int | None = None
    months: int | None = None
    valid_days: int = 30
    limits: Mapping[str, float] = field(default_factory=dict)
    words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    unsupported: str | None = None

    def start(self, end: date) -> date:
        """Return the first local day of a window that ends before a day."""
        if self.months is not None:
            return add_months(end.replace(day=1), -self.months)
        return end - timedelta(days=self.days or 1)

    def end(self, end: date) -> date:
        """Return the day before which the window ends; one of months ends with a month."""
        return end.replace(day=1) if self.months is not None else end

    def expires(self, end: date) -> date:
        """Return the day from which an answer of the window that ends before a day is too old."""
        return self.end(end) + timedelta(days=self.valid_days)


@cache
def claims() -> tuple[Claim, ...]:
    """Return every claim that data can speak for; raises BadTable."""
    known = rules()
    found = []
    for row in _read("claims.toml")["claim"]:
        claim = Claim(
            claim=row["id"],
            factory_kind=_KINDS[row["id"][0]],
            evidence_class=row["class"],
            zh=row["zh"],
            en=row["en"],
            systems=tuple(row["systems"]),
            methods=tuple(row["methods"]),
        )
        if unknown := set(claim.methods) - known.keys():
            raise BadTable(f"claim {claim.claim}: no method is called {', '.join(unknown)}")
        found.append(claim)
    return tuple(found)


@cache
def rules() -> Mapping[str, Rule]:
    """Return the rules by method; raises BadTable for one without a window."""
    found = {}
    for row in _read("rules.toml")["method"]:
        given = {name: value for name, value in row.items() if name not in ("id", "words")}
        words = {name: tuple(each) for name, each in row.get("words", {}).items()}
        rule = Rule(method=row["id"], words=words, **given)
        windows = sum(each is not None for each in (rule.days, rule.months, rule.unsupported))
        if windows != 1 or rule.method in found:
            raise BadTable(f"method {rule.method} stands there twice or has not just one window")
        found[rule.method] = rule
    return found


def rule_version() -> str:
    """Return the version of the rules."""
    return str(_read("rules.toml")["version"])


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads(files(__package__).joinpath(name).read_text(encoding="utf-8"))
