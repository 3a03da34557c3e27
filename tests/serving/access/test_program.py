"""`quorate serve` and `quorate token` as programs: the token is shown once, and is nowhere else.

The program runs on a terminal of its own. Whatever it prints, answers or stores afterwards is searched for every token
that it accepted, in every form.
"""

import base64
import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest

from quorate.serving.access.token import TOKEN, read_hash
from stubs.web import ask

from .conftest import FORM, cookie_of, csrf_of

QUORATE = [sys.executable, "-c", "from quorate.cli.app import run; run()"]


class Terminal:
    """A program on a terminal, and what it printed there."""

    def __init__(self, command, **variables):
        self._master, slave = pty.openpty()
        self.process = subprocess.Popen(
            command, stdin=slave, stdout=slave, stderr=slave, env={**os.environ, **variables}, start_new_session=True
        )
        os.close(slave)
        self.text = ""
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self):
        while select.select([self._master], [], [], 60)[0]:
            try:
                part = os.read(self._master, 65_536)
            except OSError:  # the program has ended
                return
            self.text += part.decode()

    def wait_for(self, pattern):
        until = time.monotonic() + 40
        while time.monotonic() < until:
            if found := re.search(pattern, self.text):
                return found
            assert self.process.poll() is None, self.text
            time.sleep(0.02)
        raise AssertionError(self.text)

    def end(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        self.process.wait(20)
        self._reader.join(20)
        os.close(self._master)


def serve(world, *arguments, **variables):
    command = [*QUORATE, "serve", "--bundle", str(world.bundles), "--data", str(world.data), "--port", "0", *arguments]
    return Terminal(command, **variables)


@contextmanager
def serving(world, *arguments, **variables):
    """The program on a terminal, with its port."""
    terminal = serve(world, *arguments, **variables)
    try:
        yield terminal, int(terminal.wait_for(r"listening on https?://[^\s]+:(\d+)")[1])
    finally:
        terminal.end()


def quorate(*arguments):
    return subprocess.run([*QUORATE, *arguments], capture_output=True, text=True, check=False)


def forms(token):
    """The forms in which a text or a file could hold a token."""
    raw = token.encode()
    for secret in (token, token.removeprefix("quorate_")):
        yield from (secret, quote(secret, safe=""), secret.encode().hex())
    encoded = base64.b64encode(raw).decode().rstrip("=")
    yield from (encoded, base64.urlsafe_b64encode(raw).decode().rstrip("="), repr(raw)[2:-1])


def assert_absent(token, text, where):
    for form in forms(token):
        assert form not in text, where


def test_the_token_is_shown_once_and_is_nowhere_else(world, tmp_path):
    journal = ("--journal", "sqlite:///journal.sqlite", "--account", "canary")
    with serving(world, "--debug", *journal, PYTHONASYNCIODEBUG="1") as (terminal, port):
        token = terminal.wait_for(r"shown only now:\s+(\S+)")[1]
        assert TOKEN.fullmatch(token)
        assert terminal.text.count(token) == 1
        bearer = ("Authorization", f"Bearer {token}")
        answers = []

        def request(method, path, *headers, **more):
            answers.append(ask(port, method, path, *headers, **more))
            return answers[-1]

        # Right, wrong, and in every place where it does not belong.
        assert request("GET", "/signals", bearer).status == 200
        assert request("GET", f"/signals/{world.symbols[0]}", bearer).status == 200
        for path in ("/health/ready", "/metrics", "/openapi.json", "/bundles", "/models", "/paper", "/events?kinds=x"):
            request("GET", path, bearer)
        for path in (f"/signals/{token}", f"/nothing/{token}", f"/signals?symbols={token}", f"/bundles/{token}",
                     f"/journal?text={token}&kinds={token}", f"/login?next=/{token}"):  # fmt: skip
            request("GET", path, bearer)
            request("GET", path)
        request("GET", "/signals", bearer, bearer)
        request("GET", "/signals", ("Authorization", f"Basic {token}"))
        request("GET", "/signals", bearer, host=f"{token}.example")
        request("POST", f"/bundles/{world.ids[1]}/promote", bearer, ("Origin", f"http://{token}"))
        content = ("Content-Type", "application/json")
        for body in (
            f'{{"why": "{token}"}}',
            f'{{"why": "{token}',
            f'{{"why": ["{token}"]}}',
            f'{{"{token}": 1}}',
            "{",
        ):
            request("POST", f"/bundles/{world.ids[1]}/promote", bearer, content, body=body)
        assert request("POST", "/bundles/rollback", bearer, content, body='{"why": "back"}').status == 200
        request("POST", f"/guards/{token}/rearm", bearer, content, body=f'{{"note": "{token}"}}')
        form = request("GET", "/login")
        fields = urlencode({"token": token, "name": token, "csrf": csrf_of(form), "next": f"/{token}"})
        login = request("POST", "/login", cookie_of(form, "login"), FORM, body=fields)
        assert login.status == 303
        session = cookie_of(login, "session")
        assert request("GET", "/login", session).status == 200
        request("POST", "/logout", session, FORM, body=urlencode({"csrf": token}))
        fields = urlencode({"token": token + "x", "csrf": csrf_of(form)})
        assert request("POST", "/login", cookie_of(form, "login"), FORM, body=fields).status == 401
        # What the system shows of the process.
        process = Path(f"/proc/{terminal.process.pid}")
        for name in ("cmdline", "environ"):
            assert_absent(token, (process / name).read_bytes().decode(errors="replace"), name)
        # A new one while it runs.
        made = quorate("token", "--new", "--json")
        second = json.loads(made.stdout)["token"]
        assert second not in made.stderr
        assert request("GET", "/signals", bearer).status == 401
        assert request("GET", "/signals", session).status == 401
        assert request("GET", "/signals", ("Authorization", f"Bearer {second}")).status == 200
    with serving(world, "--debug", *journal) as (again, _):
        pass
    assert "shown only now" not in again.text
    shown = terminal.text.replace(token, "", 1)
    for name, secret in (("first", token), ("second", second)):
        assert_absent(secret, shown + again.text, f"{name} token in the log")
        for answer in answers:
            # A path that a request named comes back in the address that the login leads to, and nowhere else.
            kept = "\n".join(f"{key}: {value}" for key, value in answer.headers.items() if key.lower() != "location")
            if "next" not in answer.text or answer.status != 200:
                assert_absent(secret, f"{kept}\n{answer.text}", f"{name} token in the answer {answer.text[:200]}")
        for path in tmp_path.rglob("*"):
            if path.is_file():
                assert_absent(secret, path.read_bytes().decode(errors="replace"), f"{name} token in {path}")
    assert {path.name for path in (tmp_path / "service").iterdir()} == {"token.json", "access.jsonl"}


def test_an_internal_error_has_no_token_and_all_headers(world, tmp_path):
    """A route that fails with the whole request in its error, in the program as it is."""
    (tmp_path / "failing.py").write_text(FAILING)
    (tmp_path / "quorate.toml").write_text("[access]\nattempts = 1000\n")
    token = quorate("token", "--new").stdout.strip()
    done = subprocess.run(
        [sys.executable, "failing.py", str(world.bundles), str(world.data), token],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert "Traceback" in done.stderr
    assert "a failure with" in done.stderr
    assert "***" in done.stderr
    assert_absent(token, done.stdout + done.stderr, done.stderr)
    # The answer to the error has the headers of every other.
    assert done.stdout.startswith("500")
    for header in ("content-security-policy", "x-content-type-options", "referrer-policy", "no-store"):
        assert header in done.stdout.lower()


FAILING = """
import asyncio, logging, sys, threading
sys.path[:0] = [path for path in sys.path if path]
from quorate.core.settings import Settings
from quorate.serving import Service, create_app
from quorate.serving.server import Server, configuration, listen
import http.client, time

logging.basicConfig(level=logging.DEBUG)
bundles, data, token = sys.argv[1:]
service = Service(bundles, data, settings=Settings())
config = configuration(service)

@config.app.get("/fail")
async def fail(request: __import__("starlette.requests").requests.Request):
    raise RuntimeError(f"a failure with {request.headers} and {request.headers['authorization'].split()[1]}")

with listen("127.0.0.1", 0, service.settings.access) as listener:
    server = Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    while not server.started:
        time.sleep(0.01)
    connection = http.client.HTTPConnection("127.0.0.1", listener.getsockname()[1])
    connection.request("GET", "/fail", headers={"Authorization": f"Bearer {token}"})
    answer = connection.getresponse()
    print(answer.status, answer.headers, answer.read())
    connection.close()
    server.should_exit = True
    thread.join()
"""


@pytest.mark.parametrize("delay", [0.3, 0.8, 1.3])
def test_a_first_start_that_is_killed_leaves_no_token_or_a_whole_one(world, tmp_path, delay):
    terminal = serve(world)
    time.sleep(delay)
    terminal.end(signal.SIGKILL)
    file = tmp_path / "service" / "token.json"
    if file.exists():
        assert read_hash(file)
    with serving(world) as (again, port):
        shown = re.search(r"shown only now:\s+(\S+)", again.text)
        assert bool(shown) is ("shown only now" in again.text)
        token = shown[1] if shown else quorate("token", "--new").stdout.strip()
        assert ask(port, "GET", "/models", ("Authorization", f"Bearer {token}")).status == 200


def test_without_a_terminal_no_token_is_made(world, tmp_path):
    command = [*QUORATE, "serve", "--bundle", str(world.bundles), "--data", str(world.data), "--port", "0"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    lines = []
    for line in process.stderr:
        lines.append(line)
        if "listening on" in line:
            break
    process.terminate()
    process.communicate()
    assert any("no token yet" in line and "quorate token --new" in line for line in lines)
    assert not (tmp_path / "service" / "token.json").exists()


def test_the_command_shows_whether_there_is_a_token(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    absent = json.loads(quorate("token", "--json").stdout)
    assert absent == {"exists": False, "file": "service/token.json", "made": None}
    assert "no token in service/token.json" in quorate("token").stdout
    made = quorate("token", "--new")
    token = made.stdout.strip()
    assert TOKEN.fullmatch(token)
    assert made.stderr == ""
    found = json.loads(quorate("token", "--json").stdout)
    assert found["exists"] is True
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", found["made"])
    assert token not in quorate("token").stdout
    (entry,) = [json.loads(line) for line in (tmp_path / "service" / "access.jsonl").read_text().splitlines()]
    assert (entry["event"], entry["address"]) == ("new token", "local")
    assert entry["who"]


def test_a_token_of_ones_own_is_not_replaced(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own").write_text("0123456789abcdef0123456789abcdef\n")
    (tmp_path / "quorate.toml").write_text('[access]\nbearer_file = "own"\n')
    assert json.loads(quorate("token", "--json").stdout) == {"exists": True, "file": "own", "made": None}
    done = quorate("token", "--new", "--json")
    assert done.returncode == 1
    assert "a token of your own in own" in json.loads(done.stdout)["error"]["found"]
    (tmp_path / "own").write_text("short")
    done = quorate("token")
    assert done.returncode == 1
    assert "openssl rand -hex 32" in done.stderr


def test_a_public_address_is_refused_with_the_reason(world):
    command = [*QUORATE, "serve", "--bundle", str(world.bundles), "--data", str(world.data), "--host", "0.0.0.0"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    assert "they could read the token on its way" in done.stderr
    assert "access.behind_proxy" in done.stderr
