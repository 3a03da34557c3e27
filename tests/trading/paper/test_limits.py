"""Accounts that resume with other limits than before."""

from dataclasses import replace

import pytest

from quorate.core.clock import HOUR_MS
from quorate.core.settings import GuardSettings
from quorate.trading.journal import GuardMovedRecord, ValuedRecord
from stubs.scripted import make_world

STRICT = GuardSettings(
    losses=1, loss_usd=0.0, drawdown_usd=0.5, models=4, confidence=0.9, volatility=0.02, volatility_clear=0.01
)
LAX = GuardSettings(
    losses=99, loss_usd=1e6, drawdown_usd=1e6, models=0, confidence=0.0, volatility=9.0, volatility_clear=9.0
)


def under(world, limits):
    watch = replace(world.config.oversight, guards=limits)
    return replace(world, config=replace(world.config, oversight=watch))


@pytest.mark.parametrize("seed", [1, 2])
def test_nobody_is_halted_for_what_was_allowed_and_the_new_limits_hold_from_now_on(open_journal, seed):
    world = make_world(seed)
    middle = world.start + 60 * HOUR_MS
    with open_journal() as journal:
        under(world, LAX).session(journal, end=middle).run()
        assert list(journal.read(kinds=[GuardMovedRecord])) == []
    with open_journal() as journal:
        session = under(world, STRICT).session(journal)
        session._recover()
        assert session.engine.guards.pending == ()
        assert session.engine.guards.mode == "ACTIVE"
        session.run()
        moved = [entry.record for entry in journal.read(kinds=[GuardMovedRecord])]
        assert moved
        assert min(record.time for record in moved) >= middle


def test_a_halt_outlives_limits_that_would_not_have_caused_it(open_journal):
    world = make_world(1)
    with open_journal() as journal:
        session = under(world, STRICT).session(journal, end=world.start + 60 * HOUR_MS)
        session.run()
        assert session.engine.guards.mode == "HALTED"
    with open_journal() as journal:
        session = under(world, LAX).session(journal)
        session.run()
        assert session.engine.guards.mode == "HALTED"
        last = list(journal.read(kinds=[ValuedRecord]))[-1].record
        assert last.time > world.start + 61 * HOUR_MS
