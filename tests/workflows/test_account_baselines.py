"""A paper account beside its baselines: those of an evaluation on the same bars, within the account's own rules."""

import json
from dataclasses import replace

import numpy as np
import pytest

from quorate.core.clock import HOUR_MS, iso_ms
from quorate.core.settings import CostSettings, EvaluationSettings, GuardSettings, LadderSettings, Settings
from quorate.core.types import Funding
from quorate.evaluation.baselines.account_comparison import draws_of
from quorate.evaluation.baselines.naive import buy_and_hold
from quorate.market.memory import MemorySource
from quorate.trading.journal import Journal
from quorate.trading.paper import AccountStatus
from quorate.workflows.evaluate import evaluate
from quorate.workflows.inputs.predictors import load_predictor
from quorate.workflows.paper import PaperAccount
from quorate.workflows.paper import baselines as compared
from quorate.workflows.paper.baselines import DecidedAccount, baselines_of
from quorate.workflows.runs.trials import RunRecord

BARS = 120
SETTINGS = replace(
    Settings(),
    costs=CostSettings(taker_fee=0.001, slippage=0.0004),
    evaluation=EvaluationSettings(resamples=60, draws=12),
    ladder=LadderSettings(days=0, trades=1, win_rate=(0.0, 0.0, 0.0), certainty=0.5),
)


@pytest.fixture(scope="module")
def market(world):
    candles = [world.market.candles(name) for name in world.market.names]
    first = int(candles[0].time[0])
    due = np.arange(first, int(candles[0].time[-1]), 8 * HOUR_MS)
    settled = np.full(len(due), 1e-4)
    return MemorySource(candles, {one.symbol: Funding(one.symbol, due, settled) for one in candles})


@pytest.fixture(scope="module")
def trade(world, market, tmp_path_factory):
    """Makes an account that has traded so many bars."""

    def run(name, bars=BARS, settings=SETTINGS, **options):
        url = f"sqlite:///{tmp_path_factory.mktemp('paper') / 'journal.sqlite'}"
        account = PaperAccount(name, url, settings=settings)
        account.run(world.bundle, market, start=world.start, end=world.end + bars * HOUR_MS, **options)
        return account

    return run


@pytest.fixture(scope="module")
def unguarded(trade):
    return trade("unguarded", guards=False)


def decided(account):
    with Journal.open(account.url, account.name, role="reader", settings=account.settings.journal) as journal:
        return DecidedAccount.of(AccountStatus(journal))


def rows(found):
    return {row["name"]: row for row in found["rows"]}


def test_they_are_those_of_an_evaluation_of_the_same_bars(world, market, unguarded):
    span = {"start": world.start, "end": world.end + BARS * HOUR_MS}
    expected = evaluate(world.bundle, market, settings=SETTINGS, record=RunRecord(log=False), **span).to_json()
    document = unguarded.performance(world.bundle, market).to_json()["baselines"]
    found = rows(document)
    for name in ("momentum", "rules"):
        trades = expected["baselines"][name]["trades"]
        assert found[name]["trades"] == trades["n"] > 5
        assert found[name]["total_return"] == pytest.approx(trades["total_return"])
        assert found[name]["max_drawdown"] == pytest.approx(trades["max_drawdown"])
    hold = expected["baselines"]["buy_and_hold"]
    assert found["buy_and_hold"]["total_return"] == pytest.approx(hold["total_return"])
    assert found["buy_and_hold"]["trades"] is None
    assert "with funding" in found["buy_and_hold"]["about"]
    result = unguarded.status().result
    assert found["account"]["equity_usd"] == result.final_equity_usd
    assert found["account"]["trades"] == len(result.trades) > 5
    assert (document["from"], document["to"]) == (iso_ms(int(result.time[0])), iso_ms(int(result.time[-1])))
    assert (document["bars"], document["ladder_step"], document["left_out"]) == (BARS, None, [])
    json.dumps(document, allow_nan=False)


