"""What the follow-up refuses.

ApiError
└── PoolError
    ├── BadTable        a file of rules cannot be used
    │   └── BadText     a letter's text cannot be used; said in both languages
    ├── ImportRefused   a pool list cannot be read
    │   └── ImportNotOpen  a pool list cannot be taken in as things stand
    └── Declined        what was asked cannot be done as things stand
        ├── NotPossible
        ├── StaleVersion
        ├── NotAllowed
        └── Unfit       a value does not fit; said in both languages, with its field
            └── Decided it is too late for it; NotPossible as well
"""

from collections.abc import Mapping, Sequence
from typing import Any

from api.errors import ApiError
from api.language import Language
from api.messages import Texts


class PoolError(ApiError):
    """The follow-up could not do what was asked; the message says what to do."""


class BadTable(PoolError):
    """A file of rules breaks them; the message names the line and what to write there."""


class BadText(BadTable):
    """A letter's text cannot be used; `code` names the words that say why (texts/unfit.toml)."""

    def __init__(self, code: str, /, **values: object) -> None:
        self.code, self.values = code, values
        super().__init__(self.text("en"))

    def text(self, language: Language) -> str:
        """Return why, in zh or en."""
        return said(self.code, self.values, language)


class ImportRefused(PoolError):
    """The pool list cannot be read as a whole; the message says what to change in it."""

    def __init__(self, en: str, *, zh: str = "") -> None:
        super().__init__(en)
        self.zh = zh or en


class ImportNotOpen(ImportRefused):
    """The list of a trial cannot be taken in as things stand; the message says why."""


class Declined(PoolError):
    """What was asked cannot be done as things stand.

    `code` names the words that say why, for programs; `zh` says it in Chinese where it is known.
    """

    code: str = ""
    zh: str = ""

    def text(self, language: str) -> str:
        """Return what to do, in zh or en."""
        return self.zh if language == "zh" and self.zh else str(self)


class NotPossible(Declined):
    """The step is not open now; `possible` lists what is, each with why where it is not."""

    def __init__(self, message: str, possible: Sequence[Any] = ()) -> None:
        super().__init__(message)
        self.possible = tuple(possible)


class StaleVersion(Declined):
    """Somebody changed it in the meantime; read it again, then decide."""


class NotAllowed(Declined):
    """This account may not do it, for its role or because it made what is decided on."""


class Unfit(Declined):
    """What was given does not fit; `field` is where it stands, `code` names the words for why."""

    def __init__(self, field: str, code: str, /, **values: object) -> None:
        self.field, self.code, self.values = field, code, values
        super().__init__(f"{field}: {said(code, values, 'en')}")
        self.zh = f"{field}：{said(code, values, 'zh')}"


class Decided(Unfit, NotPossible):
    """What was to be decided is decided already; nothing is possible with it any more."""


def said(code: str, values: Mapping[str, object], language: Language) -> str:
    """Return the words for why something does not fit."""
    return Texts(language)(f"unfit.{code}", **values)
