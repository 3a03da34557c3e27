"""The panel of past bars: recordings only, none of a bar that its model may know."""

from dataclasses import replace

import pytest

from quorate.core.clock import HOUR_MS, format_ms, parse_ms
from quorate.core.errors import PanelError, RecordingError
from quorate.core.sections.llm import LLMSettings, ProviderSettings
from quorate.core.types import Action, Signal
from quorate.llm import RoleAbstention, RoleReply
from quorate.llm.prompts import prompt_of
from quorate.llm.recordings import RecordedPanel, Recording, RecordingKey, RecordingStore
from quorate.market.synthetic import SyntheticMarket

MARKET = SyntheticMarket(seed=5, symbols=2, bars=160)
A, B = MARKET.names
PANEL = MARKET.panel()
CLOSE = int(PANEL[A].time[120]) + HOUR_MS
BARS = {symbol: candles.between(end=CLOSE) for symbol, candles in PANEL.items()}
LATER = CLOSE + 400 * 86_400_000
BEFORE = format_ms(CLOSE - 24 * HOUR_MS)


def provider(**changed):
    return ProviderSettings(url="http://127.0.0.1:1/v1", model="m", name="local", cutoff=BEFORE, **changed)


@pytest.fixture
def settings(tmp_path):
    return LLMSettings(technical=provider(), risk=provider(), recordings=str(tmp_path))


def signal(symbol, action):
    return Signal(action, 0.8, "strong", "vote", 0.8, 0.01, (), symbol=symbol, time=CLOSE - HOUR_MS)


def record(settings, symbol, role, direction=Action.BUY, confidence=0.7, asked=LATER, **changed):
    """Record one reply, or the abstention for a reason."""
    digest = prompt_of(role, symbol, "1h", BARS[symbol]).digest
    outcome = RoleReply(role, "local", "m", direction, confidence)
    if "reason" in changed:
        outcome = RoleAbstention(role, changed.pop("reason"))
    key = RecordingKey("local", "m", digest, CLOSE)
    made = Recording(key, role, symbol, "1h", "{}", outcome, asked, parse_ms(BEFORE), usd=0.25)
    RecordingStore(settings.recordings).put(replace(made, **changed))


def test_recorded_replies_and_missing_ones(settings):
    record(settings, A, "technical")
    record(settings, A, "risk", Action.SELL, 0.9)
    record(settings, B, "risk", reason="an empty text")
    panel = RecordedPanel(settings)
    found = panel.views(CLOSE, [signal(A, Action.BUY), signal(B, Action.SELL)], BARS)
    assert [(reply.role, reply.direction, reply.confidence) for reply in found[A].replies] == [
        ("technical", Action.BUY, 0.7), ("risk", Action.SELL, 0.9),
    ]  # fmt: skip
    assert found[A].abstentions == ()
    assert found[B].replies == ()
    assert [(each.role, each.reason) for each in found[B].abstentions] == [
        ("technical", "no recording"), ("risk", "an empty text"),
    ]  # fmt: skip
    assert not found[A].contaminated
    usage = panel.usage.to_json()
    assert usage["replies"] == {"technical": 1, "risk": 1}
    assert usage["abstentions"] == {"no recording": 1, "an empty text": 1}
    assert usage["usd"] == 0.75
    assert panel.usage.marks == []
    # The same bars again, as other accounts of one evaluation read them, count once.
    panel.views(CLOSE, [signal(A, Action.SELL)], BARS)
    assert panel.usage.to_json() == usage


def test_nothing_is_asked_about_a_hold(settings):
    record(settings, A, "technical")
    panel = RecordedPanel(settings)
    assert panel.views(CLOSE, [signal(A, Action.HOLD)], BARS) == {}
    assert panel.usage.to_json()["replies"] == {}


@pytest.mark.parametrize(
    "changed", [{"close": CLOSE + HOUR_MS}, {"prompt": "0" * 64}, {"provider": "other"}, {"model": "other"}]
)
def test_a_reply_to_something_else_is_missing(settings, changed):
    digest = prompt_of("risk", A, "1h", BARS[A]).digest
    key = replace(RecordingKey("local", "m", digest, CLOSE), **changed)
    reply = RoleReply("risk", key.provider, key.model, Action.BUY, 0.9)
    RecordingStore(settings.recordings).put(Recording(key, "risk", A, "1h", "{}", reply, LATER, parse_ms(BEFORE)))
    view = RecordedPanel(settings).view(CLOSE, BARS[A])
    assert [each.reason for each in view.abstentions] == ["no recording", "no recording"]


