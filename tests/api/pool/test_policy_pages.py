"""The pages of the policy and the hub of settings, as two people of the city use them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from api.identity import csrf_of
from api.messages import Texts
from api.pages import policy_words
from api.pool import policy, settings, workdays
from store import audit, proposals
from tests.api.conftest import served
from tests.api.html import Element, parse
from tests.api.people import client_of, session_of
from tests.api.pool.pooled import Pooled

KEY = "watch.clear_within"


class Office:
    """People in front of a running server, each with a session of their own."""

    def __init__(self, pooled: Pooled, address: str) -> None:
        self.pooled, self.address = pooled, address

    def get(self, role: str, path: str, **asked: str) -> Element:
        """Return a page as somebody of a role sees it."""
        with client_of(self.address, self._secret(role)) as client:
            return parse(client.get(path, params=asked).raise_for_status().text)

    def post(self, role: str, path: str, **given: str) -> httpx.Response:
        """Send a form as somebody of a role."""
        secret = self._secret(role)
        with client_of(self.address, secret) as client:
            return client.post(path, data={"csrf": csrf_of(secret), **given})

    def _secret(self, role: str) -> str:
        return session_of(self.pooled.conn, self.pooled.person(role)[0])


@pytest.fixture
def office(pooled: Pooled, database_url: str) -> Iterator[Office]:
    """The people around the sample factory behind a running server, on the day that it is."""
    pooled.now = datetime.now(UTC)
    with served(database_url) as address:
        yield Office(pooled, address)


def propose(office: Office, value: str = "45", *, key: str = KEY, days: int = 0) -> httpx.Response:
    day = workdays.today(office.pooled.now) + timedelta(days=days)
    return office.post(
        "city_officer", f"/policy/{key}/proposals",
        value=value, valid_from=day.isoformat(), source="示例办法第八条",
    )  # fmt: skip


def fault(answer: httpx.Response, status: int = 422) -> str:
    assert answer.status_code == status
    return parse(answer.text).one("main").one("p", "fault").text


def held(office: Office) -> tuple[object, bool]:
    found = settings.current(office.pooled.conn, workdays.today(office.pooled.now))[KEY]
    return found.value, found.settled


def test_every_key_stands_with_its_default_its_source_and_what_is_not_confirmed(
    office: Office,
) -> None:
    page = office.get("ent_filler", "/policy")
    for key in policy.keys().values():
        row = page.by_id(key.name).text
        assert key.zh in row
        assert key.en not in row
        assert key.source in row
        assert "待发布办法" in row
    assert "30 天" in page.by_id(KEY).text
    assert "90 %" in page.by_id("warning.completeness").text
    english = office.get("ent_filler", "/policy", lang="en")
    for key in policy.keys().values():
        assert key.en in english.by_id(key.name).text
        assert key.source_en in english.by_id(key.name).text
        assert key.source not in english.by_id(key.name).text
    assert "To be announced" in english.by_id(KEY).text
    assert "1 d to 365 d" in english.by_id(KEY).text


def test_one_proposes_another_confirms_and_the_history_keeps_both(office: Office) -> None:
    assert propose(office).status_code == 303
    assert "45 天，自" in office.get("county_officer", "/policy").by_id(KEY).text
    own = office.get("city_officer", f"/policy/{KEY}").one("main")
    assert [each.text for each in own.all("button")] == ["提出，待他人确认", "撤回"]
    other = office.get("city_leader", f"/policy/{KEY}").one("main")
    assert [each.text for each in other.all("button")][1:] == ["确认", "退回"]
    decided = office.post("city_leader", f"/policy/{KEY}/proposals/1", outcome="confirmed")
    assert decided.status_code == 303
    assert held(office) == (45, True)
    row = office.get("ent_filler", "/policy").by_id(KEY).text
    assert ("45 天" in row, "已确认" in row, "待发布办法" in row) == (True, True, False)
    history = office.get("ent_filler", f"/policy/{KEY}").by_id("proposal-1").text
    assert "示例办法第八条" in history
    assert not office.get("ent_filler", f"/policy/{KEY}").one("main").all("form")


def test_a_value_that_does_not_fit_is_refused_with_its_field_and_range(office: Office) -> None:
    assert fault(propose(office, "0")) == "未能提出：预警关注的消除期限：1 天 至 365 天"
    assert "须为整数" in fault(propose(office, "soon"))
    assert "0 % 至 100 %" in fault(propose(office, "101", key="warning.completeness"))
    assert "须为月-日" in fault(propose(office, "31.3.", key="report.year_due"))
    assert "执行日：最早自今日" in fault(propose(office, days=-1))
    answer = office.post("city_officer", f"/policy/{KEY}/proposals", value="45")
    assert "规定该值的文件" in fault(answer)
    kept = parse(answer.text).by_id("value").attributes["value"]
    assert kept == "45", "what was written stays in the form"
    assert proposals.listed(office.pooled.conn, proposals.VALUES) == []


def test_a_share_is_written_in_percent(office: Office) -> None:
    assert propose(office, "92.5 %", key="warning.completeness").status_code == 303
    (found,) = proposals.listed(office.pooled.conn, proposals.VALUES)
    assert found.value == 0.925
    assert "92.5 %" in office.get("city_leader", "/policy").by_id("warning.completeness").text


def test_declining_takes_a_reason_and_who_is_late_learns_what_was_decided(office: Office) -> None:
    propose(office)
    path = f"/policy/{KEY}/proposals/1"
    assert "退回的理由" in fault(office.post("city_leader", path, outcome="declined"))
    declined = office.post("city_leader", path, outcome="declined", answer="过长")
    assert declined.status_code == 303
    late = office.post("city_leader", path, outcome="confirmed")
    assert "第 1 号提出已被退回" in fault(late, 409)
    assert held(office) == (30, False)
    noted = [each.action for each in audit.entries(office.pooled.conn, kind="policy")]
    assert noted == ["policy_declined", "policy_proposed"]


def test_nobody_decides_on_their_own_and_others_do_not_withdraw_it(office: Office) -> None:
    propose(office)
    path = f"/policy/{KEY}/proposals/1"
    own = office.post("city_officer", path, outcome="confirmed")
    assert (own.status_code, "须由他人确认" in own.text) == (403, True)
    assert office.post("city_leader", path, outcome="withdrawn").status_code == 403
    assert office.post("county_officer", path, outcome="confirmed").status_code == 403
    assert office.post("city_officer", path, outcome="withdrawn").status_code == 303
    assert held(office) == (30, False)


def test_what_waits_meets_the_second_person_among_the_todos(office: Office) -> None:
    propose(office)
    found = office.get("city_leader", "/todos").by_id("proposed").text
    assert found == "待本人确认的提议"
    (way,) = [
        each
        for each in office.get("city_leader", "/todos").one("main").all("a")
        if each.attributes["href"] == f"/policy/{KEY}"
    ]
    assert way.text == "政策参数：1 项由他人提出，待确认或退回"
    propose(office, "10", key="todo.check")
    page = office.get("city_leader", "/todos", lang="en").one("main")
    (way,) = [each for each in page.all("a") if each.attributes["href"] == "/policy"]
    assert way.text == "Policy: 2 proposed by others, to confirm or decline"
    for role in ("city_officer", "county_leader", "ent_filler"):  # who proposed, and who may not
        ids = [each.attributes.get("id") for each in office.get(role, "/todos").walk()]
        assert "proposed" not in ids, role


def test_the_hub_leads_each_role_to_what_it_may_set_or_read(office: Office) -> None:
    propose(office)
    leader = office.get("city_leader", "/settings").one("main")
    ways = {link.attributes["href"]: link.text for link in leader.all("a")}
    assert {"/policy", "/letter-texts", "/audit"} <= set(ways)
    assert "1 项待本人确认或退回" in leader.text
    assert "待本人确认" not in office.get("city_officer", "/settings").one("main").text
    reader = office.get("ent_filler", "/settings").one("main")
    assert [each.text for each in reader.all("h2")] == ["可设置", "可查看"]
    sysadmin = office.get("sysadmin", "/settings").one("main")
    assert "/policy" not in {link.attributes["href"] for link in sysadmin.all("a")}


def test_every_kind_of_value_is_written_and_read_again() -> None:
    for key in policy.keys().values():
        again = policy_words.given(key, policy_words.written(key, key.default))
        assert again == key.default, key.name
        assert policy_words.range_text(Texts("zh"), key)
