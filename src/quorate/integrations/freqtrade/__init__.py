"""Quorate inside Freqtrade: strategies, a FreqAI model, and the files that make Freqtrade find them.

`strategy`, `hybrid` and `freqai` import Freqtrade and stand apart: nothing here needs it to be installed.
"""

from quorate.integrations.freqtrade.forecaster import Forecaster, Told
from quorate.integrations.freqtrade.options import Options, read_options
from quorate.integrations.freqtrade.plan import Plan, fit_leverage, make_plan
from quorate.integrations.freqtrade.sentry import BarNews, Sentry
from quorate.integrations.freqtrade.source import BundleSource

__all__ = [
    "BarNews",
    "BundleSource",
    "Forecaster",
    "Options",
    "Plan",
    "Sentry",
    "Told",
    "fit_leverage",
    "make_plan",
    "read_options",
]
