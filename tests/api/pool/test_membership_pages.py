"""The page of a membership: each step by the person whose it is, through the forms it shows."""

from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.resources import files

import httpx
import pytest
from playwright.sync_api import Browser

from api.identity import csrf_of
from api.pages import membership as pages
from api.pool import proposing, settings, todo_rules, workdays
from api.pool.evidence import kinds
from api.pool.lifecycle import shipped
from api.pool.todo_rules import TodoKind
from tests.api.conftest import served
from tests.api.html import Element, parse
from tests.api.people import COOKIE, client_of, session_of
from tests.api.pool.pooled import OTHER_COUNTY, Pooled
from tests.api.test_browser import CONTRASTS, STICKING_OUT
from tests.store.people import person

PAGE = "/factories/sample/membership"


class People:
    """People in front of the page, who press the buttons that it offers them."""

    def __init__(self, pooled: Pooled, address: str) -> None:
        self.pooled = pooled
        self.address = address
        self._clients: dict[str, tuple[httpx.Client, str]] = {}

    def as_(self, role: str, name: str = "") -> tuple[httpx.Client, str]:
        """Return the client of a person, and what its forms carry."""
        if role + name not in self._clients:
            actor, _ = self.pooled.person(role, name)
            secret = session_of(self.pooled.conn, actor)
            self._clients[role + name] = client_of(self.address, secret), csrf_of(secret)
        return self._clients[role + name]

    def page(self, role: str, query: str = "", name: str = "") -> Element:
        """Return the page as a person sees it."""
        answer = self.as_(role, name)[0].get(PAGE + query)
        assert answer.status_code == 200, answer.text
        return parse(answer.text)

    def send(
        self, role: str, form: Element, said: dict[str, str], name: str = ""
    ) -> httpx.Response:
        """Send a form of the page with what it holds and what is said in it."""
        fields = {
            each.attributes["name"]: each.attributes.get("value", "")
            for each in form.all("input")
            if "name" in each.attributes and each.attributes.get("type") != "file"
        }
        known = {each.attributes.get("name") for each in form.walk()}
        assert set(said) <= known, set(said) - known
        return self.as_(role, name)[0].post(form.attributes["action"], data=fields | said)

    def step(self, role: str, step: str, comment: str = "", name: str = "") -> None:
        """Take a step that the page offers, over the page that asks again where it is adverse."""
        form = self.page(role, name=name).by_id(f"step-{step}").one("form")
        answer = self.send(role, form, {"comment": comment}, name)
        if answer.status_code == 200:
            again = parse(answer.text)
            assert comment in again.text
            form = again.one("section", "form").one("form")
            answer = self.send(role, form, {"sure": "yes"}, name)
        assert answer.status_code == 303, answer.text

    def record(self, role: str, kind: str, note: str = "", **said: str) -> None:
        """Record evidence with the form of its kind."""
        form = self.page(role, f"?record={kind}").by_id("record").one("form")
        fields = {key.replace("data_", "field:"): value for key, value in said.items()}
        answer = self.send(role, form, {"note": note} | fields)
        assert answer.status_code == 303, answer.text

    def state(self) -> str:
        """Return the state as it is stored."""
        return self.pooled.membership().state

    def close(self) -> None:
        """Close every client."""
        for client, _ in self._clients.values():
            client.close()


@pytest.fixture
def people(pooled: Pooled, database_url: str) -> Iterator[People]:
    """The sample factory in the pool behind a running server, on the day that it is."""
    pooled.now = datetime.now(UTC)
    with served(database_url) as address:
        found = People(pooled, address)
        yield found
        found.close()


def ask_for_a_second_person(pooled: Pooled) -> None:
    """Let the bureau's own lifecycle want a city leader to confirm an order of rectification."""
    text = files("api.pool").joinpath("lifecycle.toml").read_text(encoding="utf-8")
    name = 'name = { zh = "下达整改", en = "Order rectification" }\n'
    own = text.replace(name, name + 'confirmed_by = ["city_leader"]\n')
    with pooled.as_("city_officer", "policy") as actor:
        number = settings.propose(
            pooled.conn, actor, "lifecycle.file", own,
            valid_from=workdays.today(pooled.now), source="示例办法第三条", now=pooled.now,
        )  # fmt: skip
    with pooled.as_("city_leader", "policy") as actor:
        proposing.decide(pooled.conn, actor, proposing.VALUES, number, "confirmed", now=pooled.now)


