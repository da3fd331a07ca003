"""`millpond db retain` as an operator uses it, and a backup of a database without its old rows."""

import secrets
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

import store
from store.databases import recreate
from tests.deploy.command import millpond
from tests.kpi.plant import Plant, china
from tests.store.samples import count

Captured = pytest.CaptureFixture[str]


def test_old_rows_go_after_they_were_named_and_a_restore_still_holds(
    db: store.Connection, database_url: str, database_server: str, tmp_path: Path, capsys: Captured
) -> None:
    plant = Plant.load(db, database_url)
    plant.send({"M02.state": [(china("2020-03-02 10:00"), 1)]})
    plant.send(
        {
            "M01.state": [(china("2026-03-02 10:00"), 1)],
            "M02.state": [(china("2020-03-02 10:01"), 1)],
        }
    )
    plant.refresh(datetime.now(UTC))
    named = ("--database", database_url)
    said = millpond(capsys, "db", "retain", "--dry-run", *named)
    assert (said.code, said.err) == (0, "")
    assert "would drop 1 pieces with rows before 2020-" in said.out
    assert count(db, "telemetry.measurement") == 3

    said = millpond(capsys, "db", "retain", *named)
    assert (said.code, said.err) == (0, "")
    assert "dropped 1 pieces with rows before 2020-" in said.out
    assert count(db, "telemetry.measurement") == 1
    assert "nothing is older" in millpond(capsys, "db", "retain", *named).out

    backup = tmp_path / "backup.millpond"
    assert millpond(capsys, "db", "backup", backup, *named).code == 0
    name = f"test_{secrets.token_hex(8)}"
    restored = recreate(database_server, name)
    try:
        said = millpond(capsys, "db", "restore", backup, "--database", restored)
        assert (said.code, said.err) == (0, "")
        assert "2 batches have rows from before 2020-" in said.out
    finally:
        with closing(store.connect(database_server)) as server:
            server.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())
