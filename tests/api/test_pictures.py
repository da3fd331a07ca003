"""Pictures: what is drawn is what the data say, the same each time, and served only when new."""

import re
from collections.abc import Iterator
from dataclasses import replace
from xml.etree import ElementTree

import httpx
import pytest

from api.pictures.cache import PictureCache
from api.pictures.data import (
    Fulfilment,
    FulfilmentRow,
    FulfilmentWords,
    Judgement,
    MonthPoint,
    MonthRun,
    MonthRunWords,
)
from api.pictures.render import svg
from api.verdicts import FULFILMENT

WORDS = FulfilmentWords(
    "before", "promised", "reported", "verified", "grade", "fulfilment", "consistency",
    "legend", "scale", "short",
)  # fmt: skip
MET = Judgement("MET", FULFILMENT["met"].shape, "good")
UNKNOWN = Judgement("UNKNOWN", FULFILMENT["unknown"].shape, "plain")
ROW = FulfilmentRow("OEE", "%", "61.0", "78.0", "77.5", "74.6", "A", 1.0, 0.95, 1.05, MET, MET, "")
NOTHING = replace(
    ROW,
    verified="—",
    grade="D",
    point=None,
    low=None,
    high=None,
    fulfilment=UNKNOWN,
    note="NO DATA",
)
RUN = MonthRun(
    "run",
    MonthRunWords("BASELINE", "YEAR", "RENOVATED", "BEFORE", "PROMISED", "UNVERIFIABLE"),
    tuple(MonthPoint(24298 + n, 60.0 + n, 59.0 + n, 61.5 + n, False) for n in range(24)),
    (24298, 24310),
    (24310, 24322),
    24310,
    61.0,
    78.0,
    1,
)
SVG = "{http://www.w3.org/2000/svg}"


def picture(*rows: FulfilmentRow, narrow: bool = False) -> Fulfilment:
    return Fulfilment("what it shows", WORDS, rows, narrow)


def texts(drawn: str) -> list[str]:
    return [node.text or "" for node in ElementTree.fromstring(drawn).iter(f"{SVG}text")]


def places(drawn: str) -> Iterator[tuple[str, float, float]]:
    """Yield the texts of a picture of items with their places."""
    for node in ElementTree.fromstring(drawn).iter(f"{SVG}text"):
        x, y = map(float, re.findall(r"-?[\d.]+", node.attrib["transform"])[:2])
        yield node.text or "", x, y


def x_of(drawn: str, text: str) -> float:
    return next(x for found, x, _ in places(drawn) if found == text)


def test_the_same_data_give_the_same_text() -> None:
    assert svg(picture(ROW, NOTHING)) == svg(picture(ROW, NOTHING))
    assert svg(RUN) == svg(RUN)


def test_a_picture_needs_no_script_no_style_and_nothing_from_elsewhere() -> None:
    for drawn in (svg(picture(ROW, NOTHING)), svg(RUN)):
        root = ElementTree.fromstring(drawn)
        assert {node.tag.removeprefix(SVG) for node in root.iter()} <= {
            "svg", "g", "rect", "path", "text", "line", "defs", "clipPath", "tspan",
        }  # fmt: skip
        assert not any("style" in node.attrib for node in root.iter())
        assert "href" not in drawn


def test_100_percent_stands_under_the_promise_and_0_under_before() -> None:
    drawn = svg(picture(ROW, replace(ROW, point=0.0, low=0.0, high=0.0)))
    assert x_of(drawn, "100 %") == x_of(drawn, "promised")
    assert x_of(drawn, "0 %") == x_of(drawn, "before")


def test_half_of_the_promise_stands_half_way() -> None:
    drawn = svg(picture(replace(ROW, point=0.25, low=0.2, high=0.3)))
    zero, whole = x_of(drawn, "before"), x_of(drawn, "promised")
    assert x_of(drawn, "25 %") == pytest.approx(zero + (whole - zero) / 4, abs=0.01)


@pytest.mark.parametrize(("point", "text"), [(2.12, "212 %"), (-0.9, "−90 %")])
def test_what_lies_beyond_the_axis_keeps_its_real_number(point: float, text: str) -> None:
    drawn = svg(picture(replace(ROW, point=point, low=point, high=point)))
    end = x_of(drawn, "150 %" if point > 0 else "−50 %")
    assert x_of(drawn, text) == pytest.approx(end, abs=0.01)


