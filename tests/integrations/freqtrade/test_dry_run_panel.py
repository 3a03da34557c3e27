"""A dry run of the hybrid strategy in real Freqtrade, whose panel is asked as the bars close."""

import sqlite3
import time
from contextlib import closing

import numpy as np
import pytest

from integrations.freqtrade.conftest import train_stack
from integrations.freqtrade.dry_runs import TIMEOUT_S, present_world, query_trades, running, wait_for
from quorate.core.types import Action
from quorate.llm import ROLES
from stubs.chat_server import REPLY, chat_server

KEY = "sk-of-nobody-else"
STAKE = 100.0


def settings(url):
    """A provider for each role, with prices and a key, and a stake of the configuration."""
    named = {"URL": url, "KEY_ENV": "PANEL_KEY", "USD_PER_MILLION_IN": "0.5", "USD_PER_MILLION_OUT": "2"}
    found = {f"QUORATE_LLM__{role.upper()}__{name}": text for role in ROLES for name, text in named.items()}
    found |= {f"QUORATE_LLM__{role.upper()}__MODEL": f"model of {role}" for role in ROLES}
    return {
        **found,
        "PANEL_KEY": KEY,
        "FREQTRADE__STAKE_AMOUNT": str(STAKE),
        "FREQTRADE__QUORATE__STAKE": "config",
        "FREQTRADE__TIMEFRAME": "1m",
        "QUORATE_GUARDS__MODELS": "2",
    }


def spent(journal):
    """Prompts and dollars in the ledger."""
    with closing(sqlite3.connect(f"file:{journal}?mode=ro", uri=True)) as database:
        return database.execute("SELECT SUM(prompts), SUM(nano_usd) / 1e9 FROM panel_costs").fetchone()


@pytest.mark.slow
def test_a_bot_enters_what_its_panel_leaves(tmp_path):
    opened = "SELECT pair, is_short, stake_amount, enter_tag FROM trades WHERE open_trade_value > 0"
    with chat_server() as server, present_world(tmp_path, lambda world: train_stack(world).path) as (world, soon):
        actions = np.concatenate(list(soon.values()))
        side = Action.BUY if np.sum(actions == Action.BUY) > np.sum(actions == Action.SELL) else Action.SELL
        confirmed = REPLY | {"direction": side.name, "confidence": 0.9}
        server.replies = {f"model of {role}": confirmed for role in ROLES}
        config = "config-quorate-hybrid.json"
        with running(world, tmp_path, "bot", settings(server.url), config) as (process, log):
            (first, *_) = wait_for(tmp_path, opened, process, log)
            assert first
            # From now on the replies are nonsense: nothing more may be entered.
            server.replies = {f"model of {role}": REPLY | {"confidence": 3278} for role in ROLES}
            time.sleep(2)
            entered, asked = query_trades(tmp_path, opened), len(server.requests)
            until = time.monotonic() + TIMEOUT_S
            while len(server.requests) < asked + 2 * len(ROLES) and time.monotonic() < until:
                time.sleep(0.5)
            assert len(server.requests) >= asked + 2 * len(ROLES)
            time.sleep(5)
            assert query_trades(tmp_path, opened) == entered
            text = log.read_text()
    for _, short, stake, _ in entered:
        # Entries on the other side are a conflict.
        assert short == (side == Action.SELL)
        assert 0.3 * STAKE < stake < 0.76 * STAKE
    assert all(body["authorization"] == f"Bearer {KEY}" for body in server.requests)
    assert KEY not in text
    assert "Traceback" not in text
    prompts, usd = spent(next(world.user_data.rglob("*.sqlite")))
    assert prompts == len(server.requests)
    # As the server counts tokens, at the prices of the settings.
    assert usd == pytest.approx(prompts * (1_000 * 0.5 + 100 * 2) / 1e6)
