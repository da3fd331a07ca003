"""Making databases on a server."""

from contextlib import closing
from urllib.parse import urlsplit

from psycopg import sql
from psycopg.conninfo import make_conninfo

from store.db import connect
from store.errors import translated


def recreate(server_url: str, name: str) -> str:
    """Make an empty database of that name, dropping an earlier one; return how it is reached.

    The server may be named in either form of libpq: a URL, or words such as host=… user=….
    Its role needs the right to create databases.
    """
    identifier = sql.Identifier(name)
    with closing(connect(server_url)) as server, translated():
        server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(identifier))
        server.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8'").format(identifier)
        )
    if "://" not in server_url:
        return make_conninfo(server_url, dbname=name)
    return urlsplit(server_url)._replace(path=f"/{name}").geturl()
