"""The pages of letters' texts: samples, a form that becomes a text, and two people."""

import pytest

from api.exports import letter, text_form, texts
from api.exports.kinds import kinds
from api.pool import workdays
from store import proposals
from tests.api.exports.opened import open_pdf
from tests.api.html import Element, parse
from tests.api.people import client_of, session_of
from tests.api.pool.test_policy_pages import Office, fault, office

__all__ = ["office"]

PATH = "/letter-texts/warning_notice"


def form(page: Element) -> dict[str, str]:
    """Return what the form of a text holds, as a browser sends it."""
    found = page.one("form", "letter-form")
    given = {each.attributes["name"]: each.attributes["value"] for each in found.all("input")}
    for each in found.all("select"):
        chosen = [one for one in each.all("option") if "selected" in one.attributes]
        values = [one.attributes.get("value", one.text) for one in chosen]
        given[each.attributes["name"]] = values[0] if values else ""
    for each in found.all("textarea"):
        given[each.attributes["name"]] = each.text
    given.pop("csrf")
    return given


def changed(office: Office, before: str, after: str) -> dict[str, str]:
    given = form(office.get("city_officer", PATH))
    assert any(before in text for text in given.values())
    return {name: text.replace(before, after) for name, text in given.items()}


@pytest.mark.parametrize("kind", list(kinds()))
def test_every_shipped_text_goes_through_its_form_unchanged(kind: str) -> None:
    shipped = letter.shipped_text(kind)
    again = letter.read(text_form.content_of(text_form.form_of(shipped)))
    ours = letter.read(shipped)
    assert (again.parts, again.title, again.number) == (ours.parts, ours.title, ours.number)


def test_the_page_shows_a_sample_that_says_it_is_one(office: Office) -> None:
    page = office.get("ent_filler", PATH)
    shown = page.one("article", "letter")
    assert "样张" in shown.one("p", "letter-mark").text
    assert "示例企业有限公司：" in shown.text
    assert not page.one("main").all("form"), "an enterprise reads it and changes nothing"
    listed = office.get("ent_filler", "/letter-texts")
    assert len(listed.one("table").one("tbody").all("tr")) == len(kinds())


def test_the_sample_is_a_pdf_with_its_mark_on_it(office: Office) -> None:
    secret = session_of(office.pooled.conn, office.pooled.person("county_officer")[0])
    with client_of(office.address, secret) as client:
        answer = client.get(f"{PATH}/sample").raise_for_status()
        assert client.get(f"{PATH}/sample?number=7").status_code == 404
        assert client.get("/letter-texts/love_letter").status_code == 404
    text = open_pdf(answer.content).text
    assert "样张" in text
    assert "示例企业有限公司" in text


def test_looking_changes_nothing_and_proposing_waits_for_another(office: Office) -> None:
    given = changed(office, "特此提示", "请予重视")
    looked = office.post("city_officer", f"{PATH}/proposals", **given, then="look")
    assert "请予重视" in parse(looked.text).one("article", "letter").text
    assert proposals.listed(office.pooled.conn, proposals.TEXTS) == []
    given["source"] = "示例文号"
    assert office.post("city_officer", f"{PATH}/proposals", **given).status_code == 303
    waiting = office.get("city_leader", PATH)
    assert "第 1 号文本" in waiting.by_id("proposal-1").text
    day = workdays.today(office.pooled.now)
    assert texts.held(office.pooled.conn, "warning_notice", day).number is None
    decided = office.post("city_leader", f"{PATH}/proposals/1", outcome="confirmed")
    assert decided.status_code == 303
    held = texts.held(office.pooled.conn, "warning_notice", day)
    assert held.number == 1
    assert "请予重视" in held.content
    assert "请予重视" in office.get("ent_filler", PATH).one("article", "letter").text


def test_a_wrong_placeholder_is_refused_by_name_and_what_was_written_stays(office: Office) -> None:
    given = changed(office, "{factory}", "{fabrik}") | {"source": "示例文号"}
    answer = office.post("city_officer", f"{PATH}/proposals", **given)
    assert "没有占位符 {fabrik}" in fault(answer)
    assert any("{fabrik}" in each.text for each in parse(answer.text).all("textarea"))
    english = office.post("city_officer", f"{PATH}/proposals?lang=en", **given)
    assert "{fabrik} is no fact" in fault(english)
    assert "文件" in fault(office.post(
        "city_officer", f"{PATH}/proposals", **changed(office, "特此", "谨此")
    ))  # fmt: skip


def test_blocks_are_ordered_added_and_left_out(office: Office) -> None:
    given = form(office.get("city_officer", PATH)) | {"source": "示例文号"}
    blocks = [name for name in given if name.startswith("what-") and given[name]]
    new = len(blocks) + 1
    given |= {f"what-{new}": "point", f"text-{new}": "新增一点", f"order-{new}": "5"}
    given["what-1"] = ""
    assert office.post("city_officer", f"{PATH}/proposals", **given).status_code == 303
    (found,) = proposals.listed(office.pooled.conn, proposals.TEXTS)
    parts = letter.read(found.value).parts
    assert (parts[0].what, parts[0].text) == ("point", "新增一点")
    assert len(parts) == len(blocks)


@pytest.mark.parametrize(
    ("language", "words"),
    [("zh", "工厂名称 · 如 示例工厂"), ("en", "name of the factory, such as 示例工厂")],
)
def test_each_placeholder_stands_with_its_meaning_and_a_sample_value(
    office: Office, language: str, words: str
) -> None:
    page = office.get("city_officer", PATH, lang=language)
    first, second = page.all("fieldset", "block")[:2]
    below = {each.one("dt").text: each.one("dd").text for each in first.one("dl").all("div")}
    assert set(below) == {"{factory}", "{entered_on}", "{pool}", "{step_on}"}
    assert below["{factory}"] == words
    assert second.one("dl").one("dt").text == "warnings", "a table that is put in by its name"
    written, _ = page.one("details").all("tbody")
    listed = {row.one("th").text: row.all("td") for row in written.all("tr")}
    for name in letter.FACTS:
        meaning, sample = listed[f"{{{name}}}"]
        assert meaning.text
        assert sample.text
