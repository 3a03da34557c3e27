"""Candles of two markets and a bundle that the command line trained on their first part, for those who watch it."""

import json
from types import SimpleNamespace

import pytest

from cli.conftest import run
from quorate.core.clock import DAY_MS, format_ms
from quorate.market.synthetic import SyntheticMarket

DAYS, TRAIN_DAYS = 85, 60
OPTIONS = {
    "QUORATE_POLICY__REFIT": "fast",
    "QUORATE_DRIFT__WINDOW_DAYS": "7",
    "QUORATE_DRIFT__BLOCK_DAYS": "2",
    "QUORATE_DRIFT__RESAMPLES": "40",
}


@pytest.fixture(scope="session")
def watched(tmp_path_factory):
    """Candles of two markets and a bundle that the command line trained on their first part."""
    folder = tmp_path_factory.mktemp("drift")
    market = SyntheticMarket(seed=5, symbols=2, bars=DAYS * 24, edge=0.4)
    market.write(folder / "data")
    start = int(market.candles(market.names[0]).time[0])
    trained = run(
        *("train", "--data", folder / "data", "--symbols", ",".join(market.names), "--models", "xgboost,lightgbm"),
        *("--to", format_ms(start + TRAIN_DAYS * DAY_MS).replace(" ", "T"), "--out", folder / "bundles", "--json"),
        **OPTIONS,
    )
    assert trained.returncode == 0, trained.stderr
    end = format_ms(start + DAYS * DAY_MS).replace(" ", "T")
    return SimpleNamespace(folder=folder, id=json.loads(trained.stdout)["id"], names=market.names, end=end)
