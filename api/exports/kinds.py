"""What documents there are, who may ask for which, and what each is about."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

About = Literal["step", "stay", "year"]


@dataclass(frozen=True, slots=True)
class DocumentKind:
    """A kind of document; see the head of kinds.toml."""

    kind: str
    zh: str
    en: str
    about: About
    who: tuple[str, ...]
    states: tuple[str, ...]
    evidence: str | None


@cache
def kinds() -> Mapping[str, DocumentKind]:
    """Return every kind in the order of the file."""
    found = tomllib.loads(files("api.exports").joinpath("kinds.toml").read_text(encoding="utf-8"))
    return {
        kind: DocumentKind(
            kind=kind,
            zh=given["name"]["zh"],
            en=given["name"]["en"],
            about=given["about"],
            who=tuple(given["who"]),
            states=tuple(given.get("states", ())),
            evidence=given.get("evidence"),
        )
        for kind, given in found.items()
    }
