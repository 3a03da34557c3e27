"""The Freqtrade program from a separate environment, offline with the stub of Binance.

The environment is the one that QUORATE_FREQTRADE names, or .venv-freqtrade, which `make freqtrade` builds; without
either, tests that need it are skipped.
"""

from __future__ import annotations

import json
import os
import subprocess
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

_ROOT = Path(__file__).parents[2]


def environment() -> Path | None:
    """Folder of Freqtrade's environment; None if there is none."""
    named = os.environ.get("QUORATE_FREQTRADE")
    home = Path(named) if named else _ROOT / ".venv-freqtrade"
    return home if (home / "bin" / "freqtrade").exists() else None


def require() -> Path:
    """Folder of Freqtrade's environment; the test is skipped if there is none."""
    home = environment()
    if home is None:
        pytest.skip("no Freqtrade: make freqtrade, or name its environment in QUORATE_FREQTRADE")
    return home


def run(
    *arguments: str | Path, cwd: Path, settings: Mapping[str, str] | None = None, timeout: float = 300
) -> subprocess.CompletedProcess[str]:
    """Run `freqtrade ARGUMENTS`; its log is on standard error.

    Args:
        arguments: command line.
        cwd: working directory.
        settings: additional environment variables, such as QUORATE_EXITS__STOP_ATR.
        timeout: seconds.
    """
    return subprocess.run(
        [require() / "bin" / "freqtrade", *map(str, arguments)],
        cwd=cwd,
        env={**os.environ, "PYTHONUNBUFFERED": "1", **(settings or {})},
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def offline(urls: Mapping[str, str]) -> dict[str, Any]:
    """Exchange section of a configuration that sends requests only to the stub."""
    return {
        "name": "binance",
        "key": "",
        "secret": "",
        "enable_ws": False,
        "only_from_ccxt": True,
        "markets_refresh_interval": 1440,
        "ccxt_config": {"enableRateLimit": False, "urls": {"api": dict(urls)}},
        "pair_whitelist": [],
        "pair_blacklist": [],
    }


def configuration(urls: Mapping[str, str], pairs: list[str], *, futures: bool, **more: Any) -> dict[str, Any]:
    """Configuration for the stub; `more` overrides its settings."""
    return {
        "trading_mode": "futures" if futures else "spot",
        "margin_mode": "isolated" if futures else "",
        "stake_currency": "USDT",
        "stake_amount": 100,
        "dry_run": True,
        "dry_run_wallet": 10_000,
        "max_open_trades": len(pairs),
        "tradable_balance_ratio": 0.99,
        "initial_state": "running",
        "unfilledtimeout": {"entry": 10, "exit": 10, "exit_timeout_count": 0, "unit": "minutes"},
        "entry_pricing": {"price_side": "other", "use_order_book": True, "order_book_top": 1},
        "exit_pricing": {"price_side": "other", "use_order_book": True, "order_book_top": 1},
        "pairlists": [{"method": "StaticPairList"}],
        "dataformat_ohlcv": "feather",
        "dataformat_trades": "feather",
        "exchange": {**offline(urls), "pair_whitelist": pairs},
        **more,
    }


def exported_trades(folder: Path) -> list[dict[str, Any]]:
    """Trades of the newest backtest exported to a folder, in the order of their exits."""
    newest = max(folder.glob("backtest-result-*.zip"), key=lambda path: path.stat().st_mtime)
    with zipfile.ZipFile(newest) as archive:
        document = json.loads(archive.read(f"{newest.stem}.json"))
    return [trade for strategy in document["strategy"].values() for trade in strategy["trades"]]
