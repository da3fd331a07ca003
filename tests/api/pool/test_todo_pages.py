"""The home page of to-dos, messages and tickets, as people use them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Browser, Page

from api.identity import csrf_of
from api.pages.todos import place
from api.permissions import ROLE_PERMISSIONS, Permission, Role, home_of
from api.pool import todos, workdays
from store import events
from store.acting import SYSTEM
from tests.api.conftest import served
from tests.api.html import Element, parse
from tests.api.people import COOKIE, client_of, session_of
from tests.api.pool.pooled import Pooled
from tests.api.test_browser import CONTRASTS, STICKING_OUT

Site = tuple[Pooled, str]


@pytest.fixture
def site(pooled: Pooled, database_url: str) -> Iterator[Site]:
    """The sample factory in the pool behind a running server, on the day that it is."""
    pooled.now = datetime.now(UTC)
    with served(database_url) as address:
        yield pooled, address


def secret(pooled: Pooled, role: str) -> str:
    return session_of(pooled.conn, pooled.person(role)[0])


def shown(site: Site, role: str, path: str = "/todos", language: str = "zh") -> Element:
    pooled, address = site
    with client_of(address, secret(pooled, role)) as client:
        return parse(client.get(path, params={"lang": language}).raise_for_status().text)


def ticket(pooled: Pooled, number: int, days: int) -> None:
    """Let a ticket be asked whose answer is due in some days."""
    due = workdays.today(pooled.now) + timedelta(days=days)
    payload = {"ticket": number, "subject": f"示例求助{number}", "level": "county"}
    events.happened(
        pooled.conn, SYSTEM, pooled.factory_id, "ticket_opened",
        payload | {"deadline": due.isoformat()}, pooled.now,
    )  # fmt: skip


def test_the_list_is_by_deadline_with_days_left_and_one_way_to_each(site: Site) -> None:
    pooled, _ = site
    for number, days in enumerate((30, -2, 0, 7)):
        ticket(pooled, number, days)
    todos.turn(pooled.conn, now=pooled.now)
    found = shown(site, "county_officer")
    assert [each.text for each in found.all("h2")] == ["已逾期", "7 天内到期", "7 天后到期或无期限"]
    rows = [row for table in found.all("table", "todos") for row in table.one("tbody").all("tr")]
    assert [row.one("span", "word").text for row in rows] == [
        "▲ 逾期 2 天", "● 今天到期", "● 剩 7 天", "剩 30 天",
    ]  # fmt: skip
    assert [row.one("a", "button").attributes["href"] for row in rows] == [
        "/tickets/1", "/tickets/2", "/tickets/3", "/tickets/0",
    ]  # fmt: skip
    assert "答复企业求助：示例求助1" in rows[0].one("th").text
    numbers = {
        div.one("dt").text: div.one("dd").text for div in found.one("dl", "numbers").all("div")
    }
    assert numbers == {"已逾期": "1", "7 天内到期": "2", "3 天内新增": "4", "全部待办": "4"}
    assert "Answer the enterprise's request" in shown(site, "county_officer", language="en").text


def test_overview_and_factory_say_where_a_factory_stands_and_for_how_long(site: Site) -> None:
    pooled, _ = site
    pooled.warn()
    (way,) = [
        each
        for each in shown(site, "city_officer", "/").one("table", "verdicts").all("a")
        if each.attributes["href"] == "/factories/sample/membership"
    ]
    assert way.text.startswith("预警关注")
    line = shown(site, "ent_filler", "/factories/sample").one("p", "standing-line").text
    assert line.startswith("在库状态 · 预警关注 剩余 ")
    assert line.endswith(str(pooled.membership().deadline))
    english = shown(site, "ent_filler", "/factories/sample", "en").one("p", "standing-line").text
    assert "Warned" in english


def test_who_has_nothing_to_do_is_told_so(site: Site) -> None:
    found = shown(site, "ent_filler")
    assert found.one("h1").text == "我的事项"
    assert "没有待办事项。" in found.text


def test_everybody_begins_with_what_is_to_be_done() -> None:
    for role in Role:
        has_pool = Permission.READ_POOL in ROLE_PERMISSIONS[role]
        assert (home_of(role) == "/todos") == has_pool


@pytest.mark.parametrize("text", [None, "", "x", "2026-02-30_1", "_", "9999999999_1"])
def test_a_place_that_is_none_is_the_beginning(text: str | None) -> None:
    assert place(text) is None


def test_a_message_is_read_and_the_contact_set(site: Site) -> None:
    pooled, address = site
    pooled.person("ent_filler")
    pooled.warn()
    todos.turn(pooled.conn, now=pooled.now)
    key = secret(pooled, "ent_filler")
    with client_of(address, key) as client:
        found = parse(client.get("/messages").text)
        assert "新待办“消除预警原因并说明情况" in found.text
        (up_to,) = [
            each.attributes["value"]
            for each in found.all("input")
            if each.attributes.get("name") == "up_to"
        ]
        form = {"csrf": csrf_of(key), "up_to": up_to}
        assert client.post("/messages/receipts", data=form).status_code == 303
        assert "未读" not in client.get("/messages").text
        form = {"csrf": csrf_of(key), "phone": "100 0000 0001", "wants_sms": "true"}
        form["wants_digest"] = "true"
        assert client.post("/messages/contact", data=form).status_code == 303
        shown = client.get("/messages").text
        assert 'value="10000000001"' in shown
        ways = {each.text: each.attributes["href"] for each in parse(shown).one("main").all("a")}
        assert ways["查看待办"] == "/todos"
        assert 'name="wants_digest" value="true" checked' in shown
        assert client.post("/messages/contact", data=form | {"phone": "x"}).status_code == 422


def test_a_ticket_is_asked_answered_and_closed_by_keyboard(site: Site, browser: Browser) -> None:
    pooled, address = site

    def open_page(role: str, path: str) -> Page:
        context = browser.new_context(base_url=address, locale="zh-CN")
        key = secret(pooled, role)
        context.add_cookies([{"name": COOKIE, "value": key, "url": address}])
        page = context.new_page()
        page.goto(path)
        return page

    page = open_page("ent_filler", "/tickets")
    page.focus("#subject")
    page.keyboard.type("网关断线")
    page.keyboard.press("Tab")
    page.keyboard.type("请协调运营商")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/tickets/1")
    todos.turn(pooled.conn, now=datetime.now(UTC))
    officer = open_page("county_officer", "/todos")
    officer.focus("table.todos a.button")
    officer.keyboard.press("Enter")
    officer.wait_for_url("**/tickets/1")
    officer.fill("#text", "已联系，明日恢复")
    officer.focus("button[value=reply]")
    with officer.expect_navigation():
        officer.keyboard.press("Enter")
    assert "已答复" in officer.inner_text(".lead")
    page.goto("/tickets/1")
    assert "已联系，明日恢复" in page.inner_text("main")
    with page.expect_navigation():
        page.click("button[value=close]")
    assert "已办结" in page.inner_text(".lead")


@pytest.mark.parametrize("path", ["/todos", "/messages", "/tickets"])
def test_the_pages_hold_the_policy_on_wide_and_narrow_screens(
    site: Site, browser: Browser, path: str
) -> None:
    pooled, address = site
    pooled.person("ent_approver")
    pooled.warn()
    ticket(pooled, 1, -1)
    todos.turn(pooled.conn, now=pooled.now)
    complaints: list[str] = []
    for role in ("county_officer", "ent_approver"):
        context = browser.new_context(base_url=address)
        key = secret(pooled, role)
        context.add_cookies([{"name": COOKIE, "value": key, "url": address}])
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        for width, language in ((380, "zh"), (380, "en"), (1360, "zh"), (1360, "en")):
            page.set_viewport_size({"width": width, "height": 900})
            page.goto(f"{path}?lang={language}", wait_until="load")
            assert page.evaluate(STICKING_OUT) == []
            assert page.evaluate(CONTRASTS) == []
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        context.close()
    assert complaints == []
