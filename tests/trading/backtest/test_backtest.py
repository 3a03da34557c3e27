import math
import os
from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from quorate.core.clock import HOUR_MS, parse_ms
from quorate.core.errors import TradingError
from quorate.core.settings import AccountSettings, CostSettings, ExitSettings, GuardSettings
from quorate.core.types import Action, Candles, DecisionFrame, Funding
from quorate.market import FreqtradeFolder
from quorate.trading import AccountRules, BacktestResult, Contract
from quorate.trading.backtest import RuleOptions, backtest
from quorate.trading.backtest.backtest import trade
from quorate.trading.backtest.markets import TradedMarkets
from quorate.trading.oversight import Oversight

# Rows are hours. Rows 0 to 19 are quiet, with ATR(14) = 2; the decision falls on the close of row 19, and the entry on
# the open of row 20. Stakes are fixed at 20 USD and 5x: one unit at 100. The stop is at 96 or 104, the target at 110
# or 90. A fee of 0.1 % is 0.1 for each 100 traded.
DECIDED, ENTRY = 19, 20
FEE = CostSettings(taker_fee=0.001, maker_fee=0.001, slippage=0)
ONE_UNIT = AccountSettings(sizing="fixed", stake_usd=20.0)
FLAT = (100.0, 101.0, 99.0, 100.0)
BTC, ETH = "BTC/USDT:USDT", "ETH/USDT:USDT"

MakeCandles = Callable[..., Candles]
MakeFrame = Callable[..., DecisionFrame]
MakeFunding = Callable[..., Funding]
Run = Callable[..., BacktestResult]


@pytest.fixture
def run(candles: MakeCandles, frame: MakeFrame) -> Run:
    """One symbol: bars after the decision, the decision, and any argument of backtest."""

    def run(*bars: tuple[float, float, float, float], action: Action = Action.BUY, **changes: object) -> BacktestResult:
        missing = changes.pop("missing", ())
        market = candles(*bars, missing=missing)
        options = {"horizon": 5, "costs": FEE, "account": ONE_UNIT, **changes}
        return backtest({BTC: frame(market, {DECIDED: action})}, {BTC: market}, options.pop("funding", {}), **options)  # type: ignore[arg-type]

    return run


def hour(result: BacktestResult, time: int) -> int:
    return (time - int(result.time[0])) // HOUR_MS


def test_a_long_that_hits_its_target(run: Run) -> None:
    result = run(FLAT, (100.0, 111.0, 99.0, 110.5), FLAT)
    (trade,) = result.trades
    assert (trade.side, trade.quantity, trade.leverage, trade.margin_usd) == (1, 1.0, 5.0, 20.0)
    assert (hour(result, trade.decided), hour(result, trade.entry_time), hour(result, trade.exit_time)) == (19, 20, 21)
    assert (trade.entry_price, trade.exit_price, trade.reason) == (100.0, 110.0, "target")
    assert trade.gross_usd == pytest.approx(10.0)
    assert trade.fee_usd == pytest.approx(0.21)
    assert trade.net_usd == pytest.approx(9.79)
    assert result.equity_usd[[18, 19, 20, 21, 22]] == pytest.approx([1000, 1000, 999.9, 1009.79, 1009.79])
    assert result.exposure == pytest.approx(2 / 23)


def test_a_short_that_hits_its_stop(run: Run) -> None:
    (trade,) = run((100.0, 104.5, 99.0, 103.0), FLAT, action=Action.SELL).trades
    assert (trade.side, trade.exit_price, trade.reason) == (-1, 104.0, "stop")
    assert trade.entry_time == trade.exit_time
    assert trade.net_usd == pytest.approx(-4 - 0.204)


def test_slippage_moves_every_fill_against_the_trader(run: Run) -> None:
    # Bought at 101 (100/101 units, so that the stop is at 97 and the target at 111), sold at 0.99 x 111 = 109.89.
    (trade,) = run(FLAT, (100.0, 112.0, 99.0, 110.0), costs=replace(FEE, slippage=0.01)).trades
    units = 100 / 101
    assert (trade.entry_price, trade.exit_price) == (101.0, pytest.approx(109.89))
    assert trade.gross_usd == pytest.approx(units * 11)
    assert trade.slippage_usd == pytest.approx(units * (1 + 1.11))
    assert trade.fee_usd == pytest.approx(units * 0.001 * (101 + 109.89))


