"""The database: schema, named queries, one typed function per query; the only psycopg user."""

from store.db import Connection, Pool, connect, open_pool, transaction

__all__ = ["Connection", "Pool", "connect", "open_pool", "transaction"]
