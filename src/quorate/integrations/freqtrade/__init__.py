"""Quorate inside Freqtrade: strategies, a FreqAI model, and the files that make Freqtrade find them.

`strategy`, `hybrid` and `freqai` import Freqtrade and stand apart: nothing here needs it to be installed.
"""

from quorate.integrations.freqtrade.guarding.guard_runner import BarSummary, GuardRunner
from quorate.integrations.freqtrade.inference.bundle_source import BundleSource
from quorate.integrations.freqtrade.inference.forecaster import Forecaster, FrameForecast
from quorate.integrations.freqtrade.strategies.trade_plan import Plan, fit_leverage, make_plan
from quorate.integrations.freqtrade.strategy_options import Options, read_options

__all__ = [
    "BarSummary",
    "BundleSource",
    "Forecaster",
    "FrameForecast",
    "GuardRunner",
    "Options",
    "Plan",
    "fit_leverage",
    "make_plan",
    "read_options",
]
