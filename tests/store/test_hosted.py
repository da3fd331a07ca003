"""A server whose administrator is somebody else: the owner of the database is no superuser."""

import secrets
from collections.abc import Iterator
from contextlib import closing

import pytest

import store
from store.acting import acting
from store.errors import Refused
from store.migrate import migrate
from store.registry import factories
from tests.store.people import key_for
from tests.store.samples import with_plan
from tests.support.database import with_database


@pytest.fixture
def tenant(database_server: str) -> Iterator[tuple[store.Connection, str, store.Connection]]:
    """An administrator's connection, a plain role's name, and its connection to its database."""
    name, word = f"tenant_{secrets.token_hex(6)}", secrets.token_hex(12)
    host = database_server.split("@", 1)[1]
    with closing(store.connect(database_server)) as admin:
        admin.execute(f"CREATE ROLE {name} LOGIN PASSWORD '{word}'".encode())
        admin.execute(f"CREATE DATABASE {name} OWNER {name}".encode())
        with closing(store.connect(with_database(database_server, name))) as there:
            there.execute("SET client_min_messages = error")
            there.execute("CREATE EXTENSION timescaledb")
        url = with_database(f"postgresql://{name}:{word}@{host}", name)
        with closing(store.connect(url)) as conn:
            yield admin, name, conn
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())
        admin.execute(f"DROP ROLE {name}".encode())


def test_the_message_says_what_the_administrator_is_to_run(
    tenant: tuple[store.Connection, str, store.Connection],
) -> None:
    admin, name, conn = tenant
    with pytest.raises(Refused) as refused:
        migrate(conn)
    statement = f"GRANT millpond_app TO {name}"
    assert f"run {statement}; then migrate again" in str(refused.value)
    admin.execute(statement.encode())
    with closing(store.connect(conn.info.dsn + f" password={conn.info.password}")) as again:
        assert migrate(again)


def test_a_plain_owner_sees_all_and_acts_for_callers(
    tenant: tuple[store.Connection, str, store.Connection],
) -> None:
    admin, name, conn = tenant
    admin.execute(f"GRANT millpond_app TO {name}".encode())
    migrate(conn)
    with_plan(conn)
    assert [each.code for each in factories(conn)] == ["sample"]
    with acting(conn, key_for(conn, "county_officer", region="320623")):
        assert factories(conn) == []
    with acting(conn, key_for(conn, "city_officer")):
        assert [each.code for each in factories(conn)] == ["sample"]
