"""The page of one factory."""

from contextlib import closing

import httpx
import pytest

import store
import store.figures
import store.plans
import store.registry
from tests.api import samples
from tests.api.html import Element, parse, rows

PAGE = "/factories/SAMPLE-1"


def page(client: httpx.Client, path: str = PAGE) -> Element:
    return parse(client.get(path).raise_for_status().text)


def months(found: Element) -> Element:
    return next(
        each for each in found.all("section") if each.attributes.get("aria-labelledby") == "months"
    )


def compared(found: Element) -> dict[str, dict[str, str]]:
    table = found.one("table", "comparison")
    heads = [head.text for head in table.one("thead").all("th")]
    return {
        row[0].text: dict(zip(heads, (cell.text for cell in row), strict=True))
        for row in rows(table)
    }


def test_the_head_names_the_factory_and_its_windows(client: httpx.Client) -> None:
    found = page(client)
    assert found.one("h1").text == "示例一号工厂"
    assert found.one("title").text == "示例一号工厂 · 智能工厂培育库"
    windows = {
        div.one("dt").text: div.one("dd").text for div in found.one("dl", "windows").all("div")
    }
    assert windows["基准期（改造前）"] == "2024-11 – 2025-10"
    assert windows["改造投运"] == "2025-11-01"
    assert windows["核验期"] == "2025-11 – 2026-10"
    assert windows["最近数据"].startswith("20")


def test_the_table_shows_promise_report_and_verified_figure_as_a_person_reads_them(
    client: httpx.Client,
) -> None:
    oee = compared(page(client))["设备综合利用率 OEE % · 越高越好"]
    assert oee["改造前"] == "61.0 有凭证"
    assert oee["申报预期"] == "78.0"
    assert oee["本期自报"] == "77.5"
    covered = "覆盖关键设备 75.0 %，未计入 R01、R02"
    assert oee["平台核验 下界 – 上界"] == f"74.6 74.1 – 75.6 {covered}"
    assert oee["等级 覆盖率"] == "A 98.2 %"
    assert oee["兑现"] == "部分达成 80 % (77 % – 86 %)"
    assert oee["一致"] == "有偏差 自报偏差 +3.9 %"
    assert oee["口径版本"] == "2026.1 · 第 1 版 数据依据"


def test_unverifiable_is_a_word_with_its_reason_and_never_a_zero(client: httpx.Client) -> None:
    coal = compared(page(client))["年消耗标准煤（等价值） 吨标准煤 · 越低越好"]
    assert coal["平台核验 下界 – 上界"] == "无法核验 数据只覆盖统计期的 61.2%，不足 75%"
    assert coal["等级 覆盖率"] == "D 61.2 %"
    assert (coal["兑现"], coal["一致"]) == ("无法核验", "无法核验")


def test_what_was_not_promised_or_reported_says_so(client: httpx.Client) -> None:
    availability = compared(page(client))["时间开动率 % · 越高越好"]
    assert availability["改造前"] == availability["申报预期"] == availability["本期自报"] == "—"
    assert (availability["兑现"], availability["一致"]) == ("未申报预期", "未自报")


def test_every_table_has_a_caption_and_scoped_heads(client: httpx.Client) -> None:
    tables = page(client).all("table")
    assert len(tables) == 3
    for table in tables:
        assert table.one("caption").text
        assert {head.attributes["scope"] for head in table.one("thead").all("th")} == {"col"}
        assert all(head.attributes["scope"] == "row" for head in table.one("tbody").all("th"))


def test_pictures_say_in_words_what_they_show(client: httpx.Client) -> None:
    first, months = page(client).all("picture")
    alt = first.one("img").attributes["alt"]
    assert "设备综合利用率 OEE 80 % 部分达成" in alt
    assert "年消耗标准煤（等价值） 无法核验" in alt
    assert "最近 75.9 %" in months.one("img").attributes["alt"]
    for picture in (first, months):
        for source in (
            picture.one("img").attributes["src"],
            picture.one("source").attributes["srcset"],
        ):
            assert client.get(source).headers["content-type"] == "image/svg+xml"


def test_the_months_name_what_is_missing_and_what_is_open(client: httpx.Client) -> None:
    note = page(client).one("figcaption").one("span", "note").text
    assert note == "有 1 个月无法核验。空心点为尚未结束的月份，数值暂定。"


def test_another_kpi_and_another_year_can_be_chosen(client: httpx.Client) -> None:
    found = page(client, f"{PAGE}?kpi=defect_rate&period_start=2025-10-01")
    assert found.by_id("months").text == "逐月核验值：产品不良品率（%）"
    (chosen,) = [option for option in found.all("option") if "selected" in option.attributes]
    assert chosen.attributes["value"] == "2025-10-01"
    chips = {chip.text: chip.attributes for chip in found.one("nav", "chips").all("a")}
    assert "aria-current" in chips["不良品率"]
    assert chips["OEE"]["href"].startswith(f"{PAGE}?period_start=2025-10-01&kpi=oee")
    assert compared(found)["产品不良品率 % · 越低越好"]["兑现"] == "改造投运前，不评"
    assert found.all("picture", "picture-fulfilment") == []


