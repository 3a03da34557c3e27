"""kill -9 at any time: no record is lost or written twice."""

import json
import subprocess
import sys
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest

from quorate.core.errors import QuorateError
from quorate.trading.journal import Entry, StartedRecord
from quorate.trading.paper.recovery import peek, redo
from stubs.scripted import make_world

KILLS = Path(__file__).parents[2] / "stubs" / "kills.py"


def killed(folder, kills, seed):
    done = subprocess.run(
        [sys.executable, KILLS, "--seed", str(seed), "--kills", str(kills), "--folder", folder],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["kills"] >= kills
    assert found["slowest_recovery_s"] < 2
    return found


def test_25_kills(tmp_path):
    assert killed(tmp_path, 25, seed=1)["accounts"] >= 2


@pytest.mark.slow
def test_1000_kills(tmp_path):
    found = killed(tmp_path, 1_000, seed=2)
    assert found["accounts"] > 50


class Crash(BaseException):
    """Stands for a kill: not caught by any `except Exception`."""


class Doomed:
    """A journal that ends its process before or after one of its appends; everything else is the journal's own."""

    def __init__(self, journal, append, *, written):
        self._journal, self._left, self._written = journal, count(append, -1), written
        self.appends = 0

    def __getattr__(self, name):
        return getattr(self._journal, name)

    def append(self, records):
        self.appends += 1
        last = next(self._left) == 0
        if last and not self._written:
            raise Crash
        self._journal.append(records)
        if last:
            raise Crash


def content(journal) -> list:
    """All records except starts of sessions."""
    return [entry.record for entry in journal.read() if not isinstance(entry.record, StartedRecord)]


def test_a_crash_at_every_step_before_and_after_its_commit(open_journal):
    """Every session crashes one append later than the last one: before and after each commit."""
    world = make_world(3, bars=100)
    with open_journal("whole") as journal:
        spared = Doomed(journal, -1, written=False)
        world.session(spared).run()
        steps = spared.appends - 1
        expected = content(journal)
    kinds = {record.kind for record in expected}
    assert {"intent", "filled", "refused", "settled", "closed", "guard", "valued"} <= kinds
    crashes, done = 0, False
    while not done:
        for written in (False, True):
            with open_journal("crashed") as journal:
                # Append 0 is that of the start, 1 that of the first step.
                session = world.session(Doomed(journal, 1, written=written))
                try:
                    session.run()
                    done = True
                except Crash:
                    crashes += 1
                if done:
                    break
    with open_journal("crashed") as journal:
        found = content(journal)
    # Order ids hold no account's name, so the two accounts' records are the same to the last bit.
    assert found == expected
    assert crashes >= 2 * steps > 100 - 30


@pytest.mark.parametrize("half", [40, 75])
def test_a_replay_that_goes_on_is_the_uninterrupted_one(open_journal, half):
    world = make_world(5)
    middle = world.start + half * 3_600_000
    with open_journal("whole") as journal:
        world.session(journal).run()
        expected = content(journal)
    with open_journal("halves") as journal:
        session = world.session(journal)
        session._listener = lambda record: session.stop() if record.time >= middle else None
        session.run()
        assert session.engine.time < world.backtest().time[-1]
    with open_journal("halves") as journal:
        world.session(journal).run()
        assert content(journal) == expected


def test_an_altered_journal_is_refused(open_journal):
    world = make_world(1)
    with open_journal() as journal:
        world.session(journal).run()
        entries = list(journal.read())
    fill = next(row for row, entry in enumerate(entries) if entry.record.kind == "filled")
    record = entries[fill].record
    richer = replace(record, entry=record.entry._replace(fee_usd=record.entry.fee_usd - 0.01))
    for broken in (
        [*entries[:fill], Entry(entries[fill].seq, 0, richer), *entries[fill + 1 :]],
        [*entries[:fill], *entries[fill + 1 :]],
        [*entries[: fill + 1], *entries[fill:]],
    ):
        started, again = peek(broken)
        with pytest.raises(QuorateError):
            redo(world.config.engine(3_600_000, started.time), again)
