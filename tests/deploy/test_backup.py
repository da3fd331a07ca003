"""A backup holds everything and restores on a new server, or says in one line why not."""

import shutil
import stat
import subprocess
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import store
from deploy.backups import file as files
from deploy.backups import making
from deploy.backups.programs import program
from deploy.cli import run
from deploy.embedded import EmbeddedPostgres
from store import acting, audit
from store.backup import database_words, environment
from store.databases import recreate
from store.errors import Refused, StoreError
from tests.deploy.command import millpond
from tests.kpi.plant import Plant
from tests.kpi.provenance.conftest import formed, formed_template
from tests.support.database import cloned_database, throwaway_cluster

__all__ = ["formed"]

Captured = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def new_server() -> Iterator[EmbeddedPostgres]:
    """A server that has never seen Millpond: without its roles."""
    with throwaway_cluster() as cluster:
        yield cluster


@pytest.fixture
def empty(new_server: EmbeddedPostgres) -> str:
    """URL of an empty database there."""
    return recreate(new_server.url(), "restored")


@pytest.fixture(scope="module")
def kept(
    database_server: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, Path]]:
    """A database with a factory that has figures and an audit, and a backup of it."""
    with cloned_database(database_server, formed_template(database_server)) as url:
        with closing(store.connect(url)) as conn, store.transaction(conn):
            audit.note(conn, acting.SYSTEM, "sample", kind="factory", key="sample")
        path = tmp_path_factory.mktemp("backup") / "backup.millpond"
        assert run(["db", "backup", str(path), "--database", url]) == 0
        yield url, path


@pytest.fixture
def original(kept: tuple[str, Path]) -> str:
    """URL of the database that was backed up; only to be read."""
    return kept[0]


@pytest.fixture
def backup(kept: tuple[str, Path], tmp_path: Path) -> Path:
    """A copy of the backup, to be used in any way."""
    return Path(shutil.copy2(kept[1], tmp_path))


def _audit(url: str, capsys: Captured) -> str:
    said = millpond(capsys, "kpi", "audit", "--all", "--database", url)
    assert said.code == 0, said.out
    chain = millpond(capsys, "pool", "audit-verify", "--database", url)
    assert chain.code == 0, chain.err
    figures = millpond(capsys, "kpi", "figures", "--factory", "sample", "--database", url)
    return said.out + chain.out + figures.out


def test_it_restores_on_a_new_server_and_the_audits_say_the_same(
    original: str, backup: Path, empty: str, capsys: Captured
) -> None:
    said = millpond(capsys, "db", "restore", backup, "--database", empty)
    assert (said.code, said.err) == (0, "")
    assert (
        "5 batches with 619 rows, their hashes, chains and signatures hold; 1 entries" in said.out
    )
    assert _audit(empty, capsys) == _audit(original, capsys)
    assert _rights(empty) == _rights(original) != []
    assert _hypertables(empty) == _hypertables(original) != []
    assert millpond(capsys, "db", "migrate", "--database", empty).out == (
        "the schema is up to date\n"
    )


def test_what_is_restored_works_on(backup: Path, empty: str, capsys: Captured) -> None:
    assert millpond(capsys, "db", "restore", backup, "--database", empty).code == 0
    with closing(store.connect(empty)) as conn:
        with acting.acting(conn, "0" * 64):
            assert conn.execute("SELECT count(*) FROM kpi.figure").fetchone() == (0,)
        with pytest.raises(StoreError, match="permission denied"), acting.acting(conn, "0" * 64):
            conn.execute("SELECT count(*) FROM telemetry.measurement")
        with pytest.raises(Refused, match="never changed"), store.transaction(conn):
            conn.execute("DELETE FROM audit.entry")
        chunks = "SELECT count(*) FROM timescaledb_information.chunks"
        before = conn.execute(chunks).fetchone()
        with store.transaction(conn):
            audit.note(conn, acting.SYSTEM, "sample", kind="factory", key="sample")
            conn.execute("INSERT INTO telemetry.measurement VALUES ('2031-01-01', 1, 1, 0, 1)")
        assert conn.execute(chunks).fetchone() != before
        assert audit.verify(conn).entries == 2


