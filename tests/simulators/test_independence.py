"""Simulators share no code with what they test."""

import ast
from collections.abc import Iterator
from pathlib import Path

import simulators

OURS = {"store", "collectors", "kpi", "api", "deploy"}
FOLDER = Path(simulators.__file__).parent
ROOT = FOLDER.parent
# What has fewer parts looks alike because it does next to nothing.
LEAST_PARTS = 20


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


def test_no_function_is_a_copy_of_one_of_ours() -> None:
    """Compared by what is done, whatever the names: an error that was copied would cancel out."""
    checked = [ROOT / each for each in ("store", "collectors", "kpi")]
    ours = {form: place for folder in checked for form, place in _functions(folder)}
    theirs = list(_functions(FOLDER))
    assert len(ours) > 500
    assert len(theirs) > 100
    assert [(place, ours[form]) for form, place in theirs if form in ours] == []


def _functions(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield each function that does something: its form without names, and where it stands."""
    for path in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                body = node.body[1:] if ast.get_docstring(node) is not None else node.body
                parts = [_part(part) for each in body for part in ast.walk(each)]
                if len(parts) >= LEAST_PARTS:
                    yield " ".join(parts), f"{path.relative_to(ROOT)}:{node.name}"


def _part(part: ast.AST) -> str:
    """Say what a part of a function is: of names only those of what it calls upon stay."""
    match part:
        case ast.Attribute():
            return part.attr
        case ast.Constant():
            return repr(part.value)
    return type(part).__name__
