"""Why a step is not open: a code with its numbers, said in both languages by guards.toml."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

_LANGUAGES = ("zh", "en")


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a guard does not hold, or why a step is not this account's."""

    guard: str
    code: str
    numbers: Mapping[str, Any]

    @property
    def zh(self) -> str:
        """Return the sentence in Chinese."""
        return self.text("zh")

    @property
    def en(self) -> str:
        """Return the sentence in English."""
        return self.text("en")

    def text(self, language: str) -> str:
        """Return the sentence in a language, zh or en."""
        entry: Mapping[str, str] = texts()[self.guard][self.code]
        return entry[language].format(**self.numbers)


def reason(guard: str, code: str, **numbers: Any) -> Reason:
    """Make a reason; days become their ISO form when they are said."""
    return Reason(guard, code, numbers)


@cache
def texts() -> Mapping[str, Mapping[str, Any]]:
    """Return what every guard demands and every reason says; raises ValueError for half of one."""
    found = tomllib.loads(files("api.pool").joinpath("guards.toml").read_text(encoding="utf-8"))
    for guard, entry in found.items():
        parts = [entry, *(each for each in entry.values() if isinstance(each, dict))]
        if any(language not in part for part in parts for language in _LANGUAGES):
            raise ValueError(f"guards.toml: {guard} lacks a language")
    return found