def _rights(url: str) -> list[tuple[object, ...]]:
    """Return what guards each thing: policies, rights of the application's role, triggers."""
    with closing(store.connect(url)) as conn:
        return conn.execute(
            """
            SELECT 'policy', schemaname || '.' || tablename, policyname, cmd || coalesce(qual, '')
            FROM pg_policies
            UNION ALL
            SELECT 'right', table_schema || '.' || table_name, privilege_type, ''
            FROM information_schema.role_table_grants WHERE grantee = 'millpond_app'
            UNION ALL
            SELECT 'column', table_schema || '.' || table_name, column_name, privilege_type
            FROM information_schema.role_column_grants WHERE grantee = 'millpond_app'
            UNION ALL
            SELECT 'routine', p.oid::regprocedure::text, prosecdef::text, (
                SELECT string_agg(a.grantee::regrole::text || a.privilege_type, ',' ORDER BY 1)
                FROM aclexplode(p.proacl) a WHERE a.grantee <> p.proowner)
            FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
            WHERE n.nspname IN ('auth', 'audit', 'kpi', 'pool', 'registry', 'telemetry')
            UNION ALL
            SELECT 'secured', c.oid::regclass::text, c.relrowsecurity::text, ''
            FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE n.nspname IN ('audit', 'kpi', 'pool', 'registry', 'telemetry') AND relkind = 'r'
            UNION ALL
            SELECT 'trigger', tgrelid::regclass::text, tgname, tgenabled::text FROM pg_trigger
            WHERE NOT tgisinternal AND tgrelid::regclass::text !~ '^_timescaledb'
            ORDER BY 1, 2, 3, 4
            """
        ).fetchall()


def _hypertables(url: str) -> list[tuple[object, ...]]:
    with closing(store.connect(url)) as conn:
        return conn.execute(
            "SELECT hypertable_schema, hypertable_name, num_chunks "
            "FROM timescaledb_information.hypertables ORDER BY 1, 2"
        ).fetchall()


def test_only_its_owner_can_read_it_and_plain_tools_open_it(backup: Path, tmp_path: Path) -> None:
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    dump = tmp_path / files.DUMP
    for command in (
        ["tar", "-xf", str(backup)],
        ["sha256sum", "--check", "--strict", f"{files.DUMP}.sha256"],
        [program("pg_restore", 15), "--list", str(dump)],
    ):
        said = subprocess.run(
            command, cwd=tmp_path, capture_output=True, text=True, check=True, timeout=60
        )
    assert "TABLE DATA telemetry batch" in said.stdout


def test_a_backup_replaces_no_file(original: str, backup: Path, capsys: Captured) -> None:
    before = backup.read_bytes()
    said = millpond(capsys, "db", "backup", backup, "--database", original)
    assert said.code == 1
    assert "is there already" in said.line
    assert backup.read_bytes() == before


def test_a_backup_that_fails_leaves_nothing(tmp_path: Path, capsys: Captured) -> None:
    nowhere = "postgresql://millpond@127.0.0.1:1/none"
    said = millpond(capsys, "db", "backup", tmp_path / "backup", "--database", nowhere)
    assert said.code == 1
    assert said.line
    assert list(tmp_path.iterdir()) == []


def test_an_unmigrated_database_is_not_backed_up(
    empty: str, tmp_path: Path, capsys: Captured
) -> None:
    said = millpond(capsys, "db", "backup", tmp_path / "backup", "--database", empty)
    assert said.code == 1
    assert "millpond db migrate" in said.line
    assert list(tmp_path.iterdir()) == []


def test_a_folder_keeps_the_newest_and_nothing_of_others_is_touched(
    original: str, tmp_path: Path, capsys: Captured
) -> None:
    old = [making.named(tmp_path, datetime(2026, 3, day, tzinfo=UTC)) for day in (1, 2, 3)]
    other = tmp_path / "millpond-notes.txt"
    for path in (*old, other):
        path.touch()
    said = millpond(capsys, "db", "backup", tmp_path, "--keep", "2", "--database", original)
    assert said.code == 0, said.err
    left = sorted(path.name for path in tmp_path.iterdir())
    assert len(left) == 3
    assert {old[2].name, other.name} < set(left)