def test_random_entries_have_the_trades_and_the_costs_of_the_account(world, market, unguarded):
    document = unguarded.performance(world.bundle, market).to_json()["baselines"]
    found = rows(document)
    assert document["draws"] == 12
    assert found["random_entries"]["trades"] == pytest.approx(found["account"]["trades"], rel=0.1)
    for name in ("equity_usd", "total_return", "max_drawdown", "trades"):
        low, high = found["random_entries"][f"{name}_ci"]
        assert low <= found["random_entries"][name] <= high
    bundle = load_predictor(world.bundle, SETTINGS)
    account = decided(unguarded)
    made = baselines_of(account, bundle.manifest, market, SETTINGS)
    assert made.document == document
    assert document["worse_draws"] == np.mean(made.random.total_return < made.account.curve.total_return)
    assert made.random.band.middle.time.tolist() == account.result.time.tolist()
    dear = replace(account.config, costs=CostSettings(taker_fee=0.01, slippage=0.0004))
    dearer = baselines_of(replace(account, config=dear), bundle.manifest, market, SETTINGS)
    assert (dearer.random.total_return < made.random.total_return).all()
    for name, strategy in made.strategies.items():
        assert dearer.strategies[name].curve.total_return < strategy.curve.total_return, name


def test_without_funding_in_the_data_there_is_none(world, market, unguarded):
    plain = MemorySource([world.market.candles(name) for name in world.market.names])
    bundle = load_predictor(world.bundle, SETTINGS)
    found = baselines_of(decided(unguarded), bundle.manifest, plain, SETTINGS)
    span = {
        name: world.market.candles(name).between(world.end, world.end + BARS * HOUR_MS) for name in world.market.names
    }
    assert found.hold.curve.equity == pytest.approx(buy_and_hold(span, 1_000.0, SETTINGS.costs).equity)
    assert "without funding" in found.hold.about
    paid = baselines_of(decided(unguarded), bundle.manifest, market, SETTINGS)
    assert paid.hold.curve.equity[-1] < found.hold.curve.equity[-1]


def test_they_keep_within_the_step_of_the_ladder(world, market, trade):
    lax = GuardSettings(models=2, drawdown_usd=1e6, losses=1_000, confidence=0.01)
    account = trade("climbing", 60, replace(SETTINGS, guards=lax, costs=CostSettings()))
    assert decided(account).step == 1
    assert (decided(account).limited.capital_usd, decided(account).limited.leverage) == (100.0, 20.0)
    account.promote(who="Ada")
    end = world.end + 65 * HOUR_MS
    account.run(world.bundle, market, start=world.start, end=end)
    assert account.status().document["ladder"]["step"] == 2
    assert decided(account).step == 1, "the account spent most of its bars there"
    account.run(world.bundle, market, start=world.start, end=end + 120 * HOUR_MS)
    later = decided(account)
    assert later.step == 2
    assert (later.limited.capital_usd, later.limited.positions) == (200.0, 3)
    bundle = load_predictor(world.bundle, SETTINGS)
    assert baselines_of(later, bundle.manifest, market, SETTINGS).document["ladder_step"] == 2


def test_of_very_many_bars_the_newest_are_compared(world, market, unguarded, monkeypatch):
    monkeypatch.setattr(compared, "_MOST_DECISIONS", 150)
    account, whole = decided(unguarded), unguarded.status().result
    assert len(account.result.time) == 50  # of three markets
    assert account.result.start_equity_usd == whole.equity_usd[-51]
    first = int(whole.time[-50])
    assert len(account.result.trades) == sum(trade.entry_time >= first for trade in whole.trades) > 0
    assert {int(frame.time[0]) for frame in account.frames.values()} == {first}
    bundle = load_predictor(world.bundle, SETTINGS)
    found = baselines_of(account, bundle.manifest, market, SETTINGS)
    assert found.document["bars"] == 50
    assert found.document["from"] == iso_ms(first)
    assert found.hold.curve.start_usd == whole.equity_usd[-51]


def test_markets_without_candles_are_named(world, unguarded):
    first, second, third = (world.market.candles(name) for name in world.market.names)
    bundle = load_predictor(world.bundle, SETTINGS)
    late = second.between(world.end + 40 * HOUR_MS)
    found = baselines_of(decided(unguarded), bundle.manifest, MemorySource([first, late]), SETTINGS)
    assert found.document["left_out"] == [third.symbol]
    assert found.document["bars"] == BARS


def test_an_account_that_did_not_trade(world, market, trade):
    account = trade("still", 20, policy="closed")
    found = account.performance(world.bundle, market).to_json()["baselines"]
    assert "random_entries" not in rows(found)
    assert (found["draws"], found["worse_draws"]) == (None, None)
    assert rows(found)["account"]["total_return"] == 0


def test_a_longer_account_has_fewer_draws():
    assert draws_of(10, 1_000, SETTINGS.evaluation) == 12
    assert draws_of(10_000, 100_000, EvaluationSettings(draws=50)) == 20
    assert draws_of(10_000, 100_000, SETTINGS.evaluation) == 12
