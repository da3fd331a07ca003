"""The documents name only what exists, and every key and KPI that exists."""

import dataclasses
import re
from pathlib import Path
from typing import get_args, get_type_hints

import pytest
import typer.main
from typer.core import TyperGroup

from api.kpis import KPIS
from collectors.config import document
from collectors.config.schema import SOURCES, GatewayTable, SinkTable, SpoolTable
from deploy import cli, documents
from deploy.cli import app

ROOT = Path(__file__).parents[1]
READMES = [ROOT / "README.md", ROOT / "README.zh.md"]
DOCUMENTS = [*READMES, *documents.documents()]


def _with_sub_tables(table: type) -> list[type]:
    """A table and those that fill its tuples."""
    found = [table]
    hints = get_type_hints(table)
    for each in dataclasses.fields(table):
        if "table" in each.metadata:
            found += _with_sub_tables(get_args(hints[each.name])[0])
    return found


TABLES = [
    table
    for top in (GatewayTable, SpoolTable, SinkTable, *SOURCES.values())
    for table in _with_sub_tables(top)
]


def verbs() -> set[tuple[str, ...]]:
    """Every verb of the command, as the words that call it."""
    command = typer.main.get_command(app)
    assert isinstance(command, TyperGroup)
    found: set[tuple[str, ...]] = set()
    for name, part in command.commands.items():
        inner = getattr(part, "commands", None)
        found |= {(name, verb) for verb in inner} if inner else {(name,)}
    return found


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_relative_link_leads_to_a_file(document: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)\)", document.read_text(encoding="utf-8"))
    missing = [
        link for link in links if "://" not in link and not (document.parent / link).exists()
    ]
    assert missing == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_verb_named_exists(document: Path) -> None:
    named = re.findall(r"millpond ([a-z]+)(?: ([a-z-]+))?", document.read_text(encoding="utf-8"))
    known = verbs()
    groups = {words[0] for words in known}
    for first, second in named:
        assert first in groups, f"millpond {first} does not exist"
        assert (first,) in known or (first, second) in known, f"millpond {first} {second}"


@pytest.mark.parametrize("readme", READMES, ids=lambda path: path.name)
def test_every_make_target_named_exists(readme: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"make ([a-z-]+)", readme.read_text(encoding="utf-8")))
    assert {"demo", "test"} <= named <= targets


def test_the_commands_of_the_readme_that_only_show_help_work(
    capsys: pytest.CaptureFixture[str],
) -> None:
    text = READMES[0].read_text(encoding="utf-8")
    commands = re.findall(r"^\.venv/bin/millpond (.*--help)", text, re.MULTILINE)
    assert len(commands) >= 4
    for command in commands:
        # Not a process each: that the installed command works from anywhere has its own test.
        code = cli.run(command.split())
        shown = capsys.readouterr()
        assert code == 0, shown.err
        assert "Usage" in shown.out


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.__name__)
def test_every_key_of_a_gateway_file_is_documented(table: type) -> None:
    text = "\n".join(path.read_text(encoding="utf-8") for path in documents.documents())
    keys = [field.metadata.get("table", field.name) for field in dataclasses.fields(table)]
    assert [key for key in keys if f"`{key}`" not in text and f"source.{key}]" not in text] == []


@pytest.mark.parametrize("document", documents.documents(), ids=lambda path: path.parent.name)
def test_key_tables_and_samples_in_the_documents_are_those_of_the_code(document: Path) -> None:
    assert documents.filled(document) == document.read_text(encoding="utf-8"), "run: make docs"


def test_every_kpi_is_documented() -> None:
    text = (ROOT / "docs" / "method.md").read_text(encoding="utf-8")
    assert [kpi.kpi_id for kpi in KPIS if f"`{kpi.kpi_id}`" not in text] == []


def test_the_gateway_file_in_the_document_is_accepted(tmp_path: Path) -> None:
    from collectors.config.file import check

    text = (ROOT / "docs" / "gateway.md").read_text(encoding="utf-8")
    sample = re.search(r"```toml\n(.*?)```", text, re.DOTALL)
    assert sample is not None
    file = tmp_path / "gateway.toml"
    file.write_text(sample.group(1), encoding="utf-8")
    assert check(file) == []


def test_every_complaint_and_fault_names_tests_that_exist() -> None:
    text = (ROOT / "docs" / "complaints.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| ") and "`" in line]
    assert len(rows) >= 31
    for row in rows:
        named = re.findall(r"`([\w/]+\.py)::(test_\w+)`", row)
        assert named, row
        for file, test in named:
            assert f"def {test}(" in (ROOT / "tests" / file).read_text(encoding="utf-8"), test


@pytest.mark.parametrize("kind", ["gateway", *SOURCES])
def test_every_key_says_what_it_is_for(kind: str) -> None:
    assert [key.name for key in document.keys(kind) if not key.about] == []


def test_the_architecture_names_every_folder_of_the_packages() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    folders = {
        f"{package}/{each.name}"
        for package in ("store", "collectors", "kpi", "api", "deploy", "simulators")
        for each in (ROOT / package).iterdir()
        if each.is_dir() and not each.name.startswith((".", "_"))
    }
    protocols = {f"collectors/{each}" for each in SOURCES}
    named = set(re.findall(r"`([a-z_0-9]+/[a-z_0-9]+)`", text))
    assert folders - protocols == named
