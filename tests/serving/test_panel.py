"""The panel's judgement of the account's entries: `/signals`, the page "Now", and the events."""

from dataclasses import replace

import pytest

from quorate.core.sections.llm import LLMSettings, ProviderSettings
from quorate.market.files.candle_store import write_candles
from quorate.serving.documents.signals import SignalDocument
from quorate.workflows.paper import PaperAccount
from serving.conftest import ACCOUNT_SETTINGS
from stubs.events import listening
from stubs.waiting import eventually


@pytest.fixture
def account(tmp_path):
    """An account whose panel has one provider and no recorded reply: it vetoes."""
    provider = ProviderSettings(url="http://127.0.0.1:9/v1", model="small", cutoff="2020-01-01")
    settings = replace(ACCOUNT_SETTINGS, llm=LLMSettings(technical=provider, recordings=str(tmp_path / "recordings")))
    return PaperAccount("paper", f"sqlite:///{tmp_path / 'paper' / 'journal.sqlite'}", settings=settings)


def test_a_judgement_is_shown_beside_the_votes_of_its_bar(account, trade, world, page):
    with listening(page) as listener:
        trade(60, guards=False)
        judged = [entry.record for entry in account.records(None, kinds="panel")]
        listener.wait(lambda found: len(found.of("panel")) >= len(judged) > 0)
        event = listener.of("panel")[-1].data
    newest = judged[-1]
    assert (event["symbol"], event["strength"], event["share"]) == (newest.symbol, "NO_SIGNAL", 0.0)
    # The newest candle that is served becomes that of the judgement.
    for symbol in world.symbols:
        write_candles(world.data, world.market.candles(symbol).between(end=newest.time + 1))
    signal = eventually(lambda: (found := page.get(f"/signals/{newest.symbol}").json()).get("panel") and found)
    SignalDocument.model_validate(signal)
    assert signal["panel"] == newest.vote.to_json()
    (silent,) = signal["panel"]["view"]["abstentions"]
    assert silent["role"] == "technical"
    assert "no signal" in page.get("/dashboard").text
    assert f"technical abstains: {silent['reason'][:12]}" in page.get("/dashboard").text


def test_another_bar_has_no_judgement(account, trade, world, page):
    trade(60, guards=False)
    (entry,) = account.records(1, kinds="panel")
    newest = entry.record
    eventually(lambda: page.get("/paper").status_code == 200)
    assert newest.time < int(world.market.candles(newest.symbol).time[-1])
    assert "panel" not in page.get(f"/signals/{newest.symbol}").json()
