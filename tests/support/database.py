"""Real databases for tests: one server, one migrated template on it, one clone per test.

The server is a throw-away cluster unless MILLPOND_DATABASE_URL names one of the user's.
"""

import atexit
import fcntl
import os
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

import pytest
from psycopg import sql

import store
import store.migrate
from deploy.children import first_number
from deploy.embedded import EmbeddedPostgres
from deploy.places import remove_folder
from tests.support.processes import is_alive

T = TypeVar("T")

TEMPLATE = "millpond_template"
_UNFINISHED = "millpond_template_unfinished"
# What every database of the tests is called, and no other.
_OURS = "^(test|template)_[0-9a-f]{16}$|^millpond_template(_unfinished)?$"
_TEMPLATE_LOCK_KEY = 0x7E57
_BORROWED_LOCK_KEY = 0x7E58
# Taken from the environment: a test finds there what it puts there itself.
_GIVEN_SERVER = os.environ.pop("MILLPOND_DATABASE_URL", None) or None
_MEMORY = Path("/dev/shm")
_PLENTY_BYTES = 6_000_000_000
_CLAIM = ".claim"


def scratch_home(name: str) -> Path:
    """Return a path, not yet made, in a folder that every account may enter."""
    return Path(tempfile.gettempdir()) / f"millpond-{name}-{secrets.token_hex(6)}"


def quick_home(name: str) -> Path:
    """Return such a path in memory where there is plenty of it, else on disk.

    A clone of the template is 700 small files, which some disks take half a second to make.
    """
    has_plenty = (
        os.access(_MEMORY, os.W_OK)
        and shutil.disk_usage(_MEMORY).free > _PLENTY_BYTES
        and _available_bytes() > _PLENTY_BYTES
    )
    home = scratch_home(name)
    return _MEMORY / home.name if has_plenty else home


def _available_bytes() -> int:
    lines = Path("/proc/meminfo").read_text().splitlines()
    (available,) = (line.split() for line in lines if line.startswith("MemAvailable:"))
    return int(available[1]) * 1024


@contextmanager
def database_server() -> Iterator[str]:
    """Hold the server of a whole run; yield its URL."""
    if _GIVEN_SERVER is not None:
        with borrowed_server(_GIVEN_SERVER):
            yield _GIVEN_SERVER
    else:
        with throwaway_cluster() as cluster:
            yield cluster.url()


@contextmanager
def borrowed_server(url: str) -> Iterator[None]:
    """Hold a server of the user's for one run at a time, and leave no database of ours on it.

    Its role must be a superuser, and the address a URL.
    """
    with closing(store.connect(url)) as server:
        free = server.execute("SELECT pg_try_advisory_lock(%s)", (_BORROWED_LOCK_KEY,))
        if free.fetchone() != (True,):
            pytest.exit("another run of the tests is using this server; wait for its end", 1)
        _drop_ours(server)
        try:
            yield
        finally:
            _drop_ours(server)


def _drop_ours(server: store.Connection) -> None:
    found = server.execute("SELECT datname FROM pg_database WHERE datname ~ %s", (_OURS,))
    for (name,) in found.fetchall():
        _drop(server, name)


@contextmanager
def throwaway_cluster(home: Path | None = None) -> Iterator[EmbeddedPostgres]:
    """Run a cluster whose data need not survive anything; it is deleted afterwards."""
    remove_left_behind(_MEMORY, Path(tempfile.gettempdir()))
    home = home or quick_home("tests")
    with claimed(home):
        cluster = EmbeddedPostgres(home, durable=False)
        try:
            cluster.start()
            yield cluster
        finally:
            cluster.remove()


@contextmanager
def claimed(home: Path) -> Iterator[None]:
    """Hold a lock beside a folder, which ends with this process however that ends."""
    claim = home.with_name(home.name + _CLAIM)
    with open(claim, "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            yield
        finally:
            claim.unlink(missing_ok=True)


def remove_left_behind(*places: Path) -> list[Path]:
    """Delete the folders that killed runs had claimed and return where they were.

    One whose server is still ending is left to the next run.
    """
    claims = [claim for place in places for claim in place.glob(f"millpond-*{_CLAIM}")]
    return [claim.with_suffix("") for claim in claims if _removed(claim)]


def _removed(claim: Path) -> bool:
    home = claim.with_suffix("")
    try:
        with open(claim) as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            server = first_number(home / "pid")
            if server is not None and is_alive(server):
                return False
            remove_folder(home)
            claim.unlink(missing_ok=True)
            return True
    except OSError:  # held by its run, or gone meanwhile
        return False


def with_database(url: str, name: str) -> str:
    """Return the same server's URL with another database."""
    return urlsplit(url)._replace(path=f"/{name}").geturl()


def ensure_template(server_url: str) -> None:
    """Migrate the template database once, whichever worker comes first.

    It is closed to connections, because PostgreSQL clones only what nobody is connected to.
    """
    with closing(store.connect(server_url)) as server:
        server.execute("SELECT pg_advisory_lock(%s)", (_TEMPLATE_LOCK_KEY,))
        made = server.execute("SELECT 1 FROM pg_database WHERE datname = %s", (TEMPLATE,))
        if made.fetchone() is not None:
            return
        _drop(server, _UNFINISHED)
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(_UNFINISHED)))
        with closing(store.connect(with_database(server_url, _UNFINISHED))) as database:
            store.migrate.migrate(database)
        _close(server, _UNFINISHED)
        unfinished, finished = sql.Identifier(_UNFINISHED), sql.Identifier(TEMPLATE)
        server.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(unfinished, finished))


def filled_template(server_url: str, fill: Callable[[store.Connection, str], T]) -> tuple[str, T]:
    """Make a database that tests clone as a function filled it; it goes with its cluster.

    Returns its name beside what the function returned.
    """
    name = f"template_{secrets.token_hex(8)}"
    server = _server(server_url)
    _clone(server, name, TEMPLATE)
    url = with_database(server_url, name)
    with closing(store.connect(url)) as conn:
        made = fill(conn, url)
    _close(server, name)
    return name, made


@contextmanager
def cloned_database(server_url: str, template: str = TEMPLATE) -> Iterator[str]:
    """Hold a clone of a template, else the migrated one, and drop it afterwards; yield its URL."""
    name = f"test_{secrets.token_hex(8)}"
    _clone(_server(server_url), name, template)
    try:
        yield with_database(server_url, name)
    finally:
        _drop(_server(server_url), name)


@cache
def _server(url: str) -> store.Connection:
    """Return a connection that stays open: to connect anew takes half as long as to clone."""
    conn = store.connect(url)
    atexit.register(conn.close)
    return conn


def _clone(server: store.Connection, name: str, template: str) -> None:
    server.execute(
        sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy").format(
            sql.Identifier(name), sql.Identifier(template)
        )
    )


def _close(server: store.Connection, name: str) -> None:
    """Let nobody connect any more."""
    closed = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(sql.Identifier(name))
    server.execute(closed)


def _drop(server: store.Connection, name: str) -> None:
    server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
