"""A dry run of real Freqtrade over a few 1m bars, killed once and restarted."""

import json
import time
from datetime import UTC, datetime

import numpy as np
import pytest

from integrations.freqtrade.conftest import MODELS
from integrations.freqtrade.dry_runs import TIMEOUT_S, present_world, query_trades, running, wait_for
from quorate import load_bundle
from quorate.core.clock import DAY_MS, MINUTE_MS
from quorate.integrations.freqtrade.guarding.guard_runner import read_guard_runner
from quorate.integrations.freqtrade.inference.signal_columns import tag

# Positions are closed at the next open.
SETTINGS = {"QUORATE_EXITS__TIME_BARS": "1", "QUORATE_GUARDS__MODELS": "2"}


@pytest.fixture
def bot(tmp_path):
    with present_world(tmp_path) as (world, _):
        yield world


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
    rates = "SELECT open_rate, stop_loss, liquidation_price, is_short FROM trades WHERE liquidation_price IS NOT NULL"
    with running(bot, tmp_path, "first", SETTINGS) as (process, log):
        (opened, *_) = wait_for(tmp_path, filled, process, log)
        wait_for(tmp_path, "SELECT cd_value FROM trade_custom_data WHERE cd_key = 'quorate_plan'", process, log)
        # Written after the plan.
        wait_for(tmp_path, rates, process, log)
        process.kill()
        process.wait()
        assert "Traceback" not in log.read_text()
    number, pair, enter_tag, leverage, began = opened
    assert enter_tag.startswith("strong | xgb:")
    assert 1 <= leverage <= 5
    assert enter_tag == tag_of_history(bot, pair, began)
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
