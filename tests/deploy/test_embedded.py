"""The private PostgreSQL cluster."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

import deploy.embedded
import store
from deploy.embedded import EmbeddedPostgres
from deploy.errors import ProgramMissing, StartFailed
from deploy.places import as_account, service_account
from store.errors import StoreUnavailable
from tests.deploy.conftest import copied
from tests.support.database import throwaway_cluster
from tests.support.processes import is_alive
from tests.support.waiting import wait_for


def _answer(cluster: EmbeddedPostgres, statement: str) -> list[object]:
    with closing(store.connect(cluster.url())) as connection:
        return [row[0] for row in connection.execute(statement.encode())]


@pytest.fixture
def stopped(folder: Path, made_cluster: Path) -> EmbeddedPostgres:
    """A cluster that ran before and holds one row."""
    return copied(made_cluster, folder / "home")


@pytest.fixture(scope="module")
def running() -> Iterator[EmbeddedPostgres]:
    with throwaway_cluster() as cluster:
        yield cluster


def test_timescaledb_makes_a_hypertable(running: EmbeddedPostgres) -> None:
    with closing(store.connect(running.url())) as connection:
        connection.execute("CREATE EXTENSION timescaledb")
        connection.execute("CREATE TABLE sample (ts timestamptz NOT NULL)")
        connection.execute("SELECT create_hypertable('sample', 'ts')")
        connection.execute("INSERT INTO sample VALUES ('2025-01-01Z'), ('2025-03-01Z')")
        assert connection.execute("SELECT count(*) FROM show_chunks('sample')").fetchone() == (2,)


def test_text_sorts_and_times_print_alike_everywhere(running: EmbeddedPostgres) -> None:
    assert _answer(running, "SHOW server_encoding") == ["UTF8"]
    sorted_by = "SELECT datcollate FROM pg_database WHERE datname = current_database()"
    assert _answer(running, sorted_by) == ["C.UTF-8"]
    assert _answer(running, "SELECT current_setting('TimeZone')") == ["UTC"]


def test_a_wrong_password_is_refused(running: EmbeddedPostgres) -> None:
    wrong = running.url().replace("millpond:", "millpond:not")
    with pytest.raises(StoreUnavailable, match="password"):
        store.connect(wrong)


def test_the_password_is_readable_for_the_account_alone(stopped: EmbeddedPostgres) -> None:
    assert (stopped.home / "password").stat().st_mode & 0o777 == 0o600


def test_data_survive_a_stop(stopped: EmbeddedPostgres) -> None:
    with stopped:
        assert _answer(stopped, "SELECT answer FROM kept") == [42]


def test_only_a_durable_cluster_waits_for_the_disk(running: EmbeddedPostgres, folder: Path) -> None:
    assert _answer(running, "SHOW fsync") == ["off"]
    with EmbeddedPostgres(folder / "home") as durable:
        assert _answer(durable, "SHOW fsync") == ["on"]
        assert _answer(durable, "SHOW synchronous_commit") == ["on"]
        assert _answer(durable, "SHOW full_page_writes") == ["on"]


def test_a_killed_server_recovers(stopped: EmbeddedPostgres) -> None:
    stopped.start()
    pid = stopped.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: not is_alive(pid), "the end of the server")
    assert (stopped.home / "data" / "postmaster.pid").exists()
    stopped.stop()
    with stopped:
        assert _answer(stopped, "SELECT answer FROM kept") == [42]


def test_a_stale_pid_that_is_a_strangers_now(stopped: EmbeddedPostgres) -> None:
    """PostgreSQL alone would refuse: it sees a living process of its own account."""
    stranger_command = [*as_account(service_account("postgres")), "--", "sleep", "600"]
    with subprocess.Popen(stranger_command, cwd="/") as stranger:
        stale = f"{stranger.pid}\n{stopped.home / 'data'}\n0\n5432\n\n\n0 0\nready\n"
        (stopped.home / "data" / "postmaster.pid").write_text(stale)
        with stopped:
            assert _answer(stopped, "SELECT answer FROM kept") == [42]
        assert is_alive(stranger.pid)
        stranger.kill()


def test_a_cluster_whose_creation_was_cut_off_is_made_anew(folder: Path) -> None:
    cluster = EmbeddedPostgres(folder / "home", durable=False)
    (folder / "home" / "data.new").mkdir(parents=True)
    (folder / "home" / "data.new" / "PG_VERSION").write_text("15\n")
    (folder / "home").chmod(0o755)
    with cluster:
        assert _answer(cluster, "SELECT 1") == [1]


def test_a_long_path_gets_a_short_socket_folder(folder: Path) -> None:
    long = folder / ("very" * 20)
    long.mkdir()
    long.chmod(0o755)  # under any umask the server's account may enter
    with EmbeddedPostgres(long / "home", durable=False) as cluster:
        (socket_folder,) = _answer(cluster, "SHOW unix_socket_directories")
        assert not str(socket_folder).startswith(str(folder))
        assert (Path(str(socket_folder)) / f".s.PGSQL.{cluster.port}").exists()
    assert not Path(str(socket_folder)).exists()


def test_damaged_data_are_told_in_one_line(stopped: EmbeddedPostgres) -> None:
    (stopped.home / "data" / "global" / "pg_control").unlink()
    with pytest.raises(StartFailed) as failure:
        stopped.start()
    assert "pg_control" in str(failure.value)
    assert str(stopped.log_path) in str(failure.value)
    assert "\n" not in str(failure.value)
    assert stopped.pid is None


def test_data_of_another_version_are_left_alone(stopped: EmbeddedPostgres) -> None:
    (stopped.home / "data" / "PG_VERSION").write_text("9\n")
    with pytest.raises(ProgramMissing, match="made by PostgreSQL 9"):
        stopped.start()
    assert (stopped.home / "data" / "base").is_dir()


def test_without_timescaledb_the_message_says_what_to_do(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deploy.embedded, "INSTALLATIONS", folder / "nothing")
    with pytest.raises(ProgramMissing, match="make setup"):
        EmbeddedPostgres(folder / "home").start()
    assert not (folder / "home").exists()
