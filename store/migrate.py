"""Schema migrations: numbered SQL files, applied once and in order, never edited afterwards."""

from importlib.resources import files
from typing import LiteralString

import psycopg

from store.db import Connection, transaction
from store.errors import SchemaRefused, translated

_LOCK_KEY = 0x4D494C4C  # "MILL"

_LEDGER: LiteralString = """
CREATE TABLE IF NOT EXISTS public.millpond_migration (
    name       text PRIMARY KEY,
    applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
)
"""


def migrate(conn: Connection) -> list[str]:
    """Apply what is missing, under an advisory lock, and return the names applied.

    Raises SchemaRefused when the server has no TimescaleDB.
    """
    applied: list[str] = []
    with transaction(conn):
        conn.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK_KEY,))
        conn.execute("SET LOCAL client_min_messages = warning")
        conn.execute(_LEDGER)
        done = {name for (name,) in conn.execute("SELECT name FROM public.millpond_migration")}
        for path in sorted(files("store").joinpath("migrations").iterdir(), key=lambda p: p.name):
            if path.name.endswith(".sql") and path.name not in done:
                _apply(conn, path.name, path.read_text(encoding="utf-8"))
                applied.append(path.name)
    return applied


def _apply(conn: Connection, name: str, text: LiteralString) -> None:
    try:
        conn.execute(text)
    except psycopg.errors.FeatureNotSupported as error:
        raise SchemaRefused(
            "the server has no TimescaleDB: install it and set shared_preload_libraries=timescaledb"
        ) from error
    with translated():
        conn.execute("INSERT INTO public.millpond_migration (name) VALUES (%s)", (name,))