def test_a_gap_through_the_stop_fills_at_the_open(run: Run) -> None:
    (trade,) = run(FLAT, (92.0, 95.0, 91.0, 94.0), FLAT).trades
    assert (trade.exit_price, trade.reason) == (92.0, "stop")
    assert trade.gross_usd == pytest.approx(-8.0)


def test_an_open_beyond_the_target_fills_at_the_open(run: Run) -> None:
    (trade,) = run(FLAT, (88.0, 89.0, 87.0, 88.0), FLAT, action=Action.SELL).trades
    assert (trade.exit_price, trade.reason) == (88.0, "target")
    assert trade.gross_usd == pytest.approx(12.0)


def test_both_touched_in_one_bar_is_the_stop(run: Run) -> None:
    (trade,) = run(FLAT, (100.0, 111.0, 95.0, 110.0), FLAT).trades
    assert (trade.exit_price, trade.reason) == (96.0, "stop")


def test_a_time_exit_lives_as_long_as_the_label(run: Run) -> None:
    # Decided on row 19; the label with horizon 3 reads the close of row 22; the exit is the open after it, row 23.
    bars = [FLAT, FLAT, FLAT, (102.0, 103.0, 101.0, 102.0), FLAT]
    result = run(*bars, horizon=3)
    (trade,) = result.trades
    assert (hour(result, trade.exit_time), trade.exit_price, trade.reason) == (23, 102.0, "time")
    assert trade.gross_usd == pytest.approx(2.0)
    assert result.exposure == pytest.approx(3 / 25)


def test_the_setting_time_bars_replaces_the_horizon(run: Run) -> None:
    result = run(*[FLAT] * 6, horizon=5, exits=ExitSettings(time_bars=2))
    assert hour(result, result.trades[0].exit_time) == 22


def test_funding_on_a_short(run: Run, funding: MakeFunding) -> None:
    # At 20 it is not yet held, at 21 and inside 22 it is, at 23 it is closed but was held; at 24 it is gone.
    rates = {20: 0.5, 20.5: 0.0, 21: 0.001, 21.5: 0.0, 22: 0.0, 22.5: 0.002, 23: -0.004, 23.5: 0.0, 24: 0.5}
    bars = [FLAT, FLAT, (102.0, 103.0, 101.0, 102.0), (105.0, 106.0, 104.0, 105.0), FLAT]
    far = ExitSettings(stop_atr=3.0)
    result = run(*bars, horizon=3, action=Action.SELL, funding={BTC: funding(rates)}, exits=far)
    (trade,) = result.trades
    assert trade.reason == "time"
    assert trade.funding_usd == pytest.approx(0.001 * 100 + 0.002 * 102 - 0.004 * 105)
    assert trade.funding_known
    assert result.funding_unknown == ()
    assert result.equity_usd[21] == pytest.approx(1000 - 0.1 + 0.1)
    assert trade.net_usd == pytest.approx(-5 - 0.205 + trade.funding_usd)


@pytest.mark.parametrize(
    ("silent", "known"),
    [
        ([], True),
        ([18, 19], True),
        ([19, 20], False),  # until they come again, the interval is not known either
        ([24, 25], True),
        ([23], False),  # due at the open at which it is closed
        ([21, 22, 23, 24, 25, 26, 27], False),
        ([20, 21], False),
        (range(22, 60), False),  # they end while it is open
        (range(-20, 22), False),  # they begin while it is open
    ],
)
def test_a_trade_over_a_silence_of_hourly_funding(
    run: Run, funding: MakeFunding, silent: Sequence[int], known: bool
) -> None:
    rates = {hour: 0.0001 for hour in range(-20, 60) if hour not in silent}
    result = run(*[FLAT] * 20, horizon=3, funding={BTC: funding(rates)})
    (trade,) = result.trades
    assert (hour(result, trade.entry_time), hour(result, trade.exit_time), trade.reason) == (20, 23, "time")
    assert trade.funding_known == known
    assert result.funding_unknown == (() if known else (BTC,))


