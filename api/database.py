"""How a handler comes by a database connection."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Protocol

from fastapi import Depends, Request

from store import Connection, Pool, acting
from store.errors import translated

_WAIT_S = 3.0


class HasKey(Protocol):
    """Somebody whom the database knows by a key."""

    @property
    def key(self) -> str:
        """The key of a session or token."""


class Database:
    """Lends connections of the pool for the length of a block.

    A handler borrows one itself rather than by a FastAPI dependency that holds it: waiting for
    a connection occupies a worker thread, and with every thread waiting nobody could finish the
    requests that hold one.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """Lend a connection that sees all; raises StoreUnavailable when none is free.

        Only logging in, health and gateways ask for it; handlers act for their caller.
        """
        with translated(), self._pool.connection(timeout=_WAIT_S) as conn:
            yield conn

    @contextmanager
    def acting(self, caller: HasKey) -> Iterator[Connection]:
        """Lend a connection within a transaction that sees what is in the caller's scope."""
        with self.connection() as conn, acting.acting(conn, caller.key):
            yield conn


def _database(request: Request) -> Database:
    found = request.app.state.database
    assert isinstance(found, Database)
    return found


def _ingest(request: Request) -> Database:
    found = request.app.state.ingest
    assert isinstance(found, Database)
    return found


TheDatabase = Annotated[Database, Depends(_database)]
# Connections of their own for gateways, so that neither they nor the pages wait for the other.
TheIngest = Annotated[Database, Depends(_ingest)]