@pytest.mark.parametrize(
    ("recorded", "stated"),
    [(format_ms(CLOSE + 60_000), BEFORE), (BEFORE, format_ms(CLOSE + 60_000)), (None, "")],
    ids=["recorded", "stated now", "unknown"],
)
def test_a_bar_that_the_model_may_know_is_refused_or_marked(settings, recorded, stated):
    record(settings, A, "risk", cutoff=None if recorded is None else parse_ms(recorded))
    record(settings, B, "risk", reason="an empty text", cutoff=None if recorded is None else parse_ms(recorded))
    settings = replace(settings, risk=replace(provider(), cutoff=stated))
    with pytest.raises(RecordingError, match=r'risk on SYNA.*llm\.contaminated = "mark"'):
        RecordedPanel(settings).views(CLOSE, [signal(A, Action.BUY)], BARS)
    # An abstention knows nothing.
    assert not RecordedPanel(settings).view(CLOSE, BARS[B]).contaminated
    panel = RecordedPanel(replace(settings, contaminated="mark"))
    assert panel.view(CLOSE, BARS[A]).contaminated
    assert not panel.view(CLOSE, BARS[B]).contaminated
    assert panel.usage.to_json()["contaminated"] == {"m": 1}
    (mark,) = panel.usage.marks
    assert mark.startswith("CONTAMINATED: 1 replies of m ")


def test_a_cutoff_without_a_time_is_the_end_of_the_day():
    assert replace(provider(), cutoff="2025-01-31").cutoff_ms() == parse_ms("2025-02-01")
    assert replace(provider(), cutoff="2025-01-31T06:00").cutoff_ms() == parse_ms("2025-01-31T06:00")
    assert replace(provider(), cutoff="").cutoff_ms() is None


def test_a_reply_that_was_asked_for_live_is_clean(settings):
    record(settings, A, "risk", asked=CLOSE + 2_000, cutoff=None)
    settings = replace(settings, risk=replace(provider(), cutoff=""))
    view = RecordedPanel(settings).view(CLOSE, BARS[A])
    assert view.replies
    assert not view.contaminated


def test_bars_after_the_close_are_refused(settings):
    with pytest.raises(PanelError, match="closed by then"):
        RecordedPanel(settings).view(CLOSE, PANEL[A])


def test_too_few_bars_are_an_abstention(settings):
    view = RecordedPanel(settings).view(CLOSE, BARS[A].tail(90))
    assert [each.reason for each in view.abstentions] == ["90 closed bars", "90 closed bars"]


def test_an_altered_recording_ends_the_run(settings):
    record(settings, A, "risk")
    (path,) = RecordingStore(settings.recordings).folder.rglob("*.json")
    path.write_text(path.read_text().replace('"confidence":0.7', '"confidence":0.9'))
    with pytest.raises(RecordingError, match="altered"):
        RecordedPanel(settings).view(CLOSE, BARS[A])


def test_the_digest_tells_panels_apart(settings):
    digests = {
        RecordedPanel(each).digest
        for each in (
            settings,
            replace(settings, risk=replace(provider(), model="n")),
            replace(settings, risk=replace(provider(), name="other")),
            replace(settings, risk=replace(provider(), cutoff="")),
            replace(settings, sentiment=provider()),
            replace(settings, contaminated="mark"),
        )
    }
    assert len(digests) == 6
    assert all(len(digest) == 16 for digest in digests)
    assert RecordedPanel(settings).digest in digests


def test_what_was_used_tells_runs_apart(settings):
    def used():
        panel = RecordedPanel(settings)
        panel.view(CLOSE, BARS[A])
        return panel.usage.to_json()["recordings"]

    none = used()
    record(settings, A, "risk")
    assert used() != none
    assert used() == used()


def test_many_reasons_are_summed_up(settings):
    panel = RecordedPanel(settings)
    for number in range(30):
        panel.usage.count(RoleAbstention("risk", f"reason {number % 20}"), None, False)
    found = panel.usage.to_json()["abstentions"]
    assert len(found) == 11
    assert sum(found.values()) == 30
