"""A small synthetic market on disk and a bundle trained on its first part, made by the program itself."""

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from quorate.core.clock import HOUR_MS, format_ms
from quorate.market.synthetic import SyntheticMarket

SMALL = {"QUORATE_MODELS__XGBOOST__TREES": "12", "QUORATE_MODELS__LIGHTGBM__TREES": "12"}
BARS, TRAIN_BARS = 1_000, 700


def run(*arguments, folder=None):
    """`quorate ARGUMENTS` as a program of its own, with small models."""
    return subprocess.run(
        [sys.executable, "-c", "from quorate.cli.app import run; run()", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env={**os.environ, **SMALL},
    )


@pytest.fixture(scope="session")
def quorate_program():
    return run


@pytest.fixture(scope="session")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("world")
    market = SyntheticMarket(seed=3, symbols=3, bars=BARS, edge=0.3)
    market.write(folder / "data")
    start = int(market.candles(market.names[0]).time[0])
    seam = format_ms(start + TRAIN_BARS * HOUR_MS).replace(" ", "T")
    done = run(
        "train", "--data", folder / "data", "--symbols", "SYNA/USDT:USDT,SYNB/USDT:USDT", "--to", seam,
        "--out", folder / "bundles", "--json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    trained = json.loads(done.stdout)
    return SimpleNamespace(data=folder / "data", bundle=Path(trained["bundle"]), seam=seam, trained=trained)
