"""The pages of disputes: raised, run again, measured again by whom was named, decided."""

from collections.abc import Iterator
from datetime import UTC, datetime

import httpx
import pytest

import store.disputes
from api.identity import csrf_of
from api.pool import disputes, reruns, todos
from tests.api.conftest import served
from tests.api.html import Element, parse
from tests.api.people import client_of, session_of
from tests.api.pool.pooled import OTHER_COUNTY
from tests.api.pool.reporting import Reporting
from tests.store.people import person

PAPER = ("复测记录.pdf", b"%PDF-1.7 sample", "application/pdf")
LIST = "/factories/sample/disputes"


class Pages:
    """People in front of the pages of the sample factory's disputes."""

    def __init__(self, reporting: Reporting, address: str) -> None:
        self.reporting = reporting
        self.pooled = reporting.pooled
        self.address = address
        # The server's own day counts: the figure is told now.
        self.pooled.now = datetime.now(UTC)
        self.figure_id = reporting.verify((0.74, 0.73, 0.75))
        self.path = ""
        self._clients: dict[str, tuple[httpx.Client, str]] = {}

    def as_(self, role: str) -> tuple[httpx.Client, str]:
        """Return the client of a person of a role, and what its forms carry."""
        if role not in self._clients:
            if role == "other county":
                actor = person(self.pooled.conn, "county_officer", region=OTHER_COUNTY)
            else:
                actor, _ = self.pooled.person(role)
            secret = session_of(self.pooled.conn, actor)
            self._clients[role] = client_of(self.address, secret), csrf_of(secret)
        return self._clients[role]

    def page(self, role: str, path: str = "", language: str = "zh") -> Element:
        """Return a page as a person sees it."""
        where = httpx.URL(path or self.path).copy_merge_params({"lang": language})
        answer = self.as_(role)[0].get(where)
        assert answer.status_code == 200, answer.text
        return parse(answer.text)

    def begin(self, role: str = "ent_filler", **form: str) -> httpx.Response:
        """Dispute the figure on the page, with a file."""
        client, csrf = self.as_(role)
        fields = {"csrf": csrf, "figure": str(self.figure_id), "claimed": "79.5%",
                  "reason": "计划停机被计为停机"} | form  # fmt: skip
        answer = client.post(LIST, data=fields, files={"file": PAPER})
        if answer.status_code == 303:
            self.path = answer.headers["location"]
        return answer

    def step(self, role: str, step: str, *, paper: bool = False, **form: str) -> httpx.Response:
        """Send one of the forms of the page."""
        client, csrf = self.as_(role)
        fields = {"csrf": csrf, "step": step, "version": str(self.found().version)} | form
        files = {"file": PAPER} if paper else None
        return client.post(f"{self.path}/steps", data=fields, files=files)

    def found(self) -> store.disputes.Dispute:
        """Return the dispute as it is."""
        return disputes.of(self.pooled.conn, int(self.path.rpartition("/")[2]))

    def rerun(self) -> None:
        """Let the queue be worked off."""
        assert reruns.make_all(self.pooled.conn, now=datetime.now(UTC)) == {}

    def close(self) -> None:
        """Close every client."""
        for client, _ in self._clients.values():
            client.close()


@pytest.fixture
def pages(reporting: Reporting, database_url: str) -> Iterator[Pages]:
    """The sample factory behind a running server, with a figure that may be disputed."""
    with served(database_url) as address:
        found = Pages(reporting, address)
        yield found
        found.close()


def steps_of(page: Element) -> list[str]:
    """Return the steps that a page offers."""
    return [
        one.attributes["value"]
        for one in page.all("button")
        if one.attributes.get("name") == "step"
    ]


def test_a_dispute_goes_to_its_decision_on_pages(pages: Pages) -> None:
    verifier, _ = pages.pooled.person("verifier")
    assert str(pages.figure_id) in {
        one.attributes.get("value") for one in pages.page("ent_filler", LIST).all("option")
    }
    assert pages.begin().status_code == 303
    found = pages.found()
    assert found.claimed == pytest.approx(0.795)
    assert found.figure.point == 0.74
    assert "排队中" in pages.page("ent_filler").text
    assert steps_of(pages.page("ent_filler")) == ["withdraw"]
    assert "重新核算尚未完成" in pages.page("city_officer").text
    pages.rerun()
    assert "与原值一致，未产生新版本" in pages.page("county_officer").text

    named = str(verifier.account_id)
    assert pages.as_("verifier")[0].get(pages.path).status_code == 404
    done = pages.step("county_officer", "assign", measurer=named)
    assert done.status_code == 303, done.text
    todos.turn(pages.pooled.conn, now=datetime.now(UTC))
    links = [one.attributes.get("href") for one in pages.page("verifier", "/todos").all("a")]
    assert pages.path in links
    assert steps_of(pages.page("verifier")) == ["measure"]
    numbers = {"value": "79", "low": "78", "high": "80", "how": "现场连续 72 小时计时"}
    assert pages.step("verifier", "measure", paper=True, **numbers).status_code == 303

    page = pages.page("city_leader")
    # The disputed figure, the enterprise's, the re-run and the measurement beside each other.
    shown = [one.text for one in page.all("table")[0].one("tbody").all("td", "verified")]
    assert shown == ["74.0", "79.5", "74.0", "79.0"]
    assert "78.0 – 80.0" in page.text
    assert {"accept", "reject"} <= set(steps_of(page))
    decided = pages.step("city_leader", "accept", document="示例函〔2026〕1号", comment="复测有效")
    assert decided.status_code == 303
    page = pages.page("ent_filler")
    assert "市级确认（已锁定）" in page.text
    assert "依据 示例函〔2026〕1号" in page.text
    assert steps_of(page) == []
    assert pages.as_("verifier")[0].get(pages.path).status_code == 404
    assert pages.found().figure.point == 0.74


