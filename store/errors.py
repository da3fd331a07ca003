"""What can go wrong at the border to the database.

StoreError
├── StoreUnavailable          try again later
└── Refused                   trying again will not help
    ├── UnknownGateway
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


class Refused(StoreError):
    """The database refused this for a reason that trying again does not remove."""


class UnknownGateway(Refused):
    """The gateway is not enrolled, or was revoked; enrol it with `millpond collector enrol`."""


class UnknownTag(Refused):
    """A tag is not in the factory's monitoring plan; add it there and load the plan again."""


class UnknownFactory(Refused):
    """No factory has this code; load its monitoring plan first."""


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


@contextmanager
def translated() -> Iterator[None]:
    """Turn the driver's errors into this package's, at this one border."""
    try:
        yield
    except _FOR_GOOD as error:
        raise Refused(_first_line(error)) from error
    except UnicodeEncodeError as error:
        raise Refused(f"text that is no Unicode: {error.reason}") from error
    except psycopg.Error as error:
        raise StoreUnavailable(_first_line(error)) from error


def _first_line(error: psycopg.Error) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)
