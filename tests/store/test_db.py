"""Connections: what they are set to, and what a server that is away looks like."""

from contextlib import closing

import pytest

import store
from store import batches, plans
from store.errors import Refused, StoreUnavailable
from tests.store.samples import Gateway, count, sample_plan
from tests.support.database import with_database


def test_nobody_listens(free_port: int) -> None:
    with pytest.raises(StoreUnavailable, match="refused"):
        store.connect(f"postgresql://millpond@127.0.0.1:{free_port}/millpond")


def test_a_link_that_died_is_given_up_within_a_minute(database_url: str) -> None:
    """TCP itself would send what is not confirmed for a quarter of an hour."""
    with closing(store.connect(database_url)) as conn:
        given = conn.info.get_parameters()
    assert (given["keepalives_idle"], given["tcp_user_timeout"]) == ("60", "60000")


def test_a_database_that_is_not_there(database_url: str) -> None:
    with pytest.raises(StoreUnavailable, match="does not exist"):
        store.connect(with_database(database_url, "not_there"))


def test_a_database_that_is_not_migrated_is_unavailable(database_server: str) -> None:
    # Whoever sends must keep what it has until someone has migrated.
    words = "run `millpond db migrate`"
    with (
        closing(store.connect(database_server)) as conn,
        pytest.raises(StoreUnavailable, match=words),
    ):
        batches.last(conn, "gw-sample")


def test_a_read_only_server_is_unavailable(db: store.Connection, gateway: Gateway) -> None:
    db.execute("SET default_transaction_read_only = on")
    batch = gateway.batch()
    with pytest.raises(StoreUnavailable, match="read-only"):
        batches.accept(db, batch)
    db.execute("SET default_transaction_read_only = off")
    assert batches.accept(db, batch).outcome == "accepted"


def test_a_statement_that_takes_too_long_is_unavailable(db: store.Connection) -> None:
    db.execute("SET statement_timeout = '20ms'")
    with pytest.raises(StoreUnavailable, match="statement timeout"), store.transaction(db):
        db.execute("SELECT pg_sleep(20)")


def test_a_closed_connection_is_unavailable(database_url: str) -> None:
    conn = store.connect(database_url)
    conn.close()
    with pytest.raises(StoreUnavailable, match="closed"):
        batches.last(conn, "gw-sample")


def test_sessions_are_in_utc_and_give_up_in_the_end(db: store.Connection) -> None:
    names = ("TimeZone", "statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
    found = [db.execute("SELECT current_setting(%s)", (name,)).fetchone() for name in names]
    assert found == [("UTC",), ("10min",), ("1min",), ("15min",)]


def test_a_transaction_is_whole_or_nothing(db: store.Connection) -> None:
    with pytest.raises(ZeroDivisionError):
        _load_and_fail(db)
    assert count(db, "registry.factory") == 0


def _load_and_fail(db: store.Connection) -> None:
    with store.transaction(db):
        plans.load_plan(db, sample_plan())
        raise ZeroDivisionError


def test_what_the_data_break_is_refused(db: store.Connection, factory_id: int) -> None:
    with pytest.raises(Refused, match="violates check constraint"), store.transaction(db):
        db.execute("UPDATE registry.factory SET kind = 'something else'")


def test_a_pool_outlives_the_loss_of_its_connections(database_url: str) -> None:
    with store.open_pool(database_url, 2) as pool, closing(store.connect(database_url)) as killer:
        with pool.connection() as conn:
            pid = conn.info.backend_pid
        killer.execute("SELECT pg_terminate_backend(%s, 5000)", (pid,))
        with pool.connection(timeout=20) as conn:
            assert conn.execute("SELECT 1").fetchone() == (1,)
            assert conn.info.backend_pid != pid


def test_a_pool_without_a_server_says_so(free_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("store.db._POOL_WAIT_S", 0.5)
    url = f"postgresql://millpond@127.0.0.1:{free_port}/millpond"
    with pytest.raises(StoreUnavailable, match="does not answer"), store.open_pool(url):
        pytest.fail("there is no server")