def test_from_a_warning_over_rectification_back_into_the_pool(people: People) -> None:
    ask_for_a_second_person(people.pooled)
    people.pooled.warn()
    page = people.page("city_officer")
    assert "预警关注" in page.one("p", "standing").text
    closed = page.by_id("step-order_rectification")
    assert "消除期限到" in closed.text
    assert closed.all("form") == []
    assert "仍有 1 项预警：数据完整率不足" in page.by_id("step-clear_warning").text
    people.record(
        "county_officer", "misstatement", "产量台账不符", data_document="示例〔2026〕8 号"
    )
    people.step("city_officer", "order_rectification", "查实产量不实")
    assert people.state() == "watch"
    request = people.page("city_leader").by_id("request")
    assert request.text == "待确认的申请"
    assert "查实产量不实" in people.page("city_leader").text
    own = people.page("city_officer").text
    assert "撤回申请" in own
    assert "确认办理" not in own
    form = people.page("city_leader").one("section", "card", "form").one("form")
    assert people.send("city_leader", form, {"what": "confirm"}).status_code == 303
    assert people.state() == "rectify"
    assert "企业尚无" not in people.page("ent_filler").text
    people.record("ent_filler", "rectification_report", "已更换产量采集点")
    people.record("county_officer", "site_check", data_passed="yes", people="示例甲\n示例乙")
    people.step("city_leader", "pass_rectification", "核查合格")
    assert people.state() == "cultivating"
    path = people.page("ent_approver").by_id("path")
    assert path.text == "经过"
    text = people.page("ent_approver").text
    for said in ("整改合格", "查实产量不实", "限期整改 → 在库培育", "整改通知书"):
        assert said in text


def test_from_a_review_over_a_hearing_to_removal_and_its_letters(people: People) -> None:
    people.record("city_officer", "sample")
    people.step("city_officer", "start_review", "抽查", name="second")
    people.record("county_officer", "review_grade", "多项指标倒退", data_grade="failed")
    closed = people.page("city_leader").by_id("step-fail_review")
    assert "尚未送达出库告知书" in closed.text
    people.record("city_officer", "removal_notice", "复核不合格，拟出库")
    told = people.page("ent_approver").one("section", "told")
    assert "复核不合格，拟出库" in told.text
    letter, way = told.all("a")
    assert letter.attributes["href"] == "/factories/sample/documents"
    assert way.attributes["href"] == f"{PAGE}?record=statement#record"
    officer = people.page("county_officer").one("section", "told")
    assert [each.text for each in officer.all("a")] == ["查看出库告知书"]
    assert "陈述申辩期到" in people.page("city_leader").by_id("step-fail_review").text
    people.record("ent_approver", "statement", "设备检修所致")
    assert "尚无其后的陈述申辩记录" in people.page("city_leader").by_id("step-fail_review").text
    people.record("county_officer", "hearing", "已当面听取", data_objected="yes")
    people.step("city_leader", "fail_review", "申辩理由不成立")
    assert people.state() == "removed"
    page = people.page("ent_approver")
    assert "已出库，不再办理任何事项。" in page.text
    assert page.all("form", "filters") == []
    assert "出库决定" in page.text
    # Its own day: midnight may have passed since the test began.
    removed_on = workdays.today(people.pooled.membership().since)
    term = people.pooled.standing("expert").situation.policy.term("reentry.removed")
    wait = workdays.last_day(removed_on, term).on
    assert f"最早可再次入库 {wait} 待发布办法" in page.text


def test_an_adverse_step_is_shown_once_more_with_its_term_before_it_is_taken(
    people: People,
) -> None:
    people.pooled.warn()
    people.record("county_officer", "misstatement", data_document="示例〔2026〕8 号")
    form = people.page("city_officer").by_id("step-order_rectification").one("form")
    again = parse(people.send("city_officer", form, {"comment": "查实不实"}).text)
    assert "此事项对企业不利" in again.text
    assert "预警关注 → 限期整改" in again.text
    assert "生成文书：整改通知书" in again.text
    assert people.state() == "watch"
    lacking = people.send("city_officer", form, {"comment": " "})
    assert lacking.status_code == 422
    assert "“下达整改”对企业不利，请写明理由" in parse(lacking.text).by_id("fault").text


