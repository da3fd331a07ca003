"""What can go wrong at the border to the database.

StoreError
├── StoreUnavailable          try again later
│   └── NotPermitted          after somebody has granted it
└── Refused                   trying again will not help
    ├── UnknownAccount
    ├── LoginTaken
    ├── Stale
    ├── UnknownGateway
    │   ├── AccessDenied
    │   └── GatewayRevoked
    ├── EnrolmentRefused
    ├── WireRefused
    │   └── WireUnknown
    ├── UnknownTag
    ├── UnknownFactory
    ├── BadSignature
    ├── BadHash
    ├── SequenceConflict
    ├── PlanRefused
    └── SchemaRefused
"""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg


class StoreError(Exception):
    """The database could not do what was asked."""


class StoreUnavailable(StoreError):
    """The database cannot be reached or gave up for now; try again later."""


class NotPermitted(StoreUnavailable):
    """The database role may not do this; for the application's own role that is meant."""


class Refused(StoreError):
    """The database refused this for a reason that trying again does not remove."""


class UnknownAccount(Refused):
    """There is no such account; the security administrator's page lists them."""


class LoginTaken(Refused):
    """Another account has this login name; choose another."""


class Stale(Refused):
    """Somebody changed this since it was read; read it again, then decide."""


class UnknownGateway(Refused):
    """The gateway is not enrolled, or was revoked; enrol it with `millpond collector enrol`."""


class AccessDenied(UnknownGateway):
    """The gateway's token or certificate is not accepted; enrol it with a new code."""


class GatewayRevoked(UnknownGateway):
    """The gateway was shut out; ask the city why, then enrol it with a new code."""


class EnrolmentRefused(Refused):
    """The enrolment code is wrong, used or expired; ask for a new one."""


class WireRefused(Refused):
    """The bytes are no batch; they were damaged on the way."""


class WireUnknown(WireRefused):
    """The bytes were written by another version of Millpond; update gateway and city."""


class UnknownTag(Refused):
    """A tag is not in the factory's monitoring plan; add it there and load the plan again."""


class UnknownFactory(Refused):
    """No factory has this code; load its monitoring plan first."""

    def __init__(self, message: str, code: str = "") -> None:
        super().__init__(message)
        self.code = code


class BadSignature(Refused):
    """The signature does not belong to the gateway's registered key; enrol the gateway again."""


class BadHash(Refused):
    """The hash does not follow from the rows; the batch was altered or damaged on its way."""


class SequenceConflict(Refused):
    """The sequence number was used for other content; a copy of the gateway may be running."""


class PlanRefused(Refused):
    """The monitoring plan contradicts itself or what is stored."""


class SchemaRefused(Refused):
    """The database lacks what Millpond needs; see the message."""


# What the data themselves bring about. All else, from a dead server to a database that is not
# migrated or became read-only, can be put right while whoever sends keeps the data.
_FOR_GOOD = (psycopg.DataError, psycopg.IntegrityError, psycopg.errors.RaiseException)
_OTHER_SCHEMA = (
    psycopg.errors.UndefinedTable,
    psycopg.errors.UndefinedColumn,
    psycopg.errors.UndefinedFunction,
    psycopg.errors.InvalidSchemaName,
)


@contextmanager
def translated() -> Iterator[None]:
    """Turn the driver's errors into this package's, at this one border."""
    try:
        yield
    except _FOR_GOOD as error:
        raise Refused(_first_line(error)) from error
    except UnicodeEncodeError as error:
        raise Refused(f"text that is no Unicode: {error.reason}") from error
    except psycopg.errors.InsufficientPrivilege as error:
        raise NotPermitted(_first_line(error)) from error
    except _OTHER_SCHEMA as error:
        hint = "the database has another schema than this program; run `millpond db migrate`"
        raise StoreUnavailable(f"{_first_line(error)}: {hint}") from error
    except psycopg.errors.LockNotAvailable as error:
        hint = "another worker is at the same thing; try again later"
        raise StoreUnavailable(f"{_first_line(error)}: {hint}") from error
    except psycopg.Error as error:
        raise StoreUnavailable(_first_line(error)) from error


def _first_line(error: psycopg.Error) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)


def is_about_content(error: Refused) -> bool:
    """Tell a refusal of what was sent from a fault of the database that a person mends.

    The driver's own errors carry an SQLSTATE: class 22 is a data exception, 23 an integrity
    constraint; anything else, such as one raised by a trigger, says nothing about what was sent.
    """
    state = getattr(error.__cause__, "sqlstate", None)
    return error.__cause__ is None or (state is not None and state[:2] in ("22", "23"))
