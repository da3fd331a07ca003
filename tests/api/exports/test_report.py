"""The verification report of the sample pool, opened again."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

import store
import store.registry
from api.errors import NotFound
from api.exports import making, register
from api.exports import report as report_facts
from api.exports.letter import FACTS
from store import documents
from store.acting import Actor
from store.documents import Document
from tests.api import samples
from tests.api.exports.made import LOST_AFTER, file_of
from tests.api.exports.opened import Pdf, Word, open_docx, open_pdf
from tests.support.database import cloned_database

OFFICER = Actor(None, "示例经办", "county_officer")
# What only the letter of a step names.
BY_STEP = {
    "entered_on", "state", "step", "step_on", "comment", "deadline", "deadline_note",
    "hearing_term", "reentry", "grounds", "site_check_on", "site_check_people",
    "site_check_result", "grade", "heard",
}  # fmt: skip
NOW = datetime(2026, 11, 20, 2, tzinfo=UTC)


@dataclass(frozen=True)
class Report:
    document: Document
    pdf: Pdf
    word: Word


@pytest.fixture(scope="module")
def pool(database_server: str) -> Iterator[store.Connection]:
    """The sample pool in a database of this module."""
    with cloned_database(database_server) as url, closing(store.connect(url)) as conn:
        samples.load(conn)
        yield conn


@pytest.fixture(scope="module")
def report(pool: store.Connection) -> Report:
    """The report of a factory that has every KPI and every verdict word but one."""
    factory = store.registry.factory_by_code(pool, "SAMPLE-1")
    asked = register.ask(pool, OFFICER, factory, "verification_report", now=NOW)
    taken = documents.take(pool, LOST_AFTER)
    assert taken is not None
    assert making.make(pool, *taken, NOW)
    found = documents.get(pool, asked.document_id)
    assert found is not None
    return Report(
        found,
        open_pdf(file_of(pool, found, "pdf")),
        open_docx(file_of(pool, found, "docx")),
    )


def test_a_report_gives_every_kpi_with_its_bounds_grade_and_verdicts(report: Report) -> None:
    values, verdicts = report.word.tables[1], report.word.tables[2]
    oee = ["设备综合利用率 OEE（%）", "61.0", "78.0", "77.5", "74.6", "74.1 ~ 75.6", "A"]
    assert values[1] == oee
    assert len(values) == 1 + len(samples.FULL)
    told = {row[0]: row[3:] for row in verdicts[1:]}
    assert told["设备综合利用率 OEE"] == ["部分达成", "3.9\u00a0%", "有偏差"]
    assert told["库存周转率"][0] == "未达成"
    for text in ("74.1~75.6", "部分达成", "有偏差"):
        assert text in report.pdf.text


def test_a_report_says_why_a_figure_is_missing_and_shows_no_zero(report: Report) -> None:
    values = {row[0]: row for row in report.word.tables[1]}
    missing = values["年消耗标准煤（等价值）（吨标准煤）"]
    assert missing[4:] == ["无法核验", "—", "D"]
    assert "数据只覆盖统计期的61.2%，不足75%" in report.pdf.text
    assert "数据只覆盖统计期的61.2%，不足75%" in report.word.text


def test_a_report_sums_up_and_names_its_period_and_versions(report: Report) -> None:
    for text in (
        "核验报告", "2025年11月1日至2026年10月31日", "超额达成2项", "不一致1项", "方法版本",
        "系数版本", "核验期内各项合理性规则未发现问题", "示例一号工厂有限公司",
    ):  # fmt: skip
        assert text in report.pdf.text, text
        assert text in report.word.text, text


def test_a_text_may_name_how_many_were_judged_and_how_many_could_not_be(
    pool: store.Connection,
) -> None:
    factory = store.registry.factory_by_code(pool, "SAMPLE-1")
    words = report_facts.of_year(pool, factory, None, NOW.date()).words
    assert words["judged"] == "6"
    assert words["unverifiable"] == "1"
    assert f"无法核验{words['unverifiable']}项" in words["summary"]
    assert {name for name in FACTS if not words[name]} <= BY_STEP


def test_a_report_has_its_headings_in_order_and_one_legend(report: Report) -> None:
    headings = [
        "一、基本情况", "二、核验结论", "三、指标核验结果", "四、无法核验的指标及原因",
        "五、逐月走势", "六、数据合理性发现", "七、建设要点的数据证据", "八、方法与系数版本",
    ]  # fmt: skip
    assert report.word.outline == headings
    places = [report.pdf.text.index(each) for each in headings]
    assert places == sorted(places)
    assert report.pdf.text.count("浅色带为下界至上界") == 1
    assert "2024年11月1日至2025年10月31日" in report.pdf.text


def test_a_report_shows_the_fulfilment_and_the_month_run(report: Report) -> None:
    assert report.word.pictures == 4
    # The pictures of the PDF are drawings, whose texts can be read.
    assert "图1成效对比" in report.pdf.text
    assert "图2设备综合利用率OEE（%）" in report.pdf.text
    assert 4 <= len(report.pdf.pages) <= 7
    assert all(report.pdf.fonts.values())


def test_the_same_facts_give_the_same_contents_hash(pool: store.Connection, report: Report) -> None:
    factory = store.registry.factory_by_code(pool, "SAMPLE-1")
    asked = register.ask(pool, OFFICER, factory, "verification_report", now=NOW)
    taken = documents.take(pool, LOST_AFTER)
    assert taken is not None
    making.make(pool, *taken, NOW)
    again = documents.get(pool, asked.document_id)
    assert again is not None
    assert again.version == 2
    assert again.content_sha256 == report.document.content_sha256
    assert again.pdf_sha256 != report.document.pdf_sha256


def test_a_factory_without_a_year_has_no_report(pool: store.Connection) -> None:
    factory = store.registry.factory_by_code(pool, "SAMPLE-9")
    with pytest.raises(NotFound, match="no rolling year"):
        register.ask(pool, OFFICER, factory, "verification_report", now=NOW)
