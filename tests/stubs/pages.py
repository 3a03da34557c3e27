"""A person's browser on the dashboard, which keeps what a page complains about."""

import shutil
import time
from contextlib import contextmanager

import pytest

WIDTHS = (390, 1440)
SCHEMES = ("light", "dark")


@contextmanager
def chromium(*options):
    """Debian's Chromium, without a display."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("no Chromium: install it to see the pages drawn")
    from playwright.sync_api import sync_playwright

    quiet = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=program, args=[*quiet, *options])
        yield opened
        opened.close()


class Visitor:
    """A window of one width and colour scheme, which is logged in."""

    def __init__(self, browser, base, token, width, scheme, **options):
        self.place, self._base = (width, scheme), base
        self._context = browser.new_context(
            viewport={"width": width, "height": 844 if width < 500 else 900},
            color_scheme=scheme,
            reduced_motion="reduce",
            timezone_id="Asia/Tokyo",
            **options,
        )
        self._context.set_default_timeout(60_000)
        self.page = self._context.new_page()
        self.complaints, self.requests = [], []
        self.page.on("console", lambda message: self.complaints.append(f"{message.type}: {message.text}"))
        self.page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("dialog", lambda dialog: self.complaints.append(f"dialog: {dialog.message}"))
        log_in(self.page, base, token)

    def go(self, path):
        """Open a page and wait until its scripts ran."""
        self.page.goto(self._base + path)
        self.page.wait_for_selector("#scheme:not([hidden])")
        return self.page

    def close(self, expected=()):
        """Close the window; what the page complained about or asked of others is an error, unless it is expected."""
        self._context.close()
        assert [text for text in self.complaints if not any(part in text for part in expected)] == []
        assert all(url.startswith((self._base, "data:", "blob:")) for url in self.requests), self.requests


def log_in(page, base, token):
    """Log a browser in at the login page, which loads nothing of the dashboard."""
    page.goto(f"{base}/login?next=/login")
    page.get_by_label("Token").fill(token)
    page.get_by_role("button", name="Log in").click()
    page.get_by_text("You are logged in").wait_for()


# Times as text are in the order of time.
_AT_LEAST = "([place, text]) => document.querySelector(place)?.textContent >= text"


def seconds_until(page, place, time_text):
    """Seconds until an element of a page shows a time, or a later one."""
    began = time.monotonic()
    page.wait_for_function(_AT_LEAST, arg=[place, time_text], timeout=60_000)
    return time.monotonic() - began


def overflow(page):
    """Pixels by which a page is wider than its window."""
    return page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
