"""The live panel against a real server: views on entries, recordings, and what happens when everything fails."""

import logging
import time
from dataclasses import replace

import pytest

from quorate.core.clock import HOUR_MS, now_ms
from quorate.core.errors import PanelError
from quorate.core.settings import LLMSettings, ProviderSettings
from quorate.core.types import Action, Candles, Signal
from quorate.llm.live_panel import LivePanel
from quorate.llm.recordings import RecordedPanel, RecordingStore
from quorate.market import SyntheticMarket
from stubs.chat_server import REPLY, chat_server

MARKET = SyntheticMarket(seed=5, symbols=3, bars=120)
CLOSE = now_ms() // HOUR_MS * HOUR_MS


def moved(candles: Candles) -> Candles:
    """The candles of a market whose newest bar closed last."""
    return replace(candles, time=candles.time - int(candles.time[-1]) + CLOSE - HOUR_MS)


BARS = {name: moved(candles) for name, candles in MARKET.panel().items()}
NAMES = sorted(BARS)


def signal(symbol, action):
    return Signal(action, 0.8, "strong", "vote", 0.75, 0.02, (), symbol=symbol, time=CLOSE - HOUR_MS)


@pytest.fixture(autouse=True)
def _at_the_close(monkeypatch):
    """Ten minutes after the newest bar closed, however long the tests before took."""
    monkeypatch.setattr("quorate.llm.live_panel.now_ms", lambda: CLOSE + 10 * 60_000)


@pytest.fixture(scope="module")
def server():
    with chat_server() as running:
        yield running


@pytest.fixture
def panel(server, tmp_path):
    def open_(technical="good", risk="good", sentiment="good", **options):
        roles = {"technical": technical, "risk": risk, "sentiment": sentiment}
        providers = {
            role: ProviderSettings(server.url, model, name="here", cutoff=options.pop("cutoff", ""))
            for role, model in roles.items()
            if model
        }
        settings = LLMSettings(
            **providers, recordings=str(tmp_path / "replies"), timeout_s=2.0, retry_pause_s=0.0, **options
        )
        server.requests.clear()
        return LivePanel.open(settings, f"sqlite:///{tmp_path / 'journal.sqlite'}"), settings

    return open_


def test_entries_are_asked_about_and_holds_are_not(panel, server):
    server.replies = {"bear": REPLY | {"direction": "SELL", "confidence": 0.6}}
    live, _ = panel(risk="bear", sentiment="")
    signals = [signal(NAMES[0], Action.BUY), signal(NAMES[1], Action.HOLD), signal(NAMES[2], Action.SELL)]
    views = live.views(CLOSE, signals, BARS)
    assert list(views) == [NAMES[0], NAMES[2]]
    for view in views.values():
        assert [(reply.role, reply.model, reply.direction, reply.confidence) for reply in view.replies] == [
            ("technical", "good", Action.BUY, 0.8),
            ("risk", "bear", Action.SELL, 0.6),
        ]
        assert (view.abstentions, view.contaminated) == ((), False)
    assert len(server.requests) == 4


def test_nothing_is_asked_twice_and_a_backtest_reads_what_was_recorded(panel, server):
    live, settings = panel(risk="3278")
    signals = [signal(NAMES[0], Action.BUY)]
    first = live.views(CLOSE, signals, BARS)
    assert len(server.requests) == 3
    again, _ = panel(risk="3278")
    assert again.views(CLOSE, signals, BARS) == first
    assert server.requests == []
    assert RecordedPanel(settings).views(CLOSE, signals, BARS) == first
    recordings = list(RecordingStore(settings.recordings).read())
    assert {(one.key.model, one.tokens_in, one.tokens_out) for one in recordings} == {
        ("good", 1_000, 100),
        ("3278", 1_000, 100),
    }
    assert "3278 for confidence" in first[NAMES[0]].abstentions[0].reason


def test_a_provider_that_did_not_answer_is_asked_again(panel, server):
    live, _ = panel("500 once", "", "", retries=0)
    server.requests.clear()
    reasons = [live.views(CLOSE, [signal(NAMES[0], Action.BUY)], BARS)[NAMES[0]].abstentions for _ in range(2)]
    assert [[one.reason[:10] for one in each] for each in reasons] == [["status 500"], []]


def test_all_roles_fail_and_all_abstain_with_their_reasons(panel):
    live, _ = panel("401", "drip", "wrong schema", failures=50)
    started = time.monotonic()
    (view,) = live.views(CLOSE, [signal(NAMES[0], Action.SELL)], BARS).values()
    assert time.monotonic() - started < 4
    assert view.replies == ()
    assert [one.role for one in view.abstentions] == ["technical", "risk", "sentiment"]
    reasons = [one.reason for one in view.abstentions]
    assert reasons[0].startswith("status 401")
    assert reasons[1] == "no answer within 2 s"
    assert "Field required" in reasons[2]


def test_a_market_with_too_few_bars_is_not_asked_about(panel, server):
    live, _ = panel()
    short = {NAMES[0]: BARS[NAMES[0]].tail(50)}
    (view,) = live.views(CLOSE, [signal(NAMES[0], Action.BUY)], short).values()
    assert {one.reason for one in view.abstentions} == {"50 closed bars"}
    assert server.requests == []


def test_no_bar_after_the_close_reaches_a_prompt(panel, server):
    live, _ = panel()
    with pytest.raises(PanelError, match="expected bars that are closed by then"):
        live.views(CLOSE - 1, [signal(NAMES[0], Action.BUY)], BARS)
    assert server.requests == []


@pytest.mark.parametrize(("cutoff", "contaminated"), [("2020-01-01", False), ("2999-01-01", True), ("", True)])
def test_a_reply_on_an_older_bar_of_a_model_that_may_know_it_is_marked(cutoff, contaminated, panel):
    live, _ = panel("good", "", "", cutoff=cutoff)
    older = {NAMES[0]: BARS[NAMES[0]][:-2]}
    for _ in range(2):  # asked, and read from the recording
        (view,) = live.views(CLOSE - 2 * HOUR_MS, [signal(NAMES[0], Action.BUY)], older).values()
        assert view.contaminated is contaminated


def test_a_recording_that_cannot_be_written_costs_no_reply(panel, caplog, tmp_path):
    (tmp_path / "replies").write_text("a file in place of the folder")
    live, _ = panel("good", "", "")
    with caplog.at_level(logging.WARNING):
        (view,) = live.views(CLOSE, [signal(NAMES[0], Action.BUY)], BARS).values()
    assert len(view.replies) == 1
    assert "The reply counts all the same" in caplog.text


def test_the_digest_tells_panels_apart(panel):
    digests = [panel(*models)[0].digest for models in (("a", "b", "c"), ("a", "b", "d"), ("a", "b", ""))]
    assert len(set(digests)) == 3
    assert panel("a", "b", "c")[0].digest == digests[0]
    assert panel("a", "b", "c", temperature=0.5)[0].digest != digests[0]
