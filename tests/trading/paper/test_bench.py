"""The bench in a paper session: its journal, its notices, and after a restart."""

from dataclasses import replace

import pytest

from quorate.core.clock import HOUR_MS
from quorate.core.errors import JournalError
from quorate.core.types import Abstention, Action, Vote
from quorate.trading.journal import records
from quorate.trading.paper import AccountStatus, PaperSession
from quorate.trading.paper.benched_members import bench_moves
from quorate.trading.paper.log_lines import line
from quorate.trading.paper.recovery import redo
from quorate.trading.webhook.message import message
from stubs.scripted import make_world

VOTE = Vote("nhits", Action.BUY, 0.8, scores=(0.1, 0.1, 0.8))


@pytest.fixture(scope="module")
def world():
    return make_world(5, symbols=2, bars=60, guarded=False, gaps=False)


def benched(world, first=10, last=20):
    """Decisions of the world in which a member is benched from one bar on, until another one."""

    def decide(markets, now):
        held = world.start + first * HOUR_MS <= now - HOUR_MS < world.start + last * HOUR_MS
        out, shadow = ((Abstention("nhits", "benched: drifted"),), (VOTE,)) if held else ((), ())
        return [replace(signal, abstentions=out, benched=shadow) for signal in world.decide(markets, now)]

    return decide


def session(world, journal, decide, end=None):
    return PaperSession(world.feed(end), decide, journal, world.config, bundle_id="script", mode="replay")


def test_moves_and_shadows_are_in_the_journal(world, open_journal):
    with open_journal() as journal:
        session(world, journal, benched(world)).run()
        moves = [entry.record for entry in journal.read(kinds=[records.BenchMovedRecord])]
        first, last = (world.start + bars * HOUR_MS for bars in (10, 20))
        assert moves == [
            records.BenchMovedRecord(first, "nhits", True, "drifted"),
            records.BenchMovedRecord(last, "nhits", False, ""),
        ]
        shadows = [entry.record for entry in journal.read(kinds=[records.ShadowRecord])]
        assert {shadow.votes for shadow in shadows} == {(VOTE,)}
        assert {shadow.time for shadow in shadows} == set(range(first, last, HOUR_MS))
        assert len(shadows) == 2 * 10
        status = AccountStatus(journal).to_json()
    found = [(move["what"], move["before"], move["after"]) for move in status["moves"]]
    assert found == [("bench nhits", "votes", "benched"), ("bench nhits", "benched", "votes")]
    assert line(moves[0]).endswith("bench: nhits is benched: drifted")
    assert line(moves[1]).endswith("bench: nhits votes again")
    assert [message(move, "paper")["event"] for move in moves] == ["benched", "returned"]
    assert message(moves[0], "paper")["text"] == "nhits is benched: drifted"


@pytest.mark.parametrize("stopped", [5, 15, 25])
def test_a_restart_writes_no_move_twice(world, open_journal, stopped):
    with open_journal("whole") as journal:
        session(world, journal, benched(world)).run()
        whole = [entry.record for entry in journal.read(kinds=[records.BenchMovedRecord, records.ShadowRecord])]
    with open_journal() as journal:
        session(world, journal, benched(world), world.start + stopped * HOUR_MS).run()
    with open_journal() as journal:
        again = session(world, journal, benched(world))
        again.start()
        assert again.recovered.benched == ({"nhits": "drifted"} if stopped == 15 else {})
        again.run()
        assert whole == [e.record for e in journal.read(kinds=[records.BenchMovedRecord, records.ShadowRecord])]


def test_an_altered_move_is_noticed(world, open_journal):
    with open_journal() as journal:
        session(world, journal, benched(world)).run()
        entries = list(journal.read())
    at = next(n for n, e in enumerate(entries) if isinstance(e.record, records.BenchMovedRecord))
    entries[at] = entries[at]._replace(record=replace(entries[at].record, benched=False))
    engine = world.config.engine(HOUR_MS, world.start, strategy=world.config.strategy)
    with pytest.raises(JournalError, match="benched False of nhits in record"):
        redo(engine, entries)


def test_a_bar_without_decisions_says_nothing_and_a_failure_is_no_other_reason(world):
    assert bench_moves([], 0, {"nhits": "drifted"}) == []
    (signal,) = world.decide([next(iter(world.feed(None).wait(world.start).candles.values()))], world.start + HOUR_MS)
    failing = replace(signal, abstentions=(Abstention("nhits", "benched: drifted; failed: no"),))
    sound = replace(signal, abstentions=(Abstention("nhits", "benched: drifted"),))
    for signals in ([failing, sound], [sound, failing]):
        assert [move.reason for move in bench_moves(signals, 0, {})] == ["drifted"]