def test_the_figure_that_a_link_names_is_chosen_and_a_late_one_is_said(pages: Pages) -> None:
    page = pages.page("ent_approver", f"{LIST}?figure={pages.figure_id}")
    (chosen,) = [one for one in page.by_id("figure").all("option") if "selected" in one.attributes]
    assert chosen.attributes["value"] == str(pages.figure_id)
    assert "74.0 %" in chosen.text
    late = pages.page("ent_approver", f"{LIST}?figure=999999")
    assert "已超过异议期限" in late.text


def test_what_is_lacking_is_said_beside_the_form_and_nothing_typed_is_lost(pages: Pages) -> None:
    for form, why in (
        ({"claimed": "许多"}, "“许多”不是数"),
        ({"claimed": ""}, "请填写应为的数值"),
        ({"figure": "999999"}, "已超过异议期限"),
        ({"reason": " "}, "请写明理由"),
    ):
        answer = pages.begin(**form)
        assert answer.status_code == 422
        page = parse(answer.text)
        assert why in page.one("p", "fault").text
        if "reason" not in form:
            assert "计划停机被计为停机" in page.by_id("reason").text
    client, csrf = pages.as_("ent_filler")
    bare = {"csrf": csrf, "figure": str(pages.figure_id), "claimed": "79", "reason": "why"}
    assert "请先提交证明材料" in client.post(LIST, data=bare).text
    assert store.disputes.listed(pages.pooled.conn) == []
    pages.begin()
    again = pages.begin()
    assert again.status_code == 409
    assert "已有一项未办结的异议" in again.text


def test_evidence_may_be_a_file_that_was_handed_over_before(pages: Pages) -> None:
    pages.begin()
    pages.step("ent_filler", "withdraw")
    (sha256,) = store.disputes.papers(pages.pooled.conn, pages.pooled.factory_id)
    client, csrf = pages.as_("ent_filler")
    form = {"csrf": csrf, "figure": str(pages.figure_id), "claimed": "79", "reason": "同前",
            "paper": sha256}  # fmt: skip
    assert client.post(LIST, data=form).status_code == 303


def test_a_stale_form_says_so_and_shows_what_it_is_now(pages: Pages) -> None:
    pages.begin()
    pages.rerun()
    answer = pages.step("county_officer", "assign", measurer="county", version="1")
    assert answer.status_code == 412
    page = parse(answer.text)
    assert "已有人改动" in page.one("p", "fault").text
    assert f'name="version" value="{pages.found().version}"' in answer.text
    assert pages.found().state == "raised"


def test_a_step_that_is_not_open_is_refused_with_why(pages: Pages) -> None:
    pages.begin()
    early = pages.step("city_officer", "reject", document="示例函", comment="维持")
    assert early.status_code == 409
    assert "重新核算尚未完成" in early.text
    foreign = pages.step("county_officer", "reject", document="示例函", comment="维持")
    assert foreign.status_code == 403
    assert "市级经办" in foreign.text
    pages.rerun()
    bare = pages.step("city_officer", "reject", comment="维持")
    assert bare.status_code == 422
    assert "请写明决定所依据的文号" in bare.text


def test_a_failed_rerun_is_shown_with_why(pages: Pages) -> None:
    pages.begin()
    assert store.reruns.take(pages.pooled.conn, reruns.RERUNS.limits.lost_after) is not None
    assert "核算中" in pages.page("ent_filler").text
    number = pages.found().dispute_id
    assert store.reruns.fail(pages.pooled.conn, number, 1, "timeout: 1800 s", None)
    page = pages.page("county_officer")
    assert "重新核算未成功：超过时限（1800 s）" in page.text
    assert "ask_rerun" in steps_of(page)
    assert "it took too long (1800 s)" in pages.page("county_officer", language="en").text


def test_each_county_and_factory_sees_its_own_disputes_by_state(pages: Pages) -> None:
    pages.begin()
    for role, path in (
        ("ent_filler", "/disputes"), ("county_officer", "/disputes?state=raised"),
        ("city_leader", "/disputes?factory=sample"), ("city_officer", LIST),
    ):  # fmt: skip
        assert pages.path in {one.attributes.get("href") for one in pages.page(role, path).all("a")}
    assert "没有符合条件的异议" in pages.page("city_officer", "/disputes?state=settled").text
    assert "没有符合条件的异议" in pages.page("other county", "/disputes").text
    assert pages.as_("other county")[0].get(pages.path).status_code == 404
    assert pages.as_("other county")[0].get(LIST).status_code == 404
    assert pages.begin("county_officer").status_code == 403


def test_all_of_it_is_there_in_english(pages: Pages) -> None:
    pages.begin()
    assert "Disputes of figures" in pages.page("city_officer", "/disputes", "en").text
    assert "Dispute a figure" in pages.page("ent_filler", LIST, "en").text
    assert "Disputed figure" in pages.page("ent_filler", language="en").text
