"""Every check of a request, over a real server."""

import http.client
import json
import time

import pytest

from quorate.serving.access import new_token
from quorate.serving.access.security_headers import HEADERS

from .conftest import FORM, METHODS, MONITOR

UNSAFE = [method for method in METHODS if method != "GET"]


def error(answer):
    return json.loads(answer.text)["error"]


def test_only_the_open_paths_answer_without_a_token(shared):
    assert shared.ask("GET", "/health/live").text == "ok"
    for path in ("/login", "/login.css", "/icon.svg"):
        assert shared.ask("GET", path).status == 200
    closed = ("/who", "/metrics", "/health/ready", "/nothing", "/", "/openapi.json", "/login/x")
    for path in (*closed, "/health/live/", "//health/live", "/health/live/../../who", "/HEALTH/LIVE"):
        answer = shared.ask("GET", path)
        assert answer.status == 401, path
        assert answer.headers["www-authenticate"].startswith("Bearer")
        assert error(answer).keys() == {"type", "attempted", "found", "expected", "remedy"}


@pytest.mark.parametrize("method", [*METHODS, "HEAD", "OPTIONS", "TRACE", "QUERY", "get"])
def test_every_method_needs_the_token(shared, method):
    assert shared.ask(method, "/who").status == 401
    assert shared.ask(method, "/who", ("Authorization", "Bearer " + "x" * 50)).status == 401


def test_the_token_gives_access(shared):
    answer = shared.ask("GET", "/who", shared.bearer)
    assert json.loads(answer.text) == {
        "who": "token at 127.0.0.1", "kind": "token", "address": "127.0.0.1", "body": "",
    }  # fmt: skip
    assert shared.ask("GET", "/who", ("authorization", f"bearer   {shared.token} ")).status == 200


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer ", "Basic {0}", "{0}", "Bearer {0}x", "Bearer x{0}", "Bearer {0} {0}", "Bearer {0},{0}",
     "Bearer {0}\xff", "BearerX {0}", "Bearer " + "x" * 5_000],
)  # fmt: skip
def test_other_headers_give_none(shared, header):
    answer = shared.ask("GET", "/who", ("Authorization", header.format(shared.token)))
    assert answer.status == 401
    assert shared.token not in answer.text


def test_two_headers_give_none(shared):
    assert shared.ask("GET", "/who", shared.bearer, shared.bearer).status == 401
    assert shared.ask("GET", "/who", shared.bearer, ("Authorization", "Bearer x")).status == 401


def test_a_token_in_the_address_gives_none(shared):
    for name in ("token", "access_token", "bearer", "authorization"):
        assert shared.ask("GET", f"/who?{name}={shared.token}").status == 401


def test_a_wrong_token_is_not_replaced_by_a_cookie(shared):
    _, browser = shared.login()
    assert shared.ask("GET", "/who", browser.cookie).status == 200
    assert shared.ask("GET", "/who", browser.cookie, ("Authorization", "Bearer " + "x" * 40)).status == 401


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:{0}", "localhost.evil.example", "192.0.2.1:{0}", "", None, "a b", "127.1:{0}"],
)
def test_another_host_is_refused_before_all_else(shared, host):
    given = None if host is None else (host.format(shared.port) or "\t")
    for path in ("/health/live", "/login", "/who"):
        answer = shared.ask("GET", path, shared.bearer, host=given)
        assert answer.status in (400, 421)  # the server itself refuses a request without a host
    assert "access.hosts" in answer.text or answer.status == 400


def test_two_hosts_are_refused(shared):
    answer = shared.ask("GET", "/who", shared.bearer, ("Host", "evil.example"))
    assert answer.status in (400, 421)


@pytest.mark.parametrize("host", ["localhost:{0}", "LOCALHOST", "127.0.0.1:{0}", "quorate.example:1", "other"])
def test_allowed_hosts_are_answered(make_site, host):
    with make_site(hosts=("quorate.example", "OTHER")) as site:
        assert site.ask("GET", "/who", site.bearer, host=host.format(site.port)).status == 200


OTHER_SITES = [
    [("Origin", "http://evil.example")],
    [("Origin", "null")],
    [("Origin", "http://localhost:1")],
    [("Origin", "https://localhost:{0}")],
    [("Sec-Fetch-Site", "cross-site")],
    [("Sec-Fetch-Site", "same-site")],
    [("Sec-Fetch-Site", "cross-site"), ("Origin", "http://localhost:{0}")],
    [("Sec-Fetch-Site", "same-origin"), ("Origin", "http://evil.example")],
]


