"""The records of a session, read in order: no entry against a guard or beyond the ladder's step."""

from dataclasses import replace

from quorate.core.clock import HOUR_MS
from quorate.core.settings import AccountSettings, GuardSettings, LadderSettings
from quorate.trading.journal import (
    ClosedRecord,
    FilledRecord,
    GuardMovedRecord,
    HumanRecord,
    LadderMovedRecord,
    RefusedRecord,
    ValuedRecord,
)
from stubs.scripted import make_world

# Small enough to be reached within a hundred bars, also by the ladder's steps.
GUARDS = GuardSettings(losses=2, loss_usd=1.0, drawdown_usd=15.0, models_bars=2, volatility_bars=1, confidence=0.1)
LADDER = LadderSettings(
    capital_usd=(150.0, 300.0), positions=(2, 3), leverage=(6.0, 12.0), win_rate=(0.01,), days=0.25, trades=1
)


def test_no_fill_while_a_guard_is_tripped_nor_beyond_the_step(open_journal):
    fills, steps, guards, reasons = 0, set(), set(), set()
    for seed in (2, 4, 7, 9):
        written = life(seed, open_journal)
        tripped: set[tuple[str, str | None]] = set()
        step, margins = 1, {}
        for record in written:
            match record:
                case GuardMovedRecord(guard=guard, symbol=symbol, after=after):
                    tripped -= {(guard, symbol)}
                    tripped |= {(guard, symbol)} if after != "ACTIVE" else set()
                    guards.add((guard, after))
                case LadderMovedRecord(before=before, after=after):
                    assert before == step
                    step = after
                case FilledRecord(symbol=symbol, size=size):
                    assert {market for _, market in tripped} & {None, symbol} == set()
                    margins[symbol] = size.margin_usd
                    capital, positions, leverage = ((150.0, 2, 6.0), (300.0, 3, 12.0))[step - 1]
                    assert sum(margins.values()) <= capital * (1 + 1e-9)
                    assert len(margins) <= positions
                    assert size.leverage <= leverage
                    fills += 1
                    steps.add(step)
                case ClosedRecord(symbol=symbol):
                    del margins[symbol]
                case RefusedRecord(reason=reason):
                    reasons.add(reason)
    # The cases occurred: entries at both steps, halts that ended, orders that were stopped.
    assert fills > 30
    assert steps == {1, 2}
    assert {(name, mode) for name in ("losses", "drawdown") for mode in ("HALTED", "ACTIVE")} <= guards
    assert {("volatility", "REDUCING"), ("volatility", "ACTIVE")} <= guards
    assert "guarded" in reasons


def life(seed, open_journal):
    """All records of a session of a random world."""
    world = make_world(seed, bars=130)
    watch = replace(world.config.oversight, guards=GUARDS, ladder=LADDER)
    world = replace(world, config=replace(world.config, oversight=watch, account=AccountSettings(risk=0.05)))
    halted: set[str] = set()
    with open_journal(f"life{seed}") as journal, open_journal(f"life{seed}", role="human") as person:

        def watch_over(record) -> None:
            """Every six hours, request to re-arm all halted guards and to promote the ladder."""
            if isinstance(record, GuardMovedRecord):
                halted.discard(record.guard)
                halted.update([record.guard] if record.after == "HALTED" else [])
            if isinstance(record, ValuedRecord) and record.phase == "close" and record.time % (6 * HOUR_MS) == 0:
                acts = [*(("rearm", name) for name in sorted(halted)), ("promote", "")]
                person.append([HumanRecord(record.time, record.time, what, name, "ada") for what, name in acts])

        world.session(journal, listener=watch_over).run()
        return [entry.record for entry in journal.read()]
