"""The texts of pages and pictures in both languages, as data: messages.toml and texts/*.toml."""

import tomllib
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import Any

from api.language import LANGUAGES, Language


@cache
def catalogue() -> dict[str, dict[str, str]]:
    """Return every text by dotted key and language; raises ValueError for a half or second one."""
    api = files("api")
    extra = sorted(api.joinpath("texts").iterdir(), key=lambda path: path.name)
    found: dict[str, dict[str, str]] = {}
    for path in (api.joinpath("messages.toml"), *extra):
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        for key, texts in _entries(path.name, "", data):
            if key in found:
                raise ValueError(f"{path.name}: {key} has a text already")
            found[key] = texts
    return found


def _entries(file: str, prefix: str, table: dict[str, Any]) -> list[tuple[str, dict[str, str]]]:
    found: list[tuple[str, dict[str, str]]] = []
    for name, value in table.items():
        if not isinstance(value, dict):
            raise ValueError(f"{file}: {prefix}{name} is neither a section nor an entry")
        if set(value) & set(LANGUAGES):
            if set(value) != set(LANGUAGES):
                raise ValueError(f"{file}: {prefix}{name} lacks a language")
            found.append((prefix + name, value))
        else:
            found += _entries(file, f"{prefix}{name}.", value)
    return found


class Texts:
    """The catalogue in one language; call it with a key and the values of its placeholders."""

    def __init__(self, language: Language) -> None:
        self.language = language

    def __call__(self, key: str, /, **values: object) -> str:
        """Return a text; raises KeyError for an unknown key or a missing value."""
        return catalogue()[key][self.language].format(**values)

    def pick(self, zh: str, en: str) -> str:
        """Return the one of two names that is in this language."""
        return en if self.language == "en" else zh

    def sentences(self, texts: Iterable[str]) -> str:
        """Join sentences; Chinese puts no space between them."""
        return (" " if self.language == "en" else "").join(texts)