def test_without_a_figure_there_is_a_note_and_no_percentage() -> None:
    with_figure, without = texts(svg(picture(ROW))), texts(svg(picture(NOTHING)))
    assert "100 %" in with_figure
    assert "100 %" not in without
    assert "0 %" not in without
    assert "NO DATA" in without
    assert "UNKNOWN" in without


def test_without_a_report_there_is_no_word_on_its_truth() -> None:
    assert texts(svg(picture(replace(ROW, consistency=None)))).count("MET") == 1
    assert texts(svg(picture(ROW))).count("MET") == 2


def test_the_narrow_form_fits_a_telephone_and_keeps_the_words() -> None:
    drawn = svg(picture(ROW, NOTHING, narrow=True))
    root = ElementTree.fromstring(drawn)
    assert float(root.attrib["width"]) <= 390
    assert {"OEE", "MET", "UNKNOWN", "NO DATA", "100 %"} <= set(texts(drawn))
    assert any("61.0 → 74.6 / 78.0" in text for text in texts(drawn))


def test_a_month_without_a_figure_breaks_the_line_and_is_named() -> None:
    whole = svg(RUN)
    gap = replace(RUN.months[8], point=None, low=None, high=None)
    broken = svg(replace(RUN, months=(*RUN.months[:8], gap, *RUN.months[9:])))
    assert len(_lines(whole)) == 1
    assert len(_lines(broken)) == 2
    assert texts(whole).count("UNVERIFIABLE") == 0
    assert texts(broken).count("UNVERIFIABLE") == 1


def _lines(drawn: str) -> list[ElementTree.Element]:
    """Return the paths that join months: lines without a filling."""
    root = ElementTree.fromstring(drawn)
    groups = [node for node in root.iter() if "role-mark" in node.attrib.get("class", "")]
    return [
        path
        for group in groups
        if "mark-line" in group.attrib["class"]
        for path in group.iter(f"{SVG}path")
        if path.attrib.get("d")
    ]


def test_an_open_month_is_hollow() -> None:
    closed = svg(RUN)
    hollow = replace(RUN.months[-1], is_open=True)
    drawn = svg(replace(RUN, months=(*RUN.months[:-1], hollow)))
    assert drawn.count('fill="#ffffff"') == closed.count('fill="#ffffff"') + 1


def test_months_are_named_as_a_calendar_names_them() -> None:
    shown = [text for text in texts(svg(RUN)) if re.fullmatch(r"\d{4}-\d{2}", text)]
    assert shown[:2] == ["2024-11", "2025-02"]
    assert "2025-11" in shown


def test_a_run_without_any_figure_is_drawn_without_numbers() -> None:
    empty = replace(RUN, months=(), before=None, expected=None)
    assert "RENOVATED" in texts(svg(empty))


def test_the_cache_draws_once_and_forgets_what_was_used_least_recently() -> None:
    drawn: list[str] = []

    def draw(wanted: Fulfilment | MonthRun) -> str:
        drawn.append(wanted.description)
        return wanted.description

    cache = PictureCache(most=2)
    first, second, third = (replace(RUN, description=name) for name in "abc")
    for wanted in (first, second, first, third, first, second):
        assert cache.get(wanted, draw) == wanted.description
    assert drawn == ["a", "b", "c", "b"]
    assert len(cache) == 2


@pytest.mark.parametrize("name", ["fulfilment", "month-run"])
def test_pictures_come_in_both_languages_and_only_when_new(client: httpx.Client, name: str) -> None:
    path = f"/factories/SAMPLE-1/{name}.svg"
    chinese = client.get(path, params={"lang": "zh"})
    english = client.get(path, params={"lang": "en"})
    assert "改造前" in " ".join(texts(chinese.text))
    assert not re.search("[\u4e00-\u9fff]", english.text)
    again = client.get(
        path, params={"lang": "zh"}, headers={"If-None-Match": chinese.headers["etag"]}
    )
    assert (again.status_code, again.content) == (304, b"")


def test_the_picture_of_the_sample_shows_what_the_table_says(client: httpx.Client) -> None:
    drawn = set(texts(client.get("/factories/SAMPLE-1/fulfilment.svg").text))
    assert {"80 %", "112 %", "18 %", "104 %", "−24 %", "200 %"} <= drawn
    assert {"部分达成", "超额达成", "未达成", "达成", "倒退", "无法核验"} <= drawn
    assert {"61.0", "78.0", "77.5", "74.6", "452.0", "5,320.0"} <= drawn
    assert "数据不足，不等于未达成" in drawn
