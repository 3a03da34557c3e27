"""kill -9 at random times: acknowledged batches are in the journal, complete and once."""

import os
import random
import signal
import subprocess
import sys
import time
from itertools import groupby

import pytest

from stubs import appender
from stubs.appender import batch


@pytest.fixture
def program():
    command = [sys.executable, appender.__file__, "paper"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1) as process:
        assert process.stdout.readline() == "ready\n"
        yield process
        process.stdin.close()


def run_and_kill(program, url, batches, after_s):
    """Run it for some batches and a random time, then kill it; returns the bars of the acknowledged batches."""
    program.stdin.write(f"{url}\n")
    kind, child = program.stdout.readline().split()
    assert kind == "pid"
    lines = [program.stdout.readline() for _ in range(batches)]
    time.sleep(after_s)
    os.kill(int(child), signal.SIGKILL)
    lines += iter(program.stdout.readline, "gone\n")
    return [int(line.removeprefix("done ")) for line in lines]


def kill_often(program, url, open_journal, kills):
    moment = random.Random(8)
    acknowledged, seen = -1, 0
    for _ in range(kills):
        # From during the opening to after some batches.
        done = run_and_kill(program, url, moment.randrange(4), moment.uniform(0.0, 0.03))
        acknowledged = max([acknowledged, *done])
        with open_journal(url) as journal:
            entries = list(journal.read(after=seen))
        bars = [(bar, [entry.record for entry in group]) for bar, group in groupby(entries, lambda e: e.record.time)]
        newest = bars[-1][0] if bars else acknowledged
        # One more batch may be there: its writer was killed before it could report the acknowledgement.
        assert acknowledged <= newest <= acknowledged + 1
        assert all(records == batch(bar) for bar, records in bars)
        acknowledged, seen = newest, entries[-1].seq if entries else seen
    with open_journal(url) as journal:
        records = [entry.record for entry in journal.read()]
    assert records == [record for bar in range(acknowledged + 1) for record in batch(bar)]
    assert acknowledged > kills


def test_a_killed_program_loses_nothing_that_it_acknowledged(program, url, open_journal):
    kill_often(program, url, open_journal, 25)


@pytest.mark.slow
def test_a_thousand_kills_lose_nothing(program, url, open_journal):
    kill_often(program, url, open_journal, 1_000)


def test_a_journal_whose_building_was_killed_is_none_or_a_whole_one(program, tmp_path, open_journal):
    moment = random.Random(9)
    for number in range(20):
        path = tmp_path / str(number) / "journal.sqlite"
        run_and_kill(program, f"sqlite:///{path}", 0, moment.uniform(0.0, 0.04))
        with open_journal(path) as journal:
            newest = journal.newest(100)
        assert {entry.record.time for entry in newest} == set(range(newest[-1].record.time + 1 if newest else 0))
        assert not [file.name for file in path.parent.iterdir() if file.name.startswith(".")]
