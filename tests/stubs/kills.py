"""Sessions that are killed with SIGKILL at random times and restarted until they are complete.

    python tests/stubs/kills.py --seed 1 --kills 25 --folder DIR

The process imports everything once; each session is a forked child. After every kill the journal is recovered as at a
start, and the recovery is timed. The trades and equity of every complete account are compared with those of the
backtest, and its orders with the decisions. Prints one JSON document.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from quorate.core.clock import HOUR_MS
from quorate.core.types import Action
from quorate.trading.journal import FilledRecord, IntentRecord, Journal, RefusedRecord, ValuedRecord
from quorate.trading.paper.recovery import peek, redo
from stubs.scripted import World, make_world

BARS = 110


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kills", type=int, default=25)
    parser.add_argument("--folder", type=Path, required=True)
    given = parser.parse_args()
    generator = random.Random(given.seed)
    kills, accounts, steps, slowest_s = 0, 0, 0, 0.0
    while kills < given.kills:
        world = make_world(given.seed * 1_000 + accounts, bars=BARS)
        url = f"sqlite:///{given.folder}/{accounts}.sqlite"
        finished = False
        while not finished:
            # After the last kill the account runs until it is complete.
            patience_s = generator.uniform(0.0, 0.25) if kills < given.kills else 60.0
            finished = run_session(world, url, patience_s)
            if not finished:
                kills += 1
                slowest_s = max(slowest_s, recover(world, url))
        steps += check(world, url)
        accounts += 1
    found = {"kills": kills, "accounts": accounts, "steps": steps, "slowest_recovery_s": slowest_s}
    sys.stdout.write(json.dumps(found) + "\n")
    return 0


def run_session(world: World, url: str, patience_s: float) -> bool:
    """Run a session in a child that is killed after a time; returns whether it was complete."""
    child = os.fork()
    if child == 0:
        with Journal.open(url, "paper") as journal:
            world.session(journal).run()
        os._exit(0)
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            assert status == 0, f"the session failed with {status}"
            return True
        time.sleep(0.001)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    return status == 0


def recover(world: World, url: str) -> float:
    """Seconds to recover an account; `redo` compares it with its records."""
    began = time.perf_counter()
    try:
        journal = Journal.open(url, "paper")
    except Exception as error:
        raise AssertionError(f"the journal does not open after a kill: {error}") from error
    with journal:
        started, entries = peek(journal.read())
        if started is not None:
            redo(world.config.engine(HOUR_MS, started.time), entries)
    return time.perf_counter() - began


def check(world: World, url: str) -> int:
    """Check a complete account: nothing lost or written twice; returns the number of its steps."""
    expected = world.backtest()
    with Journal.open(url, "paper") as journal:
        entries = list(journal.read())
        started, again = peek(entries)
        assert started is not None
        engine = world.config.engine(HOUR_MS, started.time)
        redo(engine, again)
    assert engine.account.trades == list(expected.trades), "other trades than the backtest's"
    assert engine.account.equity_usd == expected.final_equity_usd, "another equity than the backtest's"
    written = [entry.record for entry in entries]
    decided = {
        (symbol, int(time))
        for symbol, frame in world.frames.items()
        for time in frame.time[(frame.action != Action.HOLD) & (frame.time >= world.start)].tolist()
    }
    proposed = [record.order_id for record in written if isinstance(record, IntentRecord)]
    ended = [record.order_id for record in written if isinstance(record, (FilledRecord, RefusedRecord))]
    assert len(set(ended)) == len(ended) == len(decided), f"{len(decided)} orders decided, {len(ended)} accounted for"
    assert len(set(proposed)) == len(proposed), "an intent twice"
    assert set(proposed) <= set(ended), "an intent without a fill or refusal"
    filled = [record.order_id for record in written if isinstance(record, FilledRecord)]
    assert len(filled) == len(expected.trades), f"{len(filled)} fills for {len(expected.trades)} trades"
    return sum(isinstance(record, ValuedRecord) for record in written)


if __name__ == "__main__":
    sys.exit(main())
