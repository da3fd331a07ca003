"""The overview page."""

import httpx
import pytest

import store
import store.plans
from tests.api import samples
from tests.api.html import Element, parse, rows
from tests.api.people import client_of, secret_of


def page(client: httpx.Client, path: str = "/") -> Element:
    return parse(client.get(path).raise_for_status().text)


def names(found: Element) -> list[str]:
    return [row[0].one("a").text for row in rows(found.one("table", "verdicts"))]


def test_what_needs_action_comes_first(client: httpx.Client) -> None:
    assert names(page(client)) == [
        "示例一号工厂", "示例成套设备厂", "示例电子元件厂", "示例海工总装厂", "示例纺织二厂",
        "示例新入库工厂",
    ]  # fmt: skip


def test_the_numbers_on_top_count_the_factories(client: httpx.Client) -> None:
    numbers = page(client).one("dl", "numbers")
    shown = {div.one("dt").text: div.one("dd").text for div in numbers.all("div")}
    assert (shown["在库工厂"], shown["需处理"], shown["需关注"]) == ("6", "3", "1")
    assert shown["最近数据"].startswith("20")


def test_a_cell_has_a_shape_a_word_and_where_the_report_differs(client: httpx.Client) -> None:
    found = page(client)
    heads = [head.text for head in found.one("table", "verdicts").one("thead").all("th")]
    first = rows(found.one("table", "verdicts"))[0]
    cells = dict(zip(heads, first, strict=True))
    oee = cells["OEE"]
    assert oee.one("span", "verdict").text == "部分达成"
    assert oee.one("span", "verdict").one("path").attributes["d"]
    assert oee.one("span", "flag").text == "自报有偏差"
    assert cells["准时交付"].all("span", "flag") == []
    assert cells["标准煤（等价）"].text == "无法核验"


def test_every_verdict_word_has_its_own_shape(client: httpx.Client) -> None:
    shapes = {
        span.text: span.one("path").attributes["d"] for span in page(client).all("span", "verdict")
    }
    assert len(shapes) >= 6
    assert len(set(shapes.values())) == len(shapes)


def test_a_kpi_without_a_promise_is_no_zero_and_no_verdict(client: httpx.Client) -> None:
    newest = rows(page(client).one("table", "verdicts"))[-1]
    assert {cell.text for cell in newest[2:-1]} == {"— 未申报预期"}


def test_tiles_name_every_county_and_lead_to_its_factories(client: httpx.Client) -> None:
    tiles = {tile.one("span", "name").text: tile for tile in page(client).all("a", "tile")}
    assert len(tiles) == 8
    assert tiles["崇川区"].attributes["aria-label"] == "崇川区：2 家工厂，需处理 2"
    assert tiles["通州区"].one("span", "count").text == "0 家"
    only = page(client, tiles["崇川区"].attributes["href"])
    assert names(only) == ["示例一号工厂", "示例电子元件厂"]
    current = [tile for tile in only.all("a", "tile") if "aria-current" in tile.attributes]
    assert [tile.one("span", "name").text for tile in current] == ["崇川区"]
    assert current[0].attributes["href"] == "/"


def test_a_county_without_factories_says_so(client: httpx.Client) -> None:
    found = page(client, "/?region=320612")
    assert found.all("table") == []
    assert found.one("p", "empty").text == "该地区没有在库工厂。"


def test_english_is_chosen_by_the_address_and_kept_by_a_cookie(client: httpx.Client) -> None:
    first = client.get("/?lang=en")
    assert parse(first.text).one("html").attributes["lang"] == "en"
    assert "HttpOnly" in first.headers["set-cookie"]
    later = client.get("/")
    assert parse(later.text).one("h1").text.startswith("Factories in the pool")
    assert later.headers["vary"] == "Cookie"
    back = client.get("/?lang=zh")
    assert parse(back.text).one("html").attributes["lang"] == "zh-CN"
    assert parse(client.get("/").text).one("html").attributes["lang"] == "zh-CN"


def test_the_switch_of_language_stays_on_the_same_page(client: httpx.Client) -> None:
    found = page(client, "/?region=320613&page=1")
    (switch,) = [link for link in found.all("a") if link.attributes.get("hreflang") == "en"]
    assert switch.attributes["href"] == "/?region=320613&page=1&lang=en"


def test_an_empty_pool_says_what_to_do(own_client: httpx.Client) -> None:
    assert page(own_client).one("p", "empty").text == "没有工厂。先载入采集方案。"


def test_many_factories_come_in_parts(own_client: httpx.Client, db: store.Connection) -> None:
    for number in range(53):
        plan = samples.plan(f"MANY-{number:02}", "320613", f"{number}厂", "Many", "discrete", ())
        store.plans.load_plan(db, plan)
    first, second = page(own_client), page(own_client, "/?page=2")
    assert (len(names(first)), len(names(second))) == (50, 3)
    assert not set(names(first)) & set(names(second))
    (after,) = [link for link in first.all("a", "button") if link.attributes.get("rel") == "next"]
    assert after.attributes["href"] == "/?page=2"
    assert names(page(own_client, "/?page=99")) == names(second)


def test_names_are_printed_and_never_run(own_client: httpx.Client, db: store.Connection) -> None:
    plan = samples.plan("EVIL", "320613", "<script>alert(1)</script>", "x", "discrete", ())
    store.plans.load_plan(db, plan)
    found = page(own_client)
    assert found.all("script") == []
    assert names(found) == ["示例<script>alert(1)</script>"]


@pytest.mark.parametrize("role", ["ent_filler", "expert", "county_officer"])
def test_who_sees_one_county_is_not_asked_to_choose_among_counties(
    address: str, sample_url: str, role: str
) -> None:
    region, own = (None, ("SAMPLE-1",)) if role != "county_officer" else ("320613", ())
    secret = secret_of(sample_url, role, region=region, factories=own)
    with client_of(address, secret) as client:
        found = page(client)
        assert not found.all("section", "counties")
        assert "示例一号工厂" in names(found)
        chosen = page(client, "/?region=320613")
    assert chosen.one("section", "counties"), "a county that was chosen can be left again"
