"""Positions by target in the journal: the account rebuilt from it is the same, and altered figures are noticed."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from quorate.core.clock import HOUR_MS
from quorate.core.errors import JournalError
from quorate.core.settings import AccountSettings, CostSettings, GuardSettings
from quorate.trading import Account, Bar, Contract, Settlement, TargetOrder
from quorate.trading.engine import TradingEngine
from quorate.trading.guards import Guards
from quorate.trading.journal import Entry, Record, records
from quorate.trading.journal.canonical_json import decode, encode
from quorate.trading.paper.recovery import redo

SYMBOLS = ("A/USDT:USDT", "B/USDT:USDT", "C/USDT")


def engine(emit: Any = None, *, losses: int = 10_000, margin: Any = "isolated") -> TradingEngine:
    rules = {symbol: Contract(symbol, lot=0.01) for symbol in SYMBOLS}
    account = Account(AccountSettings(leverage=8.0, margin=margin), CostSettings(slippage=0.001), contracts=rules)
    guards = Guards(GuardSettings(losses=losses, loss_usd=10.0, models=0, drawdown_usd=1e6))
    return TradingEngine(account, HOUR_MS, guards=guards, emit=emit)


def steps(
    seed: int, bars: int = 60, symbols: tuple[str, ...] = SYMBOLS
) -> Iterator[tuple[int, dict[str, Bar], list[TargetOrder]]]:
    random = np.random.default_rng(seed)
    close = dict.fromkeys(SYMBOLS, 100.0)
    for number in range(bars):
        time, market, wanted = number * HOUR_MS, {}, []
        for symbol in SYMBOLS:
            opened = close[symbol] * float(np.exp(0.01 * random.standard_normal()))
            close[symbol] = opened * float(np.exp(0.03 * random.standard_normal()))
            high, low = max(opened, close[symbol]) * 1.02, min(opened, close[symbol]) * 0.98
            settled = (Settlement(float(0.003 * random.standard_normal()), opened),) if ":" in symbol else ()
            bar = Bar(time, opened, high, low, close[symbol], opened, high, low, settled_at_open=settled[number % 2 :])
            if random.random() > 0.05:
                market[symbol] = bar
            if random.random() < 0.7 and symbol in symbols:
                wanted.append(TargetOrder(symbol, time, float(random.choice([0.0, 1.0, 20.0]) * random.normal())))
        yield time, market, wanted


def snapshot(state: TradingEngine) -> tuple[Any, ...]:
    account = state.account
    return (
        *(
            account.cash_usd,
            account.equity_usd,
            repr(account.positions),
            repr(account.trades),
            Counter(account.refused),
        ),
        *(list(state.pending_targets), state.peak_usd, state.time, state.phase),
    )


def run(seed: int, **options: Any) -> tuple[list[Entry], dict[int, tuple[Any, ...]]]:
    """The journal of a run, and the engine after each of its steps: number of the newest record -> figures."""
    written: list[Record] = []
    state, after = engine(written.append, **options), {}
    symbols = SYMBOLS[:2] if options.get("margin") == "cross" else SYMBOLS
    for time, market, wanted in steps(seed, symbols=symbols):
        state.at_open(time, market.get)
        after[len(written)] = snapshot(state)
        state.at_close(time, market.get)
        state.submit_targets(wanted)
    return [Entry(number, 0, record) for number, record in enumerate(written, 1)], after


def again(record: Record, body: str | None = None) -> Record:
    names = getattr(record, "symbol", None), getattr(record, "order_id", None)
    return decode(record.kind, record.time, *names, encode(record) if body is None else body)


@pytest.mark.parametrize("margin", ["isolated", "cross"])
@pytest.mark.parametrize("seed", range(6))
def test_a_killed_account_is_rebuilt_to_the_last_bit(seed: int, margin: str) -> None:
    entries, after = run(seed, margin=margin)
    stored = [Entry(seq, written, again(record)) for seq, written, record in entries]
    for number, expected in after.items():
        rebuilt = engine(margin=margin)
        redo(rebuilt, stored[:number])
        assert snapshot(rebuilt) == expected


def test_the_runs_have_records_of_every_kind() -> None:
    entries = [entry.record for seed in range(6) for entry in run(seed)[0]]
    kinds = Counter(record.kind for record in entries)
    assert all(kinds[kind] > 20 for kind in ("target", "increased", "reduced", "unfilled", "closed", "settled"))
    reasons = {record.trade.reason for record in entries if isinstance(record, records.ClosedRecord)}
    assert {"rebalance", "liquidation"} <= reasons
    unfilled = {record.reason for record in entries if isinstance(record, records.UnfilledRecord)}
    assert {"no_margin", "spot_short", "no_next_bar", "below_minimum"} <= unfilled
    keys = [entry.record.key for entry in run(0)[0]]
    assert len(keys) == len(set(keys))


def test_a_loss_at_the_open_stops_what_is_added_and_nothing_that_is_sold() -> None:
    written: list[Record] = []
    state = engine(written.append, losses=1)
    held = [{SYMBOLS[0]: 4.0, SYMBOLS[1]: 4.0}, {SYMBOLS[0]: 1.0, SYMBOLS[1]: 5.0}, {SYMBOLS[1]: 1.0}]
    for number, price in enumerate((100.0, 90.0, 95.0)):
        time = number * HOUR_MS
        state.submit_targets([TargetOrder(symbol, time - HOUR_MS, wanted) for symbol, wanted in held[number].items()])
        market = {symbol: Bar(time, *[price] * 7) for symbol in SYMBOLS}
        state.at_open(time, market.get)
        state.at_close(time, market.get)
    # Three of four units are sold at a loss of 30; then one more of the other is not bought, but three are sold.
    found = [(r.kind, r.symbol) for r in written if r.kind in ("increased", "reduced", "unfilled")]
    assert found == [
        *(("increased", SYMBOLS[0]), ("increased", SYMBOLS[1])),
        *(("reduced", SYMBOLS[0]), ("unfilled", SYMBOLS[1]), ("reduced", SYMBOLS[1])),
    ]
    (left,) = (record for record in written if isinstance(record, records.UnfilledRecord))
    assert (left.reason, left.quantity) == ("guarded", 1.0)
    assert "losses" in left.note


def test_an_open_without_trust_leaves_the_targets() -> None:
    written: list[Record] = []
    state = engine(written.append)
    market = {symbol: Bar(HOUR_MS, *[100.0] * 7) for symbol in SYMBOLS}
    state.submit_targets([TargetOrder(SYMBOLS[0], 0, 1.0)])
    state.at_open(HOUR_MS, market.get, "no_trust")
    state.submit_targets([TargetOrder(SYMBOLS[0], 0, 1.0)])
    state.at_open(2 * HOUR_MS, market.get)
    assert [r.reason for r in written if isinstance(r, records.UnfilledRecord)] == ["no_trust", "no_next_bar"]
    assert not state.pending_targets


def leaves(tree: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    if isinstance(tree, dict):
        for name, value in tree.items():
            yield from leaves(value, (*path, name))
    elif isinstance(tree, int | float) and not isinstance(tree, bool):
        yield path


# What no other record determines: liquidation prices depend on the exchange's tiers (they are compared with the margin
# only), and nothing follows from how much was left.
FREE = {
    "increased": {("holding", "size", "liquidation_price"), ("holding", "liquidation_price")},
    "reduced": {("holding", "size", "liquidation_price"), ("holding", "liquidation_price")},
    "unfilled": {("quantity",)},
}


@pytest.mark.parametrize("margin", ["isolated", "cross"])
@pytest.mark.parametrize("kind", ["target", "increased", "reduced", "unfilled", "closed"])
def test_every_altered_figure_is_noticed(kind: str, margin: str) -> None:
    entries, _ = run(2, margin=margin)
    places = [number for number, entry in enumerate(entries) if entry.record.kind == kind]
    middle = places[len(places) // 2]
    record = entries[middle].record
    for path in set(leaves(json.loads(encode(record)))) - FREE.get(kind, set()):
        tree = json.loads(encode(record))
        inner = tree
        for name in path[:-1]:
            inner = inner[name]
        inner[path[-1]] = inner[path[-1]] * 2 + 7
        changed = [*entries]
        changed[middle] = entries[middle]._replace(record=again(record, json.dumps(tree)))
        with pytest.raises(JournalError):
            redo(engine(margin=margin), changed)
