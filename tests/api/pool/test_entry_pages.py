"""An officer takes in the bureau's list on a page: template, trial, report by row, import."""

import sys
from collections.abc import Iterator

import httpx
import pytest

import store
from api.pool import entry_runs as service
from api.pool.entry_runs import ENTRIES
from api.worker import Limits, work_off
from store import audit, entry_runs, registry
from tests.api.conftest import served
from tests.api.html import parse, rows
from tests.api.pool.desk import Desk
from tests.api.pool.lists import as_csv, as_workbook, row

OFFICER = "city_officer"
HANGS = (sys.executable, "-c", "import time; time.sleep(600)")


class Entries(Desk):
    """An officer with lists."""

    def __init__(self, conn: store.Connection, address: str, url: str) -> None:
        super().__init__(conn, address)
        self.url = url

    def give(self, content: bytes, name: str = "名单.csv") -> httpx.Response:
        """Hand over a list."""
        return self.send(OFFICER, "/entries", files={"file": (name, content)})

    def tried(self, content: bytes) -> str:
        """Hand over a list, have it tried and return the page of its report."""
        answer = self.give(content)
        assert answer.status_code == 303, answer.text
        assert work_off(ENTRIES, self.url) == 1
        return answer.headers["location"]

    def codes(self) -> list[str]:
        """Return the factories that are stored."""
        return [each.code for each in registry.factories(self.conn)]


@pytest.fixture
def desk(db: store.Connection, database_url: str) -> Iterator[Entries]:
    with served(database_url) as address:
        found = Entries(db, address, database_url)
        yield found
        found.close()


def test_a_list_is_tried_then_taken_in_and_leads_to_its_factories(desk: Entries) -> None:
    place = desk.tried(as_workbook(row(1), row(2, county="如东县")))
    assert desk.codes() == [], "a trial stores nothing"
    page = desk.page(OFFICER, place)
    assert "没有错误行" in page.text
    assert [line[1].text for line in rows(page.one("table"))] == [
        "示例企业1有限公司 示例工厂1",
        "示例企业2有限公司 示例工厂2",
    ]
    answer = desk.send(OFFICER, f"{place}/import")
    assert answer.status_code == 303
    assert work_off(ENTRIES, desk.url) == 1
    assert desk.codes() == ["ENTRY-1", "ENTRY-2"]
    page = desk.page(OFFICER, answer.headers["location"])
    hrefs = [link.attributes["href"] for link in page.one("table").all("a")]
    assert hrefs == ["/factories/ENTRY-1", "/factories/ENTRY-2"]
    officer = desk.actors[OFFICER]
    noted = {each.action: each for each in audit.entries(desk.conn, account_id=officer.account_id)}
    given = noted["entry_list_given"].after
    assert noted["entry_list_imported"].after["sha256"] == given["sha256"]
    assert noted["entry_list_imported"].after["new"] == 2
    assert noted["entry_imported"].actor == officer.name


def test_each_fault_is_shown_with_row_column_and_allowed_values_in_the_readers_language(
    desk: Entries,
) -> None:
    place = desk.tried(as_csv(row(1), row(2, kind="混合")))
    faults = [line for line in rows(desk.page(OFFICER, place).one("table")) if line[3].text]
    assert [each.text.strip() for each in faults[0]] == [
        *("3", "示例工厂2", "有错误", "类型"),
        *("错误 “混合”不是可填的值", "可填：离散 / 流程"),
    ]
    english = desk.page(OFFICER, f"{place}?lang=en").text
    assert "'混合' is none of these" in english
    report = desk.as_(OFFICER)[0].get(f"{place}/report.csv?lang=zh").content.decode("utf-8-sig")
    assert "3,示例工厂2,有错误,类型,“混合”不是可填的值,可填：离散 / 流程" in report


def test_faulty_rows_are_left_out_only_where_the_officer_says_so(desk: Entries) -> None:
    place = desk.tried(as_csv(row(1), row(2, kind="混合")))
    refused = desk.send(OFFICER, f"{place}/import")
    assert refused.status_code == 409
    assert "名单中有错误行" in parse(refused.text).text
    assert desk.send(OFFICER, f"{place}/import", skip_faulty="true").status_code == 303
    assert work_off(ENTRIES, desk.url) == 1
    assert desk.codes() == ["ENTRY-1"]


def test_a_list_is_taken_in_once(desk: Entries) -> None:
    place = desk.tried(as_csv(row(1)))
    assert desk.send(OFFICER, f"{place}/import").status_code == 303
    assert desk.send(OFFICER, f"{place}/import").status_code == 409
    assert work_off(ENTRIES, desk.url) == 1
    assert desk.send(OFFICER, f"{place}/import").status_code == 409
    again = desk.tried(as_csv(row(1)))
    assert desk.send(OFFICER, f"{again}/import").status_code == 409, "it changes nothing"


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"\x00\x01", "文件既不是 XLSX"), (b"PK\x03\x04 no workbook", "文件不是 XLSX 工作簿")],
)
def test_a_list_that_cannot_be_read_is_told_on_its_page(
    desk: Entries, content: bytes, said: str
) -> None:
    page = desk.page(OFFICER, desk.tried(content))
    assert said in page.text
    forms = [each.attributes["action"] for each in page.all("form")]
    assert not any(each.endswith("/import") for each in forms)
    assert desk.codes() == []


def test_an_empty_file_and_one_that_is_too_large_are_refused_beside_the_form(
    desk: Entries,
) -> None:
    for content in (b"", b"x" * (service.MOST_BYTES + 1)):
        refused = desk.give(content)
        assert refused.status_code == 422
        assert f"本文件为 {len(content)} 字节" in parse(refused.text).text
    assert desk.give(b"x" * (service.MOST_BYTES + 100_000)).status_code == 413
    assert entry_runs.listed(desk.conn) == []


def test_a_process_that_hangs_is_ended_and_the_page_says_so(desk: Entries) -> None:
    place = desk.give(as_csv(row(1))).headers["location"]
    limits = Limits(seconds=0.4, waits_s=())
    assert work_off(ENTRIES, desk.url, limits=limits, command=HANGS) == 0
    page = desk.page(OFFICER, place)
    assert "处理失败" in page.text
    assert "0.4 s" in page.text


def test_the_template_is_a_list_that_the_page_takes(desk: Entries) -> None:
    for form in ("xlsx", "csv"):
        template = desk.as_(OFFICER)[0].get(f"/entries/template.{form}")
        assert template.status_code == 200
        page = desk.page(OFFICER, desk.tried(template.content))
        assert "没有错误行" in page.text


def test_the_applications_role_reads_no_list_and_writes_no_report(desk: Entries) -> None:
    desk.tried(as_csv(row(1)))
    for statement in (
        b"SELECT content FROM pool.entry_run",
        b"UPDATE pool.entry_run SET state = 'queued'",
    ):
        desk.conn.execute("SET ROLE millpond_app")
        try:
            with pytest.raises(Exception, match="permission denied"):
                desk.conn.execute(statement)
        finally:
            desk.conn.rollback()
            desk.conn.execute("RESET ROLE")


def test_nobody_but_a_city_officer_sees_lists(desk: Entries) -> None:
    place = desk.tried(as_csv(row(1)))
    for role in ("city_leader", "sysadmin"):
        assert desk.as_(role)[0].get(place).status_code == 403
