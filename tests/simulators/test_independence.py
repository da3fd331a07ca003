"""Simulators share no code with what they test."""

import ast
from pathlib import Path

import simulators

OURS = {"store", "collectors", "kpi", "api", "deploy"}
FOLDER = Path(simulators.__file__).parent


def _imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {each.name for each in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
    return found


def test_simulators_import_nothing_of_ours() -> None:
    files = sorted(FOLDER.rglob("*.py"))
    assert len(files) > 20
    for path in files:
        assert not {each.split(".")[0] for each in _imports(path)} & OURS, path.name


def test_the_truth_reads_no_register_and_no_row() -> None:
    found = _imports(FOLDER / "truth.py")
    assert not found & {"simulators.signals", "simulators.history", "simulators.tags"}
