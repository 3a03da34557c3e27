"""A session against the backtest: with equal candles and decisions, equal results to the last bit."""

import pytest

from quorate.trading.journal import ValuedRecord
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