def test_unknown_funding_is_said(run: Run) -> None:
    result = run(FLAT, FLAT)
    assert result.funding_unknown == (BTC,)
    assert result.mark_missing == (BTC,)
    assert result.trades[0].funding_usd == 0
    assert not result.trades[0].funding_known


def test_a_gap_cancels_an_entry(run: Run) -> None:
    result = run(FLAT, FLAT, missing=[ENTRY])
    assert result.trades == ()
    assert result.refused == {"no_next_bar": 1}


def test_a_gap_delays_an_exit_to_the_next_open(run: Run) -> None:
    # Due at the open of row 22, which is missing, as is row 23.
    bars = [FLAT, FLAT, FLAT, FLAT, (103.0, 103.0, 95.0, 103.0)]
    result = run(*bars, horizon=2, missing=[22, 23])
    (trade,) = result.trades
    assert (hour(result, trade.exit_time), trade.exit_price, trade.reason) == (24, 103.0, "time")


def test_what_is_open_at_the_last_bar_closes_there(run: Run) -> None:
    result = run(FLAT, (100.0, 102.0, 99.0, 101.0))
    (trade,) = result.trades
    assert (hour(result, trade.exit_time), trade.exit_price, trade.reason) == (21, 101.0, "end")
    assert result.final_equity_usd == pytest.approx(1000 + 1 - 0.201)


def test_a_decision_on_the_last_bar_is_not_filled(run: Run) -> None:
    result = run()
    assert result.trades == ()
    assert result.refused == {"no_next_bar": 1}


def test_a_symbol_that_ends_early_closes_at_its_own_last_bar(candles: MakeCandles, frame: MakeFrame) -> None:
    early, late = candles(FLAT), candles(*[FLAT] * 4, symbol=ETH)
    frames = {BTC: frame(early, {DECIDED: Action.BUY}), ETH: frame(late, {DECIDED: Action.BUY})}
    result = backtest(frames, {BTC: early, ETH: late}, {}, horizon=3, costs=FEE, account=ONE_UNIT)
    assert [(trade.symbol, trade.reason, hour(result, trade.exit_time)) for trade in result.trades] == [
        (BTC, "end", 20),
        (ETH, "time", 23),
    ]


def test_the_best_confidence_gets_the_slot_then_the_name(candles: MakeCandles, frame: MakeFrame) -> None:
    names = ["A/USDT:USDT", "B/USDT:USDT", "C/USDT:USDT", "D/USDT:USDT"]
    confidence = [0.7, 0.8, 0.9, 0.8]
    markets = {name: candles(*[FLAT] * 3, symbol=name) for name in reversed(names)}
    frames = {
        name: frame(markets[name], {DECIDED: (Action.BUY, score)})
        for name, score in zip(names, confidence, strict=True)
    }
    result = backtest(frames, markets, {}, horizon=9, account=replace(ONE_UNIT, positions=2))
    assert {trade.symbol for trade in result.trades} == {"C/USDT:USDT", "B/USDT:USDT"}
    assert result.refused == {"no_slot": 2}


def test_a_slot_freed_at_the_open_is_free_for_that_open(candles: MakeCandles, frame: MakeFrame) -> None:
    market = candles(*[FLAT] * 6)
    decisions = dict.fromkeys(range(DECIDED, 25), Action.BUY)
    result = backtest({BTC: frame(market, decisions)}, {BTC: market}, {}, horizon=2, account=ONE_UNIT)
    assert [hour(result, trade.entry_time) for trade in result.trades] == [20, 22, 24]
    assert result.refused == {"in_position": 3}


def test_no_entry_while_atr_is_unknown_or_confidence_is_zero_or_nan(candles: MakeCandles, frame: MakeFrame) -> None:
    market = candles(*[FLAT] * 3)
    decisions = {3: Action.BUY, 13: Action.BUY, 19: (Action.BUY, 0.0), 20: (Action.SELL, math.nan)}
    result = backtest({BTC: frame(market, decisions)}, {BTC: market}, {}, horizon=2)
    assert result.trades == ()
    assert result.refused == {"no_atr": 2, "no_confidence": 2}


def test_the_stop_stands_on_the_atr_of_the_decision(run: Run) -> None:
    # The entry bar's own range of 7 would move ATR to (13 x 2 + 7) / 14; it must not.
    (trade,) = run((100.0, 104.0, 97.0, 100.0), FLAT).trades
    assert trade.stop == 96.0


