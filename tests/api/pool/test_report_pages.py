"""The pages of reports: an enterprise fills in and submits, a county passes or returns."""

from collections.abc import Iterator

import httpx
import pytest

from api.identity import csrf_of
from api.pool import report_opening
from store.reports import Report
from tests.api.conftest import served
from tests.api.people import client_of, session_of
from tests.api.pool.reporting import Reporting


class Pages:
    """People in front of the pages of one report."""

    def __init__(self, reporting: Reporting, address: str) -> None:
        self.reporting = reporting
        self.address = address
        self.path = f"/factories/sample/reports/{reporting.report_id}"
        self._clients: dict[str, tuple[httpx.Client, str]] = {}

    def as_(self, role: str) -> tuple[httpx.Client, str]:
        """Return the client of a person of a role, and what its forms carry."""
        if role not in self._clients:
            actor, _ = self.reporting.pooled.person(role)
            secret = session_of(self.reporting.pooled.conn, actor)
            self._clients[role] = client_of(self.address, secret), csrf_of(secret)
        return self._clients[role]

    def text(self, role: str, path: str | None = None) -> str:
        """Return a page as a person sees it."""
        answer = self.as_(role)[0].get(path or self.path)
        assert answer.status_code == 200, answer.text
        return answer.text

    def send(self, role: str, place: str, **form: str) -> httpx.Response:
        """Send a form of the page, of the version that is."""
        client, csrf = self.as_(role)
        version = str(self.report().version)
        fields = {"csrf": csrf, "version": version} | form
        return client.post(f"{self.path}/{place}", data=fields)

    def report(self) -> Report:
        """Return the report as it is."""
        return self.reporting.view().report

    def everything(self) -> dict[str, str]:
        """Return a form with every item filled in."""
        said = {}
        for each in self.reporting.view().items:
            if each.is_verified:
                said[f"stance:{each.code}"] = "confirmed"
            elif not each.optional:
                words = each.form if isinstance(each.form, tuple) else ("1.2",)
                said[f"value:{each.code}"] = "12" if each.form == "count" else words[-1]
        return said

    def close(self) -> None:
        """Close every client."""
        for client, _ in self._clients.values():
            client.close()


@pytest.fixture
def pages(reporting: Reporting, database_url: str) -> Iterator[Pages]:
    """The sample factory's report behind a running server."""
    with served(database_url) as address:
        found = Pages(reporting, address)
        yield found
        found.close()


def test_the_enterprise_and_the_county_do_a_quarter_on_pages(pages: Pages) -> None:
    text = pages.text("ent_filler")
    assert "本期只需填 23 项，另有 1 项核验值请确认" in text
    assert "75.0" in text
    said = pages.everything()
    wrong = pages.send("ent_filler", "answers", **said | {"value:staff": "许多", "then": "save"})
    assert (wrong.status_code, "不是数" in wrong.text) == (422, True)
    assert 'value="许多"' in wrong.text
    assert pages.report().version == 1
    stance = {"stance:kpi.oee": "disputed", "value:kpi.oee": "79.5", "note:kpi.oee": "计划停机"}
    done = pages.send("ent_filler", "answers", **said | stance | {"then": "hand_over"})
    assert done.status_code == 303, done.text
    assert pages.report().state == "to_approve"
    oee, defects = pages.reporting.item("kpi.oee"), pages.reporting.item("kpi.defect_rate")
    # People read and write percent; 1.2 % is stored as a share.
    assert (oee.value, defects.value) == (pytest.approx(0.795), pytest.approx(0.012))
    assert "有异议：79.5 %" in pages.text("ent_approver")
    assert pages.send("ent_approver", "steps", step="submit").status_code == 303
    queue = pages.text("county_officer", "/reports?state=submitted")
    assert pages.path in queue
    assert "<form" in pages.text("county_officer")
    reason = {"step": "county_return", "comment": "人数不符", "return:staff": "社保 260 人"}
    assert pages.send("county_officer", "steps", **reason).status_code == 303
    assert "退回理由：社保 260 人" in pages.text("ent_filler")
    pages.send("ent_filler", "answers", **{"value:staff": "260", "then": "hand_over"})
    pages.send("ent_approver", "steps", step="submit")
    assert pages.send("county_officer", "steps", step="county_pass").status_code == 303
    assert pages.report().state == "county_passed"


