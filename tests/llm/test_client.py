"""The client against a real server: every fault ends in an outcome, in time, with its cost and without secrets."""

import logging
import shutil
import time
from dataclasses import replace
from pathlib import Path

import pytest

from quorate.core.settings import LLMSettings, ProviderSettings
from quorate.llm.client import PanelClient, Question, most_usd
from quorate.llm.client.ledger import PanelLedger
from quorate.llm.prompts import Prompt
from stubs.chat_server import FAULTS, IN_TURN, chat_server

PROMPT = Prompt(({"role": "system", "content": "s" * 100}, {"role": "user", "content": "u" * 100}), "0" * 64)
QUESTION = Question("technical", PROMPT)
KEY = "canary-key-of-the-panel-90817"


@pytest.fixture(scope="module")
def server():
    with chat_server() as running:
        yield running


@pytest.fixture(scope="module")
def journal_file(tmp_path_factory):
    """An empty journal, which takes longer to make than to copy."""
    path = tmp_path_factory.mktemp("journal") / "journal.sqlite"
    PanelLedger.open(f"sqlite:///{path}", usd_per_day=1.0, failures=100, rest_s=60.0)
    return path


@pytest.fixture
def ledger(tmp_path, journal_file):
    path = shutil.copy(journal_file, tmp_path / "journal.sqlite")
    return PanelLedger.open(f"sqlite:///{path}", usd_per_day=1.0, failures=100, rest_s=60.0)


@pytest.fixture
def ask(server, ledger):
    """Asks a model of the server one question, at a dollar for a thousand tokens."""

    def ask(model, key_env="", environment=None, **settings):
        provider = ProviderSettings(server.url, model, key_env, name="here")
        provider = replace(provider, usd_per_million_in=10.0, usd_per_million_out=100.0)
        options = {"timeout_s": 2.0, "retry_pause_s": 0.01, "reply_tokens": 1_000, **settings}
        client = PanelClient(LLMSettings(technical=provider, **options), ledger, environment or {})
        server.requests.clear()
        (asked,) = client.ask([QUESTION])
        return asked

    return ask


# Prompt of 200 letters and reply of 1,000 tokens: (100 + 50) * 10e-6 + 1,000 * 100e-6 dollars.
MOST = 0.1015
# As the server counts: 1,000 * 10e-6 + 100 * 100e-6 dollars.
USUAL = 0.02


def test_the_most_that_a_prompt_can_cost():
    provider = ProviderSettings("http://x/v1", "m", usd_per_million_in=10.0, usd_per_million_out=100.0)
    assert most_usd(LLMSettings(technical=provider, reply_tokens=1_000), provider, PROMPT) == pytest.approx(MOST)


#: Model -> form, requests and cost of its valid reply.
REPLIES = {
    "good": ("schema", 1, USUAL),
    "no schema": ("object", 2, USUAL),
    "plain only": ("plain", 3, USUAL),
    "429 once": ("schema", 2, USUAL),
    "500 once": ("schema", 2, USUAL),
    # The lost answer may have been counted.
    "cut off once": ("schema", 2, MOST + USUAL),
    "fenced": ("schema", 1, USUAL),
    "injected": ("schema", 1, USUAL),
    "no usage": ("schema", 1, None),
    "odd usage": ("schema", 1, None),
}


@pytest.mark.parametrize("model", REPLIES)
def test_what_is_answered(model, ask, ledger):
    form, requests, usd = REPLIES[model]
    asked = ask(model)
    assert (asked.reason, asked.form, asked.requests) == ("", form, requests)
    assert asked.reply is not None
    assert (asked.reply.direction.name, asked.reply.confidence, asked.reply.provider) == ("BUY", 0.8, "here")
    if usd is None:
        assert 0.0015 < asked.usd < MOST
    else:
        assert asked.usd == pytest.approx(usd)
    (spent,) = ledger.spent()
    assert (spent.provider, spent.model, spent.prompts) == ("here", model, 1)
    assert spent.usd == pytest.approx(asked.usd, abs=1e-9)
    assert ledger.resting() == []


#: Model -> reason, requests, cost, and whether the provider counts as failing.
ABSTENTIONS = {
    "429": ("status 429", 2, 0.0, True),
    "429 for an hour": ("no time to ask again in 3600 s", 1, 0.0, True),
    "500": ("status 500", 2, 0.0, True),
    "401": ("status 401", 1, 0.0, True),
    "404": ("status 404: '<html>Not found</html>'", 1, 0.0, True),
    "400": ("status 400: ", 3, 0.0, True),
    "redirect": ("status 307", 1, 0.0, True),
    "cut off": ("the connection was lost", 2, 2 * MOST, True),
    "hang up": ("the connection was lost", 2, 2 * MOST, True),
    "huge": ("an answer of more than 65536 bytes", 1, MOST, True),
    "html": ("no chat completion", 1, MOST, True),
    "no choices": ("no chat completion", 1, MOST, True),
    "gzip": ("no chat completion", 1, MOST, True),
    "long": ("for reasoning", 1, USUAL, False),
    "cut": ("The reply was cut at 1000 tokens", 1, USUAL, False),
    "wrong schema": ("Field required", 1, USUAL, False),
    "extra field": ("10 for position_multiplier", 1, USUAL, False),
    "3278": ("3278 for confidence", 1, USUAL, False),
    "nan": ("NaN in place of a number", 1, USUAL, False),
    "prose": ("expected one JSON object", 1, USUAL, False),
}


