"""What a backup of the database has to know and to do beside the programs of PostgreSQL."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

from psycopg import conninfo, pq, sql

from store.db import Connection, connect, transaction
from store.errors import translated
from store.queries import query


@dataclass(frozen=True, slots=True)
class Content:
    """How much a database holds of what nobody may lose; rows are those that its ledger names."""

    factories: int
    batches: int
    rows: int
    records: int
    figures: int
    audit_entries: int
    audit_last: str | None


@dataclass(frozen=True, slots=True)
class Source:
    """A database held still: what it holds, and the snapshot under which others see just that."""

    snapshot: str
    postgresql: int
    timescaledb: str
    migration: str
    size_bytes: int
    content: Content


@dataclass(frozen=True, slots=True)
class Target:
    """A database that a backup may be restored in: `occupied_by` is a table that it has already."""

    postgresql: int
    timescaledb: str | None
    timescaledb_offered: tuple[str, ...]
    occupied_by: str | None
    is_superuser: bool


@contextmanager
def held(url: str) -> Iterator[Source]:
    """Hold a database's present state for the length of the block, however long it takes.

    Nobody waits for it. Raises StoreUnavailable, also where the schema is another.
    """
    with closing(connect(url)) as conn, transaction(conn):
        conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        conn.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        snapshot = conn.execute(query("export_snapshot")).fetchone()
        server = conn.execute(query("backup_server")).fetchone()
        assert snapshot is not None
        assert server is not None
        postgresql, timescaledb, migration, size = server
        yield Source(str(snapshot[0]), postgresql, timescaledb, migration, size, content(conn))


def content(conn: Connection) -> Content:
    """Return how much a database holds."""
    with transaction(conn):
        conn.execute("SET LOCAL statement_timeout = 0")
        row = conn.execute(query("backup_content")).fetchone()
    assert row is not None
    return Content(*row)


def target(conn: Connection) -> Target:
    """Return what a database is like that a backup shall be restored in."""
    with transaction(conn):
        row = conn.execute(query("restore_target")).fetchone()
    assert row is not None
    postgresql, timescaledb, offered, occupied_by, is_superuser = row
    return Target(postgresql, timescaledb, tuple(offered), occupied_by, is_superuser)


@contextmanager
def restoring(url: str, timescaledb: str) -> Iterator[None]:
    """Have an empty database take a backup made with that TimescaleDB, for the block.

    The role that pages act in is made where the server has none. However the block ends, the
    database works as ever afterwards. Raises StoreError.
    """
    with closing(connect(url)) as conn, translated():
        if target(conn).timescaledb is None:
            # A session in which TimescaleDB was looked for cannot make it: the next one can.
            _create_extension(url, timescaledb)
    with closing(connect(url)) as conn, translated():
        conn.execute(query("create_app_role"))
        conn.execute(query("begin_restore"))
    try:
        yield
    finally:
        with closing(connect(url)) as conn, translated():
            conn.execute(query("end_restore"))


def _create_extension(url: str, version: str) -> None:
    with closing(connect(url)) as conn, translated():
        conn.execute("SET client_min_messages = warning")
        made = sql.SQL("CREATE EXTENSION timescaledb VERSION {}")
        conn.execute(made.format(sql.Literal(version)))


def analyze(conn: Connection) -> None:
    """Gather the statistics that plans are made with."""
    with translated():
        conn.execute("SET statement_timeout = 0")
        conn.execute(query("analyze_all"))
        conn.execute("RESET statement_timeout")


def environment(url: str) -> dict[str, str]:
    """Return the variables by which PostgreSQL's programs find a database.

    So the password does not stand in a command line, which everybody on the machine can read.
    """
    with translated():
        given = conninfo.conninfo_to_dict(url)
    names = {
        each.keyword.decode(): each.envvar.decode()
        for each in pq.Conninfo.get_defaults()
        if each.envvar
    }
    return {names[key]: str(value) for key, value in given.items() if key in names}


def database_words(url: str) -> str:
    """Return what names the database of a URL in a command line, and nothing else of it."""
    with translated():
        name = conninfo.conninfo_to_dict(url).get("dbname")
        return conninfo.make_conninfo(dbname=name) if name else "postgresql://"
