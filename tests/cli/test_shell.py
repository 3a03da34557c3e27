"""What surrounds every command: one JSON document, outputs that are closed or full, limits, and canaries."""

import json
import os
import resource
import shutil
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from quorate.cli.app import main

PROGRAM = [sys.executable, "-c", "from quorate.cli.app import run; run()"]
CANARY = "Canary7c1f9e2b"


def quorate(*arguments, env=None, **options):
    options = {"capture_output": True, "encoding": "utf-8", "check": False, "timeout": 60, **options}
    return subprocess.run([*PROGRAM, *arguments], env={**os.environ, **(env or {})}, **options)


def candles(folder):
    from quorate.market.synthetic import SyntheticMarket

    SyntheticMarket(seed=1, symbols=2, bars=300).write(folder)
    return folder


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return candles(tmp_path_factory.mktemp("data"))


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("nonsense", 2),
        ("data nonsense", 2),
        ("data list", 2),
        ("data list --nonsense x", 2),
        ("data list --data /nowhere", 1),
        ("data", 2),
        ("", 2),
        ("evaluate --data x --bundle y --from yesterday", 2),
        ("signal A --data /nowhere --bundle /nowhere", 1),
        ("bundle verify /nowhere", 1),
        ("paper status --journal mysql://me:pw@h/db", 1),
    ],
)
@pytest.mark.parametrize("debug", [[], ["--debug"]])
def test_json_is_exactly_one_document_after_errors(line, code, debug, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main([*line.split(), "--json", *debug]) == code
    shown = capsys.readouterr()
    error = json.loads(shown.out)["error"]
    assert error["type"]
    assert error["attempted"]
    assert "internal error" not in shown.err


def test_an_internal_error_is_a_document_too(data):
    code = (
        "import quorate.cli.output as output\n"
        "def broken(*_, **__): raise ZeroDivisionError('x')\n"
        "output.print_result = broken\n"
        "from quorate.cli.app import run; run()"
    )
    asked = [sys.executable, "-c", code, "data", "list", "--data", data, "--json"]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert json.loads(done.stdout)["error"]["found"] == "an internal error (ZeroDivisionError)"
    assert "internal error in quorate" in done.stderr


@pytest.mark.parametrize("redirection", [">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-", "| head -c 1", ">/dev/full"])
@pytest.mark.parametrize("style", ["", "--json"])
def test_outputs_that_are_closed_or_full_are_no_fault(data, redirection, style):
    program = (
        f"{sys.executable} -c 'from quorate.cli.app import run; run()' data list --data {data} {style} {redirection}"
    )
    done = subprocess.run(program, shell=True, capture_output=True, text=True, check=False, timeout=60)
    assert "Traceback" not in done.stderr
    assert "internal error" not in done.stderr
    assert "Exception ignored" not in done.stderr
    if redirection == ">/dev/full":
        assert done.returncode == 1
        assert "could not write the output: found No space left on device" in done.stderr
    elif "head" not in redirection:
        assert done.returncode == 0


@pytest.mark.parametrize("name", [b"\xff\xfe", b"\xed\xa0\x80", b"x" * 300, b"a\xe2\x98\x83"])
@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_names_that_are_no_text_and_terminals_without_its_characters(name, encoding):
    command = [*PROGRAM, "data", "list", "--data", b"/nowhere/" + name, "--json"]
    done = subprocess.run(
        command, capture_output=True, check=False, env={**os.environ, "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}
    )
    assert done.returncode == 1, done.stderr
    assert b"internal error" not in done.stderr
    assert json.loads(done.stdout)["error"]["type"] == "DataError"


@pytest.mark.parametrize("option", ["--config", "--data"])
def test_a_named_pipe_in_place_of_a_file_is_refused_at_once(tmp_path, data, option):
    os.mkfifo(tmp_path / "pipe")
    asked = ["--config", tmp_path / "pipe"] if option == "--config" else []
    folder = tmp_path / "pipe" if option == "--data" else data
    done = quorate(*asked, "backtest", "--bundle", tmp_path, "--data", folder, "--from", "2024-01-01", "--json")
    assert done.returncode == 1
    assert "error" in json.loads(done.stdout)


def test_a_candle_file_that_is_a_named_pipe_is_refused_at_once(tmp_path):
    folder = candles(tmp_path / "data")
    victim = next(folder.rglob("*-1h-*.feather"))
    victim.unlink()
    os.mkfifo(victim)
    done = quorate("data", "check", "--data", folder, "--json")
    assert done.returncode == 1
    assert "named pipe" in done.stdout
    assert "internal error" not in done.stderr


def test_too_little_memory_is_no_fault(data):
    def limited():
        resource.setrlimit(resource.RLIMIT_AS, (170 << 20, 170 << 20))

    done = quorate("data", "check", "--data", data, "--json", preexec_fn=limited)
    assert done.returncode != 0
    assert "internal error" not in done.stderr


def test_too_many_open_files_are_no_fault(data):
    def limited():
        resource.setrlimit(resource.RLIMIT_NOFILE, (6, 6))

    done = quorate("data", "check", "--data", data, preexec_fn=limited)
    assert "internal error" not in done.stderr


def test_a_folder_without_access_is_no_fault(tmp_path):
    closed = candles(tmp_path / "data")
    closed.chmod(0)
    asked = [*PROGRAM, "data", "list", "--data", closed, "--json"]
    if os.geteuid() == 0:
        # Without these capabilities the superuser has the rights of the owner, which are none here.
        if shutil.which("setpriv") is None:
            pytest.skip("the superuser reads everything, and there is no setpriv to take that right away")
        asked = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", *asked]
    try:
        done = subprocess.run(asked, capture_output=True, text=True, check=False)
    finally:
        closed.chmod(0o755)
    assert done.returncode == 2
    assert "internal error" not in done.stderr
    assert "is not readable" in json.loads(done.stdout)["error"]["found"]


@pytest.mark.parametrize("columns", ["40", "1", "0", "x", "9" * 30])
def test_narrow_terminals_show_every_text_whole(data, columns, capsys):
    asked = (["data", "list", "--data", str(data)], ["data", "check", "--data", str(data)], ["--help"])
    with pytest.MonkeyPatch.context() as patch:  # pytest's own lines are of this width too
        patch.setenv("COLUMNS", columns)
        codes = [main(words) for words in asked]
    assert codes == [0, 0, 0]
    shown = capsys.readouterr().out
    assert "SYNA" in shown
    assert "\u2026" not in shown


class Echo(BaseHTTPRequestHandler):
    """An exchange that repeats what it was sent."""

    def do_GET(self):
        body = f"bad request {self.path} with {dict(self.headers)}".encode()
        self.send_response(400)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


#: Place -> (arguments, variables, settings file), each with the canary.
PLACES = {
    "QUORATE_EXCHANGE_KEY and _SECRET": ([], {"QUORATE_EXCHANGE_KEY": CANARY, "QUORATE_EXCHANGE_SECRET": CANARY}, ""),
    "QUORATE_WEBHOOK": ([], {"QUORATE_WEBHOOK": f"https://hooks.example.com/services/{CANARY}"}, ""),
    "QUORATE_EXCHANGE__URL": ([], {"QUORATE_EXCHANGE__URL": f"http://me:{CANARY}@HOST"}, ""),
    "QUORATE_JOURNAL__URL": ([], {"QUORATE_JOURNAL__URL": f"mysql://me:{CANARY}@h/db?password={CANARY}"}, ""),
    "a connection string in QUORATE_JOURNAL__URL": ([], {"QUORATE_JOURNAL__URL": f"host=h password={CANARY}"}, ""),
    "an unknown QUORATE variable": ([], {"QUORATE_EXCHANGE__SECRET": CANARY}, ""),
    "HTTPS_PROXY": ([], {"HTTPS_PROXY": f"http://me:{CANARY}@127.0.0.1:9"}, ""),
    "exchange.url in quorate.toml": ([], {}, f'[exchange]\nurl = "http://me:{CANARY}@HOST"\n'),
    "journal.url in quorate.toml": ([], {}, f'[journal]\nurl = "postgres:me:{CANARY}@h/db"\n'),
    "a wrong type in quorate.toml": ([], {}, f'[journal]\nurl = ["postgres://me:{CANARY}@h/db"]\n'),
    "an unknown key in quorate.toml": ([], {}, f'[exchange]\napi_secret = "{CANARY}"\n'),
    "a syntax error in quorate.toml": ([], {}, f'[exchange]\napi_secret = "{CANARY}\n'),
    "the command line": (["--exchange", f"https://me:{CANARY}@h"], {}, ""),
    "a word of the command line": ([f"postgresql://me:{CANARY}@h/db?password={CANARY}"], {}, ""),
}


@pytest.mark.parametrize("place", PLACES)
def test_no_canary_leaves_the_program(place, tmp_path):
    arguments, variables, settings = PLACES[place]
    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    host = f"127.0.0.1:{server.server_port}"
    (tmp_path / "quorate.toml").write_text(settings.replace("HOST", host))
    env = {
        "QUORATE_EXCHANGE__ATTEMPTS": "1",
        **({} if settings else {"QUORATE_EXCHANGE__URL": f"http://{host}"}),
        **{name: value.replace("HOST", host) for name, value in variables.items()},
    }
    try:
        for asked in (
            ["data", "download", "--symbols", "BTC/USDT:USDT", "--from", "2024-01-01", "--data", "d"],
            ["paper", "status"],
        ):
            # With both flags all is printed that either prints alone; without, the same text once more.
            for more in (["--json", "--debug"],) if asked[0] == "paper" else (["--json", "--debug"], []):
                done = quorate(*asked, *arguments, *more, env=env, cwd=tmp_path)
                assert done.returncode != 0
                assert CANARY not in done.stdout + done.stderr, (asked, more)
                assert CANARY.encode().hex() not in done.stdout + done.stderr
    finally:
        server.shutdown()
        server.server_close()
