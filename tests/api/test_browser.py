"""The pages in a real Chromium: the policy holds, nothing overflows, keys reach everything."""

from collections.abc import Iterator
from contextlib import closing
from itertools import product
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page

import store
from api import account_admin
from api.access import AccessPolicy
from store.accounts import NewAccount
from tests.api.conftest import served
from tests.api.people import COOKIE
from tests.store.people import MAKER
from tests.support.waiting import wait_for

SHOWN = [
    *product(("/", "/factories/SAMPLE-1"), (380, 1360), ("zh", "en")),
    ("/?region=320612", 1360, "zh"),
    ("/factories/SAMPLE-9", 380, "en"),
    ("/nothing", 380, "zh"),
    *product(("/login", "/account/password", "/audit"), (380, 1360), ("zh",)),
    ("/audit", 380, "en"),
]  # fmt: skip

# Texts that stick out of the box they stand in, where that box does not scroll by itself.
STICKING_OUT = """() => [...document.querySelectorAll('main *, header *, footer *')]
  .filter(e => !e.closest('.unseen, svg') && e.childElementCount === 0 && e.textContent.trim())
  .filter(e => {
    const box = e.closest('.tile, .verdict, .numbers > div, td, th, .card, main, .wrap');
    const inner = e.getBoundingClientRect(), outer = box.getBoundingClientRect();
    return inner.width && (inner.right > outer.right + 1 || inner.left < outer.left - 1);
  })
  .map(e => e.textContent.trim())"""

CONTRASTS = """() => {
  const channel = v => { v /= 255; return v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4; };
  const light = c => .2126 * channel(c[0]) + .7152 * channel(c[1]) + .0722 * channel(c[2]);
  const numbers = text => text.match(/[\\d.]+/g).map(Number);
  const behind = e => {
    for (; e; e = e.parentElement) {
      const c = numbers(getComputedStyle(e).backgroundColor);
      if (c.length < 4 || c[3] > 0) return c;
    }
    return [255, 255, 255];
  };
  return [...document.querySelectorAll('body *')]
    .filter(e => [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim()))
    .filter(e => e.getBoundingClientRect().width > 1)
    .map(e => {
      const a = light(numbers(getComputedStyle(e).color)), b = light(behind(e));
      const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
      return [ratio, e.textContent.trim().slice(0, 40)];
    })
    .filter(([ratio]) => ratio < 4.5);
}"""


@pytest.fixture
def context(browser: Browser, address: str, officer: str) -> Iterator[BrowserContext]:
    found = browser.new_context(base_url=address)
    found.add_cookies([{"name": COOKIE, "value": officer, "url": address}])
    yield found
    found.close()


def opened(context: BrowserContext, path: str, width: int) -> tuple[Page, list[str]]:
    """Open a page and return it with all that the browser complained about."""
    complaints: list[str] = []

    def on_console(message: ConsoleMessage) -> None:
        # The browser reports the status of an error page itself.
        if "the server responded with a status of" not in message.text:
            complaints.append(message.text)

    page = context.new_page()
    page.set_viewport_size({"width": width, "height": 900})
    page.on("console", on_console)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("requestfailed", lambda request: complaints.append(request.url))
    page.goto(path, wait_until="load")
    return page, complaints


@pytest.mark.parametrize(("path", "width", "language"), SHOWN)
def test_the_policy_holds_and_nothing_overflows(
    context: BrowserContext, tmp_path: Path, path: str, width: int, language: str
) -> None:
    separator = "&" if "?" in path else "?"
    page, complaints = opened(context, f"{path}{separator}lang={language}", width)
    assert complaints == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(STICKING_OUT) == []
    assert page.evaluate("[...document.images].every(image => image.naturalWidth > 0)")
    assert page.title()
    # Last, because a screenshot of the whole page resizes the window for a moment.
    shot = tmp_path / "page.png"
    page.screenshot(path=shot, full_page=True)
    assert shot.stat().st_size > 5_000


def test_the_search_for_texts_that_stick_out_finds_one(context: BrowserContext) -> None:
    page, _ = opened(context, "/", 1360)
    page.locator(".tile .name").first.evaluate(
        "e => { e.textContent = 'x'.repeat(60); e.style.overflowWrap = 'normal';"
        " e.style.alignSelf = 'start'; }"
    )
    assert page.evaluate(STICKING_OUT) == ["x" * 60]


@pytest.mark.parametrize("path", ["/", "/factories/SAMPLE-1", "/nothing"])
def test_every_text_stands_out_from_what_is_behind_it(context: BrowserContext, path: str) -> None:
    page, _ = opened(context, path, 1360)
    assert page.evaluate(CONTRASTS) == []


