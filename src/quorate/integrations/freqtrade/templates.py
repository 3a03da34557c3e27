"""Texts of the files that `quorate freqtrade init` writes: strategies, the FreqAI model and configurations."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

_STRATEGY = '''"""{purpose}

Written by `quorate freqtrade init`; edit it as needed. Everything that {name} inherits can be set or overridden here.
Quorate's settings are in the section "quorate" of Freqtrade's configuration and in quorate.toml.
"""

from quorate.integrations.freqtrade.strategies.{module} import {name} as Base


class {name}(Base):
    timeframe = "{timeframe}"
'''

_MODEL = '''"""The vote ensemble, trained in FreqAI's windows.

Written by `quorate freqtrade init`; edit it as needed.
"""

from quorate.integrations.freqtrade.strategies.freqai_model import QuorateFreqaiModel as Base


class QuorateFreqaiModel(Base):
    pass
'''


def strategy_file(name: str, module: str, purpose: str, timeframe: str) -> str:
    """Text of a strategy file. Freqtrade loads only classes that are defined in the file itself, not imported ones."""
    return _STRATEGY.format(name=name, module=module, purpose=purpose, timeframe=timeframe)


def model_file() -> str:
    """Text of the file of the FreqAI model."""
    return _MODEL


def config_file(
    strategy: str, timeframe: str, pairs: tuple[str, ...], section: Mapping[str, Any], *, futures: bool, **more: Any
) -> str:
    """Text of a configuration for a dry run or a backtest; only API keys are left empty.

    Args:
        strategy: name of the class.
        timeframe: of the bars.
        pairs: the whitelist.
        section: the section "quorate".
        futures: perpetuals with isolated margin; False for spot.
        more: further top-level keys.
    """
    # A market order is filled at the other side of the book.
    pricing = {"price_side": "other", "use_order_book": True, "order_book_top": 1}
    tree: dict[str, Any] = {
        "strategy": strategy,
        "timeframe": timeframe,
        "max_open_trades": 4,
        "stake_currency": "USDT",
        "stake_amount": "unlimited",
        "tradable_balance_ratio": 0.99,
        "dry_run": True,
        "dry_run_wallet": 1000,
        "trading_mode": "futures" if futures else "spot",
        "margin_mode": "isolated" if futures else "",
        "entry_pricing": pricing,
        "exit_pricing": dict(pricing),
        "unfilledtimeout": {"entry": 10, "exit": 10, "exit_timeout_count": 0, "unit": "minutes"},
        "exchange": {"name": "binance", "key": "", "secret": "", "pair_whitelist": list(pairs), "pair_blacklist": []},
        "pairlists": [{"method": "StaticPairList"}],
        "dataformat_ohlcv": "feather",
        "initial_state": "running",
        "internals": {"process_throttle_secs": 5},
        "quorate": dict(section),
    }
    return json.dumps({**tree, **more}, indent=4) + "\n"
