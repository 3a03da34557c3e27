"""Members that are chosen to vote in a paper session: its journal, its notices, and after a restart."""

from dataclasses import replace

import pytest

from quorate.core.clock import HOUR_MS
from quorate.core.errors import JournalError
from quorate.core.types import Abstention
from quorate.trading.journal import records
from quorate.trading.paper import AccountStatus, PaperSession
from quorate.trading.paper.benched_members import selection_move
from quorate.trading.paper.log_lines import line
from quorate.trading.paper.recovery import redo
from quorate.trading.webhook.message import message
from stubs.scripted import make_world


@pytest.fixture(scope="module")
def world():
    return make_world(5, symbols=2, bars=60, guarded=False, gaps=False)


def selecting(world):
    """Decisions of the world in which a votes in place of b from bar 10 on, and b of a from bar 20 on."""

    def decide(markets, now):
        bars = (now - HOUR_MS - world.start) // HOUR_MS
        if bars < 10:
            return world.decide(markets, now)
        chosen, other = ("a", "b") if bars < 20 else ("b", "a")
        out = (Abstention(chosen, "too little history"), Abstention(other, "not selected: since 2025-01-01 00:00"))
        return [replace(signal, votes=(), abstentions=out) for signal in world.decide(markets, now)]

    return decide


def session(world, journal, end=None):
    return PaperSession(world.feed(end), selecting(world), journal, world.config, bundle_id="script", mode="replay")


def moves_of(journal):
    return [entry.record for entry in journal.read(kinds=[records.SelectedRecord])]


def test_changes_are_in_the_journal(world, open_journal):
    with open_journal() as journal:
        session(world, journal).run()
        moves = moves_of(journal)
        status = AccountStatus(journal).to_json()
    first, second = (world.start + bars * HOUR_MS for bars in (10, 20))
    assert moves == [
        records.SelectedRecord(first, (), ("a",)),
        records.SelectedRecord(second, ("a",), ("b",)),
    ]
    found = [(move["what"], move["before"], move["after"], move["reason"]) for move in status["moves"]]
    assert found == [("votes", "all", "a", "the first choice"), ("votes", "a", "b", "b for a")]
    assert line(moves[1]).endswith("votes: b (b for a)")
    assert message(moves[1], "paper")["text"] == "b vote: b for a"


@pytest.mark.parametrize("stopped", [5, 15, 25])
def test_a_restart_writes_no_change_twice(world, open_journal, stopped):
    with open_journal() as journal:
        session(world, journal, world.start + stopped * HOUR_MS).run()
    with open_journal() as journal:
        again = session(world, journal)
        again.start()
        assert again.recovered.selected == {5: (), 15: ("a",), 25: ("b",)}[stopped]
        again.run()
        assert [move.after for move in moves_of(journal)] == [("a",), ("b",)]


def test_an_altered_change_is_noticed(world, open_journal):
    with open_journal() as journal:
        session(world, journal).run()
        entries = list(journal.read())
    at = next(n for n, e in enumerate(entries) if isinstance(e.record, records.SelectedRecord))
    entries[at] = entries[at]._replace(record=replace(entries[at].record, before=("c",)))
    engine = world.config.engine(HOUR_MS, world.start, strategy=world.config.strategy)
    with pytest.raises(JournalError, match="votes of c before record"):
        redo(engine, entries)


def test_a_bar_without_decisions_says_nothing():
    assert selection_move([], 0, ("a",)) is None