def test_an_inline_script_does_not_run(context: BrowserContext) -> None:
    page, complaints = opened(context, "/", 1360)
    page.evaluate(
        "() => { const s = document.createElement('script'); s.textContent = 'window.ran = 1';"
        " document.body.append(s); }"
    )
    assert page.evaluate("window.ran") is None

    def is_told() -> bool:
        page.evaluate("1")  # Playwright takes in what the browser says only while it is asked
        return any("Content Security Policy" in text for text in complaints)

    wait_for(is_told, "the browser's complaint")


def test_keys_reach_the_content_the_tables_and_every_factory(context: BrowserContext) -> None:
    page, _ = opened(context, "/", 1360)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    assert page.evaluate("document.activeElement.getBoundingClientRect().top") >= 0
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"
    reached: list[str] = []
    for _ in range(40):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.getAttribute('href') || ''"))
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline == "solid" or page.evaluate("document.activeElement === document.body")
    assert {f"/factories/SAMPLE-{n}" for n in (1, 2, 3, 4, 5, 9)} <= set(reached)


def test_a_wide_table_scrolls_in_its_own_box(context: BrowserContext) -> None:
    page, _ = opened(context, "/factories/SAMPLE-1", 760)
    box = page.locator(".scroll").first
    assert box.evaluate("e => e.scrollWidth > e.clientWidth")
    before = page.locator(".comparison tbody th").first.bounding_box()
    box.evaluate("e => { e.scrollLeft = 200; }")
    after = page.locator(".comparison tbody th").first.bounding_box()
    assert before == after, "the name of the KPI stays in view"


def test_a_telephone_shows_each_kpi_as_a_card_that_is_still_a_row(context: BrowserContext) -> None:
    page, _ = opened(context, "/factories/SAMPLE-1", 375)
    box = page.locator(".scroll").first
    assert box.evaluate("e => e.scrollWidth <= e.clientWidth"), "nothing is to be scrolled"
    table = page.get_by_role("table").first
    heads = table.get_by_role("columnheader").all_text_contents()
    row = table.get_by_role("row").filter(has_text="设备综合利用率")
    assert row.get_by_role("rowheader").is_visible()
    labels = [
        cell.evaluate("e => getComputedStyle(e, '::before').content")
        for cell in row.get_by_role("cell").all()
    ]
    assert len(labels) == len(heads) - 1
    # What is read aloud of a label is the empty text after the slash: the head is read anyway.
    for head, label in zip(heads[1:], labels, strict=True):
        assert label.endswith('" / ""')
        assert head.startswith(label.split('"')[1])


def test_a_telephone_gets_the_narrow_picture_and_paper_the_wide_one(
    context: BrowserContext,
) -> None:
    page, _ = opened(context, "/factories/SAMPLE-1", 380)
    current = "document.querySelector('.picture-fulfilment img').currentSrc"
    assert "size=narrow" in page.evaluate(current)
    page.emulate_media(media="print")
    # Asked from outside: the browser's own waiting would evaluate text, which the page forbids.
    wait_for(lambda: "size=narrow" not in page.evaluate(current), "the picture for paper")
    hidden = page.locator("section.live").evaluate("e => getComputedStyle(e).display")
    assert hidden == "none"


def test_a_visitor_walks_from_the_overview_to_a_factory_and_changes_the_language(
    context: BrowserContext,
) -> None:
    page, _ = opened(context, "/", 1360)
    page.get_by_role("link", name="示例一号工厂", exact=True).click()
    assert page.get_by_role("heading", level=1).inner_text() == "示例一号工厂"
    page.get_by_role("link", name="English").click()
    assert page.get_by_role("heading", level=1).inner_text() == "Sample Plant 1"
    page.get_by_label("Rolling year").select_option("2025-10-01")
    page.get_by_role("button", name="Show").click()
    assert "period_start=2025-10-01" in page.url
    assert page.get_by_role("heading", level=1).inner_text() == "Sample Plant 1"


def test_a_person_logs_in_and_out_with_a_real_browser(browser: Browser, database_url: str) -> None:
    with closing(store.connect(database_url)) as conn:
        made = account_admin.make(conn, MAKER, NewAccount("anna", "Sample", "city_officer"))
    context = browser.new_context()
    with served(database_url, access=AccessPolicy(second_factor=False)) as address:
        page = context.new_page()
        page.goto(f"{address}/?region=320613")
        page.fill("#login", made.login)
        page.fill("#password", made.password)
        page.click("main button")
        assert page.url == f"{address}/login/password"
        page.fill("#old", made.password)
        page.fill("#new", "Weaver-77-river")
        page.fill("#again", "Weaver-77-river")
        page.click("main button")
        assert page.url == f"{address}/todos"
        page.click("header button")
        assert page.url == f"{address}/login"
        page.goto(f"{address}/")
        assert page.url == f"{address}/login"
        context.close()