@pytest.mark.parametrize("headers", OTHER_SITES)
@pytest.mark.parametrize("method", UNSAFE)
def test_pages_of_other_sites_change_nothing(shared, method, headers):
    given = [(name, value.format(shared.port)) for name, value in headers]
    for path in ("/who", "/login", "/logout"):
        answer = shared.ask(method, path, shared.bearer, *given)
        assert answer.status == 403
        assert error(answer)["attempted"] == "change anything for this request"
    assert shared.ask("GET", "/who", shared.bearer, *given).status == 200


def test_own_pages_and_programs_may(shared):
    own = ("Origin", f"http://localhost:{shared.port}")
    assert shared.ask("POST", "/who", shared.bearer, own, ("Sec-Fetch-Site", "same-origin")).status == 200
    assert shared.ask("POST", "/who", shared.bearer, ("Sec-Fetch-Site", "none")).status == 200
    assert shared.ask("POST", "/who", shared.bearer).status == 200


@pytest.mark.parametrize("method", UNSAFE)
def test_a_login_needs_its_csrf_token_and_the_bearer_none(shared, method):
    _, browser = shared.login()
    right = shared.csrf(browser.cookie)
    assert shared.ask(method, "/who", shared.bearer).status == 200
    for headers, body in [
        ([], ""),
        ([("X-CSRF-Token", "")], ""),
        ([("X-CSRF-Token", right[:-1])], ""),
        ([("X-CSRF-Token", "x")], f"csrf={right}"),
        ([FORM], f"csrf={right[:-1]}"),
        ([FORM], f"csrf=x&csrf={right}"),
        ([("Content-Type", "application/json")], f'{{"csrf": "{right}"}}'),
        ([("Content-Type", "text/plain")], f"csrf={right}"),
        ([FORM], "csrf=" + "x" * 70_000),
        ([FORM], "&".join(["a=b"] * 200 + [f"csrf={right}"])),
    ]:
        answer = shared.ask(method, "/who", browser.cookie, *headers, body=body)
        assert answer.status == 403, (headers, body[:50])
        assert "X-CSRF-Token" in error(answer)["expected"]
    assert shared.ask(method, "/who", browser.cookie, ("X-CSRF-Token", right)).status == 200


def test_a_form_reaches_its_route_whole(shared):
    _, browser = shared.login()
    body = f"a=%C3%A4&csrf={shared.csrf(browser.cookie)}&b=2"
    answer = shared.ask("POST", "/who", browser.cookie, FORM, body=body)
    assert json.loads(answer.text)["body"] == body
    assert json.loads(answer.text)["who"] == "Ann (dashboard) at 127.0.0.1"


def test_the_csrf_token_of_another_login_is_none(shared):
    _, ann = shared.login()
    _, bob = shared.login(name="Bob")
    csrf = ("X-CSRF-Token", shared.csrf(bob.cookie))
    assert shared.ask("POST", "/who", ann.cookie, csrf).status == 403
    assert shared.ask("POST", "/who", bob.cookie, csrf).status == 200


def test_browsers_without_a_login_are_sent_to_it(shared):
    page = ("Accept", "text/html,application/xhtml+xml,*/*")
    answer = shared.ask("GET", "/who?x=1", page)
    assert (answer.status, answer.headers["location"]) == (303, "/login?next=/who")
    answer = shared.ask("GET", "/who", page, ("HX-Request", "true"))
    assert (answer.status, answer.headers["hx-redirect"]) == (401, "/login")
    assert shared.ask("POST", "/who", page).status == 401
    assert shared.ask("GET", "/who", page, ("Cookie", f"quorate-session-{shared.port}=stale")).status == 303


def test_the_token_for_monitoring_reads_two_paths(make_site, tmp_path):
    (tmp_path / "monitor").write_text(f"{MONITOR}\n")
    with make_site(monitor_file=str(tmp_path / "monitor")) as site:
        bearer = ("Authorization", f"Bearer {MONITOR}")
        for path in ("/metrics", "/health/ready"):
            assert json.loads(site.ask("GET", path, bearer).text)["who"] == "monitor at 127.0.0.1"
        for method, path in [("GET", "/who"), ("POST", "/health/ready"), ("POST", "/who"), ("GET", "/ticks")]:
            assert site.ask(method, path, bearer).status == 403
        answer, _ = site.login(token=MONITOR)
        assert answer.status == 401
        assert site.ask("GET", "/metrics", site.bearer).status == 200
    with make_site() as site:
        assert site.ask("GET", "/metrics", bearer).status == 401


