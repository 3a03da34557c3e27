"""The stream of events of a page: opened however late its scripts come, and again after errors."""

import time

import pytest

from stubs.pages import Visitor

LATE_S = 0.6


@pytest.fixture
def visitor(browser, shown):
    return Visitor(browser, shown.base, shown.token, 1440, "light")


def live(page, text="Live"):
    page.locator("#live-state", has_text=text).wait_for()


@pytest.mark.parametrize("script", [".min.js", "page.js", "live.js"])
def test_it_opens_when_a_script_comes_late(visitor, script):
    def late(route):
        time.sleep(LATE_S)
        route.continue_()

    visitor.page.route(f"**/*{script}", late)
    live(visitor.go("/dashboard"))
    visitor.close()


def test_it_is_tried_again_after_an_answer_that_is_an_error(visitor):
    answers = [503, 429]

    def busy(route):
        if answers:
            route.fulfill(status=answers.pop(), headers={"Retry-After": "1"}, body="busy")
        else:
            route.continue_()

    visitor.page.route("**/events?*", busy)
    page = visitor.go("/dashboard")
    live(page, "Reconnecting")
    live(page)
    assert answers == []
    visitor.close(expected=["status of 503", "status of 429"])


def test_a_tab_in_the_background_leaves_its_connection(visitor):
    page = visitor.go("/dashboard")
    live(page)
    page.evaluate("""() => {
        window.told = 0;
        document.addEventListener("news", () => { window.told += 1; });
        window.hide = (hidden) => {
            Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
            document.dispatchEvent(new Event("visibilitychange"));
        };
        window.hide(true);
    }""")
    asked = len([url for url in visitor.requests if "/events?" in url])
    page.wait_for_timeout(300)
    page.evaluate("window.hide(false)")
    # What happened meanwhile is shown.
    page.wait_for_function("() => window.told === 1")
    assert len([url for url in visitor.requests if "/events?" in url]) == asked + 1
    visitor.close()
