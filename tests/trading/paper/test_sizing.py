"""A sizing overlay in a paper session: the backtest's trades, its journal, kills and restarts."""

import os
import signal
import time
from dataclasses import replace

import numpy as np
import pytest

from quorate.core.clock import HOUR_MS
from quorate.core.errors import JournalError
from quorate.trading.backtest import backtest
from quorate.trading.journal import Journal, records
from quorate.trading.paper.recovery import redo
from quorate.trading.sizing import SHARES, Overlay, SizingPolicy
from stubs.scripted import make_world


@pytest.fixture(scope="module")
def world():
    """Entries by confidence, volatility and the account's own state; the first ones before the overlay holds."""
    made = make_world(8, symbols=3, bars=120)
    random = np.random.default_rng(2)
    inputs, scale = ("confidence", "volatility", "drawdown", "held"), np.array([0.1, 0.03, 0.002, 0.3])
    layer = random.normal(size=(len(SHARES), 4)), np.array([0.3, 0.0, 0.0, 0.0, 0.6])
    policy = SizingPolicy(inputs, np.array([0.7, 0.06, 0.001, 0.3]), scale, (layer,))
    made.config = replace(made.config, overlay=Overlay(((made.start + 10 * HOUR_MS, policy),)))
    return made


def sized_backtest(world):
    markets = world.frames, world.candles, world.funding
    return backtest(*markets, world.config, start=world.start, end=world.end, marks=world.marks)


def written(journal, kind):
    return [entry.record for entry in journal.read(kinds=[kind])]


def test_a_session_trades_as_the_backtest_does(world, open_journal):
    with open_journal() as journal:
        session = world.session(journal)
        session.run()
        engine = session.engine
        shares = {record.order.stake_factor for record in written(journal, records.IntentRecord)}
        refused = [r for r in written(journal, records.RefusedRecord) if r.reason == "no_stake"]
        noted = [r for r in written(journal, records.IntentRecord) if r.note]
    found = sized_backtest(world)
    assert engine.account.trades == list(found.trades)
    assert engine.account.equity_usd == found.final_equity_usd
    assert len(shares) >= 3
    assert {0.0} | shares <= set(SHARES)
    assert refused
    assert all(f"sized to {record.order.stake_factor:.0%} by the overlay" in record.note for record in noted)
    ordinary = world.backtest()
    assert found.equity_usd[:10].tolist() == ordinary.equity_usd[:10].tolist()
    assert found.equity_usd[-1] != ordinary.equity_usd[-1]


def test_killed_sessions_end_where_an_undisturbed_one_does(world, tmp_path):
    url, kills = f"sqlite:///{tmp_path}/killed.sqlite", 0
    for patience_s in (0.03, 0.06, 0.1, 60.0):
        child = os.fork()
        if child == 0:
            with Journal.open(url, "paper") as journal:
                world.session(journal).run()
            os._exit(0)
        deadline, done = time.monotonic() + patience_s, 0
        while not done and time.monotonic() < deadline:
            done, status = os.waitpid(child, os.WNOHANG)
            time.sleep(0.001)
        if not done:
            os.kill(child, signal.SIGKILL)
            _, status = os.waitpid(child, 0)
            kills += status != 0
    assert status == 0
    assert kills
    with Journal.open(url, "paper", role="reader") as journal:
        entries = list(journal.read())
    engine = world.config.engine(HOUR_MS, world.start, strategy=world.config.strategy)
    redo(engine, entries)
    found = sized_backtest(world)
    assert engine.account.trades == list(found.trades)
    assert engine.account.equity_usd == found.final_equity_usd


def test_an_impossible_share_and_one_without_an_overlay_are_noticed(world, open_journal):
    with open_journal() as journal:
        world.session(journal).run()
        entries = list(journal.read())
    at = next(n for n, e in enumerate(entries) if getattr(getattr(e.record, "order", None), "stake_factor", 1) < 1)
    config = world.config

    def replay(changed):
        redo(config.engine(HOUR_MS, world.start, strategy=config.strategy), changed)

    replay(entries)
    for factor in (0.3, 2.0, 0.0):
        order = entries[at].record.order._replace(stake_factor=factor)
        changed = [*entries]
        changed[at] = entries[at]._replace(record=replace(entries[at].record, order=order))
        with pytest.raises(JournalError, match=r"order\.stake_factor"):
            replay(changed)
    first = entries[0].record
    settings = {name: value for name, value in first.settings.items() if name != "overlay"}
    with pytest.raises(JournalError, match=r"order\.stake_factor"):
        replay([entries[0]._replace(record=replace(first, settings=settings)), *entries[1:]])