@pytest.mark.parametrize("model", ABSTENTIONS)
def test_what_is_an_abstention(model, ask, ledger):
    reason, requests, usd, failing = ABSTENTIONS[model]
    asked = ask(model)
    assert asked.reply is None
    assert reason in asked.reason
    assert (asked.requests, asked.usd) == (requests, pytest.approx(usd))
    assert [(state.provider, state.failures) for state in ledger.resting()] == ([("here", 1)] if failing else [])
    assert sum(spent.usd for spent in ledger.spent()) == pytest.approx(usd, abs=1e-9)


@pytest.mark.parametrize("model", ["drip", "late"])
def test_the_deadline_is_of_the_whole_answer(model, ask, server):
    server.pause_s = 0.05
    started = time.monotonic()
    asked = ask(model, timeout_s=0.4, retries=3)
    assert time.monotonic() - started < 1.9
    assert asked.reply is None
    assert asked.reason == "no answer within 0.4 s"
    assert asked.usd == pytest.approx(MOST)  # the provider may have counted it


def test_every_scripted_fault_is_in_a_test():
    elsewhere = {"drip", "late", "echo", "echo error", IN_TURN}
    assert FAULTS.keys() == (REPLIES.keys() | ABSTENTIONS.keys() | elsewhere) - {"good"}


def test_a_provider_that_is_not_there(ledger):
    provider = ProviderSettings("http://127.0.0.1:9/v1", "m", usd_per_million_out=100.0)
    client = PanelClient(LLMSettings(technical=provider, retry_pause_s=0.0), ledger, {})
    (asked,) = client.ask([QUESTION])
    assert "no connection" in asked.reason
    assert (asked.requests, asked.usd) == (2, 0.0)


def test_the_form_that_a_server_takes_is_remembered(server, ledger):
    client = PanelClient(LLMSettings(technical=ProviderSettings(server.url, "plain only")), ledger, {})
    assert [client.ask([QUESTION])[0].requests for _ in range(2)] == [3, 1]


def test_what_is_sent(ask, server):
    ask("good", temperature=0.25)
    (body,) = server.requests
    assert body["messages"] == list(PROMPT.messages)
    assert (body["temperature"], body["max_tokens"], body["authorization"]) == (0.25, 1_000, None)
    assert body["response_format"]["json_schema"]["strict"] is True
    ask("good", temperature=-1.0, reply_tokens=0)
    assert server.requests[0].keys() == {"model", "messages", "response_format", "authorization"}


def test_questions_are_asked_at_the_same_time_and_each_has_its_outcome(server, ledger):
    server.pause_s = 0.01  # 0.4 s a late answer
    late, good = ProviderSettings(server.url, "late"), ProviderSettings(server.url, "good")
    client = PanelClient(LLMSettings(technical=late, risk=good, parallel=20), ledger, {})
    started = time.monotonic()
    asked = client.ask([Question(role, PROMPT) for role in ("technical", "risk", "sentiment") * 5])
    assert time.monotonic() - started < 3.5  # one after the other, the late ones alone take 4 s
    assert [bool(one.reply) for one in asked] == [True, True, False] * 5
    assert {one.reason for one in asked if not one.reply} == {"no provider for the role sentiment"}


def test_a_close_has_a_deadline_too(server, ledger):
    server.pause_s = 0.02  # 0.8 s a late answer
    settings = LLMSettings(technical=ProviderSettings(server.url, "late"), parallel=1, close_s=2.0)
    asked = PanelClient(settings, ledger, {}).ask([QUESTION] * 4)
    server.pause_s = 0.05
    assert asked[0].reply is not None
    assert any(one.reason.startswith("no answer within ") for one in asked)
    assert asked[3].reason == "not asked within the 2 s of a close"


def test_keys_come_from_the_environment_and_are_nowhere_else(ask, server, ledger, caplog):
    caplog.set_level(logging.DEBUG)
    environment = {"PANEL_KEY": KEY}
    asked = [ask(model, "PANEL_KEY", environment) for model in ("echo", "echo error", "good")]
    assert server.requests[0]["authorization"] == f"Bearer {KEY}"
    assert asked[0].reply.reasoning == "You sent Bearer ***."
    assert asked[1].reason == 'status 401: \'{"error": "Incorrect API key: Bearer ***"}\''
    assert ledger.resting() == []  # the last one was answered
    everywhere = [repr(asked), caplog.text, *map(repr, ledger.spent())]
    everywhere += [path.read_bytes().decode("latin-1") for path in (*ledger_files(ledger),)]
    assert not any(KEY in text for text in everywhere)


def ledger_files(ledger):
    place = Path(ledger.place)
    return [path for path in place.parent.iterdir() if path.is_file()]


@pytest.mark.parametrize("value", [None, "", "two words of a key", "kéy-of-the-panel", "line\nbreak-of-a-key"])
def test_a_missing_or_impossible_key_is_said_before_anything_is_sent(value, ask, server):
    asked = ask("good", "PANEL_KEY", {} if value is None else {"PANEL_KEY": value})
    assert "in the environment variable PANEL_KEY" in asked.reason
    assert server.requests == []
    assert not value or value not in asked.reason


def test_a_journal_that_cannot_be_written_is_an_abstention(ask, server, ledger):
    for path in ledger_files(ledger):
        path.unlink()
    asked = ask("good")
    assert "could not book the cost of a prompt" in asked.reason
    assert server.requests == []
