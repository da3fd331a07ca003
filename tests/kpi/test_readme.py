"""The tables of kpi/README.md name every KPI, and only functions and tests that exist."""

import ast
import re
from importlib import import_module
from pathlib import Path

import pytest

from api.kpis import KPIS
from kpi.figures.records import KINDS
from kpi.figures.under import UNDER

ROOT = Path(__file__).parents[2]
_WIDTH = 8


def _rows() -> list[list[str]]:
    """Return the cells of all rows below the heads."""
    lines = (ROOT / "kpi" / "README.md").read_text(encoding="utf-8").splitlines()
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in lines
        if line.startswith("|")
    ]
    return [row for row in rows if row[-1] not in ("test", "inputs") and set(row[0]) != {"-"}]


ROWS = [row for row in _rows() if len(row) == _WIDTH]
SUMS = [row for row in _rows() if len(row) != _WIDTH]
# Within a value: its bounds, its parts, and what a line, a model or a check of meters is made of.
_PARTS = {
    *("low", "point", "high", "share", "left_out", "reason", "line", "last", "bottleneck"),
    *("coverage", "agrees", "explained", "gap", "possible", "sources", "tariffs"),
    *("driver", "tce_per_day", "tce_per_hour", "cv_rmse", "r_squared"),
}


def test_every_kpi_stands_in_the_table_once_with_its_unit() -> None:
    stated = {row[2].strip("`"): row[3] for row in ROWS if re.fullmatch(r"`\w+`", row[2])}
    assert stated == {kpi.kpi_id: kpi.unit for kpi in KPIS}
    assert len({row[0] for row in ROWS}) == len(ROWS)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_function_and_test_of_a_row_exist(row: list[str]) -> None:
    assert len(row) == _WIDTH
    assert all(row)
    module, _, function = row[6].strip("`").rpartition(".")
    assert callable(getattr(import_module(module), function))
    file, _, name = row[7].strip("`").partition("::")
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    assert name in {each.name for each in tree.body if isinstance(each, ast.FunctionDef)}


def test_values_beside_a_kpi_name_the_kpi_or_the_verb() -> None:
    ids = {kpi.kpi_id for kpi in KPIS}
    beside = [row[2] for row in ROWS if not re.fullmatch(r"`\w+`", row[2])]
    assert beside
    for where in beside:
        owner = re.match(r"`(\w+)`: ", where)
        assert where.startswith("`millpond kpi ") or (owner and owner[1] in ids), where


def _input_names() -> set[str]:
    """The names that the code of figures writes among their inputs."""
    found = set()
    for path in (ROOT / "kpi" / "figures").glob("*.py"):
        if path.name == "under.py":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            keys = node.keys if isinstance(node, ast.Dict) else []
            if isinstance(node, ast.Assign):
                keys = [each.slice for each in node.targets if isinstance(each, ast.Subscript)]
            found |= {each.value for each in keys if isinstance(each, ast.Constant)}
    return {str(name) for name in found}


def test_every_value_among_the_inputs_of_a_figure_stands_in_a_table() -> None:
    cells = " ".join([row[2] for row in ROWS] + [cell for row in SUMS for cell in row])
    stated = set(re.findall(r"`(\w+)`", cells))
    lacking = _input_names() - stated - _PARTS - {kpi.kpi_id for kpi in KPIS}
    assert all(len(row) == 2 for row in SUMS)
    assert not lacking, f"kpi/README.md lacks {sorted(lacking)}"


def test_every_kpi_says_what_it_is_formed_from() -> None:
    assert set(UNDER) == {kpi.kpi_id for kpi in KPIS}
    assert {kind for each in UNDER.values() for kind in each.kinds} == set(KINDS)
