"""Connections, pools and transactions."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import psycopg_pool

from store.errors import StoreUnavailable, translated

Connection = psycopg.Connection[tuple[Any, ...]]
Pool = psycopg_pool.ConnectionPool[Connection]

# Locks of a gateway, an asset or a factory must not outlive a client whose machine or network died.
_SERVER_SETTINGS = {
    "timezone": "UTC",
    "statement_timeout": "10min",
    "lock_timeout": "1min",
    "idle_in_transaction_session_timeout": "15min",
    "tcp_keepalives_idle": "60",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "3",
}
_POOL_WAIT_S = 10.0
_SESSION: dict[str, Any] = {
    "autocommit": True,
    "connect_timeout": 5,
    "options": " ".join(f"-c {name}={value}" for name, value in _SERVER_SETTINGS.items()),
    "keepalives_idle": 60,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    # What was sent and is not confirmed keeps a dead link up for a quarter of an hour otherwise.
    "tcp_user_timeout": 60_000,
}


def connect(url: str) -> Connection:
    """Open one connection in UTC that commits each statement unless a transaction is open.

    Raises StoreUnavailable when no server answers within 5 s.
    """
    with translated():
        return psycopg.connect(url, **_SESSION)


@contextmanager
def open_pool(url: str, max_size: int = 8) -> Iterator[Pool]:
    """Hold a pool of up to max_size connections for the length of the block.

    A connection is tried before it is lent, so that a restart of the server costs no caller
    an error. Raises StoreUnavailable when no server answers within 10 s.
    """
    pool: Pool = psycopg_pool.ConnectionPool(
        url,
        min_size=1,
        max_size=max_size,
        kwargs=_SESSION,
        open=False,
        timeout=_POOL_WAIT_S,
        check=psycopg_pool.ConnectionPool.check_connection,
    )
    try:
        pool.open(wait=True, timeout=_POOL_WAIT_S)
    except psycopg_pool.PoolTimeout as error:
        pool.close()
        raise StoreUnavailable(f"the database does not answer within {_POOL_WAIT_S} s") from error
    try:
        yield pool
    finally:
        pool.close()


@contextmanager
def transaction(conn: Connection) -> Iterator[None]:
    """Commit at the end of the block, roll back when it raises; nested blocks are savepoints."""
    with translated(), conn.transaction():
        yield


@contextmanager
def reading() -> Iterator[None]:
    """Read without a transaction of its own, which may take longer than what is read.

    Each statement sees what is committed when it begins, as it does inside a transaction. One that
    fails inside the caller's transaction ends that.
    """
    with translated():
        yield
