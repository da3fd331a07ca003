"""Importing history from the command line: look first, enrol once, import, see what was refused."""

import json
from pathlib import Path

import pytest

from tests.collectors.plant import FACTORY, meter_source, prepare_database, rows_of, write_file
from tests.deploy.command import millpond

MAPPING = """
[[file]]
files = "old.csv"
layout = "long"
time = "time"
name = "tag"
value = "value"
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with a gateway, a mapping and a table with one wrong row."""
    monkeypatch.chdir(tmp_path)
    write_file(tmp_path, meter_source())
    Path("history.toml").write_text(MAPPING)
    Path("old.csv").write_text(
        "time,tag,value\n2025-03-01T08:00,EM01.energy,1\n2025-03-01T08:01,EM01.energy,x\n"
    )
    return tmp_path


@pytest.mark.usefixtures("folder")
def test_a_dry_run_needs_no_database_and_says_that_it_had_none(
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = ("collector", "import", "gateway.toml", "history.toml", "--dry-run")
    said = millpond(capsys, *words, "--json")
    report = json.loads(said.out)
    assert said.code == 1
    assert "Connection refused" in report["note"]
    (file,) = report["files"]
    assert (file["rows"], file["values"], file["refused"]) == (2, 1, 1)
    assert file["refused_rows"] == [
        {"line": 3, "reason": 'EM01.energy: "x" is not a number', "text": file_line(3)}
    ]
    shown = millpond(capsys, *words)
    assert 'old.csv, row 3: EM01.energy: "x" is not a number' in shown.out


def file_line(number: int) -> str:
    return Path("old.csv").read_text().splitlines()[number - 1]


def test_from_the_dry_run_to_what_was_refused(
    folder: Path, database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    write_file(folder, meter_source(), database_url)
    prepare_database(database_url, ["EM01.energy"])
    words = ("collector", "import", "gateway.toml", "history.toml")
    said = millpond(capsys, *words)
    assert said.code == 1
    assert "collector enrol gateway.toml --for-import" in said.line
    enrol = ("collector", "enrol", "gateway.toml", "--factory", FACTORY, "--for-import")
    assert millpond(capsys, *enrol).code == 0
    imported = millpond(capsys, *words)
    assert imported.code == 1
    assert "sent 1 rows and 0 records: 0 rows were there already" in imported.out
    assert len(rows_of(database_url)) == 1
    again = millpond(capsys, *words, "--json")
    assert (again.code, json.loads(again.out)["files"][0]["is_known"]) == (0, True)
    (entry,) = json.loads(millpond(capsys, "collector", "refused", "gateway.toml", "--json").out)
    assert entry["reason"] == 'old.csv, row 3: EM01.energy: "x" is not a number'
    assert entry["payload"] == file_line(3)
    assert "is not a number" in millpond(capsys, "collector", "refused", "gateway.toml").out


FAILURES = {
    "collector import gateway.toml absent.toml": "absent.toml: cannot be read",
    "collector import gateway.toml gateway.toml": "gateway.toml:1: unknown section [gateway]",
    "collector import gateway.toml history.toml": "Connection refused",
    "collector refused gateway.toml": "this gateway has not run yet",
}


@pytest.mark.parametrize("words", FAILURES)
@pytest.mark.usefixtures("folder")
def test_a_failure_is_told_plainly(words: str, capsys: pytest.CaptureFixture[str]) -> None:
    said = millpond(capsys, *words.split())
    assert said.code == 1
    assert FAILURES[words] in said.err
    assert "Traceback" not in said.err