def test_long_lists_are_cut_and_lead_to_all_of_it(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "_AT_ONCE", 1)
    people.pooled.warn()
    for document in ("示例〔2026〕8 号", "示例〔2026〕9 号"):
        people.record("county_officer", "misstatement", data_document=document)
    page = people.page("city_officer")
    notes = [
        each for each in page.all("p", "note") if each.text.startswith("列出最新 1 项，共 2 项")
    ]
    assert [each.one("a").attributes["href"] for each in notes] == [
        f"{PAGE}?whole=true#evidence",
        f"{PAGE}?whole=true#path",
    ]
    assert ("9 号" in page.text, "8 号" in page.text) == (True, False)
    whole = people.page("city_officer", "?whole=true")
    assert "8 号" in whole.text
    assert "列出最新" not in whole.text


def test_a_stale_form_changes_nothing_and_shows_the_new_state(people: People) -> None:
    people.record("city_officer", "sample")
    form = people.page("city_officer", name="second").by_id("step-start_review").one("form")
    people.step("city_officer", "start_review", "抽查", name="third")
    answer = people.send("city_officer", form, {"comment": "抽查"}, name="second")
    assert answer.status_code == 412
    page = parse(answer.text)
    assert "在库状态已变化" in page.by_id("fault").text
    assert "复核中" in page.one("p", "standing").text
    assert people.pooled.membership().version == 2


def test_whoever_asked_takes_back_but_does_not_confirm_and_another_declines(
    people: People,
) -> None:
    people.step("ent_approver", "leave", "战略调整")
    asked = people.page("ent_approver").one("section", "card", "form").one("form")
    assert [each.attributes.get("value") for each in asked.all("button")] == ["withdraw"]
    assert people.send("ent_approver", asked, {"what": "withdraw"}).status_code == 303
    people.step("ent_approver", "leave", "战略调整")
    form = people.page("city_leader").one("section", "card", "form").one("form")
    blank = people.send("city_leader", form, {"what": "decline", "comment": ""})
    assert (blank.status_code, "请写明退回的理由" in blank.text) == (422, True)
    done = people.send("city_leader", form, {"what": "decline", "comment": "先完成季报"})
    assert done.status_code == 303
    assert people.state() == "cultivating"


def test_evidence_is_refused_beside_the_form_with_all_that_was_typed(people: People) -> None:
    form = people.page("county_officer", "?record=site_check").by_id("record").one("form")
    wrong = people.send(
        "county_officer", form, {"field:passed": "yes", "people": "甲\n甲", "note": "车间已核"}
    )
    assert wrong.status_code == 422
    page = parse(wrong.text)
    assert "请逐一写明在场人员" in page.by_id("fault").text
    again = page.by_id("record")
    assert [each.text for each in again.all("textarea")] == ["甲 甲", "车间已核"]
    nothing = people.send("county_officer", form, {"field:passed": "", "people": "甲"})
    assert "请填写“核查合格”" in parse(nothing.text).by_id("fault").text
    assert people.pooled.count("pool.evidence_item") == 0


def test_evidence_with_a_file_is_kept_once_and_withdrawn_by_its_author(people: People) -> None:
    client, csrf = people.as_("county_officer")
    form = {
        "csrf": csrf,
        "kind": "complaint",
        "on": str(workdays.today(people.pooled.now)),
        "note": "来信",
        "newest": "0",
    }
    for _ in range(2):
        sent = client.post(
            f"{PAGE}/evidence", data=form, files={"file": ("来信.pdf", b"%PDF-1.7 sample")}
        )
        assert sent.status_code == 303, sent.text
    assert people.pooled.count("pool.evidence_item") == 1
    page = people.page("county_officer")
    assert [each.text for each in page.all("a") if "/files/" in each.attributes["href"]] == [
        "来信.pdf"
    ]
    assert people.page("city_officer").all("details") == []
    drop = page.one("details").one("form")
    assert people.send("county_officer", drop, {"reason": "误录"}).status_code == 303
    assert "尚无材料。" in people.page("county_officer").text


