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
    return [row for row in rows if row[-1] != "test" and set(row[0]) != {"-"}]


ROWS = _rows()


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


def test_every_kpi_says_what_it_is_formed_from() -> None:
    assert set(UNDER) == {kpi.kpi_id for kpi in KPIS}
    assert {kind for each in UNDER.values() for kind in each.kinds} == set(KINDS)
