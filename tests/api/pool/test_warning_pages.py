"""Warnings on pages: in words, with their numbers, the policy used, and what is done about them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from psycopg.types.json import Jsonb

from api.pool import settings, todos
from store import transaction, warnings
from store.warnings import Given
from tests.api.conftest import served
from tests.api.html import Element, parse, rows
from tests.api.people import client_of, session_of
from tests.api.pool.pooled import OTHER_COUNTY, Pooled
from tests.store.people import person

Site = tuple[Pooled, str]

NUMBERS: dict[str, dict[str, Any]] = {
    "completeness": {"share": 0.71, "least": 0.9, "first": "2026-01-31", "last": "2026-03-01",
                     "days": 30, "assets": 2, "batches": {"gw": 1}},
    "inconsistent": {"kpi": "inventory_turnover", "period_start": "2025-01-01",
                     "period_end": "2026-01-01", "reported": 8.214987, "verified": 6.5,
                     "deviation": 0.263844, "figures": [1], "reported_on": "2026-01-10",
                     "handled": False},
    "report_overdue": {"report": 7, "kind": "Q", "period_start": "2025-10-01",
                       "period_end": "2026-01-01", "due_on": "2026-01-15"},
}  # fmt: skip


@pytest.fixture
def site(pooled: Pooled, database_url: str) -> Iterator[Site]:
    """The sample factory in the pool behind a running server, on the day that it is."""
    pooled.now = datetime.now(UTC)
    with served(database_url) as address:
        yield pooled, address


def fire(pooled: Pooled, rule: str, days_ago: int) -> None:
    """Keep a warning whose cause began some days ago, under the policy of today."""
    policy = settings.current(pooled.conn, pooled.today)
    with transaction(pooled.conn):
        settings.kept(pooled.conn, policy)
        since = pooled.today - timedelta(days=days_ago)
        given = Given(pooled.factory_id, rule, "", since, NUMBERS[rule])
        assert warnings.fire(pooled.conn, given, policy.policy_id, pooled.now)


def shown(site: Site, path: str, role: str = "county_officer", **asked: str) -> Element:
    pooled, address = site
    secret = session_of(pooled.conn, pooled.person(role)[0])
    with client_of(address, secret) as client:
        return parse(client.get(path, params=asked).raise_for_status().text)


def test_the_oldest_cause_stands_first_and_numbers_are_those_of_the_pages(site: Site) -> None:
    fire(site[0], "completeness", 3)
    fire(site[0], "inconsistent", 40)
    listed = rows(shown(site, "/warnings").one("table"))
    assert [row[1].one("a").text for row in listed] == ["自报值不一致", "数据完整率不足"]
    assert "自报 821.5 %，核验 650.0 %" in listed[0][1].text
    assert "历时 40 天" in listed[0][2].text
    english = rows(shown(site, "/warnings", lang="en").one("table"))
    assert "821.5 % reported, 650.0 % verified" in english[0][1].text


def test_warnings_are_filtered_by_state_rule_and_county(site: Site) -> None:
    fire(site[0], "completeness", 3)
    fire(site[0], "report_overdue", 40)
    site[0].end_warnings()
    fire(site[0], "completeness", 1)
    counts = {
        tuple(asked.items()): len(shown(site, "/warnings", "city_officer", **asked).all("table"))
        for asked in ({}, {"rule": "accident"}, {"region": "320613"}, {"region": "320623"})
    }
    assert list(counts.values()) == [1, 0, 1, 0]
    cleared = rows(shown(site, "/warnings", state="cleared").one("table"))
    assert [row[1].one("a").text for row in cleared] == ["填报逾期", "数据完整率不足"]
    every = rows(shown(site, "/warnings", state="").one("table"))
    assert len(every) == 3
    pooled, address = site
    other = session_of(pooled.conn, person(pooled.conn, "county_officer", region=OTHER_COUNTY))
    with client_of(address, other) as client:
        assert not parse(client.get("/warnings").text).all("table")
        assert client.get("/factories/sample/warnings").status_code == 404


def test_a_warning_says_what_it_rests_on_what_policy_it_used_and_what_clears_it(
    site: Site,
) -> None:
    fire(site[0], "inconsistent", 40)
    fire(site[0], "completeness", 3)
    fire(site[0], "report_overdue", 2)
    page = shown(site, "/factories/sample/warnings")
    text = page.one("main").text
    assert "2026-01-31 至 2026-03-01 数据完整率 71.0 %，低于 90 %" in text
    assert "触发预警的数据完整率下限 ：90 %" in text.replace("： ", "：")
    assert "考察期内的数据完整率恢复到下限以上" in text
    ways = {link.attributes["href"] for link in page.one("main").all("a")}
    assert "/factories/sample?kpi=inventory_turnover&period_start=2025-01-01#comparison" in ways
    assert {"/factories/sample/reports/7", "/factories/sample#live"} <= ways
    assert "/policy#warning.completeness" in ways


def test_a_cleared_warning_says_when_and_by_what(site: Site) -> None:
    pooled, _ = site
    fire(pooled, "completeness", 3)
    numbers = NUMBERS["completeness"] | {"share": 0.952}
    pooled.conn.execute(
        "UPDATE pool.warning SET cleared_at = %s, cleared_by = %s", (pooled.now, Jsonb(numbers))
    )
    text = shown(site, "/factories/sample/warnings", state="cleared").one("main").text
    assert "已解除" in text
    assert "数据完整率 95.2 %，达到 90 %" in text


def test_what_is_done_about_a_warning_stands_beside_it(site: Site) -> None:
    pooled, _ = site
    pooled.warn()
    todos.turn(pooled.conn, now=pooled.now)
    page = shown(site, "/factories/sample/warnings", "ent_filler")
    said = [each.text for each in page.by_id("warning-1").all("p")]
    assert said == ["share = 0.71"], "bare numbers, since the sentence lacks some"
    assert page.by_id("follow").text == "处理情况"
    assert "消除预警原因" in page.one("main").text


def test_the_factory_page_and_the_overview_lead_to_the_warnings(site: Site) -> None:
    fire(site[0], "completeness", 3)
    page = shown(site, "/factories/sample")
    way = next(a for a in page.all("a") if a.attributes["href"] == "/factories/sample/warnings")
    assert way.text == "预警（1 项未解除）"
    overview = shown(site, "/")
    assert "/warnings" in {a.attributes["href"] for a in overview.one("main").all("a")}
    marked = [a.text for a in overview.one("header").all("a") if "aria-current" in a.attributes]
    assert marked == ["工厂"]
