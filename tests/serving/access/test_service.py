"""Access to the whole service: its streams, its records, its dashboard and its encryption."""

import json
import ssl
import urllib.request
from urllib.parse import urlencode

from quorate.ensemble.bundle.bundle_store import BundleStore
from quorate.serving.access import new_token
from quorate.serving.access.access_control import OPEN
from stubs.certificates import write_certificate
from stubs.events import listening
from stubs.service_client import client, token_of
from stubs.waiting import eventually
from stubs.web import ask

from .conftest import FORM, cookie_of, csrf_of
from .test_program import quorate, serving


def log_in(page, service, name="Ann"):
    """The cookie of a login."""
    port = page.base_url.port
    form = ask(port, "GET", "/login")
    fields = urlencode({"token": token_of(service), "name": name, "csrf": csrf_of(form)})
    return cookie_of(ask(port, "POST", "/login", cookie_of(form, "login"), FORM, body=fields), "session")


def csrf_header(page, cookie):
    return ("X-CSRF-Token", csrf_of(ask(page.base_url.port, "GET", "/login", cookie)))


def entries(service):
    return [json.loads(line) for line in service.access.log.path.read_text().splitlines()]


def test_every_operation_of_the_description_needs_the_token(page):
    """Those that anyone may ask for are the open ones; no route of another part is forgotten."""
    described = page.get("/openapi.json").json()
    assert len(described["paths"]) > 10
    for path, operations in described["paths"].items():
        filled = path.replace("{", "x").replace("}", "x")
        for method in operations:
            answer = ask(page.base_url.port, method.upper(), filled)
            assert (answer.status == 401) is (path not in OPEN), (method, path)


def test_every_page_of_the_dashboard_needs_a_login(page):
    port = page.base_url.port
    for path in ("/", "/dashboard", "/dashboard/bundles", "/static/x/app.css"):
        answer = ask(port, "GET", path, ("Accept", "text/html"))
        assert (answer.status, answer.headers["location"]) == (303, f"/login?next={path}")
        assert ask(port, "POST", path, ("Accept", "text/html")).status == 401


def test_who_changed_the_champion_stands_in_its_history_and_in_the_log(page, shown, world):
    cookie = log_in(page, shown)
    body = json.dumps({"why": "better"})
    path = f"/bundles/{world.ids[1]}/promote"
    content = ("Content-Type", "application/json")
    port = page.base_url.port
    assert ask(port, "POST", path, cookie, content, body=body).status == 403
    assert BundleStore(world.bundles).champion() == world.ids[0]
    assert ask(port, "POST", path, cookie, content, csrf_header(page, cookie), body=body).status == 200
    assert page.post("/bundles/rollback", json={"why": "worse"}).status_code == 200
    ann, program = "Ann (dashboard) at 127.0.0.1", "token at 127.0.0.1"
    history = [(entry.action, entry.by, entry.why) for entry in BundleStore(world.bundles).history()][-2:]
    assert history == [("promote", ann, "better"), ("rollback", program, "worse")]
    recorded = [(entry["event"], entry["who"], entry.get("path"), entry.get("status")) for entry in entries(shown)]
    assert recorded == [
        ("login", ann, None, None),
        ("request", ann, path, None),
        ("outcome", ann, None, 200),
        ("request", program, "/bundles/rollback", None),
        ("outcome", program, None, 200),
    ]


def test_who_rearmed_a_guard_stands_in_the_journal(page, shown, account, trade):
    trade(80)
    cookie = log_in(page, shown, name="Bob")
    headers = (cookie, ("Content-Type", "application/json"), csrf_header(page, cookie))
    path = "/guards/confidence/rearm"
    answer = ask(page.base_url.port, "POST", path, *headers, body=json.dumps({"note": "seen by hand"}))
    assert answer.status == 200
    (request,) = [entry.record for entry in account.records(None, kinds="human")]
    assert (request.who, request.note) == ("Bob (dashboard) at 127.0.0.1", "seen by hand")
    assert [entry["path"] for entry in entries(shown) if entry["event"] == "request"] == [path]


def test_a_stream_of_events_ends_with_the_token_of_its_caller(page, shown, account, trade):
    trade(2)
    with listening(page) as stream:
        assert stream.status == 200
        new_token(shown.settings.access)
        assert stream.ended.wait(10)
    assert page.get("/events").status_code == 401
    eventually(lambda: shown.admission.streams == 0 and len(shown.events) == 0)


def test_a_stream_of_events_ends_with_the_login_of_its_caller(page, shown, account, trade):
    trade(2)
    ann, bob = log_in(page, shown), log_in(page, shown, name="Bob")
    del page.headers["Authorization"]
    with listening(page, headers=dict([ann])) as first, listening(page, headers=dict([bob])) as second:
        assert (first.status, second.status) == (200, 200)
        assert ask(page.base_url.port, "POST", "/logout", ann, csrf_header(page, ann)).status == 303
        assert first.ended.wait(10)
        assert not second.ended.wait(1)


def test_the_program_encrypts(world, tmp_path):
    certificate, key = write_certificate(tmp_path)
    files = {"QUORATE_ACCESS__TLS_CERTIFICATE_FILE": str(certificate), "QUORATE_ACCESS__TLS_KEY_FILE": str(key)}
    token = quorate("token", "--new").stdout.strip()
    trusting = ssl.create_default_context(cafile=str(certificate))
    with serving(world, "--host", "0.0.0.0", **files) as (terminal, port):
        assert f"listening on https://0.0.0.0:{port}" in terminal.text
        asked = urllib.request.Request(f"https://localhost:{port}/models", headers={"Authorization": f"Bearer {token}"})
        with urllib.request.urlopen(asked, context=trusting) as answer:
            assert answer.status == 200
        with urllib.request.urlopen(f"https://127.0.0.1:{port}/login", context=trusting) as answer:
            assert answer.headers["set-cookie"].startswith("__Host-")
            assert "Secure" in answer.headers["set-cookie"]


def test_tokens_of_files_serve_the_whole_and_the_monitoring(world, tmp_path):
    (tmp_path / "own").write_text("0123456789abcdef0123456789abcdef\n")
    (tmp_path / "monitor").write_text("fedcba9876543210fedcba9876543210\n")
    files = {"QUORATE_ACCESS__BEARER_FILE": "own", "QUORATE_ACCESS__MONITOR_FILE": "monitor"}
    with serving(world, **files) as (terminal, port):
        assert "shown only now" not in terminal.text
        own, monitor = (
            ("Authorization", f"Bearer {(tmp_path / name).read_text().strip()}") for name in ("own", "monitor")
        )
        assert [ask(port, "GET", path, own).status for path in ("/models", "/metrics", "/health/ready")] == [200] * 3
        assert [ask(port, "GET", path, monitor).status for path in ("/metrics", "/health/ready")] == [200] * 2
        assert ask(port, "GET", "/models", monitor).status == 403
        (tmp_path / "own").write_text("another0123456789another0123456789\n")
        assert ask(port, "GET", "/models", own).status == 401
    assert not (tmp_path / "service" / "token.json").exists()


def test_two_services_of_one_machine_keep_their_logins_apart(make_service, tmp_path):
    first = make_service()
    with client(first) as one, client(first) as other:
        cookies = [log_in(each, first) for each in (one, other)]
        assert cookies[0][1].split("=")[0] != cookies[1][1].split("=")[0]
