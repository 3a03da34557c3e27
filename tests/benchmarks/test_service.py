"""The benchmark of the service, as small as it can be: it ends, and its clients see no fault."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from quorate.market import SyntheticMarket
from quorate.workflows.train import train
from stubs.served import SETTINGS
from stubs.small_models import small_trees

ROOT = Path(__file__).parents[2]


def test_it_runs_and_sees_no_fault(tmp_path):
    market = SyntheticMarket(seed=3, symbols=1, bars=400)
    settings = replace(SETTINGS, models=small_trees(3))
    bundle = train(market.panel(), tmp_path / "bundles", models=("xgboost", "lightgbm"), settings=settings).path
    options = {"bundle": bundle, "rounds": 20, "starts": 1, "clients": 8, "seconds": 1, "streams": 10}
    done = subprocess.run(
        [
            *(sys.executable, ROOT / "benchmarks" / "service.py", "--out", tmp_path / "out"),
            *(str(word) for name, value in options.items() for word in (f"--{name}", value)),
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        timeout=150,
    )
    # How long things take is not judged here.
    assert "missed: " in done.stdout, done.stderr
    found = json.loads((tmp_path / "out" / "service.json").read_text())
    assert (found["load"]["server_errors"], found["load"]["faults"]) == (0, 0)
    assert found["load"]["answered"] > 8
    assert found["streams"]["streams"] == 10
    assert found["start"]["ready_s"] > 0
    assert "| kept |" in (tmp_path / "out" / "service.md").read_text()
