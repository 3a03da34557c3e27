"""A real browser at the login page, and pages of other sites that use it."""

import re

import pytest
from starlette.applications import Starlette
from starlette.responses import HTMLResponse
from starlette.routing import Route

from stubs.web import served


@pytest.fixture
def page(browser):
    with browser.new_context() as context:
        yield context.new_page()


def log_in(page, base, token, name="Ann"):
    page.goto(f"{base}/login")
    page.get_by_label("Your name").fill(name)
    page.get_by_label("Token").fill(token)
    page.keyboard.press("Enter")


@pytest.mark.parametrize("scripts", [True, False])
def test_a_person_logs_in_and_out(browser, here, scripts):
    base = f"http://localhost:{here.port}"
    with browser.new_context(java_script_enabled=scripts) as context:
        page = context.new_page()
        page.goto(f"{base}/who")
        assert page.url == f"{base}/login?next=/who"
        page.get_by_label("Your name").fill("Ann")
        page.get_by_label("Token").fill("wrong")
        page.get_by_role("button", name="Log in").click()
        assert page.get_by_role("alert").inner_text() == "This is not the service's token."
        assert page.get_by_label("Your name").input_value() == "Ann"
        assert page.get_by_label("Token").input_value() == ""
        page.get_by_label("Token").fill(here.token)
        page.get_by_role("button", name="Log in").click()
        page.wait_for_url(f"{base}/who")
        assert '"who":"Ann (dashboard) at 127.0.0.1"' in page.content()
        (cookie,) = context.cookies()
        assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
        page.goto(f"{base}/login")
        page.get_by_role("button", name="Log out").click()
        page.get_by_label("Token").wait_for()
        page.goto(f"{base}/who")
        assert "/login" in page.url


def test_a_script_cannot_read_the_cookie(page, here):
    base = f"http://localhost:{here.port}"
    log_in(page, base, here.token)
    page.wait_for_url(f"{base}/who")
    assert page.evaluate("document.cookie") == ""


ATTACK = """
<form id="post" method="post" action="{target}"><input name="csrf" value="guess"></form>
<form id="plain" method="post" action="{target}" enctype="text/plain"><input name='{{"a":"' value='"}}'></form>
<iframe src="{page}"></iframe>
"""


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "evil.example"])
@pytest.mark.parametrize("form", ["post", "plain"])
def test_a_page_of_another_origin_changes_and_reads_nothing(page, here, host, form):
    """Also one of another port of this machine, which is the same site: the browser sends the cookie with its form."""
    base = f"http://localhost:{here.port}"
    log_in(page, base, here.token)
    page.wait_for_url(f"{base}/who")
    before = here.log()

    async def attack(_):
        return HTMLResponse(ATTACK.format(target=f"{base}/who", page=f"{base}/login"))

    with served(Starlette(routes=[Route("/", attack)])) as port:
        page.goto(f"http://{host}:{port}/")
        read = "url => fetch(url, {credentials: 'include'}).then(answer => answer.text(), error => `${error}`)"
        assert "TypeError" in page.evaluate(read, f"{base}/who")
        send = "url => fetch(url, {method: 'POST', mode: 'no-cors', credentials: 'include'}).catch(() => 'blocked')"
        assert page.evaluate(send, f"{base}/who") == "blocked"
        framed = page.frames[1]
        assert "Token" not in framed.content()  # frame-ancestors 'none'
        with page.expect_navigation() as arrived:
            page.evaluate(f"document.getElementById('{form}').submit()")
        assert arrived.value.status == 403
    assert here.log() == before
    page.goto(f"{base}/who")
    assert "Ann" in page.content()  # the login goes on


def test_a_name_that_leads_here_is_answered_nothing(page, here):
    answer = page.goto(f"http://evil.example:{here.port}/login")
    assert answer.status == 421
    assert "csrf" not in page.content()


def test_nothing_inline_runs_and_nothing_is_loaded_from_elsewhere(page, here):
    complaints = []
    page.on("console", lambda message: complaints.append(message.text))
    base = f"http://localhost:{here.port}"
    log_in(page, base, here.token)
    page.wait_for_url(f"{base}/who")
    complaints.clear()
    page.goto(f"{base}/scripted")
    page.get_by_text("text").click()
    assert page.title() == "kept"
    assert page.get_by_text("text").evaluate("element => getComputedStyle(element).color") == "rgb(0, 0, 0)"
    refused = {found[1] for text in complaints if (found := re.search(r"(script-src|style-src|img-src)", text))}
    assert refused == {"script-src", "style-src", "img-src"}
