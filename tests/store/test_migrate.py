"""Migrations are applied once and in order, whoever comes first, on a server that fits."""

import re
import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from importlib.resources import files

import pytest

import store
from deploy.embedded import EmbeddedPostgres
from store.databases import recreate
from store.errors import SchemaRefused
from store.migrate import migrate
from tests.store.samples import count
from tests.support.database import quick_home

_NAMES = sorted(
    path.name for path in files("store").joinpath("migrations").iterdir() if path.is_file()
)


@pytest.fixture
def empty(database_server: str) -> Iterator[store.Connection]:
    """A database without any migration."""
    name = f"test_{secrets.token_hex(8)}"
    with closing(store.connect(recreate(database_server, name))) as conn:
        yield conn
    with closing(store.connect(database_server)) as server:
        server.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def test_files_are_numbered_without_gap() -> None:
    numbers = [int(re.findall(r"^(\d{4})_\w+\.sql$", name)[0]) for name in _NAMES]
    assert numbers == list(range(1, len(numbers) + 1))


def test_each_is_applied_once_and_in_order(empty: store.Connection) -> None:
    assert migrate(empty) == _NAMES
    rows = empty.execute("SELECT name FROM public.millpond_migration ORDER BY applied_at")
    assert [name for (name,) in rows] == _NAMES
    assert migrate(empty) == []


def test_they_make_hypertables(db: store.Connection) -> None:
    rows = db.execute(
        "SELECT hypertable_schema || '.' || hypertable_name "
        "FROM timescaledb_information.hypertables ORDER BY 1"
    )
    assert [name for (name,) in rows] == ["kpi.fact_hour", "telemetry.measurement"]


def test_two_at_once_share_the_work(empty: store.Connection) -> None:
    with (
        closing(store.connect(_url(empty))) as second,
        ThreadPoolExecutor(2) as threads,
    ):
        running = [threads.submit(migrate, conn) for conn in (empty, second)]
        applied = [future.result(60) for future in running]
    assert sorted(applied) == [[], _NAMES]
    assert count(empty, "public.millpond_migration") == len(_NAMES)


def _url(conn: store.Connection) -> str:
    info = conn.info
    return f"postgresql://{info.user}:{info.password}@{info.host}:{info.port}/{info.dbname}"


def test_a_failing_migration_leaves_nothing(empty: store.Connection) -> None:
    empty.execute("CREATE SCHEMA pool")  # in the way of a later file
    with pytest.raises(store.errors.StoreError):
        migrate(empty)
    row = empty.execute(
        "SELECT to_regclass('public.millpond_migration'), to_regclass('registry.tag')"
    ).fetchone()
    assert row == (None, None)
    empty.execute("DROP SCHEMA pool")
    # A session in which TimescaleDB was taken back cannot have it again.
    with closing(store.connect(_url(empty))) as again:
        assert migrate(again) == _NAMES


def test_a_database_from_the_future_is_left_alone(db: store.Connection) -> None:
    db.execute("INSERT INTO public.millpond_migration (name) VALUES ('9999_later.sql')")
    with pytest.raises(SchemaRefused, match=r"9999_later\.sql, which this version of Millpond"):
        migrate(db)


def test_a_server_that_does_not_load_timescaledb() -> None:
    with (
        _without_timescaledb() as url,
        closing(store.connect(url)) as conn,
        pytest.raises(SchemaRefused, match="set shared_preload_libraries = 'timescaledb'"),
    ):
        migrate(conn)


@contextmanager
def _without_timescaledb() -> Iterator[str]:
    cluster = EmbeddedPostgres(quick_home("plain"), durable=False)
    try:
        cluster.start()
        with closing(store.connect(cluster.url())) as conn:
            conn.execute("ALTER SYSTEM SET shared_preload_libraries = 'auto_explain'")
        cluster.stop()
        cluster.start()
        yield cluster.url()
    finally:
        cluster.remove()
