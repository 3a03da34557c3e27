"""Dry runs of real Freqtrade on 1m bars of the present, served by a stub of Binance."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import time
from contextlib import closing, contextmanager

import numpy as np

from integrations.freqtrade.conftest import START, make_world
from quorate import load_bundle
from quorate.core.clock import MINUTE_MS
from quorate.core.types import Action
from quorate.integrations.freqtrade.scaffold import scaffold
from stubs import freqtrade
from stubs.binance import spawn

TIMEOUT_S = 200

# Three days of 1m bars; the stub moves them by whole days, so that they cover the present.
BARS = 4_320
# Bars that may be chosen as the newest one.
PRESENT = range(2_200, 3_500)


def busiest(world, bundle):
    """The bar from which on the most bars in a row have a BUY or SELL, and their number."""
    decided = np.zeros(BARS, np.bool_)
    for candles in world.panel.values():
        decided |= load_bundle(bundle).predict_frame(candles).action != Action.HOLD
    length = {row: int(np.argmin(np.append(decided[row:], False))) for row in PRESENT}
    return max(length.items(), key=lambda found: found[1])


@contextmanager
def present_world(folder, trained=lambda world: world.bundle, least=10):
    """A world below a folder, and its bundle's actions on the next bars by pair.

    The stub serves the world meanwhile.

    Args:
        trained: world -> path of the bundle.
        least: bars in a row on which the bundle acts.
    """
    freqtrade.require()
    # Decisions do not depend on the hour: shift the market so that the bundle trades within the first minutes.
    first = make_world(folder / "clock", "1m", BARS)
    row, bars = busiest(first, trained(first))
    assert bars >= least
    # The newest closed bar is then one with a decision.
    minutes = (int(time.time()) // 60 - row - 2) % (24 * 60)
    world = make_world(folder / "user_data", "1m", BARS, START + minutes * MINUTE_MS)
    bundle = trained(world)
    scaffold(world.user_data, bundle.parent)
    with spawn(world.data, "--live") as stub:
        exchange = {name: value for name, value in freqtrade.offline(stub.urls).items() if not name.startswith("pair_")}
        (folder / "offline.json").write_text(
            json.dumps({"exchange": exchange, "internals": {"process_throttle_secs": 1}})
        )
        loaded = load_bundle(bundle)
        soon = {pair: loaded.predict_frame(candles).action[row : row + least] for pair, candles in world.panel.items()}
        yield world, soon


@contextmanager
def running(world, folder, name, settings, config="config-quorate-futures.json"):
    """Run `freqtrade trade` until the block ends, its log in a file."""
    command = [
        freqtrade.require() / "bin" / "freqtrade", "trade", "--dry-run", "--userdir", world.user_data,
        "-c", world.user_data / config, "-c", folder / "offline.json",
        "--db-url", f"sqlite:///{folder}/trades.sqlite",
    ]  # fmt: skip
    log = folder / f"{name}.log"
    environment = {**os.environ, "PYTHONUNBUFFERED": "1", "COLUMNS": "400", **settings}
    with log.open("w") as handle, subprocess.Popen(
        list(map(str, command)), stdout=handle, stderr=handle, env=environment, cwd=folder
    ) as process:  # fmt: skip
        try:
            yield process, log
        finally:
            if process.poll() is None:
                process.terminate()
                try:
                    process.wait(30)
                except subprocess.TimeoutExpired:
                    process.kill()


def query_trades(folder, query):
    path = folder / "trades.sqlite"
    if not path.exists():
        return []
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        try:
            return database.execute(query).fetchall()
        except sqlite3.OperationalError:
            return []


def wait_for(folder, query, process, log):
    deadline = time.monotonic() + TIMEOUT_S
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()[-4_000:]
        if found := query_trades(folder, query):
            return found
        time.sleep(0.3)
    raise AssertionError(f"nothing for {query}: {log.read_text()[-6_000:]}")