def test_start_and_end_bound_decisions_and_the_run(candles: MakeCandles, frame: MakeFrame) -> None:
    market = candles(*[FLAT] * 20)
    decisions = dict.fromkeys(range(40), Action.BUY)
    start, end = int(market.time[25]), int(market.time[31])
    result = backtest({BTC: frame(market, decisions)}, {BTC: market}, {}, horizon=4, start=start, end=end)
    assert result.time.tolist() == market.time[25:31].tolist()
    assert [(int(t.entry_time - start) // HOUR_MS, t.reason) for t in result.trades] == [(1, "time"), (5, "end")]
    assert result.refused == {"in_position": 3, "no_next_bar": 1}


def test_nothing_at_or_after_the_end_is_looked_at(candles: MakeCandles, frame: MakeFrame) -> None:
    bars = [FLAT] * 8
    market, other = candles(*bars), candles(*bars[:4], *[(1.0, 5_000.0, 1.0, 5_000.0)] * 4)
    results = [
        backtest({BTC: frame(m, {19: Action.BUY, 22: Action.SELL})}, {BTC: m}, {}, horizon=2, end=int(market.time[24]))
        for m in (market, other)
    ]
    assert results[0].to_json() == results[1].to_json()


def test_a_spot_market_is_only_bought(candles: MakeCandles, frame: MakeFrame) -> None:
    market = candles(*[FLAT] * 8, symbol="BTC/USDT")
    frames = {"BTC/USDT": frame(market, {19: Action.SELL, 20: Action.BUY})}
    result = backtest(frames, {"BTC/USDT": market}, {}, horizon=2, account=replace(ONE_UNIT, stake_usd=100.0))
    (trade,) = result.trades
    assert (trade.side, trade.leverage, trade.margin_usd) == (1, 1.0, pytest.approx(100.0))
    assert result.refused == {"spot_short": 1}
    assert result.funding_unknown == ()
    assert result.mark_missing == ()


def test_a_liquidation_on_the_mark_price(run: Run, candles: MakeCandles) -> None:
    # 5x with the shipped 2 %: 20 + (p - 100) = 0.02 p at 81.63; the last price never comes near.
    quiet = candles(*[FLAT] * 4)
    mark = replace(quiet, low=np.where(np.arange(24) == 22, 80.0, quiet.low))
    result = run(*[FLAT] * 4, marks={BTC: mark}, horizon=9)
    (trade,) = result.trades
    assert (hour(result, trade.exit_time), trade.reason) == (22, "liquidation")
    assert trade.exit_price == pytest.approx(80 / 0.98)
    assert trade.net_usd == pytest.approx(80 / 0.98 * (1 - 0.015) - 100 - 0.1)
    assert result.mark_missing == ()


def test_contracts_round_the_order(run: Run) -> None:
    result = run(FLAT, FLAT, contracts={BTC: Contract(BTC, lot=0.4, tick=3.0)})
    (trade,) = result.trades
    assert (trade.quantity, trade.stop, trade.target) == (0.8, 96.0, 111.0)


def test_half_kelly_reads_the_probability_of_the_decided_row(candles: MakeCandles, frame: MakeFrame) -> None:
    market = candles(*[FLAT] * 3)
    probability = np.full(len(market), 0.9)
    probability[DECIDED] = 0.3
    free = CostSettings(taker_fee=0, maker_fee=0, slippage=0)
    account = AccountSettings(sizing="half_kelly")
    frames = {BTC: frame(market, {DECIDED: Action.BUY})}
    options = {"horizon": 5, "costs": free, "account": account}
    result = backtest(frames, {BTC: market}, {}, probabilities={BTC: probability}, **options)  # type: ignore[arg-type]
    assert result.trades[0].quantity == pytest.approx(2.5)
    with pytest.raises(TradingError, match="no probabilities for BTC/USDT:USDT"):
        backtest(frames, {BTC: market}, {}, **options)  # type: ignore[arg-type]


def test_rules_as_an_object_and_as_keywords_are_the_same(candles: MakeCandles, frame: MakeFrame) -> None:
    assert RuleOptions.__annotations__.keys() == {field.name for field in fields(AccountRules)}
    market = candles(*[FLAT] * 12)
    decisions = {BTC: frame(market, dict.fromkeys(range(19, 30), Action.SELL))}
    limits = GuardSettings(models=0)
    rules = AccountRules(3, ONE_UNIT, FEE, ExitSettings(stop_atr=1.5), {BTC: Contract(BTC, lot=0.4)}, Oversight(limits))
    options = {field.name: getattr(rules, field.name) for field in fields(rules)}
    by_object = backtest(decisions, {BTC: market}, {}, rules)
    assert by_object.trades
    assert by_object.to_json() == backtest(decisions, {BTC: market}, {}, **options).to_json()
    # A keyword replaces the field of the object.
    shorter = backtest(decisions, {BTC: market}, {}, rules, horizon=1).to_json()
    assert shorter == backtest(decisions, {BTC: market}, {}, **{**options, "horizon": 1}).to_json()
    assert shorter != by_object.to_json()


def test_backtests_share_their_markets(candles: MakeCandles, frame: MakeFrame) -> None:
    made = candles(FLAT, FLAT, FLAT, (100.0, 112.0, 99.0, 110.0), FLAT)
    markets = TradedMarkets({made.symbol: made}, {})
    rules = AccountRules(horizon=2)
    for action in (Action.BUY, Action.SELL, Action.BUY):
        frames = {made.symbol: frame(made, {DECIDED: action})}
        shared, own = trade(frames, markets, rules), backtest(frames, {made.symbol: made}, {}, rules)
        assert shared.trades == own.trades
        assert len(own.trades) == 1
        assert shared.equity_usd.tolist() == own.equity_usd.tolist()
    assert markets.tape(made.symbol) is markets.tape(made.symbol)


def test_a_backtest_needs_a_horizon(candles: MakeCandles, frame: MakeFrame) -> None:
    market = candles(*[FLAT] * 3)
    with pytest.raises(TradingError, match="neither `rules` nor `horizon`"):
        backtest({BTC: frame(market, {})}, {BTC: market}, {}, costs=FEE)


def test_the_result_says_what_is_synthetic(candles: MakeCandles, frame: MakeFrame) -> None:
    market = candles(*[FLAT] * 3, synthetic=True)
    result = backtest({BTC: frame(market, {})}, {BTC: market}, {}, horizon=1)
    assert result.synthetic
    assert result.to_json()["synthetic"]
    assert result.equity_usd.tolist() == [1000.0] * 23


def test_the_json_form(run: Run) -> None:
    document = run(FLAT, (100.0, 111.0, 99.0, 110.5), FLAT).to_json()
    (trade,) = document["trades"]
    assert trade["side"] == "long"
    assert trade["entry_time"] == "2025-01-01T20:00:00Z"
    assert trade["net_usd"] == pytest.approx(9.79)
    assert document["equity"][-1] == {"time": "2025-01-01T22:00:00Z", "equity_usd": pytest.approx(1009.79)}
    assert document["costs"] == {"fee_usd": pytest.approx(0.21), "slippage_usd": 0, "funding_usd": 0}


def test_the_totals_are_the_sums_of_the_trades(candles: MakeCandles, frame: MakeFrame, funding: MakeFunding) -> None:
    market = candles(*[FLAT] * 12)
    frames = {BTC: frame(market, dict.fromkeys(range(19, 30), Action.SELL))}
    rates = {BTC: funding(dict.fromkeys(range(33), 0.001))}
    result = backtest(frames, {BTC: market}, rates, horizon=3)
    assert len(result.trades) == 4
    assert result.net_usd == pytest.approx(result.gross_usd - result.fee_usd - result.slippage_usd + result.funding_usd)
    assert result.final_equity_usd == pytest.approx(1000 + result.net_usd)
    assert result.funding_usd > 0
    assert all(after.entry_time >= before.exit_time for before, after in pairwise(result.trades))


def test_an_empty_run(run: Run) -> None:
    result = run(FLAT, start=0, end=HOUR_MS)
    assert result.trades == ()
    assert result.time.shape == result.equity_usd.shape == (0,)
    assert (result.exposure, result.final_equity_usd) == (0.0, 1000.0)


def test_what_makes_no_sense_is_refused(candles: MakeCandles, frame: MakeFrame) -> None:
    market = candles(*[FLAT] * 3)
    good = frame(market, {DECIDED: Action.BUY})
    none = np.zeros(0)
    cases: list[tuple[str, dict[str, DecisionFrame], dict[str, Candles], dict[str, object]]] = [
        ("no decisions", {}, {}, {}),
        ("without its candles", {BTC: good}, {"BTC/USDT:USD": market}, {}),
        (
            "timeframes 1h, 4h",
            {BTC: good, ETH: replace(good, symbol=ETH, timeframe="4h")},
            {BTC: market, ETH: market},
            {},
        ),
        ("under the name ETH", {ETH: good}, {ETH: market}, {}),
        ("horizon of 0", {BTC: good}, {BTC: market}, {"horizon": 0}),
        ("a start before the end", {BTC: good}, {BTC: market}, {"start": 5, "end": 5}),
        ("candles of ETH", {BTC: good}, {BTC: candles(*[FLAT] * 3, symbol=ETH)}, {}),
        ("one length", {BTC: replace(good, confidence=none)}, {BTC: market}, {}),
        ("one length", {BTC: good}, {BTC: market}, {"probabilities": {BTC: none}}),
        ("outside 0 to 1", {BTC: good}, {BTC: market}, {"probabilities": {BTC: np.full(len(market), 1.5)}}),
        ("where there is no candle", {BTC: good}, {BTC: market[5:]}, {}),
        ("where there is no candle", {BTC: good}, {BTC: market[:0]}, {}),
        ("out of order", {BTC: replace(good, time=good.time[::-1])}, {BTC: market}, {}),
        ("0 SELL, 1 HOLD, 2 BUY", {BTC: replace(good, action=good.action + np.int8(1))}, {BTC: market}, {}),
    ]
    for message, frames, markets, options in cases:
        with pytest.raises(TradingError, match=message):
            backtest(frames, markets, {}, **{"horizon": 5, **options})  # type: ignore[arg-type]


def test_a_mistyped_symbol_is_shown_its_neighbour(candles: MakeCandles, frame: MakeFrame) -> None:
    market = candles(FLAT)
    with pytest.raises(TradingError, match="Did you mean 'BTC/USDT:USD'"):
        backtest({BTC: frame(market, {})}, {"BTC/USDT:USD": market}, {}, horizon=1)


@pytest.mark.data
@pytest.mark.skipif("QUORATE_DATA" not in os.environ, reason="QUORATE_DATA does not name the folder of real candles")
def test_a_quarter_of_real_funding_and_marks(frame: MakeFrame) -> None:
    folder = FreqtradeFolder(Path(os.environ["QUORATE_DATA"]) / "binance")
    start, end = parse_ms("2025-05-01"), parse_ms("2025-07-30")
    market = folder.candles(BTC, "1h").between(start - 100 * HOUR_MS, end)
    rates, mark = folder.funding(BTC), folder.mark(BTC, "1h")
    assert rates is not None
    # Sold short once, without leverage, and left alone until the end.
    result = backtest(
        {BTC: frame(market, {100: Action.SELL})},
        {BTC: market},
        {BTC: rates},
        horizon=10_000,
        costs=CostSettings(slippage=0),
        account=AccountSettings(sizing="fixed", stake_usd=1_000.0, leverage=1.0, positions=1),
        exits=ExitSettings(stop_atr=1e3),
        start=start,
        end=end,
        marks={BTC: mark},
    )
    (trade,) = result.trades
    assert len(result.time) == 90 * 24
    assert (trade.reason, trade.entry_time, trade.exit_time) == ("end", start + HOUR_MS, end - HOUR_MS)
    # 90 days of three settlements; the first, at the start, came before the entry.
    held = (rates.time > trade.entry_time) & (rates.time < end)
    assert held.sum() == 269
    marked = dict(zip(mark.time.tolist(), mark.open.tolist(), strict=True)) if mark else {}
    prices = np.array([marked[time] for time in rates.time[held].tolist()])
    assert trade.funding_usd == pytest.approx(trade.quantity * float(rates.rate[held] @ prices))
    assert trade.gross_usd == pytest.approx(trade.quantity * (market.open[101] - market.close[-1]))
    assert result.funding_unknown == result.mark_missing == ()
