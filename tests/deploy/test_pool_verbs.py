"""`millpond pool import`, `template` and `lifecycle check`, as a person calls them."""

import json
from importlib.resources import files
from pathlib import Path

import pytest

import store
from store import registry
from tests.api.pool.lists import as_csv, row
from tests.deploy.command import millpond


def written(folder: Path, content: bytes) -> Path:
    """A list in a folder."""
    path = folder / "list.csv"
    path.write_bytes(content)
    return path


def test_a_list_is_tried_then_taken(
    tmp_path: Path, db: store.Connection, database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("pool", "import", written(tmp_path, as_csv(row(1))), "--database", database_url)
    said = millpond(capsys, *words, "--dry-run")
    assert said.code == 0
    assert "1 new, 0 changed, 0 same, 0 faulty: a dry run, nothing is stored" in said.out
    assert registry.factories(db) == []
    assert "1 new, 0 changed, 0 same, 0 faulty: stored" in millpond(capsys, *words).out
    assert [each.code for each in registry.factories(db)] == ["ENTRY-1"]
    assert "0 faulty: nothing to store" in millpond(capsys, *words).out


def test_a_faulty_row_fails_and_names_its_place(
    tmp_path: Path, db: store.Connection, database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path, as_csv(row(1), row(2, kind="?")))
    words = ("pool", "import", path, "--database", database_url)
    said = millpond(capsys, *words)
    assert said.code == 1
    assert "! 类型: '?' is none of these; write 离散 / 流程" in said.out
    assert "nothing is stored; correct the faulty rows, or give --skip-faulty" in said.out
    said = millpond(capsys, *words, "--skip-faulty", "--json")
    assert said.code == 1
    report = json.loads(said.out)
    assert report["written"]
    assert [each["outcome"] for each in report["rows"]] == ["new", "faulty"]
    assert [each.code for each in registry.factories(db)] == ["ENTRY-1"]


def test_a_file_that_is_no_list_fails_in_one_line(
    tmp_path: Path, database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path, b"\x00\x01")
    said = millpond(capsys, "pool", "import", path, "--database", database_url)
    assert said.code == 1
    assert "neither XLSX nor CSV" in said.line


@pytest.mark.parametrize("ending", [".xlsx", ".csv"])
def test_the_template_can_be_taken_in(
    ending: str, tmp_path: Path, database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / f"pool{ending}"
    assert millpond(capsys, "pool", "template", path).code == 0
    said = millpond(capsys, "pool", "import", path, "--dry-run", "--database", database_url)
    assert said.code == 0
    assert "1 new" in said.out
    said = millpond(capsys, "pool", "template", path)
    assert said.code == 1
    assert "File exists" in said.line


def test_a_template_of_another_kind_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = millpond(capsys, "pool", "template", tmp_path / "pool.ods")
    assert said.code == 1
    assert "must end in .xlsx or .csv" in said.line


def test_a_lifecycle_is_checked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = files("api.pool").joinpath("lifecycle.toml").read_text(encoding="utf-8")
    path = tmp_path / "lifecycle.toml"
    path.write_text(text, encoding="utf-8")
    said = millpond(capsys, "pool", "lifecycle", "check", path)
    assert said.code == 0
    assert "12 states and 20 transitions, nothing wrong" in said.out
    path.write_text(text.replace('guards = ["warned"]', 'guards = ["warmed"]'), encoding="utf-8")
    said = millpond(capsys, "pool", "lifecycle", "check", path)
    assert said.code == 1
    assert "lifecycle line" in said.line
    assert "there is no guard 'warmed'" in said.line
