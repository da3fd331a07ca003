"""What the names in a letter's text mean: a word in the reader's language, and a sample value."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from api.exports import letter, sample
from api.messages import Texts

_NAMES = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Placeholder:
    """A name as it is written in a text; what is put in whole, as a table, has no sample."""

    code: str
    meaning: str
    sample: str = ""


def facts(t: Texts) -> list[Placeholder]:
    """Return every fact that a text may name."""
    return list(_facts(t, sorted(letter.FACTS)))


def inserts(t: Texts) -> list[Placeholder]:
    """Return every table and picture that a text may put in."""
    return [_insert(t, name) for name in sorted(letter.INSERTS)]


def used(t: Texts, text: str, what: str = "text") -> list[Placeholder]:
    """Return what a piece of a text names, each once; names that there are not are left out."""
    if what == "insert":
        name = text.strip()
        return [_insert(t, name)] if name in letter.INSERTS else []
    names = dict.fromkeys(_NAMES.findall(text))
    return list(_facts(t, (name for name in names if name in letter.FACTS)))


def condition(t: Texts, name: str) -> str:
    """Return how a block's condition is chosen: by its meaning, with its name behind."""
    kind = "letter_fact" if name in letter.FACTS else "letter_insert"
    return f"{t(f'{kind}.{name}')} ({name})"


def _facts(t: Texts, names: Iterable[str]) -> Iterable[Placeholder]:
    samples = sample.named()
    for name in names:
        yield Placeholder(f"{{{name}}}", t(f"letter_fact.{name}"), samples[name])


def _insert(t: Texts, name: str) -> Placeholder:
    return Placeholder(name, t(f"letter_insert.{name}"))
