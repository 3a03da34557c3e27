"""Nothing is held across a change of the price scale, in a backtest and in a session alike."""

from dataclasses import replace

import numpy as np
import pytest

from quorate.core.clock import HOUR_MS
from quorate.core.settings import CostSettings
from quorate.core.types import Action, Candles
from quorate.trading.paper import ReplayFeed
from stubs.scripted import make_world

CHANGE = 100  # row of the first bar at the new scale


def rescaled(world, factor, pause):
    """The world with its first market at another scale from `CHANGE` on, after a pause of some bars."""
    name = next(iter(world.candles))
    whole = world.candles[name]
    columns = []
    for column in (whole.open, whole.high, whole.low, whole.close):
        column = column.copy()
        column[CHANGE:] *= factor
        columns.append(column)
    kept = np.ones(len(whole), bool)
    kept[CHANGE - pause : CHANGE] = False
    changed = Candles(name, "1h", whole.time[kept], *(c[kept] for c in columns), whole.volume[kept], synthetic=True)
    frame = world.frames[name]
    action, confidence = np.full(len(whole), Action.HOLD, np.int8), frame.confidence.copy()
    # Decided three bars before the pause, and on the last bar before the change.
    for row in (CHANGE - pause - 3, CHANGE - pause - 1):
        action[row], confidence[row] = Action.BUY if factor < 1 else Action.SELL, 0.9
    whole_frame = replace(frame, action=action, confidence=confidence)
    fields = {
        n: getattr(whole_frame, n)[kept]
        for n in ("time", "action", "confidence", "base", "consensus", "rule", "volatility")
    }
    scores = {model: score[kept] for model, score in whole_frame.scores.items()}
    world.frames = {name: replace(whole_frame, **fields, scores=scores)}
    world._rows = {name: {int(t): row for row, t in enumerate(changed.time)}}
    world.candles, world.marks, world.funding = {name: changed}, {}, {}
    return name, changed


@pytest.mark.parametrize(("factor", "pause"), [(0.01, 6), (1000.0, 6), (100.0, 0), (1e-3, 0)])
def test_a_position_closes_before_a_new_scale_and_no_order_is_filled_at_it(open_journal, factor, pause):
    world = make_world(4, symbols=1, bars=160, guarded=False, gaps=False)
    world.config = replace(world.config, horizon=20, costs=CostSettings(taker_fee=0.0, slippage=0.0))
    name, changed = rescaled(world, factor, pause)
    row = CHANGE - pause
    result = world.backtest()
    (trade,) = result.trades
    assert (trade.decided, trade.exit_time) == (changed.time[row - 3], changed.time[row])
    assert (trade.reason, trade.exit_price) == ("end", changed.close[row - 1])
    assert result.refused == {"new_scale" if pause == 0 else "no_next_bar": 1}
    assert np.abs(np.diff(result.equity_usd)).max() < 30.0
    with open_journal() as journal:
        session = world.session(journal)
        session.run()
        assert session.engine.account.trades == list(result.trades)
        assert session.engine.account.equity_usd == result.final_equity_usd
    assert name == trade.symbol


def test_an_order_for_the_first_bar_of_a_new_scale_is_refused(open_journal):
    world = make_world(4, symbols=1, bars=160, guarded=False, gaps=False)
    name, _ = rescaled(world, 1000.0, 0)
    frame = world.frames[name]
    action = np.full(len(frame), Action.HOLD, np.int8)
    action[[CHANGE - 1, CHANGE + 10]] = Action.BUY
    world.frames = {name: replace(frame, action=action)}
    result = world.backtest()
    assert result.refused == {"new_scale": 1, "no_atr": 1}  # ATR(14) still holds the old prices ten bars later
    assert not result.trades
    with open_journal() as journal:
        session = world.session(journal)
        session.run()
        assert session.engine.account.refused == {"new_scale": 1, "no_atr": 1}


def test_a_new_scale_whose_open_was_missing_is_seen_at_the_close(open_journal):
    world = make_world(4, symbols=1, bars=160, guarded=False, gaps=False)
    world.config = replace(world.config, horizon=20, costs=CostSettings(taker_fee=0.0, slippage=0.0))
    _, changed = rescaled(world, 1000.0, 0)

    class Late(ReplayFeed):
        """A feed that does not give the first price of the new scale."""

        def opens(self, time):
            return {} if time == changed.time[CHANGE] else super().opens(time)

    feed = Late(world.candles, world.start)
    world.feed = lambda _: feed
    with open_journal() as journal:
        session = world.session(journal)
        session.run()
        (trade,) = session.engine.account.trades
    assert (trade.reason, trade.exit_price) == ("end", changed.close[CHANGE - 1])
    assert trade.exit_time == changed.time[CHANGE]
    assert trade.entry_time == changed.time[CHANGE - 3] + HOUR_MS