@pytest.mark.parametrize(
    "role", ["ent_filler", "ent_engineer", "county_officer", "city_leader", "expert"]
)
def test_what_is_not_possible_is_greyed_with_its_words_for_every_reader(
    people: People, role: str
) -> None:
    page = people.page(role)
    steps = [each for each in page.all("div") if each.attributes.get("id", "").startswith("step-")]
    leaving = people.pooled.standing("city_leader").steps
    assert {each.attributes["id"] for each in steps} == {
        f"step-{each.transition.transition_id}" for each in leaving
    }
    for each in steps:
        assert each.all("form") or each.all("p", "why") or each.all("span", "tone-bad"), each.text
    assert "待发布办法" in page.text


def test_who_may_not_take_a_step_is_refused_in_words_in_both_languages(people: People) -> None:
    client, csrf = people.as_("county_officer")
    stay = people.pooled.membership()
    form = {"csrf": csrf, "version": f"{stay.membership_id}-{stay.version}", "step": "start_review"}
    for language, words in (("zh", "由市级经办办理"), ("en", "this is for city officer")):
        answer = client.post(f"{PAGE}/steps", data=form, params={"lang": language})
        assert answer.status_code == 403
        assert words in parse(answer.text).by_id("fault").text


def test_another_countys_membership_is_not_there(people: People) -> None:
    actor = person(people.pooled.conn, "county_officer", region=OTHER_COUNTY)
    secret = session_of(people.pooled.conn, actor)
    with client_of(people.address, secret) as client:
        assert client.get(PAGE).status_code == 404


def test_the_diagram_says_where_the_membership_is_without_colour(people: People) -> None:
    people.pooled.warn()
    drawn = people.page("expert").one("svg", "states")
    (now,) = drawn.all("g", "now")
    assert now.text == "预警关注 当前"
    assert [each.text for each in drawn.all("g", "passed")] == ["在库培育 到过"]
    assert len(drawn.all("rect")) == 12
    assert "当前状态：预警关注" in drawn.attributes["aria-label"]


LEADING = [each for each in todo_rules.shipped().kinds.values() if "/membership" in each.href]


@pytest.mark.parametrize("kind", LEADING, ids=lambda kind: kind.name)
def test_a_todo_leads_to_the_form_that_its_roles_may_use(kind: TodoKind) -> None:
    query, _, place = kind.href.partition("/membership")[2].partition("#")
    if query:
        recorded = kinds()[query.removeprefix("?record=")]
        assert (place, set(kind.roles) <= set(recorded.who)) == ("record", True)
    elif place.startswith("step-"):
        step = shipped().transitions[place.removeprefix("step-")]
        assert set(kind.roles) <= set(step.who)
    else:
        assert place in ("", "steps", "request", "proposals")
    assert len(LEADING) >= 16


@pytest.mark.parametrize(("width", "language"), [(375, "zh"), (375, "en"), (1360, "zh")])
def test_the_page_can_be_read_at_every_width_and_used_by_keyboard(
    people: People, browser: Browser, width: int, language: str
) -> None:
    people.pooled.warn()
    people.pooled.record("county_officer", "misstatement", document="示例〔2026〕8 号")
    secret = session_of(people.pooled.conn, people.pooled.person("city_officer")[0])
    context = browser.new_context(base_url=people.address, viewport={"width": width, "height": 900})
    context.add_cookies([{"name": COOKIE, "value": secret, "url": people.address}])
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.goto(f"{PAGE}?lang={language}&record=removal_notice")
    assert page.evaluate(STICKING_OUT) == []
    assert page.evaluate(CONTRASTS) == []
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    page.locator("#comment-order_rectification").focus()
    page.keyboard.type("查实产量不实")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.locator("button[name=sure]").focus()
    page.keyboard.press("Enter")
    page.locator("#step-expel").wait_for()
    assert people.state() == "rectify"
    assert complaints == []
    context.close()
