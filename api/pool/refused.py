"""What the follow-up refuses, said in both languages: the texts are refused.* of api/texts."""

from typing import TypeVar

from api.messages import catalogue
from api.pool.errors import Declined

Kind = TypeVar("Kind", bound=Declined)


def refused(key: str, kind: type[Kind], /, **values: object) -> Kind:
    """Make the error of a kind that says refused.KEY, its code, with its values filled in.

    A value that is a name in both languages (Name) is said in the reader's.
    """
    texts = catalogue()[f"refused.{key}"]
    said = {
        language: text.format(**{name: _in(each, language) for name, each in values.items()})
        for language, text in texts.items()
    }
    found = kind(said["en"])
    found.code, found.zh = key, said["zh"]
    return found


def _in(value: object, language: str) -> object:
    return getattr(value, language, value)
