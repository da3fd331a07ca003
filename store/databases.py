"""Making databases on a server."""

from contextlib import closing
from urllib.parse import urlsplit

from psycopg import sql

from store.db import connect
from store.errors import translated


def recreate(server_url: str, name: str) -> str:
    """Make an empty database of that name, dropping an earlier one; return its URL.

    The server's role needs the right to create databases.
    """
    identifier = sql.Identifier(name)
    with closing(connect(server_url)) as server, translated():
        server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(identifier))
        server.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8'").format(identifier)
        )
    return urlsplit(server_url)._replace(path=f"/{name}").geturl()