def test_what_is_lacking_is_said_on_the_page_and_nothing_typed_is_lost(pages: Pages) -> None:
    pages.send("ent_filler", "answers", **pages.everything() | {"then": "hand_over"})
    pages.send("ent_approver", "steps", step="submit")
    answer = pages.send("county_officer", "steps", step="county_return", comment="人数不符")
    assert answer.status_code == 422
    assert "请在要退回的每个项目下写明理由" in answer.text
    assert "人数不符" in answer.text
    assert pages.report().state == "submitted"


def test_an_officer_gets_no_form_to_answer_and_no_answer_is_taken(pages: Pages) -> None:
    pages.send("ent_filler", "answers", **pages.everything() | {"then": "hand_over"})
    for role in ("county_officer", "city_officer", "ent_approver"):
        text = pages.text(role)
        assert 'name="value:' not in text
        assert 'name="stance:' not in text
        sent = pages.send(role, "answers", **{"value:staff": "1"})
        assert sent.status_code == 403
    assert pages.reporting.item("staff").value == 12


def test_a_stale_form_is_refused(pages: Pages) -> None:
    pages.send("ent_filler", "answers", **{"value:staff": "5", "then": "save"})
    answer = pages.send("ent_filler", "answers", **{"value:staff": "6", "version": "1"})
    assert answer.status_code == 412
    # The page says so, with what it is now and what was typed.
    assert "已有人改动" in answer.text
    assert 'value="6"' in answer.text
    assert 'name="version" value="2"' in answer.text
    assert pages.reporting.item("staff").value == 5


def test_a_change_is_begun_on_the_list(pages: Pages) -> None:
    client, csrf = pages.as_("ent_filler")
    assert "报告重大变化或事故" in pages.text("ent_filler", "/reports")
    assert "报告重大变化或事故" not in pages.text("county_officer", "/reports")
    form = {"csrf": csrf, "kind": "ACC", "happened_on": "2026-03-20"}
    begun = client.post("/factories/sample/reports", data=form)
    assert begun.status_code == 303
    assert "事故等级" in pages.text("ent_filler", begun.headers["location"])


def test_what_was_said_stands_in_the_form_in_full_since_it_is_sent_again(pages: Pages) -> None:
    pages.send("ent_filler", "answers", **{"value:kpi.defect_rate": "1.2345", "then": "save"})
    text = pages.text("ent_filler")
    assert 'value="1.2345"' in text
    again = {"value:kpi.defect_rate": "1.2345", "value:staff": "5", "then": "save"}
    pages.send("ent_filler", "answers", **again)
    assert pages.reporting.item("kpi.defect_rate").value == pytest.approx(0.012345)


def test_a_figure_that_was_revised_after_the_form_was_shown_is_shown_again(pages: Pages) -> None:
    figure = pages.reporting.item("kpi.oee").figure
    assert figure is not None
    shown = f'name="figure:kpi.oee" value="{figure.figure_id}"'
    assert shown in pages.text("ent_filler")
    pages.reporting.verify((0.70, 0.69, 0.71))
    conn = pages.reporting.pooled.conn
    assert report_opening.refresh(conn, now=pages.reporting.pooled.now) == 1
    said = {"stance:kpi.oee": "confirmed", "figure:kpi.oee": str(figure.figure_id), "then": "save"}
    answer = pages.send("ent_filler", "answers", **said)
    assert (answer.status_code, "核验值已更新" in answer.text) == (422, True)
    assert "70.0" in answer.text
    assert pages.reporting.item("kpi.oee").answer is None
