"""Drift in a paper session: its journal, the stakes of new positions, and after a restart."""

from dataclasses import replace

import pytest

from quorate.core.clock import HOUR_MS
from quorate.core.errors import JournalError
from quorate.trading.drift_state import NO_DRIFT, DriftState
from quorate.trading.journal import records
from quorate.trading.paper import AccountStatus, PaperSession
from quorate.trading.paper.log_lines import line
from quorate.trading.paper.recovery import redo
from quorate.trading.webhook.message import message
from stubs.scripted import make_world

HALF = DriftState(alarm=True, stake_factor=0.5, reason="bundle script DRIFTING")


@pytest.fixture(scope="module")
def world():
    return make_world(5, symbols=2, bars=110, guarded=False, gaps=False)


def session(world, journal, drift_at, end=None):
    return PaperSession(
        world.feed(end), world.decide, journal, world.config, bundle_id="script", mode="replay", drift_at=drift_at
    )


def drifting(world, first=20, last=50):
    """An alarm from one bar of the world on, until another one."""
    start, end = (world.start + bars * HOUR_MS for bars in (first, last))
    return lambda close: HALF if start <= close < end else NO_DRIFT


def test_only_orders_of_the_alarm_are_smaller_and_say_so(world, open_journal):
    drift_at = drifting(world)
    with open_journal() as journal:
        session(world, journal, drift_at).run()
        written = [entry.record for entry in journal.read()]
        moves = [
            (record.before, record.after, record.stake_factor)
            for record in written
            if isinstance(record, records.DriftMovedRecord)
        ]
        assert moves == [(False, True, 0.5), (True, False, 1.0)]
        intents = [record for record in written if isinstance(record, records.IntentRecord)]
        for record in intents:
            wanted = drift_at(record.time + HOUR_MS)
            assert (record.order.stake_factor, record.note) == (wanted.stake_factor, wanted.reason)
        assert {record.order.stake_factor for record in intents} == {0.5, 1.0}
        status = AccountStatus(journal)
        assert status.to_json()["drift"] == NO_DRIFT._asdict()
        assert [move["what"] for move in status.to_json()["moves"]] == ["drift", "drift"]
    whole = {fill.order_id: fill for fill in fills(world, open_journal, "whole", lambda _: NO_DRIFT)}
    first = next(fill for fill in written if isinstance(fill, records.FilledRecord) and fill.order.stake_factor < 1)
    # Until the first of them both accounts are the same.
    assert first.size.quantity == pytest.approx(whole[first.order_id].size.quantity / 2)
    assert first.size.leverage == whole[first.order_id].size.leverage
    assert first.size.stop == whole[first.order_id].size.stop


def fills(world, open_journal, account, drift_at):
    with open_journal(account) as journal:
        session(world, journal, drift_at).run()
        return [e.record for e in journal.read(kinds=[records.FilledRecord])]


def test_the_stake_survives_a_restart_and_an_unreadable_check(world, open_journal):
    middle = world.start + 40 * HOUR_MS
    with open_journal() as journal:
        session(world, journal, drifting(world), middle).run()
    with open_journal() as journal:
        again = session(world, journal, lambda _: None)
        again.start()
        assert again.engine.drift == HALF
        again.run()
        later = [e.record for e in journal.read(kinds=[records.IntentRecord]) if e.record.time > middle]
        assert later
        assert {record.order.stake_factor for record in later} == {0.5}
        assert len(list(journal.read(kinds=[records.DriftMovedRecord]))) == 1


def test_an_altered_factor_is_noticed(world, open_journal):
    with open_journal() as journal:
        session(world, journal, drifting(world)).run()
        entries = list(journal.read())
    at = next(n for n, e in enumerate(entries) if getattr(getattr(e.record, "order", None), "stake_factor", 1) < 1)
    order = entries[at].record.order._replace(stake_factor=1.0)
    entries[at] = entries[at]._replace(record=replace(entries[at].record, order=order))
    engine = world.config.engine(HOUR_MS, world.start, strategy=world.config.strategy)
    with pytest.raises(JournalError, match=r"order\.stake_factor 1\.0 in record"):
        redo(engine, entries)


def test_an_alarm_that_only_tells_is_in_the_journal(world, open_journal):
    told = HALF._replace(stake_factor=1.0)
    with open_journal() as journal:
        session(world, journal, lambda _: told, world.start + 3 * HOUR_MS).run()
        (entry,) = journal.read(kinds=[records.DriftMovedRecord])
        assert (entry.record.before, entry.record.after, entry.record.stake_factor) == (False, True, 1.0)
        assert line(entry.record).endswith("drift: bundle script DRIFTING; new entries with 100% of the ordinary stake")
        assert message(entry.record, "paper")["event"] == "drift"
