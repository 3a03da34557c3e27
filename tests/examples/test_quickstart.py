"""The script of examples/ that goes from an exchange to a report, run as a user runs it, against a local exchange."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from quorate.core.clock import HOUR_MS, parse_ms
from quorate.market import SyntheticMarket
from stubs.binance import BinanceStub

SCRIPT = Path(__file__).parents[2] / "examples" / "quickstart.py"
START = parse_ms("2025-01-01")
BARS = 2400
SMALL = """
[models.xgboost]
trees = 12

[models.lightgbm]
trees = 12

[evaluation]
resamples = 100
"""


@pytest.mark.integration
def test_it_downloads_trains_walks_forward_backtests_and_reports(tmp_path):
    served = tmp_path / "served"
    SyntheticMarket(seed=5, symbols=2, bars=BARS, start=START, edge=0.2).write(served)
    (tmp_path / "quorate.toml").write_text(SMALL)
    symbols = "SYNA/USDT:USDT,SYNB/USDT:USDT"
    with BinanceStub(served, now=START + BARS * HOUR_MS) as stub:
        done = subprocess.run(
            [sys.executable, str(SCRIPT), "out", symbols, "2025-01-01", "2025-03-15", "2025-04-10"],
            cwd=tmp_path,
            env={**os.environ, "QUORATE_EXCHANGE__URL": stub.url},
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stderr[-2000:]
    for name in ("walk-forward.html", "later-candles.html"):
        assert "<html" in (tmp_path / "out" / name).read_text(encoding="utf-8")
    assert "log-loss" in done.stdout
    assert "class prior on the same rows" in done.stdout
    assert "buy and hold" in done.stdout.lower().replace("-", " ")
    table = done.stdout[done.stdout.rindex("log_loss_low") :]
    assert "ensemble" in table
    assert "prior" in table
