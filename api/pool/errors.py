"""What the follow-up refuses.

ApiError
└── PoolError
    ├── BadTable        a file of rules cannot be used
    ├── ImportRefused   a pool list cannot be read
    └── Declined        what was asked cannot be done as things stand
        ├── NotPossible
        ├── StaleVersion
        └── NotAllowed
"""

from collections.abc import Sequence
from typing import Any

from api.errors import ApiError


class PoolError(ApiError):
    """The follow-up could not do what was asked; the message says what to do."""


class BadTable(PoolError):
    """A file of rules breaks them; the message names the line and what to write there."""


class ImportRefused(PoolError):
    """The pool list cannot be read as a whole; the message says what to change in it."""


class Declined(PoolError):
    """What was asked cannot be done as things stand; `zh` says it in Chinese where it is known."""

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
