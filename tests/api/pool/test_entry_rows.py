"""Reading an entry list: every fault with its row, its column and what to do."""

from datetime import date
from typing import Any

import pytest

from api.pool.entry_fields import Entry, RowProblem, entry_of
from api.pool.entry_sheet import MOST_ROWS, columns, read
from api.pool.entry_template import as_csv as template_csv
from api.pool.entry_template import as_workbook as template_workbook
from api.pool.errors import ImportRefused
from store.entries import EntryPromise
from store.pool import Region
from tests.api.pool.lists import as_csv, as_workbook, row

TODAY = date(2026, 11, 23)
REGIONS = {
    code: Region(code, zh, en)
    for code, zh, en in (
        ("320613", "崇川区", "Chongchuan"),
        ("320612", "通州区", "Tongzhou"),
        ("320671", "南通经济技术开发区", "Nantong ETDZ"),
    )
}


def judged(content: bytes) -> tuple[Entry | None, list[RowProblem]]:
    """The only row of a list."""
    (line,) = read(content)
    return entry_of(line, REGIONS, TODAY)


def given(**cells: Any) -> tuple[Entry | None, list[RowProblem]]:
    return judged(as_csv(row(**cells)))


def test_a_row_without_a_fault_is_taken_as_it_stands() -> None:
    entry, problems = given()
    assert problems == []
    assert entry is not None
    assert entry.row == 2
    assert entry.entered_on == date(2022, 12, 30)
    assert entry.given.baseline_from == date(2021, 10, 1)
    assert entry.given.baseline_to == date(2022, 10, 1), "half-open"
    assert entry.given.renovated_on == date(2022, 10, 1)
    assert (entry.given.kind, entry.given.region) == ("discrete", "320613")
    assert entry.promises == (
        EntryPromise("oee", 0.61, "documented", 0.78),
        EntryPromise("standard_coal", 5200.0, "measured", 4700.0),
    )


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("language", ["zh", "en", "name"])
def test_a_csv_is_read_in_each_encoding_and_language(encoding: str, language: str) -> None:
    entry, problems = judged(as_csv(row(), encoding=encoding, language=language))
    assert (entry is not None, problems) == (True, [])


def test_a_workbook_is_read_with_its_days_and_percentages() -> None:
    cells: dict[str, Any] = {
        "entered": date(2022, 12, 30),
        "baseline_from": date(2021, 10, 1),
        "oee_before": 0.61,
        "oee_expected": 0.785,
    }
    entry, problems = judged(as_workbook(row(**cells), percent=("oee_before", "oee_expected")))
    assert problems == []
    assert entry is not None
    assert entry.entered_on == date(2022, 12, 30)
    assert entry.promises[0] == EntryPromise("oee", 0.61, "documented", 0.785)


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("78", 0.78),
        ("78%", 0.78),
        ("78 ％", 0.78),
        ("７８", 0.78),
        ("78.50", 0.785),
        ("0.5%", 0.005),
    ],
)
def test_a_percentage_is_read_as_people_write_it(cell: str, value: float) -> None:
    entry, _ = given(oee_before=None, oee_expected=cell)
    assert entry is not None
    assert entry.promises[0].expected == value


@pytest.mark.parametrize("cell", ["2022/12/30", "2022.12.30", "2022年12月30日", "2022-12-30"])
def test_a_day_is_read_as_people_write_it(cell: str) -> None:
    entry, _ = given(entered=cell)
    assert entry is not None
    assert entry.entered_on == date(2022, 12, 30)


@pytest.mark.parametrize(
    ("cell", "code"), [("崇川", "320613"), ("320612", "320612"), ("Tongzhou", "320612")]
)
def test_a_county_is_known_by_its_names(cell: str, code: str) -> None:
    entry, _ = given(county=cell)
    assert entry is not None
    assert entry.given.region == code