def test_a_database_that_is_in_use_is_left_alone(
    original: str, backup: Path, capsys: Captured
) -> None:
    said = millpond(capsys, "db", "restore", backup, "--database", original)
    assert said.code == 1
    assert "the database is not empty" in said.line


@pytest.mark.parametrize("damage", ["altered", "cut off", "something else"])
def test_a_damaged_backup_is_named_and_the_database_stays_empty(
    backup: Path, empty: str, capsys: Captured, damage: str
) -> None:
    content = bytearray(backup.read_bytes())
    if damage == "altered":
        content[len(content) // 2] ^= 0xFF
    elif damage == "cut off":
        del content[len(content) // 2 :]
    else:
        content = bytearray(b"not a backup\n" * 1000)
    backup.write_bytes(content)
    said = millpond(capsys, "db", "restore", backup, "--database", empty)
    assert said.code == 1
    assert "altered or damaged" in said.line or "no whole backup" in said.line
    with closing(store.connect(empty)) as conn:
        assert conn.execute("SELECT to_regclass('telemetry.batch')").fetchone() == (None,)


def test_after_a_restore_that_was_taken_back_the_next_one_goes_through(
    backup: Path, empty: str, capsys: Captured, tmp_path: Path
) -> None:
    with files.opened(backup) as opened:
        manifest, dump = opened.manifest, b"".join(opened.dump())
    wrong = tmp_path / "wrong.millpond"
    files.write(wrong, manifest, [dump[: len(dump) // 2]])
    files.finish(wrong)
    said = millpond(capsys, "db", "restore", wrong, "--database", empty)
    assert said.code == 1
    assert "nothing was restored" in said.line
    assert millpond(capsys, "db", "restore", backup, "--database", empty).code == 0


def test_a_batch_that_was_altered_before_the_backup_is_found_by_the_restore(
    formed: Plant, tmp_path: Path, empty: str, capsys: Captured
) -> None:
    formed.conn.execute("UPDATE telemetry.measurement SET value = value + 1 WHERE tag_id = 1")
    path = tmp_path / "altered.millpond"
    assert millpond(capsys, "db", "backup", path, "--database", formed.url).code == 0
    said = millpond(capsys, "db", "restore", path, "--database", empty)
    assert said.code == 1
    assert "restored, but not all of it holds" in said.err
    assert "its rows were altered" in said.err


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"migration": "9999_future.sql"}, "does not know: use version"),
        ({"postgresql": 999}, "comes from PostgreSQL 999"),
        ({"timescaledb": "9.9.9"}, "comes from TimescaleDB 9.9.9"),
    ],
)
def test_a_backup_that_does_not_fit_is_refused_before_anything_is_done(
    backup: Path,
    empty: str,
    capsys: Captured,
    tmp_path: Path,
    changed: dict[str, Any],
    words: str,
) -> None:
    with files.opened(backup) as opened:
        manifest, dump = opened.manifest, b"".join(opened.dump())
    other = tmp_path / "other.millpond"
    files.write(other, replace(manifest, **changed), [dump])
    files.finish(other)
    said = millpond(capsys, "db", "restore", other, "--database", empty)
    assert said.code == 1
    assert words in said.line


def test_the_password_stands_in_no_command_line() -> None:
    url = "postgresql://someone:secret%20word@127.0.0.1:5432/name%20with%20spaces"
    assert environment(url)["PGPASSWORD"] == "secret word"
    assert "secret" not in database_words(url)
    assert "name with spaces" in database_words(url)


def test_rows_that_are_younger_stay_and_what_would_go_is_said_first(
    original: str, capsys: Captured
) -> None:
    rows = "SELECT count(*) FROM telemetry.measurement"
    with closing(store.connect(original)) as conn:
        before = conn.execute(rows).fetchone()
        said = millpond(capsys, "db", "retain", "--keep-days", "36600", "--database", original)
        assert (said.code, "nothing is older than 36600 days" in said.out) == (0, True)
        assert conn.execute(rows).fetchone() == before
    said = millpond(capsys, "db", "retain", "--keep-days", "30", "--database", original)
    assert said.code == 2
