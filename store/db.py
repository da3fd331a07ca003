"""Connections, pools and transactions."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import psycopg_pool

from store.errors import StoreUnavailable, translated

Connection = psycopg.Connection[tuple[Any, ...]]
Pool = psycopg_pool.ConnectionPool[Connection]

_CONNECT_TIMEOUT_S = 5
_OPTIONS = "-c timezone=UTC -c statement_timeout=600000"


def connect(url: str) -> Connection:
    """Open one connection in UTC that commits each statement unless a transaction is open.

    Raises StoreUnavailable when no server answers within 5 s.
    """
    with translated():
        return psycopg.connect(
            url, autocommit=True, connect_timeout=_CONNECT_TIMEOUT_S, options=_OPTIONS
        )


@contextmanager
def open_pool(url: str, max_size: int = 8) -> Iterator[Pool]:
    """Hold a pool of up to max_size connections for the length of the block."""
    session: dict[str, Any] = {
        "autocommit": True,
        "connect_timeout": _CONNECT_TIMEOUT_S,
        "options": _OPTIONS,
    }
    pool: Pool = psycopg_pool.ConnectionPool(
        url, min_size=1, max_size=max_size, kwargs=session, open=False, timeout=10
    )
    try:
        pool.open(wait=True, timeout=10)
    except psycopg_pool.PoolTimeout as error:
        pool.close()
        raise StoreUnavailable("the database does not answer within 10 s") from error
    try:
        yield pool
    finally:
        pool.close()


@contextmanager
def transaction(conn: Connection) -> Iterator[None]:
    """Commit at the end of the block, roll back when it raises; nested blocks are savepoints."""
    with translated(), conn.transaction():
        yield
