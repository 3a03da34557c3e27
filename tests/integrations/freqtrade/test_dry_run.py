"""A dry run of real Freqtrade over a few 1m bars, killed once and restarted."""

import json
import os
import sqlite3
import subprocess
import time
from contextlib import closing, contextmanager
from datetime import UTC, datetime

import numpy as np
import pytest

from integrations.freqtrade.conftest import MODELS, START, make_world
from quorate import load_bundle
from quorate.core.clock import DAY_MS, MINUTE_MS
from quorate.core.types import Action
from quorate.integrations.freqtrade.guarding.guard_runner import read_guard_runner
from quorate.integrations.freqtrade.inference.signal_columns import tag
from quorate.integrations.freqtrade.scaffold import scaffold
from stubs import freqtrade
from stubs.binance import spawn

TIMEOUT_S = 200

# Positions are closed at the next open.
SETTINGS = {"QUORATE_EXITS__TIME_BARS": "1", "QUORATE_GUARDS__MODELS": "2"}


# Three days of 1m bars; the stub moves them by whole days, so that they cover the present.
BARS = 4_320
# Bars that may be chosen as the newest one.
PRESENT = range(2_200, 3_500)


def busiest(world):
    """The bar from which on the most bars in a row have a BUY or SELL, and their number."""
    decided = np.zeros(BARS, np.bool_)
    for candles in world.panel.values():
        decided |= load_bundle(world.bundle).predict_frame(candles).action != Action.HOLD
    length = {row: int(np.argmin(np.append(decided[row:], False))) for row in PRESENT}
    return max(length.items(), key=lambda found: found[1])


@pytest.fixture
def bot(tmp_path, tmp_path_factory):
    freqtrade.require()
    # Decisions do not depend on the hour: shift the market so that the bundle trades within the first minutes.
    row, bars = busiest(make_world(tmp_path_factory.mktemp("clock") / "user_data", "1m", BARS))
    assert bars >= 10
    # The newest closed bar is then one with a decision.
    minutes = (int(time.time()) // 60 - row - 2) % (24 * 60)
    world = make_world(tmp_path / "user_data", "1m", BARS, START + minutes * MINUTE_MS)
    scaffold(world.user_data, world.bundles)
    with spawn(world.data, "--live") as stub:
        exchange = {name: value for name, value in freqtrade.offline(stub.urls).items() if not name.startswith("pair_")}
        (tmp_path / "offline.json").write_text(
            json.dumps({"exchange": exchange, "internals": {"process_throttle_secs": 1}})
        )
        yield world


@contextmanager
def running(world, folder, name, settings):
    """Run `freqtrade trade` until the block ends, its log in a file."""
    command = [
        freqtrade.require() / "bin" / "freqtrade", "trade", "--dry-run", "--userdir", world.user_data,
        "-c", world.user_data / "config-quorate-futures.json", "-c", folder / "offline.json",
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


def tag_of_history(world, pair, began):
    """The tag by the whole history of the bar before an entry; the bot had only the newest 498 bars."""
    opened = round(datetime.fromisoformat(began).replace(tzinfo=UTC).timestamp() * 1000) // MINUTE_MS * MINUTE_MS
    candles = world.panel[pair]
    # The stub moves the candles by whole days, to end 12 to 36 hours after its start.
    ahead = opened + DAY_MS // 2 - int(candles.time[-1])
    decisions = load_bundle(world.bundle).predict_frame(candles)
    row = int(np.searchsorted(candles.time, opened - MINUTE_MS - -(-ahead // DAY_MS) * DAY_MS))
    return tag(decisions, row, MODELS, "full")


def test_a_killed_bot_restarts_with_the_same_trade_plan_and_guards(bot, tmp_path):
    filled = "SELECT id, pair, enter_tag, leverage, open_date FROM trades WHERE is_open = 1 AND open_trade_value > 0"
    with running(bot, tmp_path, "first", SETTINGS) as (process, log):
        (opened, *_) = wait_for(tmp_path, filled, process, log)
        wait_for(tmp_path, "SELECT cd_value FROM trade_custom_data WHERE cd_key = 'quorate_plan'", process, log)
        process.kill()
        process.wait()
        assert "Traceback" not in log.read_text()
    number, pair, enter_tag, leverage, began = opened
    assert enter_tag.startswith("strong | xgb:")
    assert 1 <= leverage <= 5
    assert enter_tag == tag_of_history(bot, pair, began)
    rates = "SELECT open_rate, stop_loss, liquidation_price, is_short FROM trades WHERE liquidation_price IS NOT NULL"
    trades = query_trades(tmp_path, rates)
    assert trades
    for entry, stop, liquidation, short in trades:
        side = -1 if short else 1
        assert 0 < side * (entry - stop) <= side * (entry - liquidation) / 2 * (1 + 1e-4)
    ((stored,),) = query_trades(
        tmp_path, f"SELECT cd_value FROM trade_custom_data WHERE cd_key = 'quorate_plan' AND ft_trade_id = {number}"
    )
    plan = json.loads(stored)
    before = read_guard_runner(bot.user_data)
    # Now three members are required and there are two: no entries, but open trades are managed.
    with running(bot, tmp_path, "second", {**SETTINGS, "QUORATE_GUARDS__MODELS": "3"}) as (process, log):
        # An invalid champion is not used, and the bot keeps running.
        loaded = time.monotonic() + TIMEOUT_S
        while "quorate: bundle" not in log.read_text() and time.monotonic() < loaded:
            time.sleep(0.2)
        (bot.bundles / "champion").write_text("nonsense\n")
        closed = f"SELECT exit_reason, close_date, stop_loss FROM trades WHERE id = {number} AND is_open = 0"
        ((reason, _, stop),) = wait_for(tmp_path, closed, process, log)
        moved = time.monotonic() + TIMEOUT_S
        while read_guard_runner(bot.user_data).guards.mode != "REDUCING" and time.monotonic() < moved:
            time.sleep(0.5)
        count = query_trades(tmp_path, "SELECT COUNT(*) FROM trades")
        time.sleep(3)
        assert query_trades(tmp_path, "SELECT COUNT(*) FROM trades") == count
        assert log.read_text().count(f"The bundle {bot.bundle.name} stays in use") == 1
        assert "Traceback" not in log.read_text()
    assert reason in ("time", "stop_loss", "roi", "stop", "target")
    assert stop == pytest.approx(plan["stop"])
    assert query_trades(tmp_path, f"SELECT COUNT(*) FROM trades WHERE pair = '{pair}' AND id <= {number}") == [(1,)]
    after = read_guard_runner(bot.user_data)
    assert after.bar is not None
    assert before.bar is None or after.bar >= before.bar
    assert after.guards.mode == "REDUCING"
    lines = [json.loads(text) for text in (bot.user_data / "quorate" / "guards.jsonl").read_text().splitlines()]
    keys = [line["key"] for line in lines if line["kind"] == "trade"]
    assert len(keys) == len(set(keys))
    assert any(key.startswith(f"{number}@") for key in keys)
    assert any(line["kind"] == "move" and line["guard"] == "models" for line in lines)
