"""The officers' desk in a real Chromium: nothing overflows, all can be read, keys reach it."""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import product

import pytest
from playwright.sync_api import Browser, BrowserContext

from api.pool import todos
from tests.api.conftest import served
from tests.api.people import COOKIE, session_of
from tests.api.pool.pooled import Pooled
from tests.api.pool.test_policy_pages import KEY, Office, propose
from tests.api.pool.test_warning_pages import fire
from tests.api.test_browser import CONTRASTS, STICKING_OUT, opened

PAGES = (
    "/warnings", "/factories/sample/warnings", "/settings", "/policy", f"/policy/{KEY}",
    "/letter-texts", "/letter-texts/warning_notice",
)  # fmt: skip
WIDTHS = (375, 1360)


@pytest.fixture
def context(pooled: Pooled, database_url: str, browser: Browser) -> Iterator[BrowserContext]:
    """The browser of a leader of the city, with warnings and a proposal that waits."""
    pooled.now = datetime.now(UTC)
    pooled.warn()
    for rule, days in (("inconsistent", 40), ("report_overdue", 2)):
        fire(pooled, rule, days)
    todos.turn(pooled.conn, now=pooled.now)
    with served(database_url) as address:
        propose(Office(pooled, address))
        found = browser.new_context(base_url=address)
        secret = session_of(pooled.conn, pooled.person("city_leader")[0])
        found.add_cookies([{"name": COOKIE, "value": secret, "url": address}])
        yield found
        found.close()


def test_nothing_overflows_and_all_stands_out(context: BrowserContext) -> None:
    for path, language in product(PAGES, ("zh", "en")):
        page, complaints = opened(context, f"{path}?lang={language}", WIDTHS[0])
        for width in WIDTHS:
            where = (path, width, language)
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate("innerWidth") == width, where
            assert page.evaluate("document.documentElement.scrollWidth") <= width, where
            assert page.evaluate(STICKING_OUT) == [], where
            assert page.evaluate(CONTRASTS) == [], where
            assert complaints == [], where
        page.close()


def test_a_value_is_confirmed_with_the_keyboard_alone(context: BrowserContext) -> None:
    page, _ = opened(context, f"/policy/{KEY}", 1360)
    page.get_by_label("意见（退回时必填）").focus()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "确认"
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert "45 天" in page.locator("main dl.facts").first.inner_text()
