"""Schema migrations: numbered SQL files, applied once and in order, never edited afterwards."""

from importlib.resources import files
from typing import LiteralString

from store.db import Connection, transaction
from store.errors import SchemaRefused

_LOCK_KEY = 0x4D494C4C  # "MILL"

_LEDGER: LiteralString = """
CREATE TABLE IF NOT EXISTS public.millpond_migration (
    name       text PRIMARY KEY,
    applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
)
"""

_SERVER: LiteralString = """
SELECT EXISTS (SELECT FROM pg_available_extensions WHERE name = 'timescaledb'),
    EXISTS (SELECT FROM pg_settings WHERE name LIKE 'timescaledb.%')
"""


def migrate(conn: Connection) -> list[str]:
    """Apply what is missing, under an advisory lock, and return the names applied.

    All of it or nothing. Raises SchemaRefused when the server has no TimescaleDB, or when the
    database was migrated by a newer Millpond.
    """
    applied: list[str] = []
    with transaction(conn):
        conn.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK_KEY,))
        conn.execute("SET LOCAL client_min_messages = warning")
        _check_server(conn)
        conn.execute(_LEDGER)
        done = {name for (name,) in conn.execute("SELECT name FROM public.millpond_migration")}
        ours = _files()
        if unknown := sorted(done - ours.keys()):
            raise SchemaRefused(
                f"the database has the migration {unknown[-1]}, which this version of Millpond "
                "does not know: use the version that migrated it"
            )
        for name in sorted(ours.keys() - done):
            conn.execute(ours[name])
            conn.execute("INSERT INTO public.millpond_migration (name) VALUES (%s)", (name,))
            applied.append(name)
    return applied


def names() -> list[str]:
    """Return the names of all migrations that this version knows, oldest first."""
    return sorted(_files())


def _files() -> dict[str, LiteralString]:
    folder = files("store").joinpath("migrations")
    return {
        path.name: path.read_text(encoding="utf-8")
        for path in folder.iterdir()
        if path.name.endswith(".sql")
    }


def _check_server(conn: Connection) -> None:
    found = conn.execute(_SERVER).fetchone()
    assert found is not None
    installable, loaded = found
    if not installable:
        raise SchemaRefused(
            "the server has no TimescaleDB: install it there and set "
            "shared_preload_libraries = 'timescaledb'"
        )
    if not loaded:
        raise SchemaRefused(
            "the server does not load TimescaleDB: set shared_preload_libraries = 'timescaledb' "
            "and start it again"
        )