@pytest.mark.parametrize(
    ("cells", "column", "what", "do"),
    [
        ({"enterprise": None}, "enterprise", "nothing stands there", "fill it in"),
        ({"factory": "x" * 201}, "factory", "too long", "shorten"),
        ({"factory": "a\x07b"}, "factory", "control characters", "shorten"),
        ({"code": "有 空格"}, "code", "is no code", "use letters"),
        ({"kind": "混合"}, "kind", "is none of these", "离散 / 流程"),
        ({"county": "苏州"}, "county", "no county", "崇川区、通州区"),
        ({"county": "南"}, "county", "no county", "write one of"),
        ({"entered": "去年"}, "entered", "is no day", "2022-12-30"),
        ({"entered": "2022-02-30"}, "entered", "is no day", "2022-12-30"),
        ({"entered": "2026-11-24"}, "entered", "still to come", "day of the decision"),
        ({"baseline_to": "2021-09-30"}, "baseline_to", "lies before", "last day"),
        ({"renovated": "2022-09-30"}, "renovated", "within the baseline", "end the baseline"),
        ({"oee_expected": None}, "oee_expected", "expected is missing", "fill it in"),
        ({"oee_basis": None}, "oee_basis", "rests on", "实测 / 有凭证 / 仅申报"),
        ({"oee_basis": "听说"}, "oee_basis", "is none of these", "实测 / 有凭证 / 仅申报"),
        ({"oee_expected": "八成"}, "oee_expected", "is no number", "in %"),
        ({"oee_expected": "0.78"}, "oee_expected", "would be 0.78 %", "write 78 for 78%"),
        ({"oee_expected": "780"}, "oee_expected", "780 % cannot be", "0 to 100"),
        ({"oee_expected": "nan"}, "oee_expected", "is no number", "in %"),
        ({"robots_expected": "3.5"}, "robots_expected", "cannot be", "whole number in 台"),
        ({"standard_coal_expected": "-1"}, "standard_coal_expected", "cannot be", "吨标准煤"),
    ],
)  # fmt: skip
def test_a_fault_is_named_with_row_column_and_what_to_do(
    cells: dict[str, Any], column: str, what: str, do: str
) -> None:
    entry, problems = given(**cells)
    assert entry is None
    found = [each for each in problems if each.severity == "error"]
    assert [(each.row, each.column) for each in found] == [(2, columns()[column].zh)]
    assert what in found[0].what
    assert do in found[0].do


@pytest.mark.parametrize(
    ("cells", "column", "what"),
    [
        ({"credit_code": None}, "credit_code", "no code"),
        ({"credit_code": "91320600MA00000000"}, "credit_code", "does not match"),
        ({"oee_before": None, "oee_basis": None}, "oee_before", "no value before"),
        ({"oee_expected": "61"}, "oee_expected", "no change"),
        ({"oee_expected": "60"}, "oee_expected", "worse than before"),
        ({"standard_coal_expected": "5300"}, "standard_coal_expected", "worse than before"),
        (
            {
                f"{kpi}_{part}": None
                for kpi in ("oee", "standard_coal")
                for part in ("before", "expected", "basis")
            },
            "oee_expected",
            "nothing is promised",
        ),
    ],
)
def test_what_is_odd_is_told_and_stops_nothing(
    cells: dict[str, Any], column: str, what: str
) -> None:
    entry, problems = given(**cells)
    assert entry is not None
    assert [(each.severity, each.column) for each in problems] == [
        ("warning", columns()[column].zh)
    ]
    assert what in problems[0].what


def test_every_fault_of_a_row_is_told_at_once() -> None:
    _, problems = given(enterprise=None, kind="?", entered="?", oee_expected="?")
    assert [each.severity for each in problems] == ["error"] * 4


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "this one has 0"),
        (b"\x00\x01\x02", "neither XLSX nor CSV"),
        (b"\xff\xfe\x00", "neither XLSX nor CSV"),
        (b"PK\x03\x04 no workbook", "no XLSX workbook"),
        (as_csv(row()).splitlines()[0], "the list is empty"),
        ("工厂名称,类型\n一,离散".encode(), "lacks the columns 企业名称, 县（市、区）"),
        (as_csv(row()).replace("工厂代码".encode(), "代号".encode()), "nobody knows: 代号"),
        (
            as_csv(row()).replace("工厂代码".encode(), "工厂名称".encode()),
            "工厂名称 stands there twice",
        ),
        (as_csv(row()).replace("[吨标准煤]".encode(), "[千克]".encode()), "in another unit"),
    ],
)
def test_a_list_that_cannot_be_read_is_refused_whole(content: bytes, complaint: str) -> None:
    with pytest.raises(ImportRefused) as refusal:
        read(content)
    assert complaint in str(refusal.value)


def test_a_list_is_bounded() -> None:
    lines = as_csv(row()).splitlines()
    content = b"\n".join([lines[0], *[lines[1]] * (MOST_ROWS + 1)])
    with pytest.raises(ImportRefused, match="more than 5000 rows"):
        read(content)


def test_empty_rows_are_passed_over_and_keep_the_numbers() -> None:
    lines = as_csv(row(), encoding="utf-8").splitlines()
    blank = b"," * lines[0].count(b",")
    (line,) = read(b"\n".join([b"", lines[0], blank, lines[1]]))
    assert line.number == 4


@pytest.mark.parametrize("content", [template_csv(), template_workbook()])
def test_the_template_is_a_list_that_can_be_read(content: bytes) -> None:
    entry, problems = judged(content)
    assert entry is not None
    assert {each.severity for each in problems} == {"warning"}, "its sample has no credit code"
    assert entry.given.enterprise_zh.startswith("示例")
    assert [each.kpi for each in entry.promises] == ["oee", "defect_rate"]
