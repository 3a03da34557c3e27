"""A panel of language models in a paper session: the backtest's trades, its journal, kills and altered records."""

import os
import signal
import time
from dataclasses import replace

import numpy as np
import pytest

from quorate.core.clock import HOUR_MS
from quorate.core.errors import JournalError
from quorate.core.types import Action
from quorate.llm.judging_panel import JudgingPanel
from quorate.llm.panel_frame import panel_figures, panel_frames
from quorate.trading.backtest import backtest
from quorate.trading.journal import Journal, records
from quorate.trading.paper.log_lines import line
from quorate.trading.paper.recovery import redo
from quorate.trading.sizing import SHARES, Overlay, SizingPolicy
from stubs.random_panel import RandomPanel
from stubs.scripted import make_world

CONSTANT = Overlay(((0, SizingPolicy.constant(0.5)),))


def panel_world(seed=8, overlay=None, fails=0.2, **options):
    world = make_world(seed, symbols=3, bars=120)
    world.source = RandomPanel(seed, fails=fails)
    world.config = replace(world.config, panel=JudgingPanel(world.source, **options), overlay=overlay)
    return world


def judged(world):
    return panel_frames(world.config.panel, world.frames, world.candles, world.start, world.end)


def judged_backtest(world):
    shares = {symbol: frame.share for symbol, frame in judged(world).items()}
    markets = world.frames, world.candles, world.funding
    return backtest(*markets, world.config, start=world.start, end=world.end, marks=world.marks, shares=shares)


class Traded:
    """A world, the account after a session over it, and the session's records."""

    def __init__(self, url, world):
        self.world = world
        with Journal.open(url, "paper") as journal:
            session = world.session(journal)
            session.run()
            self.account, self.entries = session.engine.account, list(journal.read())
        self.asked = list(world.source.asked)

    def written(self, kind):
        return [entry.record for entry in self.entries if isinstance(entry.record, kind)]


def traded_by(folder, **options):
    return Traded(f"sqlite:///{folder}/journal.sqlite", panel_world(**options))


@pytest.fixture(scope="module")
def traded(tmp_path_factory):
    return traded_by(tmp_path_factory.mktemp("alone"))


def check_as_the_backtest(traded, part):
    """The account is that of the backtest, and every stake is the product of its shares."""
    found = judged_backtest(traded.world)
    assert traded.account.trades == list(found.trades)
    assert traded.account.equity_usd == found.final_equity_usd
    assert found.equity_usd[-1] != traded.world.backtest().equity_usd[-1]
    votes = {(vote.symbol, vote.time): vote for vote in traded.written(records.PanelRecord)}
    for intent in traded.written(records.IntentRecord):
        vote = votes[intent.symbol, intent.time]
        assert intent.order.stake_factor == part * vote.share
        assert 0 < vote.share <= 0.75
        assert f"{vote.strength} by the panel" in intent.note
    vetoes = [record for record in traded.written(records.RefusedRecord) if record.reason == "vetoed"]
    assert {(record.symbol, record.time) for record in vetoes} <= {key for key in votes if votes[key].share == 0}
    assert len(vetoes) > 5
    assert len({vote.strength for vote in votes.values()}) >= 4
    return votes


def test_a_session_trades_as_the_backtest_does(traded):
    votes = check_as_the_backtest(traded, 1.0)
    # What was asked is what is journalled.
    assert sorted((symbol, close - HOUR_MS) for close, symbol in traded.asked) == sorted(votes)


def test_an_overlay_and_a_panel_multiply(tmp_path):
    check_as_the_backtest(traded_by(tmp_path, overlay=CONSTANT), 0.5)


def test_nothing_is_asked_about_entries_that_cannot_fill(traded):
    refused = [record for record in traded.written(records.RefusedRecord) if "not asked" in record.note]
    decided = sum(int(np.count_nonzero(frame.action != Action.HOLD)) for frame in traded.world.frames.values())
    assert 0 < len(traded.asked) < decided
    assert {record.reason for record in refused} <= {"in_position", "no_slot"}
    assert refused


def test_the_judgements_of_a_session_are_those_of_the_frames(traded):
    votes, frames = traded.written(records.PanelRecord), judged(traded.world)
    for vote in votes:
        frame, rows = frames[vote.symbol], traded.world.frames[vote.symbol].time
        row = int(np.searchsorted(rows, vote.time))
        place = int(np.searchsorted(frame.row, row))
        known = (frame.agreement[place], frame.combined[place], frame.multiplier[place], frame.share[row])
        assert (vote.agreement, vote.combined, vote.multiplier, vote.share) == known
        assert len(vote.view["replies"]) == frame.replies[place]
    figures = panel_figures(frames)
    assert figures["entries"] == sum(figures["strengths"].values()) > len(votes)


@pytest.mark.parametrize("without", ["veto", "trade"])
def test_a_panel_that_never_replies_vetoes_all_or_changes_nothing(without, tmp_path):
    traded = traded_by(tmp_path, without_replies=without, fails=1.0)
    lines = [line(record) for record in traded.written(records.PanelRecord)]
    ordinary = traded.world.backtest()
    assert traded.account.trades == ([] if without == "veto" else list(ordinary.trades))
    assert all("NO_SIGNAL" in text and "(0 of 3 roles replied)" in text for text in lines)
    assert judged_backtest(traded.world).trades == tuple(traded.account.trades)


def test_killed_sessions_end_where_an_undisturbed_one_does(tmp_path):
    world = panel_world()
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
    found = judged_backtest(world)
    assert engine.account.trades == list(found.trades)
    assert engine.account.equity_usd == found.final_equity_usd


def test_altered_judgements_and_stakes_are_noticed(traded):
    world, entries = traded.world, traded.entries
    at = next(n for n, e in enumerate(entries) if isinstance(e.record, records.IntentRecord))
    judgement = max(
        n for n, e in enumerate(entries[:at])
        if isinstance(e.record, records.PanelRecord) and e.record.symbol == entries[at].record.symbol
    )  # fmt: skip

    def replay(place, **changes):
        changed = [*entries]
        changed[place] = entries[place]._replace(record=replace(entries[place].record, **changes))
        redo(world.config.engine(HOUR_MS, world.start, strategy=world.config.strategy), changed)

    replay(at)
    for factor in (1.0, 0.0, *SHARES[1:-1]):
        order = entries[at].record.order
        if factor != order.stake_factor:
            with pytest.raises(JournalError, match=r"order\.stake_factor"):
                replay(at, order=order._replace(stake_factor=factor))
    for share in (1.5, -0.5):
        with pytest.raises(JournalError, match="share"):
            replay(judgement, share=share)
    with pytest.raises(JournalError, match=r"order\.stake_factor"):  # an intent whose entry was vetoed
        replay(judgement, share=0.0)
    with pytest.raises(JournalError, match=r"order\.stake_factor"):  # an intent that was not judged at its bar
        replay(judgement, time=entries[judgement].record.time - HOUR_MS)
    first = entries[0].record
    assert first.settings["panel"] == world.config.panel.digest
    settings = {name: value for name, value in first.settings.items() if name != "panel"}
    with pytest.raises(JournalError, match="without a panel"):
        replay(0, settings=settings)
