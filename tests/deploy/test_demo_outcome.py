"""When the demo calls a figure wrong, and how it shows one."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from api.language import LANGUAGES, Language
from deploy.demo import outcome, table
from deploy.demo.outcome import Row
from deploy.demo.words import WORDS
from tests.deploy.samples import FACTORY, compared, figure, row

RATIO: dict[str, Any] = {"unit": "1", "low": 0.0, "high": 1.0}
COAL: dict[str, Any] = {"kpi": "standard_coal", "unit": "tce", "low": 0.0, "high": 1e9}
COUNT: dict[str, Any] = {"kpi": "networked_equipment", "unit": "count", "low": 0.0, "high": 99.0}


@pytest.mark.parametrize(
    ("fields", "point", "truth", "wrong"),
    [
        (RATIO, 0.8049, 0.8, False),
        (RATIO, 0.8051, 0.8, True),
        (RATIO, 0.7951, 0.8, False),
        (RATIO, 0.7949, 0.8, True),
        (RATIO, 0.0249, 0.02, False),  # a small ratio counts in points too
        (COAL, 6430.0, 6400.0, False),  # 0.47 %
        (COAL, 6433.0, 6400.0, True),  # 0.52 %
        (COAL, 6368.5, 6400.0, False),
        (COAL, 6367.0, 6400.0, True),
        (COAL, 0.0, 0.0, False),
        (COAL, 0.001, 0.0, True),
        (COUNT, 8.0, 8.0, False),
        (COUNT, 7.0, 8.0, True),
        (COUNT, 9.0, 8.0, True),
    ],
)
def test_a_point_must_lie_near_the_truth(
    fields: dict[str, Any], point: float, truth: float, wrong: bool
) -> None:
    found = compared(figure(point=point, **fields), truth)
    complaint = found.complaint()
    assert (complaint is not None) == wrong
    if complaint:
        assert "too far from" in complaint
        assert FACTORY.code in complaint
    assert found.complaint(close=False) is None


@pytest.mark.parametrize(
    ("low", "high", "truth", "wrong"),
    [
        (0.79, 0.81, 0.8, False),
        (0.8, 0.8, 0.8, False),
        (0.79, 0.8, 0.8 + 1e-12, False),  # the last bits of a sum
        (0.79, 0.8, 0.8001, True),
        (0.8, 0.81, 0.7999, True),
    ],
)
def test_the_bounds_must_hold_the_truth(low: float, high: float, truth: float, wrong: bool) -> None:
    found = compared(figure(point=0.8, low=low, high=high), truth)
    for close in (True, False):
        complaint = found.complaint(close=close)
        assert (complaint is not None) == wrong
        assert complaint is None or "does not hold" in complaint


def test_a_truth_wants_a_figure_and_a_figure_a_truth() -> None:
    nothing = figure(point=None, reason="no rows", grade="D")
    assert "not verified (no rows)" in (compared(nothing, 0.8).complaint() or "")
    assert compared(nothing, None).complaint() is None
    assert "must be refused" in (compared(figure(point=0.8), None).complaint() or "")


@pytest.mark.parametrize("point", [None, 0.8])
def test_a_figure_without_any_truth_is_a_complaint_unless_a_model_made_it(
    point: float | None,
) -> None:
    untold = outcome.compared(FACTORY, figure(point=point), {"availability": 0.9})
    assert "no truth tells" in (untold.complaint() or "")
    saved = figure(kpi="energy_saving", unit="tce", point=point)
    assert outcome.compared(FACTORY, saved, {"oee": 0.8}).complaint() is None


@pytest.mark.parametrize(
    ("fields", "point", "truth", "text"),
    [
        (RATIO, 0.8012, 0.8, "+0.120 pp"),
        (RATIO, 0.7988, 0.8, "-0.120 pp"),
        (COAL, 6432.0, 6400.0, "+0.500 %"),
        (COUNT, 7.0, 8.0, "-1"),
        (COUNT, 8.0, 8.0, "+0"),
        (RATIO, None, 0.8, "—"),
        (RATIO, 0.8, None, "—"),
    ],
)
def test_a_difference_is_told_in_its_own_unit(
    fields: dict[str, Any], point: float | None, truth: float | None, text: str
) -> None:
    assert table.difference(compared(figure(point=point, **fields), truth)) == text


def test_a_relative_difference_from_nothing_is_without_end() -> None:
    assert compared(figure(point=1.0, **COAL), 0.0).difference == math.inf


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("width", [80, 120, 250])
def test_two_factories_stand_in_one_table(width: int, language: Language) -> None:
    first = list(_rows())
    other = replace(FACTORY, code="OTHER", name_zh="示例二厂", name_en="Second")
    second = [replace(each, compared=replace(each.compared, factory=other)) for each in first]
    text = _shown(width, language, first + second)
    words = WORDS[language]
    assert text.count(words["title"]) == 1
    assert text.count(words["heads"].split()[2]) == 1
    name = other.name_zh if language == "zh" else other.name_en
    assert text.index("72.0 ~ 73.0") < text.index(name) < text.rindex("72.0 ~ 73.0")
    assert text.count("2025-03 – ") == 2


def _shown(width: int, language: Language, rows: Sequence[Row] | None = None) -> str:
    console = Console(width=width, file=StringIO(), record=True)
    table.show(console, rows or list(_rows()), language)
    return console.export_text()


def _rows() -> Iterator[Row]:
    yield row(figure(point=0.7254, low=0.72, high=0.73), 0.7251, "partly", "off")
    yield row(figure(point=10.5, kpi="inventory_turnover", unit="turns"), 10.5, "missed", "false")
    yield Row(compared(figure(point=10969.1, **COAL), 10969.1), None, None)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("width", [80, 100, 150, 250])
def test_the_table_shows_every_cell_whole_in_any_terminal(width: int, language: Language) -> None:
    text = _shown(width, language)
    words = {
        "zh": ("部分达成 67 %", "有偏差 +18.8 %", "未达成 67 %", "不一致 +18.8 %"),
        "en": ("Partly met 67 %", "Deviates +18.8 %", "Missed 67 %", "Inconsistent +18.8 %"),
    }[language]
    figures = ("72.5", "72.0 ~ 73.0", "99.9 % A", "+0.030 pp", "1,050.0", "10,969.1", "2025-03")
    assert [each for each in (*words, *figures) if each not in text] == []
    assert "…" not in text


def test_a_wide_terminal_has_a_line_for_each_kpi() -> None:
    (line,) = [line for line in _shown(250, "zh").splitlines() if "OEE" in line]
    cells = [cell.strip() for cell in line.split("│")[1:-1]]
    assert cells == [
        *("设备综合利用率 OEE %", "60.0", "90.0", "95.0", "72.5", "72.0 ~ 73.0", "99.9 % A"),
        *("部分达成 67 %", "有偏差 +18.8 %", "72.5", "+0.030 pp"),
    ]
