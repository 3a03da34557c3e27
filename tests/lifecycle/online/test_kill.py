"""Kills of the program in which a bundle learns on: it ends with the same members as without them."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from dataclasses import replace

from quorate.core.clock import HOUR_MS, iso_ms
from quorate.core.settings import ChallengeSettings, OnlineSettings
from quorate.lifecycle.challenge import Challenge
from quorate.lifecycle.online import StateFile

BARS = 15
ONLINE = OnlineSettings(members=("nhits",), every_bars=6)


def learnt(folder, bundle):
    (file,) = folder.iterdir()
    return StateFile(file, {"bundle": bundle.name}).read()


def bars(file) -> int:
    """Compared bars in a journal."""
    if not file.exists():
        return 0
    with sqlite3.connect(f"file:{file}?mode=ro", uri=True) as reading:
        try:
            return reading.execute("SELECT count(*) FROM journal WHERE kind = 'compared'").fetchone()[0]
        except sqlite3.OperationalError:
            return 0


def test_kill_minus_9_between_updates(world, tmp_path):
    online = replace(ONLINE, folder=str(tmp_path / "whole"))
    terms = ChallengeSettings(alpha=1e-5, horizon_bars=BARS)
    settings = replace(world.settings, online=online, challenge=terms)
    span = {"start": world.end, "end": world.end + (BARS + 1) * HOUR_MS}
    whole = Challenge("challenge", f"sqlite:///{tmp_path / 'whole.sqlite'}", settings=settings)
    expected = whole.run(world.bundle, world.bundle, world.data, online=True, **span).to_json()

    environment = {
        **os.environ,
        **world.environment,
        "QUORATE_CHALLENGE__ALPHA": "0.00001",
        "QUORATE_CHALLENGE__HORIZON_BARS": str(BARS),
        "QUORATE_ONLINE__EVERY_BARS": "6",
        "QUORATE_ONLINE__MEMBERS": '["nhits"]',
        "OMP_NUM_THREADS": "1",
    }
    program = [sys.executable, "-c", "from quorate.cli.app import run; run()", "challenge", "start", "--online"]
    program += ["--champion", world.bundle, "--challenger", world.bundle, "--replay", "--data", world.data]
    program += ["--from", iso_ms(span["start"])[:16], "--to", iso_ms(span["end"])[:16], "--json"]
    options = {"cwd": tmp_path, "env": environment, "text": True}
    running = subprocess.Popen([*program, "--speed", "20"], stderr=subprocess.PIPE, **options)
    deadline = time.monotonic() + 120
    while bars(tmp_path / "paper" / "journal.sqlite") < 8 and running.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    assert running.poll() is None, running.communicate()[1]
    running.send_signal(signal.SIGKILL)
    running.communicate()
    assert 8 <= bars(tmp_path / "paper" / "journal.sqlite") < BARS
    done = subprocess.run(program, capture_output=True, check=False, **options)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert {**found, "written_at": ""} == {**expected, "written_at": ""}
    ours, theirs = learnt(tmp_path / "paper" / "online", world.bundle), learnt(tmp_path / "whole", world.bundle)
    assert ours.natives == theirs.natives
    assert set(ours.natives) == {"nhits"}
    assert ours.replay.X.tobytes() == theirs.replay.X.tobytes()
    assert (ours.bar, ours.updates, ours.rows) == (theirs.bar, theirs.updates, theirs.rows)
