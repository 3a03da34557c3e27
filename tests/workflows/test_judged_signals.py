"""Signals with the panel's judgement: what is asked, and what is shown."""

from dataclasses import replace

import pytest

import quorate
from quorate.cli.render import signals as render
from quorate.core.clock import HOUR_MS
from quorate.core.errors import ArgumentError
from quorate.core.settings import JournalSettings, LLMSettings, ProviderSettings, Settings
from quorate.core.types import Action
from quorate.workflows.signals import signals
from stubs.chat_server import chat_server


@pytest.fixture
def settings(tmp_path):
    def of(url, **options):
        good = ProviderSettings(url, "good", name="local", cutoff="2020-01-01")
        llm = LLMSettings(technical=good, risk=replace(good, model="3278"), recordings=str(tmp_path / "r"), **options)
        return replace(Settings(), llm=llm, journal=JournalSettings(url=f"sqlite:///{tmp_path / 'j.sqlite'}"))

    return of


def until_an_entry(world):
    """Candles of two markets, of which one ends at a bar on which the bundle acts and the other at one on which not."""
    bundle = quorate.load_bundle(world.bundle)
    found = {}
    for name, acts in ((world.market.names[0], True), (world.market.names[1], False)):
        candles = world.market.candles(name)
        action = bundle.predict_frame(candles.between(start=world.end - 400 * HOUR_MS), allow_training_span=True).action
        time = candles.between(start=world.end - 400 * HOUR_MS).time
        after = (time >= world.end) & ((action != Action.HOLD) == acts)
        found[name] = candles.between(end=int(time[after][0]) + 1)
    return found


def test_the_panel_is_asked_about_entries_and_shown_beside_the_votes(world, settings, capsys):
    data = until_an_entry(world)
    with chat_server() as server:
        found = signals(world.bundle, data, settings=settings(server.url), panel=True)
        again = signals(world.bundle, data, settings=settings(server.url), panel=True)
        assert len(server.requests) == 2  # one entry, two roles; the second call read what was recorded
    assert [each.panel for each in again] == [each.panel for each in found]
    vote = found[0].panel
    assert (vote.direction, vote.confidence) == (Action.BUY, pytest.approx(0.8))
    assert [each.panel for each in found[1:]] == [None] * (len(found) - 1)
    document = found[0].to_json()["panel"]
    assert (document["strength"], document["direction"], document["share"]) == (vote.strength, "BUY", vote.share)
    assert "panel" not in found[1].to_json()
    render.show_signal(found[0])
    shown = capsys.readouterr().out
    assert f"panel: {vote.strength}, BUY 80%; {vote.share:.0%} of the ordinary stake\n" in shown
    assert "technical (good): BUY 80%. The trend is up." in shown
    assert "risk abstains: could not read the reply of the role risk: found 3278 for confidence" in shown


def test_without_the_flag_nothing_is_asked(world, settings):
    with chat_server() as server:
        found = signals(world.bundle, world.data, settings=settings(server.url))
        assert server.requests == []
    assert all(each.panel is None for each in found)


def test_a_panel_without_a_provider_is_refused(world):
    with pytest.raises(ArgumentError, match="no provider in the settings"):
        signals(world.bundle, world.data, settings=Settings(), panel=True)
