"""The panel on the entries of a frame of Freqtrade: rows, shares, and the one bar that a live bot asks about."""

import numpy as np
import pytest

from quorate.core.types import Action
from quorate.integrations.freqtrade.inference.entry_judge import EntryJudge, entry_judge
from quorate.integrations.freqtrade.inference.forecaster import FrameForecast
from quorate.llm.judging_panel import JudgingPanel
from quorate.llm.panel_frame import panel_frames
from stubs.random_panel import RandomPanel
from stubs.scripted import make_world


@pytest.fixture
def forecast():
    """A forecast whose frame has two rows that Freqtrade filled in."""
    world = make_world(3, symbols=1, bars=120, gaps=False)
    ((pair, candles),) = world.candles.items()
    rows = np.arange(len(candles)) + 2 * (np.arange(len(candles)) >= 50)
    return pair, FrameForecast("id", candles, world.frames[pair], np.ones(len(candles)), rows, len(candles) + 2)


def test_every_entry_of_a_backtest_is_judged_at_its_row(forecast):
    pair, given = forecast
    panel = JudgingPanel(RandomPanel(3))
    judge = EntryJudge(panel, live=False)
    columns = judge.columns(pair, given)
    expected = panel_frames(panel, {pair: given.decisions}, {pair: given.candles})[pair]
    acted = given.decisions.action != Action.HOLD
    assert np.flatnonzero(columns["quorate_panel"] != "").tolist() == given.rows[acted].tolist()
    assert columns["quorate_panel_share"][given.rows[acted]].tolist() == expected.share[acted].tolist()
    assert columns["quorate_panel_share"][[50, 51]].tolist() == [0.0, 0.0]
    for time, share, entry in zip(given.decisions.time.tolist(), expected.share, acted, strict=True):
        assert judge.share(pair, time) == (share if entry else 0.0)


def test_a_live_bot_asks_about_the_newest_bar_only(forecast):
    pair, given = forecast
    source = RandomPanel(3)
    judge = EntryJudge(JudgingPanel(source), live=True)
    last = int(np.flatnonzero(given.decisions.action != Action.HOLD)[-1])
    newest = given._replace(
        candles=given.candles[: last + 1],
        decisions=given.decisions.select(np.arange(len(given.decisions)) <= last),
        rows=given.rows[: last + 1],
    )
    columns = judge.columns(pair, newest)
    assert len(source.asked) == 1
    assert np.flatnonzero(columns["quorate_panel"] != "").tolist() == [given.rows[last]]
    assert judge.share(pair, int(given.decisions.time[last - 1])) == 0.0
    assert judge.columns(pair, None) == {}
    assert judge.share(pair, int(given.decisions.time[last])) == 0.0


def test_without_a_provider_there_is_no_judge(make_options):
    assert entry_judge(make_options()) is None
