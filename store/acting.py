"""Acting for a caller: the database itself looks up who that is and what is in scope."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from store.db import Connection, transaction
from store.queries import query

# What has a number over all factories, so that one can ask for another's.
Numbered = Literal["ticket", "report", "dispute", "document", "evidence"]


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something: a person by account, or a job or command by name."""

    account_id: int | None
    name: str
    role: str


# What the jobs do by themselves.
SYSTEM = Actor(None, "system", "system")


def signature(actor: Actor) -> dict[str, int | str | None]:
    """Return the columns that say who did something."""
    return {"account_id": actor.account_id, "actor": actor.name, "role": actor.role}


def key_of(secret: str) -> str:
    """Return the key of a session's or token's secret: what the database knows it by."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


@contextmanager
def acting(conn: Connection, key: str) -> Iterator[None]:
    """Hold a transaction in the application's own role with a caller's key, for the block.

    Row-level security lets through what is in the caller's scope. With the key of no living
    session or token nothing is seen.
    """
    with transaction(conn):
        conn.execute(query("act_as_caller"), {"key": key})
        yield


def factory_exists(conn: Connection, code: str) -> bool:
    """Tell a factory that is out of scope from one that is not there; for who owns the database."""
    with transaction(conn):
        return conn.execute(query("factory_exists"), {"code": code}).fetchone() == (True,)


def factory_of(conn: Connection, kind: Numbered, number: int) -> str | None:
    """Return the code of the factory that something numbered belongs to; for the owner's eyes."""
    values = {"kind": kind, "number": number}
    with transaction(conn):
        row = conn.execute(query("factory_of_numbered"), values).fetchone()
    return None if row is None else str(row[0])


def sees_factory(conn: Connection, key: str, code: str) -> bool:
    """Tell whether a factory is in the scope of a key."""
    with acting(conn, key):
        return conn.execute(query("factory_exists"), {"code": code}).fetchone() == (True,)
