"""Content of the files that `quorate freqtrade init` writes: strategies, the FreqAI model and configurations."""

from __future__ import annotations

import secrets
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

# A market order is filled at the other side of the book; Freqtrade refuses it with any other price_side.
_PRICING = {"price_side": "other"}

# Freqtrade wants at least 32 characters of a key for tokens.
_SECRET_BYTES = 32


def strategy_file(name: str, module: str, purpose: str, timeframe: str) -> str:
    """Text of a strategy file. Freqtrade loads only classes that are defined in the file itself, not imported ones."""
    return _STRATEGY.format(name=name, module=module, purpose=purpose, timeframe=timeframe)


def model_file() -> str:
    """Text of the file of the FreqAI model."""
    return _MODEL


def config_tree(
    strategy: str, timeframe: str, pairs: tuple[str, ...], section: Mapping[str, Any], *, futures: bool, **more: Any
) -> dict[str, Any]:
    """A configuration for a dry run or a backtest; only API keys are left empty.

    The server of FreqUI is switched off; with its own password, it needs no more than `"enabled": true`.

    Args:
        strategy: name of the class.
        timeframe: of the bars.
        pairs: the whitelist.
        section: the section "quorate".
        futures: perpetuals with isolated margin; False for spot.
        more: further top-level keys.
    """
    pricing = {**_PRICING, "use_order_book": True, "order_book_top": 1}
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
        "api_server": {
            "enabled": False,
            "listen_ip_address": "127.0.0.1",
            "listen_port": 8080,
            "username": "freqtrader",
            "password": secrets.token_urlsafe(_SECRET_BYTES),
            "jwt_secret_key": secrets.token_urlsafe(_SECRET_BYTES),
            "CORS_origins": [],
            "verbosity": "error",
        },
        "quorate": dict(section),
    }
    return {**tree, **more}


def overlay_tree(strategy: str, timeframe: str | None, section: Mapping[str, Any]) -> dict[str, Any]:
    """What a configuration of the user's own needs besides: Freqtrade takes it as a second `-c`, over the first.

    Args:
        strategy: name of the class.
        timeframe: of the bundle; None to leave it to the user's configuration.
        section: the section "quorate".
    """
    pricing = {"entry_pricing": dict(_PRICING), "exit_pricing": dict(_PRICING)}
    return {
        "strategy": strategy,
        **({} if timeframe is None else {"timeframe": timeframe}),
        **pricing,
        "quorate": section,
    }
