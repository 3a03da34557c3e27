"""A small synthetic market on disk, and a bundle that the command line trained on its first part."""

import json
import os
import subprocess
import sys
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest

from quorate.core.clock import HOUR_MS, format_ms
from quorate.market.synthetic import SyntheticMarket

SMALL = {
    "QUORATE_MODELS__XGBOOST__TREES": "12",
    "QUORATE_MODELS__XGBOOST__COLSAMPLE_NODE": "1",
    "QUORATE_MODELS__LIGHTGBM__TREES": "12",
    "QUORATE_MODELS__LIGHTGBM__RANDOM_SPLITS": "false",
    "QUORATE_MODELS__NHITS__WINDOW": "24",
    "QUORATE_MODELS__NHITS__HIDDEN": "[32, 24, 16]",
    "QUORATE_MODELS__NHITS__EPOCHS": "2",
    "QUORATE_MODELS__PATCHTST__WINDOW": "24",
    "QUORATE_MODELS__PATCHTST__WIDTH": "16",
    "QUORATE_MODELS__PATCHTST__HEADS": "2",
    "QUORATE_MODELS__PATCHTST__LAYERS": "1",
    "QUORATE_MODELS__PATCHTST__FEEDFORWARD": "32",
    "QUORATE_MODELS__PATCHTST__EPOCHS": "1",
    "QUORATE_EVALUATION__MARKET_PATHS": "4",
    # One thread a member: tests run side by side, and spinning threads would slow each other down.
    "QUORATE_TRAIN__THREADS": "1",
    # A bundle of a few days would be closed.
    "QUORATE_POLICY__NAME": "classic",
    # Neither would they show a direction, nor leave many rows after the warm-up of core30.
    "QUORATE_TRAIN__FEATURES": "core14",
    "QUORATE_TRAIN__HEAD": "classes",
    "QUORATE_POLICY__REFIT": "none",
}
BARS, TRAIN_BARS = 1_000, 700


def run(*arguments, folder=None, scratch=None, **settings):
    """`quorate ARGUMENTS` as a process of its own, with small models; trial log and reports go to `scratch`.

    Variables in `settings` replace those of the small models.
    """
    places = (
        {}
        if scratch is None
        else {
            "QUORATE_EVALUATION__LEDGER": f"{scratch}/trials.jsonl",
            "QUORATE_EVALUATION__REPORTS": f"{scratch}/reports",
        }
    )
    return subprocess.run(
        [sys.executable, "-c", "from quorate.cli.app import run; run()", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env={**os.environ, "COLUMNS": "120", **SMALL, **places, **settings},
    )


@pytest.fixture(scope="session")
def scratch(tmp_path_factory):
    """Folder of the trial log and the reports of all runs."""
    return tmp_path_factory.mktemp("scratch")


@pytest.fixture(scope="session")
def quorate_program(scratch):
    return partial(run, scratch=scratch)


@pytest.fixture(scope="session")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("world")
    market = SyntheticMarket(seed=3, symbols=3, bars=BARS, edge=0.3)
    market.write(folder / "data")
    start = int(market.candles(market.names[0]).time[0])
    seam = format_ms(start + TRAIN_BARS * HOUR_MS).replace(" ", "T")
    done = run(
        "train", "--data", folder / "data", "--symbols", "SYNA/USDT:USDT,SYNB/USDT:USDT", "--to", seam,
        "--models", "xgboost,lightgbm", "--out", folder / "bundles", "--json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    trained = json.loads(done.stdout)
    return SimpleNamespace(data=folder / "data", bundle=Path(trained["bundle"]), seam=seam, trained=trained)
