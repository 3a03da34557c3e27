"""Freqtrade's backtest of a book and `quorate backtest` on the same candles, fees and trading rules."""

import numpy as np
import pytest

from stubs import book_agreement as agreement
from stubs import freqtrade


def run(folder, *, funding):
    freqtrade.require()
    return agreement.run(agreement.make_trial(folder, funding=funding), folder / "user_data")


def test_without_funding_every_fill_and_every_close_agree(tmp_path):
    outcome = run(tmp_path, funding=False)
    fills, ours = outcome.fills, outcome.ours
    assert len(fills) > 300
    assert ours.refused == {}
    held = outcome.theirs_held
    # Both sides, additions, partial exits, exits, and positions that change sides at one open.
    assert (held > 0).any()
    assert (held < 0).any()
    changes = np.diff(held, axis=0, prepend=0.0)
    before = held - changes
    assert (held * before < 0).any()
    assert ((held == 0) & (np.abs(before) > 1e-6)).any()
    assert (changes * before > 0).any()
    assert ((changes * before < 0) & (held * before > 0)).any()
    # The last bar is apart: Freqtrade ends the run at its open, Quorate at its close.
    lots = np.array([outcome.contracts[symbol].lot for symbol in ours.symbols])
    assert np.abs((outcome.ours_held - held) / lots)[:-1].max() < 1e-6
    assert outcome.theirs_traded[:-1] == pytest.approx(ours.traded_usd[:-1], rel=1e-12, abs=1e-6)
    assert outcome.prices_off_the_open() == []
    assert outcome.equity[:-1] == pytest.approx(ours.equity_usd[:-1], rel=1e-12)
    assert {trade["leverage"] for trade in outcome.trades} == {2.0}
    assert {trade["exit_reason"] for trade in outcome.trades} == {"target", "force_exit"}


def test_with_funding_the_settlements_at_fills_are_the_difference(tmp_path):
    outcome = run(tmp_path, funding=True)
    ours, again = outcome.ours, outcome.settled_again
    assert ours.funding_usd != 0
    assert any("carry" in trade["enter_tag"] for trade in outcome.trades)
    difference = outcome.equity[:-1] - ours.equity_usd[:-1]
    assert np.abs(difference / ours.equity_usd[:-1]).max() < 2e-3
    # Sizes by a slightly different equity differ by a lot here and there, and with them what they gain.
    month = slice(0, 180)  # later they feed on themselves
    assert difference[month] == pytest.approx(again[month], abs=5e-5 * outcome.trial.equity)
    value = np.abs(outcome.theirs_held).sum()
    assert np.abs(outcome.ours_held - outcome.theirs_held)[:-1].sum() < 5e-3 * value
    assert outcome.prices_off_the_open() == []
