"""The panel can confirm, shrink or veto: the orders with it are a subset of those without it, none of them larger.

An order is a decision with a share of the ordinary stake, before slots and margin of the account limit it. Two accounts
that differ by a panel differ from the first veto on: a slot or margin that a veto leaves free may be used by a later
order, which the account without the panel had no room for. Each of these is itself among the orders without the panel.
With room for every order, the trades are a subset too.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quorate.core.settings import AccountSettings, CostSettings, ExitSettings, GuardSettings
from quorate.core.types import Action, Signal, Vote
from quorate.llm import ROLES, PanelView, RoleAbstention, RoleReply
from quorate.llm.judging_panel import JudgingPanel
from quorate.llm.panel_frame import panel_frames
from quorate.market.synthetic import SyntheticMarket
from quorate.trading import Account, AccountRules, Bar, Contract, Order, backtest
from quorate.trading.account.orders import Orders
from quorate.trading.drift_state import DriftState
from quorate.trading.engine import TradingEngine
from quorate.trading.guards import Guards
from quorate.trading.sizing import SHARES
from stubs.random_panel import RandomPanel
from stubs.scripted import make_world

HOUR = 3_600_000
MARKETS = tuple(f"{name}/USDT:USDT" for name in ("ADA", "BTC", "ETH", "SOL"))
CANDLES = dict.fromkeys(MARKETS, SyntheticMarket(seed=1, symbols=1, bars=3).candles("SYNA/USDT:USDT"))

scores = st.lists(st.floats(0.01, 1), min_size=3, max_size=3)
votes = st.lists(st.tuples(st.sampled_from(Action), st.none() | scores), max_size=4)
role = st.sampled_from(["no provider", "failed"]) | st.tuples(st.sampled_from(Action), st.floats(0, 1))
entry = st.fixed_dictionaries(
    {
        "action": st.sampled_from(Action),
        "confidence": st.floats(0, 1),
        "votes": votes,
        "roles": st.none() | st.tuples(*[role] * len(ROLES)),  # None: the source has no view at all
        "share": st.sampled_from(SHARES),
        "atr": st.floats(0.5, 5),
    }
)
cases = st.tuples(
    st.lists(entry, min_size=1, max_size=len(MARKETS)),
    st.sampled_from([1.0, 0.5, 0.3]),
    st.sampled_from(["veto", "trade"]),
    st.booleans(),
)


class Given:
    """A source of given replies."""

    digest = "0" * 16

    def __init__(self, entries):
        self._entries = dict(zip(MARKETS, entries, strict=False))

    def views(self, close, signals, bars):
        known = {signal.symbol: self._entries[signal.symbol]["roles"] for signal in signals}
        return {symbol: self._view(roles) for symbol, roles in known.items() if roles is not None}

    @staticmethod
    def _view(roles):
        named = list(zip(ROLES, roles, strict=True))
        failed = tuple(RoleAbstention(name, "HTTP 500") for name, reply in named if reply == "failed")
        replies = tuple(RoleReply(name, "p", "m", *reply) for name, reply in named if isinstance(reply, tuple))
        return PanelView(replies, failed)


def check(case):
    """Submit the same signals to two accounts in the same state, one of them with a panel."""
    entries, drifted, without, halted = case
    named = list(zip(MARKETS, entries, strict=False))
    signals = [
        Signal(
            *(each["action"], each["confidence"], "strong", "vote", each["confidence"], 0.02),
            tuple(
                Vote(f"m{n}", action, 0.5, scores=None if table is None else tuple(table))
                for n, (action, table) in enumerate(each["votes"])
            ),
            symbol=symbol,
            time=0,
        )
        for symbol, each in named
    ]
    orders = [
        Order(s.symbol, 1 if s.action == Action.BUY else -1, 0, 5 * HOUR, s.confidence, each["atr"])
        for s, (_, each) in zip(signals, named, strict=True)
        if s.action != Action.HOLD
    ]
    panel = JudgingPanel(Given(entries), without)
    judged = panel.votes(HOUR, signals, CANDLES)
    assert judged.keys() == {order.symbol for order in orders}
    assert all(0 <= vote.share <= (0.75 if vote.view["replies"] else 1.0) for vote in judged.values())
    pending, filled = [], []
    for applied in (None, judged):
        account = AccountSettings(equity_usd=1e6, sizing="fixed", stake_usd=1_000.0)
        made = Account(account, CostSettings(), None, {symbol: Contract(symbol, lot=0.001) for symbol in MARKETS})
        engine = TradingEngine(made, HOUR, guards=Guards(GuardSettings(losses=1, loss_usd=1.0, models=0)))
        if halted:
            engine.submit([Order(MARKETS[0], 1, 0, 2 * HOUR, 0.9, 2.0)])
            for time, price in ((HOUR, 100.0), (2 * HOUR, 90.0)):
                engine.at_open(time, lambda _, t=time, p=price: Bar(t, p, p, p, p, p, p, p))
            assert engine.stopped_by(MARKETS[0], 2 * HOUR)
        engine.drift = DriftState(drifted < 1, drifted)
        engine.submit(orders, {symbol: each["share"] for symbol, each in named}, applied)
        pending.append({order.symbol: order for order in engine.pending})
        engine.at_open(HOUR, lambda _: Bar(HOUR, *[100.0] * 7))
        filled.append({symbol: position.size for symbol, position in engine.account.positions.items()})
    for whole, left in (pending, filled):
        assert left.keys() <= whole.keys()
    for symbol, order in pending[1].items():
        ordinary, vote = pending[0][symbol], judged[symbol]
        assert order._replace(stake_factor=ordinary.stake_factor) == ordinary
        assert order.stake_factor == ordinary.stake_factor * vote.share <= ordinary.stake_factor
        assert without == "trade" or vote.strength in ("MODERATE", "STRONG", "VERY_STRONG")
        assert vote.direction in (Action.BUY if order.side > 0 else Action.SELL, None)
    for symbol, size in filled[1].items():
        ordinary = filled[0][symbol]
        assert size.quantity <= ordinary.quantity
        assert size.margin_usd <= ordinary.margin_usd
        assert (size.leverage, size.stop, size.target) == (ordinary.leverage, ordinary.stop, ordinary.target)
    return len(pending[0]), len(pending[1])


@settings(max_examples=150, deadline=None)
@given(cases)
def test_orders_with_a_panel_are_a_subset_and_never_larger(case):
    check(case)


@pytest.mark.slow
@settings(max_examples=10_000, deadline=None)
@given(cases)
def test_in_10000_cases(case):
    check(case)


def world_orders(world, shares=None):
    made = Orders(world.frames, world.candles, world.config.holding_bars, world.start, world.end, None, None, shares)
    return {(order.symbol, order.decided, order.side): order for order in made.all}


def shares_of(world, seed):
    frames = panel_frames(JudgingPanel(RandomPanel(seed)), world.frames, world.candles, world.start, world.end)
    return {symbol: frame.share for symbol, frame in frames.items()}


def trades_of(world, rules, shares=None):
    run = backtest(
        world.frames, world.candles, world.funding, rules, start=world.start, marks=world.marks, shares=shares
    )
    return run, {(trade.symbol, trade.decided, trade.side): trade for trade in run.trades}


@pytest.mark.parametrize("guarded", [False, True], ids=["event by event", "bar by bar"])
def test_on_a_whole_backtest(guarded):
    world = make_world(11, symbols=4, bars=300, guarded=guarded)
    without, shares = world_orders(world), shares_of(world, 11)
    with_panel = world_orders(world, shares)
    assert with_panel.keys() < without.keys()
    for key, order in with_panel.items():
        share = shares[order.symbol][np.searchsorted(world.frames[order.symbol].time, order.decided)]
        assert order[:6] == without[key][:6]
        assert (order.stake_factor, without[key].stake_factor) == (share, 1.0)
        assert 0 < share <= 0.75
    run, trades = trades_of(world, world.config, shares)
    assert trades.keys() <= with_panel.keys()
    assert len(trades) > 20
    assert run.refused["vetoed"] == len(without) - len(with_panel)


def test_with_room_for_every_order_the_trades_are_a_subset_too():
    world = make_world(12, symbols=4, bars=300, guarded=False)
    account = AccountSettings(equity_usd=1e6, positions=4, sizing="fixed", stake_usd=1_000.0)
    # Positions of one bar: an order never finds one of its market.
    rules = AccountRules(1, account, world.config.costs, ExitSettings())
    _, without = trades_of(world, rules)
    _, with_panel = trades_of(world, rules, shares_of(world, 12))
    assert with_panel.keys() < without.keys()
    assert len(with_panel) > 50
    for key, trade in with_panel.items():
        assert trade.quantity < without[key].quantity
        assert (trade.exit_time, trade.reason) == (without[key].exit_time, without[key].reason)
