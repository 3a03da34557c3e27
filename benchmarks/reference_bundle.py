"""The bundle that several benchmarks measure: four members of the default shapes, hardly trained, on made-up candles.

Latency, memory and start-up time do not depend on the values of the weights.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import quorate
from quorate.market import SyntheticMarket

MEMBERS = ("xgboost", "lightgbm", "nhits", "patchtst")


def train_reference_bundle(out: Path) -> Path:
    """Train all four members, the networks for one epoch of a twentieth of the windows; return the bundle's folder."""
    settings = quorate.Settings()
    short = {name: replace(getattr(settings.models, name), epochs=1, share=0.05) for name in ("nhits", "patchtst")}
    settings = replace(settings, models=replace(settings.models, **short))
    market = SyntheticMarket(seed=3, symbols=3, bars=1_000)
    trained = quorate.train(market.panel(), out, models=MEMBERS, settings=settings)
    assert trained.mode == "full", trained.members
    return trained.path