def test_a_rotation_ends_the_token_and_all_logins_at_once(here):
    _, browser = here.login()
    token = new_token(here.access.settings, "test")
    assert here.ask("GET", "/who", here.bearer).status == 401
    assert here.ask("GET", "/who", browser.cookie).status == 401
    assert here.ask("GET", "/who", ("Authorization", f"Bearer {token}")).status == 200
    assert here.ask("GET", "/who", browser.cookie).status == 401


def test_a_service_without_a_token_answers_nobody(here):
    here.access.token.path.unlink()
    assert here.ask("GET", "/who", here.bearer).status == 401
    assert "no token yet" in here.ask("GET", "/login").text
    assert here.ask("GET", "/health/live").status == 200


@pytest.mark.parametrize("end", ["rotation", "logout"])
def test_a_stream_ends_with_the_access_of_its_caller(here, end):
    _, browser = here.login()
    connection = http.client.HTTPConnection("127.0.0.1", here.port, timeout=10)
    connection.request("GET", "/ticks", headers={"Host": "localhost", browser.cookie[0]: browser.cookie[1]})
    stream = connection.getresponse()
    assert stream.readline() == b"data: tick\n"
    if end == "rotation":
        new_token(here.access.settings, "test")
    else:
        here.ask("POST", "/logout", browser.cookie, ("X-CSRF-Token", here.csrf(browser.cookie)))
    began = time.monotonic()
    stream.read()  # to its end
    assert time.monotonic() - began < 2
    connection.close()


def test_a_stream_of_another_caller_goes_on(shared):
    _, ann = shared.login()
    _, bob = shared.login(name="Bob")
    connection = http.client.HTTPConnection("127.0.0.1", shared.port, timeout=10)
    connection.request("GET", "/ticks", headers={"Host": "localhost", "Cookie": ann.cookie[1]})
    stream = connection.getresponse()
    shared.ask("POST", "/logout", bob.cookie, ("X-CSRF-Token", shared.csrf(bob.cookie)))
    for _ in range(40):
        assert stream.readline() in (b"data: tick\n", b"\n")
    connection.close()


def test_attempts_are_limited_and_the_right_token_works_from_another_address(make_site):
    wrong = ("Authorization", "Bearer " + "y" * 43)
    with make_site(attempts=3, attempts_total=5) as site:
        for status in (401, 401, 401, 429, 429):
            assert site.ask("GET", "/who", wrong).status == status
        answer = site.ask("GET", "/who", site.bearer)
        assert answer.status == 429
        assert 290 <= int(answer.headers["retry-after"]) <= 300
        assert site.ask("GET", "/who", site.bearer, address="127.0.0.2").status == 200
        # Even where the total is exhausted.
        statuses = [site.ask("GET", "/who", wrong, address=f"127.0.0.{number}").status for number in range(3, 9)]
        assert statuses == [401, 401, 429, 429, 429, 429]
        assert site.ask("GET", "/who", site.bearer, address="127.0.0.9").status == 200
        # What was not counted is not logged either.
        assert sum(entry["event"] == "wrong token" for entry in site.log()) == 5


def test_a_login_and_missing_or_old_cookies_are_no_attempts(make_site):
    with make_site(attempts=3) as site:
        _, browser = site.login()
        for number in range(10):
            assert site.ask("GET", "/who").status == 401
            assert site.ask("GET", "/who", ("Cookie", f"quorate-session-{site.port}=old{number}")).status == 401
        for _ in range(4):
            site.ask("GET", "/who", ("Authorization", "Bearer " + "y" * 43))
        assert site.ask("GET", "/who", site.bearer).status == 429
        assert site.ask("GET", "/who", browser.cookie).status == 200  # the person at the dashboard is not locked out


