"""What a session wrote, read line by line: nothing was entered that a guard or the ladder's step forbids."""

from dataclasses import replace

import pytest

from quorate.core.settings import AccountSettings, GuardSettings, LadderSettings
from quorate.trading.journal import Closed, Filled, GuardMoved, Human, LadderMoved, Refused
from stubs.scripted import make_world

# Small enough to be reached within a hundred bars, also by the ladder's steps.
GUARDS = GuardSettings(losses=2, loss_usd=1.0, drawdown_usd=8.0, models_bars=2, volatility_bars=1, confidence=0.1)
LADDER = LadderSettings(
    capital_usd=(150.0, 300.0), positions=(2, 3), leverage=(6.0, 12.0), win_rate=(0.01,), days=0.5, trades=1
)


@pytest.mark.parametrize("seed", [2, 4, 7, 9])
def test_no_fill_while_a_guard_is_tripped_nor_beyond_the_step(open_journal, seed):
    world = make_world(seed, bars=130)
    watch = replace(world.terms.oversight, guards=GUARDS, ladder=LADDER)
    terms = replace(world.terms, oversight=watch, account=AccountSettings(risk=0.05))
    world = replace(world, terms=terms)
    with open_journal() as journal:
        # Somebody is always there to re-arm and to confirm; most of it is refused.
        asked = [Human(world.start, bar, "rearm", name, "ada") for bar in range(2) for name in ("losses", "drawdown")]
        session = world.session(journal)

        def listen(record) -> None:
            if record.kind == "valued" and record.phase == "close":
                for row, human in enumerate((*asked, Human(world.start, 0, "promote", "", "ada"))):
                    with open_journal(role="human") as person:
                        person.append([replace(human, time=record.time, at=record.time + row)])

        session._listener = listen
        session.run()
        written = [entry.record for entry in journal.read()]
    tripped: set[tuple[str, str | None]] = set()
    step, margins, fills, steps = 1, {}, 0, set()
    for record in written:
        match record:
            case GuardMoved(guard=guard, symbol=symbol, after=after):
                tripped -= {(guard, symbol)}
                tripped |= {(guard, symbol)} if after != "ACTIVE" else set()
            case LadderMoved(before=before, after=after):
                assert before == step
                step = after
            case Filled(symbol=symbol, size=size):
                assert {market for _, market in tripped} & {None, symbol} == set()
                margins[symbol] = size.margin_usd
                capital, positions, leverage = ((150.0, 2, 6.0), (300.0, 3, 12.0))[step - 1]
                assert sum(margins.values()) <= capital * (1 + 1e-9)
                assert len(margins) <= positions
                assert size.leverage <= leverage
                fills += 1
                steps.add(step)
            case Closed(symbol=symbol):
                del margins[symbol]
    assert fills > 5
    assert steps == {1, 2}
    assert {record.reason for record in written if isinstance(record, Refused)} >= {"guarded"}
