"""A session against the backtest: with equal candles and decisions, equal results to the last bit."""

from dataclasses import replace

import pytest

from quorate.core.errors import TradingError
from quorate.trading.journal import ValuedRecord
from quorate.trading.paper import AccountStatus, PaperSession, ReplayFeed
from stubs.scripted import make_world


def closes(journal):
    return [entry.record for entry in journal.read(kinds=[ValuedRecord]) if entry.record.phase == "close"]


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("guarded", [False, True], ids=["plain", "guarded"])
def test_a_replay_is_the_backtest(open_journal, seed, guarded):
    world = make_world(seed, guarded=guarded)
    with open_journal() as journal:
        session = world.session(journal)
        session.run()
        expected = world.backtest()
        account = session.engine.account
        assert account.trades == list(expected.trades)
        assert account.equity_usd == expected.final_equity_usd
        assert not account.positions
        valued = {record.time: record.equity_usd for record in closes(journal)}
        assert [valued[time] for time in expected.time.tolist()] == expected.equity_usd.tolist()
        assert len(expected.trades) > 3
        # With several reasons to refuse an order, a backtest, which sees the gap in advance, may give another one.
        assert account.refused.total() == sum(expected.refused.values())


def test_markets_of_another_currency_are_refused(open_journal):
    world = make_world(1, symbols=2, bars=60, gaps=False)
    first, second = world.candles.values()
    euros, dollars = (replace(first, symbol="A/EUR"), replace(second, symbol="B/USDT"))

    def session(journal, *candles):
        feed = ReplayFeed({market.symbol: market for market in candles}, world.start)
        return PaperSession(feed, lambda _, __: [], journal, world.config, bundle_id="script", mode="replay")

    with open_journal("mixed") as journal:
        with pytest.raises(TradingError, match="A/EUR quoted in EUR, B/USDT quoted in USD"):
            session(journal, euros, dollars).run()
        assert list(journal.read()) == []
    with open_journal("euros") as journal:
        session(journal, euros).run()
        assert AccountStatus(journal).to_json()["currency"] == "EUR"
        with pytest.raises(TradingError, match="found the currency EUR; expected USD"):
            session(journal, dollars).run()
