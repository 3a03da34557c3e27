"""A figure of a journal that was altered is noticed when the account is rebuilt; record and figure are named."""

import json
from collections import defaultdict
from dataclasses import replace

import pytest

from quorate.core.clock import HOUR_MS
from quorate.core.errors import QuorateError
from quorate.core.settings import CostSettings, ExitSettings
from quorate.trading.journal import records
from quorate.trading.journal.canonical_json import decode, encode
from quorate.trading.paper.recovery import peek, redo
from stubs.scripted import make_world

KINDS = ("intent", "filled", "settled", "closed", "valued")

# What no other record determines: the liquidation price depends on the exchange's tiers (it is compared with the margin
# only), and guards alone use the number of valid members.
FREE = {
    "filled": {("size", "liquidation_price")},
    "settled": {("liquidation_price",)},
    "valued": {("valid",), ("heard",)},
}


@pytest.fixture(scope="module")
def world():
    world = make_world(3, bars=160, guarded=False)
    # A maker fee and slippage, so that targets, stops and time exits are different fills.
    config = replace(
        world.config, costs=CostSettings(slippage=0.001), exits=ExitSettings(maker_target=True, trail_atr=3.0)
    )
    world.config = config
    return world


@pytest.fixture(scope="module")
def entries(world, tmp_path_factory):
    from quorate.trading.journal import Journal

    url = f"sqlite:///{tmp_path_factory.mktemp('journal') / 'journal.sqlite'}"
    with Journal.open(url, "paper") as journal:
        world.session(journal).run()
        return list(journal.read())


def rebuild(world, entries):
    started, whole = peek(entries)
    return redo(world.config.engine(HOUR_MS, started.time, strategy=started.strategy), whole)


def leaves(tree, path=()):
    if isinstance(tree, dict):
        for name, value in tree.items():
            yield from leaves(value, (*path, name))
    elif isinstance(tree, int | float) and not isinstance(tree, bool):
        yield path


def altered(record, path, change):
    """The record with one figure of its body changed."""
    tree = json.loads(encode(record))
    inner = tree
    for name in path[:-1]:
        inner = inner[name]
    inner[path[-1]] = change(inner[path[-1]])
    names = getattr(record, "symbol", None), getattr(record, "order_id", None)
    return decode(record.kind, record.time, *names, json.dumps(tree))


def test_the_journal_itself_is_accepted(world, entries):
    rebuild(world, entries)
    reasons = {entry.record.trade.reason for entry in entries if isinstance(entry.record, records.ClosedRecord)}
    assert len(reasons) >= 3


@pytest.mark.parametrize("kind", KINDS)
def test_every_altered_figure_is_noticed(world, entries, kind):
    closed = {entry.record.order_id for entry in entries if isinstance(entry.record, records.ClosedRecord)}
    chosen = [
        (place, entry.record)
        for place, entry in enumerate(entries)
        if entry.record.kind == kind
        # Of trades that were closed, and of valuations with a position.
        and getattr(entry.record, "order_id", None) in closed | {None}
        and getattr(entry.record, "marks", True)
    ]
    assert len(chosen) >= 3
    missed = defaultdict(set)
    for place, record in (chosen[0], chosen[len(chosen) // 2], chosen[-1]):
        for path in leaves(json.loads(encode(record))):
            for change in (lambda value: value + 1, lambda value: value * 1.0001 if value % 1 else value + 3):
                wrong = altered(record, path, change)
                try:
                    rebuild(world, [*entries[:place], entries[place]._replace(record=wrong), *entries[place + 1 :]])
                except QuorateError:
                    continue
                missed[kind].add(path)
    assert missed[kind] <= FREE.get(kind, set())


def test_the_message_names_record_and_figure(world, entries):
    place, entry = next((n, e) for n, e in enumerate(entries) if isinstance(e.record, records.ClosedRecord))
    trade = entry.record.trade._replace(gross_usd=entry.record.trade.gross_usd + 5.0)
    wrong = entry._replace(record=replace(entry.record, trade=trade))
    with pytest.raises(QuorateError, match=rf"found trade.gross_usd .* in record {entry.seq} \(closed\)"):
        rebuild(world, [*entries[:place], wrong, *entries[place + 1 :]])