def test_recent_changes_tell_revisions_and_verdicts(client: httpx.Client) -> None:
    found = page(client)
    table = next(
        table for table in found.all("table") if table.one("caption").text.startswith("最近的结论")
    )
    newest = [cell.text for cell in rows(table)[0]]
    assert newest[1:4] == ["设备综合利用率 OEE", "核验值修订", "2026-07"]
    assert newest[4].endswith("%")
    assert newest[5] == "75.1 %"


def test_a_cut_list_leads_to_all_of_it_on_the_page_and_names_what_is_for_programs(
    client: httpx.Client,
) -> None:
    def changes(found: Element) -> Element:
        sections = found.all("section")
        return next(one for one in sections if one.attributes.get("aria-labelledby") == "changes")

    cut = changes(page(client))
    assert len(rows(cut.one("table"))) == 10
    whole, programs = cut.one("p", "note").all("a")
    assert programs.text == "变更记录，供程序读取（JSON）"
    href, _, place = whole.attributes["href"].partition("#")
    assert (whole.text, place) == ("全部列出", "changes")
    shown = changes(page(client, href))
    assert len(rows(shown.one("table"))) > 10
    assert [link.text for link in shown.one("p", "note").all("a")] == [programs.text]


def test_live_data_show_values_states_and_what_is_silent(client: httpx.Client) -> None:
    live = page(client).one("section", "live")
    assert live.one("p", "note").text.startswith("共 5 个点位，2 个在线")
    shown = {row[0].text: [cell.text for cell in row[1:4]] for row in rows(live.one("table"))}
    assert shown == {
        "M01.state": ["一号车床", "运行", "正常"],
        "M01.total": ["一号车床", "1,204,331", "正常"],
        "M01.spindle": ["一号车床", "— kW", "未收到"],
        "EM01.energy": ["总电表", "88,120.2 kWh", "断连"],
        "EM01.power": ["总电表", "— kW", "坏值"],
    }


def test_the_whole_page_is_english_when_asked(client: httpx.Client) -> None:
    found = page(client, f"{PAGE}?lang=en")
    (switch,) = [link for link in found.all("a") if "hreflang" in link.attributes]
    text = found.one("main").text + found.one("header", "site").text.replace(switch.text, "")
    assert not any("\u4e00" <= character <= "\u9fff" for character in text)
    assert compared(found)["Overall equipment effectiveness %, higher is better"]["Promised"]


def test_a_new_factory_has_a_page_without_figures(client: httpx.Client) -> None:
    found = page(client, "/factories/SAMPLE-9")
    assert found.all("picture") == []
    assert "该工厂没有申报指标，也还没有核验值。" in found.one("main").text
    assert "还没有逐月核验值。" in found.one("main").text


def test_promises_alone_are_pending_and_not_failed(
    own_client: httpx.Client, db: store.Connection
) -> None:
    store.plans.load_plan(
        db, samples.plan("SAMPLE-1", "320613", "一号工厂", "Plant 1", "discrete", samples.FULL)
    )
    found = page(own_client)
    oee = compared(found)["设备综合利用率 OEE % · 越高越好"]
    assert oee["兑现"] == "待核验"
    assert oee["平台核验 下界 – 上界"] == "待核验"
    (picture,) = found.all("picture")
    drawn = own_client.get(picture.one("img").attributes["src"])
    assert "尚未核验" in drawn.text


@pytest.mark.parametrize("code", ["SAMPLE-1", "SAMPLE-9"])
def test_a_page_and_the_interface_tell_the_same(
    client: httpx.Client, sample_url: str, code: str
) -> None:
    with closing(store.connect(sample_url)) as conn:
        promised = store.figures.promises(
            conn, store.registry.factory_by_code(conn, code).factory_id
        )
    items = client.get(f"/api/v1/factories/{code}/comparison").json()["items"]
    assert {item["kpi"] for item in items} >= set(promised)
    found = page(client, f"/factories/{code}")
    shown = len(rows(found.one("table", "comparison"))) if items else 0
    assert shown == len(items)


def test_a_sentence_says_what_of_the_promise_happened(client: httpx.Client) -> None:
    said = months(page(client)).one("figcaption").one("strong").text
    assert said == (
        "已实现承诺变化的 80 %（61.0 → 74.6，预期 78.0 %）：部分达成，数据完整率 98.2 %。"
    )
