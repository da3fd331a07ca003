"""The database: schema, named queries and one typed function per query. The only user of psycopg."""

from store.db import Connection, Pool, connect, open_pool, transaction

__all__ = ["Connection", "Pool", "connect", "open_pool", "transaction"]
