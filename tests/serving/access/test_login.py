"""The login page: token for cookie, without a script."""

from urllib.parse import urlencode

import pytest

from stubs.certificates import write_certificate

from .conftest import FORM, cookie_of, csrf_of


def test_a_login_opens_a_session(shared):
    answer, browser = shared.login()
    assert (answer.status, answer.headers["location"]) == (303, "/who")
    cookie = next(one for one in answer.headers.get_all("set-cookie") if "session" in one)
    parts = {part.strip().partition("=")[0].lower(): part.partition("=")[2] for part in cookie.split(";")[1:]}
    assert parts == {"httponly": "", "max-age": "86400", "path": "/", "samesite": "strict"}
    assert shared.token not in cookie
    assert shared.ask("GET", "/who", browser.cookie).status == 200
    page = shared.ask("GET", "/login", browser.cookie).text
    assert "You are logged in as <strong>Ann</strong>" in page
    assert shared.token not in page


def test_each_login_has_an_id_of_its_own(shared):
    ids = {shared.login()[1].cookie[1] for _ in range(5)}
    assert len(ids) == 5


@pytest.mark.parametrize("token", ["x", "x" * 43, "", " ", "\u00e4" * 50, "\0", "<script>alert(1)</script>"])
def test_a_wrong_token_opens_none_and_is_not_repeated(shared, token):
    form = shared.ask("GET", "/login")
    fields = {"token": token, "csrf": csrf_of(form), "next": "/who"}
    answer = shared.ask("POST", "/login", cookie_of(form, "login"), FORM, body=urlencode(fields))
    assert answer.status == 401
    assert "This is not the service" in answer.text
    assert cookie_of(answer, "session") is None
    if len(token) > 5:
        assert token not in answer.text
    # The page of the error can be sent again.
    again = {"token": shared.token, "csrf": csrf_of(answer), "next": "/who"}
    assert shared.ask("POST", "/login", cookie_of(form, "login"), FORM, body=urlencode(again)).status == 303


def test_a_planted_id_opens_nothing(shared):
    """Session fixation: an id that the service did not make stays unknown, also after the login."""
    planted = ("Cookie", f"quorate-session-{shared.port}=planted-by-another")
    form = shared.ask("GET", "/login", planted)
    both = ("Cookie", f"{planted[1]}; {cookie_of(form, 'login')[1]}")
    fields = urlencode({"token": shared.token, "csrf": csrf_of(form)})
    answer = shared.ask("POST", "/login", both, FORM, body=fields)
    assert answer.status == 303
    assert "planted" not in cookie_of(answer, "session")[1]
    assert shared.ask("GET", "/who", planted).status == 401


def test_a_login_ends_the_session_before_it(shared):
    _, first = shared.login()
    form = shared.ask("GET", "/login")
    both = ("Cookie", f"{first.cookie[1]}; {cookie_of(form, 'login')[1]}")
    answer = shared.ask("POST", "/login", both, FORM, body=urlencode({"token": shared.token, "csrf": csrf_of(form)}))
    assert shared.ask("GET", "/who", first.cookie).status == 401
    assert shared.ask("GET", "/who", cookie_of(answer, "session")).status == 200


def test_a_form_without_its_cookie_logs_nobody_in(shared):
    """Login CSRF: another site can send a form, but not the cookie that belongs to it."""
    form, other = shared.ask("GET", "/login"), shared.ask("GET", "/login")
    fields = {"token": shared.token, "csrf": csrf_of(form)}
    cases = [
        ([], fields),
        ([cookie_of(other, "login")], fields),
        ([cookie_of(form, "login")], {"token": shared.token}),
        ([cookie_of(form, "login")], {**fields, "csrf": ""}),
        ([("Cookie", f"quorate-login-{shared.port}=")], {**fields, "csrf": ""}),
    ]
    for headers, given_fields in cases:
        answer = shared.ask("POST", "/login", FORM, *headers, body=urlencode(given_fields))
        assert answer.status == 403
        assert cookie_of(answer, "session") is None
    assert shared.ask("POST", "/login", cookie_of(form, "login"), FORM, body=urlencode(fields)).status == 303


def test_two_open_forms_both_work(shared):
    first = shared.ask("GET", "/login")
    cookie = cookie_of(first, "login")
    second = shared.ask("GET", "/login", cookie)
    for form in (first, second):
        fields = urlencode({"token": shared.token, "csrf": csrf_of(form)})
        assert shared.ask("POST", "/login", cookie, FORM, body=fields).status == 303


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [
        ("application/json", '{"token": "x"}', 415),
        ("multipart/form-data; boundary=x", "--x--", 415),
        ("application/x-www-form-urlencoded", "token=" + "x" * 70_000, 413),
        ("application/x-www-form-urlencoded", "&".join(["a=b"] * 200), 413),
        ("application/x-www-form-urlencoded", b"\xff\xfe\x00=%ff%00&%zz", 403),
        ("application/x-www-form-urlencoded; charset=utf-16", "csrf=%ED%A0%80", 403),
    ],
)
def test_other_bodies_are_refused(shared, content_type, body, status):
    assert shared.ask("POST", "/login", ("Content-Type", content_type), body=body).status == status


def test_a_logout_ends_the_session_only_with_its_csrf_token(shared):
    _, browser = shared.login()
    assert shared.ask("POST", "/logout", browser.cookie).status == 403
    assert shared.ask("GET", "/logout", browser.cookie).status == 405
    assert shared.ask("GET", "/who", browser.cookie).status == 200
    body = urlencode({"csrf": shared.csrf(browser.cookie)})
    answer = shared.ask("POST", "/logout", browser.cookie, FORM, body=body)
    assert (answer.status, answer.headers["location"]) == (303, "/login")
    assert "Max-Age=0" in answer.headers["set-cookie"]
    assert shared.ask("GET", "/who", browser.cookie).status == 401


def test_attempts_at_the_form_are_limited_with_those_of_the_header(make_site):
    with make_site(attempts=3) as site:
        site.ask("GET", "/who", ("Authorization", "Bearer " + "y" * 43))
        statuses = [site.login(token="z" * 43)[0].status for _ in range(3)]
        assert statuses == [401, 401, 429]
        answer, browser = site.login()
        assert answer.status == 429
        assert int(answer.headers["retry-after"]) > 0
        assert "Too many wrong tokens" in answer.text
        assert browser.cookie is None


def test_names_are_one_line_without_secrets(here):
    for name, shown in [
        ("", "dashboard at 127.0.0.1"),
        ("  Ann\r\nBcc: x ", "AnnBcc: x (dashboard) at 127.0.0.1"),
        ("<b>&", "<b>& (dashboard) at 127.0.0.1"),
        ("x" * 500, "x" * 60 + " (dashboard) at 127.0.0.1"),
        (here.token, "*** (dashboard) at 127.0.0.1"),
    ]:
        _, browser = here.login(name=name)
        assert here.log()[-1]["who"] == shown
        assert "<b>" not in here.ask("GET", "/login", browser.cookie).text


def test_a_login_of_https_has_secure_cookies(make_site, tmp_path):
    import ssl
    import urllib.request

    certificate, key = write_certificate(tmp_path)
    with make_site(server={"ssl_certfile": str(certificate), "ssl_keyfile": str(key)}) as site:
        context = ssl.create_default_context(cafile=str(certificate))
        with urllib.request.urlopen(f"https://localhost:{site.port}/login", context=context) as answer:
            cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-quorate-login-")
    assert "Secure" in cookie