@pytest.mark.parametrize(
    ("proxies", "headers", "address", "scheme"),
    [
        ((), [("X-Forwarded-For", "203.0.113.9"), ("X-Forwarded-Proto", "https")], "127.0.0.1", "http"),
        (("192.0.2.1",), [("X-Forwarded-For", "203.0.113.9"), ("X-Forwarded-Proto", "https")], "127.0.0.1", "http"),
        (("127.0.0.1",), [("X-Forwarded-For", "203.0.113.9"), ("X-Forwarded-Proto", "https")], "203.0.113.9", "https"),
        (("127.0.0.0/8",), [("X-Forwarded-For", "6.6.6.6, 203.0.113.9, 127.0.0.5")], "203.0.113.9", "http"),
        (("127.0.0.1",), [("X-Forwarded-For", "6.6.6.6"), ("X-Forwarded-For", "203.0.113.9")], "203.0.113.9", "http"),
        (("127.0.0.1",), [("X-Forwarded-Proto", "gopher")], "127.0.0.1", "http"),
        (("127.0.0.1",), [("Forwarded", "for=203.0.113.9"), ("X-Real-IP", "203.0.113.9")], "127.0.0.1", "http"),
        (("127.0.0.1",), [("X-Forwarded-Host", "evil.example")], "127.0.0.1", "http"),
    ],
)
def test_forwarded_addresses_count_from_configured_proxies_only(make_site, proxies, headers, address, scheme):
    with make_site(proxies=proxies) as site:
        assert json.loads(site.ask("GET", "/who", site.bearer, *headers).text)["address"] == address
        cookie = site.ask("GET", "/login", *headers).headers["set-cookie"]
        assert ("Secure" in cookie, cookie.startswith("__Host-")) == ((scheme == "https"),) * 2


def test_attempts_behind_a_proxy_are_of_the_client(make_site):
    with make_site(proxies=("127.0.0.1",), attempts=1) as site:
        wrong = ("Authorization", "Bearer " + "y" * 43)
        assert site.ask("GET", "/who", wrong, ("X-Forwarded-For", "203.0.113.9")).status == 401
        assert site.ask("GET", "/who", wrong, ("X-Forwarded-For", "203.0.113.9")).status == 429
        assert site.ask("GET", "/who", wrong, ("X-Forwarded-For", "6.6.6.6, 203.0.113.9")).status == 429
        assert site.ask("GET", "/who", site.bearer, ("X-Forwarded-For", "203.0.113.10")).status == 200


def test_every_answer_has_the_headers(shared):
    assert "'unsafe" not in HEADERS["Content-Security-Policy"]
    asked = [
        shared.ask("GET", "/who", shared.bearer),
        shared.ask("GET", "/who"),
        shared.ask("GET", "/who", host="evil.example"),
        shared.ask("POST", "/who", ("Origin", "http://evil.example")),
        shared.ask("GET", "/login"),
        shared.ask("GET", "/nothing", shared.bearer),
        shared.ask("GET", "/weaker", shared.bearer),
        shared.ask("GET", "/fail", shared.bearer),
    ]
    for answer in asked:
        for name, value in HEADERS.items():
            assert answer.headers.get_all(name) == [value]
        assert answer.headers.get_all("cache-control") == ["no-store"]


def test_every_change_is_recorded_before_and_after(here):
    _, browser = here.login()
    here.ask("POST", "/who?secret=1", here.bearer, body="the body")
    here.ask("DELETE", "/nothing", browser.cookie, ("X-CSRF-Token", here.csrf(browser.cookie)))
    here.ask("GET", "/who", here.bearer)
    here.ask("POST", "/who")
    first, login, *entries = here.log()
    assert first["event"] == "first token"
    assert (login["event"], login["who"], login["address"]) == ("login", "Ann (dashboard) at 127.0.0.1", "127.0.0.1")
    assert [(entry["event"], entry["who"], entry.get("method"), entry.get("path"), entry.get("status"))
            for entry in entries] == [
        ("request", "token at 127.0.0.1", "POST", "/who", None),
        ("outcome", "token at 127.0.0.1", None, None, 200),
        ("request", "Ann (dashboard) at 127.0.0.1", "DELETE", "/nothing", None),
        ("outcome", "Ann (dashboard) at 127.0.0.1", None, None, 404),
    ]  # fmt: skip
    assert entries[0]["request"] == entries[1]["request"] != entries[2]["request"]
    assert "secret" not in (here.folder / "state" / "access.jsonl").read_text()


def test_a_failure_of_a_route_is_recorded(here):
    here.ask("POST", "/fail", here.bearer)
    assert [entry["event"] for entry in here.log()[1:]] == ["request", "outcome"]
    assert here.log()[-1]["status"] == 500


def test_what_cannot_be_recorded_is_not_done(here):
    path = here.folder / "state" / "access.jsonl"
    path.unlink()
    path.mkdir()
    answer = here.ask("POST", "/who", here.bearer)
    assert answer.status == 503
    assert answer.headers["retry-after"]
    assert here.ask("GET", "/who", here.bearer).status == 200
    assert here.ask("GET", "/who", ("Authorization", "Bearer " + "y" * 43)).status == 503
    answer, browser = here.login()
    assert answer.status == 503
    assert browser.cookie is None
