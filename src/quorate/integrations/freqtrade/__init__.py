"""Quorate in Freqtrade: strategies, a FreqAI model, and the files through which Freqtrade finds them.

Only `strategies.vote_strategy`, `hybrid_strategy`, `book_strategy`, `planned_strategy`, `freqai_strategy` and
`freqai_model` import Freqtrade; everything exported here works without it.
"""

from quorate.integrations.freqtrade.guarding.guard_runner import BarSummary, GuardRunner
from quorate.integrations.freqtrade.inference.bundle_source import BundleSource
from quorate.integrations.freqtrade.inference.forecaster import Forecaster, FrameForecast
from quorate.integrations.freqtrade.strategies.trade_plan import Plan, fit_leverage, make_plan
from quorate.integrations.freqtrade.strategy_options import StrategyOptions, read_options

__all__ = [
    "BarSummary",
    "BundleSource",
    "Forecaster",
    "FrameForecast",
    "GuardRunner",
    "Plan",
    "StrategyOptions",
    "fit_leverage",
    "make_plan",
    "read_options",
]
