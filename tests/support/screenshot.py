"""Takes the README's picture of a factory's page.

python -m tests.support.screenshot URL FILE LOGIN PASSWORD
"""

import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

CHROMIUM = "/usr/bin/chromium"
_WIDTH, _HEIGHT = 1180, 880


def take(url: str, file: Path, login: str, password: str) -> None:
    """Log in and save the top of a page as PNG; raises playwright's Error when it does not load."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        try:
            page = browser.new_page(viewport={"width": _WIDTH, "height": _HEIGHT})
            page.goto(url, wait_until="load", timeout=30_000)  # which leads to the log-in first
            page.fill("#login", login)
            page.fill("#password", password)
            page.click("main button")
            page.wait_for_url(url, wait_until="load", timeout=30_000)
            page.screenshot(path=file, clip={"x": 0, "y": 0, "width": _WIDTH, "height": _HEIGHT})
        finally:
            browser.close()


if __name__ == "__main__":
    take(sys.argv[1], Path(sys.argv[2]), sys.argv[3], sys.argv[4])
