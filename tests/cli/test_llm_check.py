"""`quorate llm check` as a program: what is printed, the exit code, and no key anywhere."""

import json

import pytest

from stubs.chat_server import chat_server

KEY = "canary-key-of-the-check-40213"


@pytest.fixture
def environment(tmp_path, monkeypatch):
    """Sets a provider for each role: role -> model of the server."""

    def provide(url, **models):
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("PANEL_KEY", KEY)
        for role, model in models.items():
            for name, value in {"url": url, "model": model, "key_env": "PANEL_KEY", "name": "local"}.items():
                monkeypatch.setenv(f"QUORATE_LLM__{role.upper()}__{name.upper()}", value)
            monkeypatch.setenv(f"QUORATE_LLM__{role.upper()}__USD_PER_MILLION_IN", "1")

    return provide


def test_replies_and_errors_are_printed_and_the_key_is_not(environment, quorate_program, tmp_path):
    with chat_server() as server:
        environment(server.url, technical="no schema", risk="echo error")
        done = quorate_program("llm", "check")
    assert done.returncode == 1
    assert "technical: no schema of local: BUY 80% (" in done.stdout
    assert "answers by JSON object: The trend is up." in done.stdout
    assert "risk: echo error of local abstains (" in done.stdout
    assert "Incorrect API key: Bearer ***" in done.stdout
    assert "today the panel cost $0.0010 of at most $1" in done.stdout
    assert "at most $0.0240 at 1h, $0.0060 at 4h a day" in done.stdout
    assert KEY not in done.stdout + done.stderr
    assert not any(KEY.encode() in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())


def test_the_document_and_a_panel_without_a_provider(environment, quorate_program):
    with chat_server() as server:
        environment(server.url, sentiment="good")
        done = quorate_program("llm", "check", "--json")
    assert done.returncode == 0
    document = json.loads(done.stdout)
    assert document["ok"] is True
    assert document["roles"]["sentiment"]["reply"]["direction"] == "BUY"
    assert document["usd_today"] == pytest.approx(0.001)
